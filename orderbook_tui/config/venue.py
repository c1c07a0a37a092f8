"""The `venue` section: where orders go. What they cost there is in `venue_costs`, an exchange with a REST API in `http`, one
that speaks FIX in `fix`, one that the library ccxt knows in `ccxt`."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Discriminator, Tag

from orderbook_tui.config.ccxt import CcxtVenueSpec
from orderbook_tui.config.fields import UNKNOWN_KIND, Name, Section, kind_of, refuse
from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.config.http import HttpVenueSpec
from orderbook_tui.config.showing import shown
from orderbook_tui.config.venue_costs import FaultsSpec as FaultsSpec
from orderbook_tui.config.venue_costs import FeesSpec as FeesSpec
from orderbook_tui.core.book import SelfTradePrevention

EMBEDDED: Final = "<embedded>"
PYTHON: Final = "<python>"
HTTP: Final = "<http>"
FIX: Final = "<fix>"
CCXT: Final = "<ccxt>"
_TAGS: Final = {"embedded": EMBEDDED, "python": PYTHON, "http": HTTP, "fix": FIX, "ccxt": CCXT}


def _target(text: str) -> str:
    module, colon, attribute = text.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        refuse(f'expected "package.module:callable", got {shown(text)}')
    return text


class EmbeddedVenueSpec(Section):
    """The exchange inside this program."""

    kind: Literal["embedded"] = "embedded"
    """The exchange inside this program."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs."""
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST
    """Which order is cancelled when an account would trade with itself."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose."""


class PythonVenueSpec(Section):
    """A callable of yours: called with each slot, it places the order and answers an order id."""

    kind: Literal["python"] = "python"
    """A callable of yours."""
    target: Annotated[Name, AfterValidator(_target)]
    """Where the callable is: `package.module:callable`."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs there; it is part of what an order locks."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose, before the callable is called."""


def _tag(value: object) -> str | None:
    kind = kind_of(value)
    if isinstance(value, Mapping) and "kind" not in value:
        kind = "python" if "target" in value else "embedded"
    return _TAGS.get(kind) if isinstance(kind, str) else None


_EXPECTED: Final = 'expected "embedded", "python", "http", "fix" or "ccxt"'

Venue = Annotated[
    Annotated[EmbeddedVenueSpec, Tag(EMBEDDED)]
    | Annotated[PythonVenueSpec, Tag(PYTHON)]
    | Annotated[HttpVenueSpec, Tag(HTTP)]
    | Annotated[FixVenueSpec, Tag(FIX)]
    | Annotated[CcxtVenueSpec, Tag(CCXT)],
    Discriminator(_tag, custom_error_type=UNKNOWN_KIND, custom_error_message=_EXPECTED),
]
