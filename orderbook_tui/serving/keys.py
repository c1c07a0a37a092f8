"""Keys: who asks, and whether they are who they say.

    X-API-Key      the key of an account, or the operator's, who may act for any account (X-Account: name or id)
    X-Timestamp    where the key has a secret: milliseconds since the epoch
    X-Signature    and then: hex of HMAC-SHA256(secret, timestamp + METHOD + path with query + body)

Without a file of keys the key of an account is `key-` and its name: good enough for an exchange that lives on loopback and
whose money is nobody's.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from orderbook_tui.core.market import Account
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.serving.served import ServedExchange

OPERATOR: Final = "*"
"""Who may act for any account, as a file of keys calls it."""
LONGEST_AGE_MS: Final = 60_000
"""How old a signed request may be, so that one that was overheard cannot be sent again later."""


class Unauthorized(Exception):
    """Whoever asks did not show that they may."""


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """What a file of keys says of one account."""

    key: str
    secret: str | None = None


class Caller(NamedTuple):
    """Who asks: an account, or the operator acting for one or for none."""

    account: Account | None
    is_operator: bool


class KeyRing:
    """The keys of all accounts."""

    def __init__(self, exchange: ServedExchange, entries: Mapping[str, Entry] | None = None) -> None:
        """Take the `entries` by account name or id; where there are none, every account has its usual key.

        Raises:
            ConfigError: an entry is for nobody, or two have the same key.
        """
        self._exchange = exchange
        self._usual = entries is None
        # By digest: how long looking one up takes says nothing about the keys that there are.
        self._owners: dict[bytes, tuple[Account | None, str | None]] = {}
        problems = []
        for name, entry in (entries or {}).items():
            account = exchange.account(name)
            digest = _digest(entry.key)
            if account is None and name != OPERATOR:
                problems.append(Problem("--keys", f"there is no account {name}"))
            elif not entry.key or entry.secret == "":
                problems.append(Problem("--keys", f"{name} has an empty key or secret"))
            elif digest in self._owners:
                problems.append(Problem("--keys", f"{name} has the key of another"))
            else:
                self._owners[digest] = account, entry.secret
        if problems:
            raise ConfigError(problems)

    def caller(self, headers: Mapping[str, str], method: str, target: str, body: bytes, key: str | None = None) -> Caller:
        """Return who sent a request; `target` is its path with the query, `key` stands in for a missing header.

        Raises:
            Unauthorized: it does not say, or not rightly.
        """
        key = headers.get("X-API-Key", key)
        if key is None:
            raise Unauthorized("the header X-API-Key is missing")
        account, secret = self._owner(key)
        if secret is not None:
            _check_signature(secret, headers, method, target, body)
        wanted = headers.get("X-Account")
        if wanted is None:
            return Caller(account, account is None)
        named = self._exchange.account(wanted)
        if named is None or (account is not None and named is not account):
            raise Unauthorized("that key is not for the account in X-Account, or there is none such")
        return Caller(named, account is None)

    def opens_session(self, key: str) -> bool:
        """Whether a FIX session may trade for all accounts that logs on with `key`: without a file of keys, any may."""
        owner = self._owners.get(_digest(key))
        return self._usual or (owner is not None and owner[0] is None)

    def _owner(self, key: str) -> tuple[Account | None, str | None]:
        if not self._usual:
            owner = self._owners.get(_digest(key))
            if owner is not None:
                return owner
        elif hmac.compare_digest(key.encode("utf-8", "replace"), b"key-operator"):
            return None, None
        elif key.startswith("key-"):
            account = self._exchange.account(key.removeprefix("key-"))
            if account is not None:
                return account, None
        raise Unauthorized("that key is nobody's")


def read_keys(path: Path) -> dict[str, Entry]:
    """Return what a file of keys says: {"<account>": {"key": "...", "secret": "..."}, "*": {"key": "..."}}.

    Raises:
        ConfigError: it cannot be read, or says something else.
    """
    try:
        tree = json.loads(path.read_bytes(), object_pairs_hook=_without_duplicates)
        return msgspec.convert(tree, dict[str, Entry])
    except OSError as error:
        raise ConfigError([Problem("--keys", f"{path} cannot be read: {error.strerror}")]) from None
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise ConfigError([Problem("--keys", f"{path}: {error}")]) from None


def signature(secret: str, timestamp: str, method: str, target: str, body: bytes) -> str:
    """Return what `X-Signature` must be."""
    return hmac.new(secret.encode(), f"{timestamp}{method}{target}".encode() + body, hashlib.sha256).hexdigest()


def _check_signature(secret: str, headers: Mapping[str, str], method: str, target: str, body: bytes) -> None:
    timestamp, given = headers.get("X-Timestamp", ""), headers.get("X-Signature", "")
    if not given or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        raise Unauthorized("that key's requests are signed: X-Timestamp and X-Signature are wanted")
    expected = signature(secret, timestamp, method, target, body)
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Unauthorized("the signature is not right")
    if abs(time.time_ns() // 1_000_000 - int(timestamp)) > LONGEST_AGE_MS:
        raise Unauthorized(f"X-Timestamp is more than {LONGEST_AGE_MS // 1000} seconds off")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return tree
