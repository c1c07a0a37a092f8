"""Operations: a request of the configuration, taken apart once, and made for each order."""

from typing import Protocol

from yarl import URL

from orderbook_tui.config.http import AskingText, HttpVenueSpec, OperationSpec
from orderbook_tui.config.placeholders import TIME
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.http import templates
from orderbook_tui.venues.http.client import Request
from orderbook_tui.venues.http.signing import Signer
from orderbook_tui.venues.http.values import AskingValues

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class RequestSpec(Protocol):
    """What all requests of a configuration have."""

    @property
    def path(self) -> str: ...
    @property
    def query(self) -> dict[str, str]: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> object: ...
    @property
    def form(self) -> bool: ...


class Common:
    """What all requests to an exchange share: where it is, its headers, and the signature."""

    def __init__(self, base_url: URL, spec: HttpVenueSpec) -> None:
        self.prefix = base_url.raw_path.rstrip("/")
        self._headers = templates.headers(spec.headers)
        self._change = bool(templates.names(list(spec.headers.values())) & TIME)
        self.signer = Signer(spec.signing) if spec.signing is not None else None

    def headers(self, values: AskingValues) -> dict[str, str]:
        """Return the headers of all requests, for an account; they are made once, where no time is in them."""
        if self._change:
            return self._headers(values)
        account = values.account
        if account.headers is None:
            account.headers = self._headers(values)
        return account.headers


class Operation:
    """One request, ready to be made."""

    def __init__(self, name: str, method: str, spec: RequestSpec, common: Common) -> None:
        self.name, self.method, self._common = name, method, common
        place = f"venue.{name}"
        path = spec.path if spec.path.startswith("/") else f"/{spec.path}"
        if not path.isascii() or not path.isprintable() or " " in path:
            raise ConfigError([Problem(f"{place}.path", "a path has plain characters only: others are written as %20")])
        if "?" in path or "#" in path:
            raise ConfigError([Problem(f"{place}.path", "what stands behind ? belongs into the query")])
        self._path = templates.path(common.prefix + path)
        self._query = templates.pairs(spec.query)
        named = dict(spec.headers)
        if isinstance(spec, OperationSpec) and spec.idempotency_header is not None:
            named[spec.idempotency_header] = "{client_order_id}"
        self._headers = templates.headers(named)
        self._kind: dict[str, str] = {}
        self._body: templates.Render | None = None
        if spec.body is not None:
            self._kind, self._body = (FORM, _form(spec.body, place)) if spec.form else (JSON, templates.body(spec.body))
        self.placeholders = templates.names([spec.path, *spec.query.values(), *named.values(), *templates.texts_in(spec.body)])

    def request(self, values: AskingValues) -> Request:
        """Return the request for these values.

        Raises:
            Unfit: one of them cannot stand where it is to.
        """
        path, query = self._path(values) or "/", self._query(values)
        body = self._body(values) if self._body is not None else None
        headers = {**self._common.headers(values), **self._kind, **self._headers(values)}
        signature = ""
        signer = self._common.signer
        if signer is not None:
            signature, more, in_query = signer.sign(values, self.method, path, query, body or "")
            headers.update(more)
            query = "&".join(filter(None, (query, in_query)))
        target = f"{path}?{query}" if query else path
        return Request(self.name, self.method, target, headers, body.encode() if body is not None else None, signature)


def _form(tree: object, place: str) -> templates.Render:
    if not isinstance(tree, dict) or not all(isinstance(member, str | int | float) for member in tree.values()):
        raise ConfigError([Problem(f"{place}.body", "a form is one object of texts and numbers")])
    return templates.pairs({key: member if isinstance(member, str) else str(member) for key, member in tree.items()})


def base_url(text: AskingText) -> URL:
    """Return where an exchange is.

    Raises:
        ConfigError: it is no URL of a web server, or has a password in it.
    """
    try:
        url = URL(text)
        port_is_fine = url.port is not None
    except ValueError:
        url, port_is_fine = URL(), False
    if url.scheme not in ("http", "https") or not url.host or not port_is_fine:
        raise ConfigError([Problem("venue.base_url", "this is no URL such as https://api.example.com/v1")])
    if url.user is not None or url.password is not None:
        raise ConfigError([Problem("venue.base_url", "a user or a password is in it: give headers, with ${env:NAME}")])
    if url.query_string or url.fragment:
        raise ConfigError([Problem("venue.base_url", "what stands behind ? belongs into the query of each request")])
    return url
