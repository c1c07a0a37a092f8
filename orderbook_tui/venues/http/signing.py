"""Signing by recipe: an HMAC of a message that is made of the request, in headers or in the query."""

import base64
import binascii
import hmac

from orderbook_tui.config.http import SigningSpec
from orderbook_tui.config.placeholders import Variable
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.http.templates import Values, headers, pairs, text


class Signed:
    """The values of a request that is being signed, over those of its order."""

    def __init__(self, values: Values, method: str, path: str, query: str, body: str) -> None:
        self._values = values
        self._own = {
            "method": method,
            "path": path,
            "query": query,
            "target": f"{path}?{query}" if query else path,
            "body": body,
            "signature": "",
        }

    def value(self, name: str) -> str:
        found = self._own.get(name)
        return self._values.value(name) if found is None else found

    def variable(self, variable: Variable) -> str:
        return self._values.variable(variable)

    def sign(self, signature: str) -> None:
        self._own["signature"] = signature


class Signer:
    """Signs requests as a recipe says."""

    def __init__(self, spec: SigningSpec) -> None:
        self._spec = spec
        self._secret, self._message = text(spec.secret), text(spec.message)
        self._headers, self._query = headers(spec.headers), pairs(spec.query)
        self._keys: dict[str, bytes] = {}

    def sign(self, values: Values, method: str, path: str, query: str, body: str) -> tuple[str, dict[str, str], str]:
        """Return the signature, the headers that carry it, and what the query has more for it."""
        signed = Signed(values, method, path, query, body)
        signature = self.signature(values, self._message(signed) or "")
        signed.sign(signature)
        return signature, self._headers(signed), self._query(signed)

    def signature(self, values: Values, message: str) -> str:
        """Return the signature of a message, by the account's secret."""
        digest = hmac.digest(self.key(values), message.encode("utf-8", "replace"), self._spec.algorithm)
        return digest.hex() if self._spec.encoding == "hex" else base64.b64encode(digest).decode()

    def key(self, values: Values) -> bytes:
        """Return the key of an account.

        Raises:
            ConfigError: there is none, or it is not written as it is said to be.
        """
        secret = self._secret(values) or ""
        key = self._keys.get(secret)
        if key is None:
            key = self._keys[secret] = self._decoded(secret)
        return key

    def _decoded(self, secret: str) -> bytes:
        try:
            match self._spec.secret_encoding:
                case "hex":
                    return bytes.fromhex(secret)
                case "base64":
                    return base64.b64decode(secret, validate=True)
        except (ValueError, binascii.Error):
            words = f"the secret is no {self._spec.secret_encoding}"
            raise ConfigError([Problem("venue.signing.secret", words)]) from None
        return secret.encode()
