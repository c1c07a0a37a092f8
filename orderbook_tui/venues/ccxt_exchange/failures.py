"""What an error of the library says of a request that was sent, and above all of an order.

    ExchangeError                                the exchange answered: it refused                       Rejected
    RateLimitExceeded, DDoSProtection,           the exchange answered: not now                          VenueUnavailable
    OnMaintenance, InvalidNonce
    ExchangeNotAvailable, RequestTimeout         the connection was never made                           VenueUnavailable
        of a connection that was not made
    the rest of NetworkError, and all else       it may have been sent, and taken                        OutcomeUnknown

The library calls a reply that was cut short an ExchangeError, and a client order id that is there already an InvalidOrder:
both say that the order may be there.
"""

import re
import socket
from typing import Final

import aiohttp
import ccxt

from orderbook_tui.core.words import harmless
from orderbook_tui.environment import hide
from orderbook_tui.errors import OrderError, OutcomeUnknown, Rejected, VenueUnavailable

LONGEST_ERROR: Final = 1_000
_ANSWERED_NOT_NOW: Final = (ccxt.RateLimitExceeded, ccxt.DDoSProtection, ccxt.OnMaintenance, ccxt.InvalidNonce)
_NEVER_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, socket.gaierror)
_QUERY: Final = re.compile(r"(https?://[^\s?]+)\?\S*")
"""The library's errors hold whole addresses, with the key and the signature in them."""


def failure(error: Exception) -> OrderError:
    """Return what an error says of an order that was being placed."""
    said = words(error)
    if isinstance(error, OrderError):
        return error
    if isinstance(error, _ANSWERED_NOT_NOW) or _was_never_sent(error):
        return VenueUnavailable(said)
    if isinstance(error, ccxt.DuplicateOrderId) or isinstance(error.__cause__, aiohttp.ClientError):
        return OutcomeUnknown(said)
    return Rejected(said) if isinstance(error, ccxt.ExchangeError) else OutcomeUnknown(said)


def unanswered(error: Exception) -> OrderError:
    """Return what an error says of a question: that it was not answered."""
    if isinstance(error, OrderError):
        return error
    return (VenueUnavailable if isinstance(error, _ANSWERED_NOT_NOW) or _was_never_sent(error) else OutcomeUnknown)(
        words(error)
    )


def words(error: BaseException) -> str:
    """Return an error's words, without what is secret."""
    return harmless(hide(_QUERY.sub(r"\1?...", f"{type(error).__name__}: {error}")), LONGEST_ERROR)


def _was_never_sent(error: Exception) -> bool:
    return isinstance(error, ccxt.NetworkError) and isinstance(error.__cause__, _NEVER_SENT)
