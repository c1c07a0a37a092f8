"""The client: one session for all requests. It says of each that fails whether it can have reached the exchange.

    no connection        surely not: VenueUnavailable
    anything after that  nobody knows: OutcomeUnknown

Redirects are not followed, no proxy and no password is taken from the environment, cookies are not kept, and compressed
replies are not asked for: a small one could become a large one.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import aiohttp
from yarl import URL

from orderbook_tui.config.http import HttpVenueSpec
from orderbook_tui.environment import hide
from orderbook_tui.errors import OutcomeUnknown, VenueUnavailable
from orderbook_tui.venues.http.expressions import NotJson, read
from orderbook_tui.venues.http.limits import Limits

LARGEST_REPLY: Final = 1 << 20
"""Bytes of a reply or a message; more are not read."""
_ALWAYS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "orderbook-tui"}
_LONGEST_WORDS: Final = 400
_WRITTEN: Final = {
    "+": r"(?:[+ ]|%(?:25)*2[Bb]|\\u002[Bb])",
    "/": r"(?:\\?/|%(?:25)*2[Ff]|\\u002[Ff])",
    "=": r"(?:=|%(?:25)*3[Dd]|\\u003[Dd])",
}
"""The ways to write what base64 has beside letters and digits, in a query and in JSON: everybody escapes something else."""


class Request(NamedTuple):
    """What is sent. `target` is path and query as they go over the wire."""

    operation: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None
    signature: str = ""

    def unsigned(self, text: str) -> str:
        """Return `text` without the signature, however it is written there."""
        if not self.signature:
            return text
        return re.sub("".join(_WRITTEN.get(each) or re.escape(each) for each in self.signature), "(signature)", text)


class Unreadable:
    """Stands for the tree of a reply whose body is no JSON; `why` is empty where there is no body."""

    def __init__(self, why: str = "") -> None:
        self.why = why


class Reply(NamedTuple):
    """What came back. `tree` is the body as JSON, or why it is none."""

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes
    tree: Any

    def words(self, text: str = "") -> str:
        """Return `text`, or the beginning of the body, as it may be shown: short, and without secrets."""
        text = text or self.body[: 10 * _LONGEST_WORDS].decode("utf-8", "replace")
        return shown(self.request.unsigned(text))


def shown(text: str, most: int = _LONGEST_WORDS) -> str:
    """Return what others say as it may be kept: without secrets, whole characters only, and not too long."""
    # A secret that is cut in two is not found any more: all is looked through, and then cut.
    text = hide(text.encode("utf-8", "replace").decode()).replace("\0", "?").strip()
    return text if len(text) <= most else f"{text[:most]}..."


class Client:
    """Sends requests below a URL. To be opened in the event loop that it is used in."""

    def __init__(self, base_url: URL, spec: HttpVenueSpec) -> None:
        self.base_url, self._spec = base_url, spec
        self._origin = str(base_url.origin())
        self._last = "", base_url
        self._session: aiohttp.ClientSession | None = None
        self._limits = Limits(1, None, 1)
        self.told: Callable[[Request, Reply | Exception], None] | None = None
        """Is told of every request, and of what came of it."""

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session.

        Raises:
            VenueUnavailable: there is none.
        """
        if self._session is None:
            raise VenueUnavailable("there is no connection to the exchange: the run has ended, or has not begun")
        return self._session

    async def open(self) -> None:
        """Make ready to connect; nothing is sent."""
        if self._session is not None:
            return
        spec = self._spec
        verify: ssl.SSLContext | bool = spec.tls == "verify"
        timeout = aiohttp.ClientTimeout(
            total=spec.timeout_ms / 1000, connect=spec.connect_timeout_ms / 1000, sock_connect=spec.connect_timeout_ms / 1000
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=verify, ttl_dns_cache=60),
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers=_ALWAYS,
        )
        # It would send a request again whose connection broke, be it a PUT that places an order.
        self._session._retry_connection = False
        self._limits = Limits(spec.max_in_flight, spec.requests_per_second, spec.burst)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def send(self, make: Callable[[], Request]) -> Reply:
        """Send a request and return the reply to it. It is made when it may be sent: the moment in it is that of sending.

        Raises:
            Unfit: it cannot be made.
            VenueUnavailable: it was not sent.
            OutcomeUnknown: it may have been sent, and there is no whole reply.
        """
        async with self._limits:
            request = make()
            try:
                reply = await self._sent(request)
            except (VenueUnavailable, OutcomeUnknown) as error:
                if self.told is not None:
                    self.told(request, error)
                raise
        if self.told is not None:
            self.told(request, reply)
        return reply

    async def _sent(self, request: Request) -> Reply:
        session = self.session
        try:
            async with session.request(
                request.method,
                self._url(request.target),
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
            ) as response:
                content = await _content(response)
                status, headers = response.status, response.headers
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise VenueUnavailable(f"no connection to the exchange: {_said(request, error)}") from error
        except TimeoutError as error:
            raise OutcomeUnknown(f"the exchange did not answer within {self._spec.timeout_ms} ms") from error
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            # What is wrong with the answer says nothing about the request.
            raise OutcomeUnknown(f"the connection to the exchange broke: {_said(request, error)}") from error
        self._heed(status, headers)
        return Reply(request, status, headers, content, _tree(content))

    def _url(self, target: str) -> URL:
        """Return the URL of a target; that of the last is kept, since orders go to the same one after another."""
        if target != self._last[0]:
            self._last = target, URL(self._origin + target, encoded=True)
        return self._last[1]

    def _heed(self, status: int, headers: Mapping[str, str]) -> None:
        """Keep quiet for as long as the exchange asks for, within limits."""
        wanted = headers.get("Retry-After") if status >= 400 else None
        if wanted is not None:
            self._limits.hold(min(_seconds(wanted), self._spec.most_retry_after_ms / 1000))


async def _content(response: aiohttp.ClientResponse) -> bytes:
    length = response.content_length
    if length is not None and length <= LARGEST_REPLY:
        return await response.read()
    found = bytearray()
    async for piece in response.content.iter_any():
        found += piece
        if len(found) > LARGEST_REPLY:
            response.close()
            raise OutcomeUnknown(f"the reply ({response.status}) has more than {LARGEST_REPLY} bytes")
    return bytes(found)


def _tree(content: bytes) -> Any:
    if not content.strip():
        return Unreadable()
    try:
        return read(content)
    except NotJson as error:
        return Unreadable(f"the body is no JSON: {error}")


def _seconds(wanted: str) -> float:
    """Return how long `Retry-After` means, which is a number of seconds or a date."""
    if wanted.isascii() and wanted.isdigit():
        return float(wanted[:12])
    try:
        return max(0.0, (parsedate_to_datetime(wanted) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _said(request: Request, error: BaseException) -> str:
    return shown(request.unsigned(str(error)) or type(error).__name__)
