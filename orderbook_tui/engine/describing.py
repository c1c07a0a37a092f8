"""The universe that a configuration describes, with what it asks of a database or an exchange read and put in its place.

    config --read_listings--> markets of an exchange \
    config --read_contents--> contents of a database  --check--> Universe, and what was left out

A run reads them when it is planned. What only looks ahead (a preview, a fitting) takes what was read last, as long
as the configuration asks the same of it. A run that is resumed reads nothing: all of it is in its checkpoint.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orderbook_tui.config import SimulatorConfig, Universe, universe
from orderbook_tui.config.budgets import budget_units
from orderbook_tui.config.ccxt import lists_markets
from orderbook_tui.config.checks import check
from orderbook_tui.config.database import is_read
from orderbook_tui.config.draft import Draft
from orderbook_tui.config.facts import Facts, KnownAccounts
from orderbook_tui.config.models import AccountsSpec, BudgetsSpec, MarketSpec
from orderbook_tui.config.reading import Trouble
from orderbook_tui.config.showing import place_text, shown
from orderbook_tui.config.universe import accounts_of, assets_of, market_of
from orderbook_tui.core.market import Account
from orderbook_tui.engine.database import read_contents
from orderbook_tui.engine.database_contents import Contents
from orderbook_tui.engine.venue_markets import read_listings, with_listings
from orderbook_tui.errors import ConfigError, Problem

if TYPE_CHECKING:
    from orderbook_tui.venues.ccxt_exchange.listings import Listing

_MOST_PROBLEMS = 1_000


class Described(NamedTuple):
    """A universe, and in `notes` what was left out of it, in words."""

    universe: Universe
    notes: list[str]


def described(config: SimulatorConfig, folder: Path) -> Described:
    """Return what a configuration describes, reading its database if it has one, and asking its exchange if that lists its
    markets; this may take as long as they do.

    Raises:
        ConfigError: a file, the database or the exchange cannot be read, or what they say cannot be used; all problems at once.
    """
    listings = read_listings(config.venue) if lists_markets(config.venue) else None
    if listings is not None:
        _keep_listings(config, listings)
    listed, spec, contents = _listed(config, listings), config.database, None
    if spec is not None:
        contents = read_contents(listed, spec, folder)
        _keep(config, folder, contents)
    return _described(config, folder, listings, contents)


def described_before(config: SimulatorConfig, folder: Path) -> Described:
    """Return the same, with what was read of the database last where that still is what is asked for. An exchange is not asked.

    Raises:
        ConfigError: as `described`; and the exchange was not asked for such markets yet.
    """
    listings = kept_listings(config)
    if lists_markets(config.venue) and listings is None:
        raise ConfigError([Problem("venue.markets", "the exchange is asked for them when the run is planned")])
    contents = kept_contents(config, folder)
    if config.database is not None and contents is None:
        return described(config, folder)
    return _described(config, folder, listings, contents)


def _described(
    config: SimulatorConfig, folder: Path, listings: "Sequence[Listing] | None", contents: Contents | None
) -> Described:
    listed = _listed(config, listings)
    if listings is None and contents is None:
        found = universe(listed, folder)
        return Described(found, [f"{market.symbol} is {market.status}: it gets no slots" for market in found.left_out])
    described = _filled(listed, config, folder, contents if contents is not None else Contents())
    inactive = [each.symbol for each in listings or () if not each.terms.is_active]
    closed = [f"{symbol} is not active at the exchange: it gets no slots" for symbol in inactive]
    return Described(described.universe, [*closed, *described.notes])


def _listed(config: SimulatorConfig, listings: "Sequence[Listing] | None") -> SimulatorConfig:
    return config if listings is None or not lists_markets(config.venue) else with_listings(config, config.venue, listings)


# What was read last

_kept: tuple[object, Contents] | None = None


def kept_contents(config: SimulatorConfig, folder: Path) -> Contents | None:
    """Return what was read of the database last; None where that was for another configuration, or there is none."""
    kept = _kept
    return kept[1] if config.database is not None and kept is not None and kept[0] == _asked(config, folder) else None


def _keep(config: SimulatorConfig, folder: Path, contents: Contents) -> None:
    global _kept  # noqa: PLW0603 - the one place: whoever looks ahead has nothing but the config in common
    _kept = _asked(config, folder), contents


def _asked(config: SimulatorConfig, folder: Path) -> object:
    """Return all that decides what is read."""
    return config.database, config.accounts, config.assets, config.markets, _asked_exchange(config), folder.absolute()


_kept_listings: "tuple[object, Sequence[Listing]] | None" = None


def kept_listings(config: SimulatorConfig) -> "Sequence[Listing] | None":
    """Return what an exchange said of its markets last; None where that was for another configuration, or none is asked."""
    kept, asked = _kept_listings, _asked_exchange(config)
    return kept[1] if asked is not None and kept is not None and kept[0] == asked else None


def _keep_listings(config: SimulatorConfig, listings: "Sequence[Listing]") -> None:
    global _kept_listings  # noqa: PLW0603 - as above
    _kept_listings = _asked_exchange(config), listings


def _asked_exchange(config: SimulatorConfig) -> object:
    """Return all that decides what an exchange says; what orders cost there does not."""
    return config.venue.model_copy(update={"fees": None, "faults": None}) if lists_markets(config.venue) else None


# Putting it in


def _filled(config: SimulatorConfig, given: SimulatorConfig, folder: Path, contents: Contents) -> Described:
    """Return the universe with what was read in it; `given` is the configuration as it was, before an exchange was asked.

    Raises:
        ConfigError: it does not agree with the configuration.
    """
    filled = _without_database(config, contents)
    accounts = contents.accounts if contents.accounts is not None else accounts_of(config.accounts, folder)
    if contents.markets == [] and contents.inactive_symbols:
        raise ConfigError([Problem("database.markets", f"no market is active: {contents.inactive_markets}")])
    facts = Facts(Draft.of(filled), folder, KnownAccounts(filled.accounts, folder, accounts))
    troubles = dict.fromkeys(islice(check(facts), _MOST_PROBLEMS))
    if troubles:
        raise ConfigError([_problem(trouble, given, filled.markets or ()) for trouble in troubles])
    assets = assets_of(filled)
    budgets = contents.budgets
    if budgets is None:
        budgets = budget_units(config.budget.budgets, accounts, assets)
    if contents.markets is None:
        found = universe(filled, folder)
        markets, left_out = found.markets, found.left_out
    else:
        markets, left_out = [market_of(market, assets) for market in contents.markets], []
    notes = [f"{market.symbol} is {market.status}: it gets no slots" for market in left_out]
    return Described(Universe(accounts, markets, left_out, assets, budgets), [*notes, *contents.notes()])


def _without_database(config: SimulatorConfig, contents: Contents) -> SimulatorConfig:
    """Return the configuration as it would be if what was read stood in it, but for accounts and budgets, which are many."""
    filled: dict[str, object] = {"database": None}
    if contents.accounts is not None:
        filled["accounts"] = AccountsSpec()
    if contents.markets is not None:
        filled["markets"] = tuple(contents.markets)
        weights = config.scheduler.market_weights
        if weights is not None:  # those of a market that is left out count for nothing, as if it stood in the config
            left = {symbol: weight for symbol, weight in weights.items() if symbol not in contents.inactive_symbols}
            filled["scheduler"] = config.scheduler.model_copy(update={"market_weights": left})
    if contents.budgets is not None:
        filled["budget"] = BudgetsSpec(budgets=())
    return config.model_copy(update=filled)


def _problem(trouble: Trouble, given: SimulatorConfig, markets: Sequence[MarketSpec]) -> Problem:
    """Say what is wrong with what was read where it was read."""
    place, spec = trouble.place, given.database
    if place[:1] == ("markets",) and lists_markets(given.venue):
        at = f"{shown(markets[place[1]].symbol)}: " if len(place) > 1 and isinstance(place[1], int) else ""
        return Problem("venue.markets", f"{at}{trouble.message}")
    if place[:1] == ("accounts",) and is_read(spec, "accounts"):
        return Problem("database.accounts", trouble.message)
    if place[:1] == ("markets",) and spec is not None and spec.markets is not None:
        if len(place) == 1 or not isinstance(place[1], int):
            return Problem("database.markets", trouble.message)
        column = getattr(spec.markets, str(place[2]), None) if len(place) > 2 else None
        row = f"row {shown(markets[place[1]].symbol)}" + (f", column {shown(column)}" if column else "")
        return Problem("database.markets", f"{row}: {trouble.message}")
    return Problem(place_text(place), trouble.message)


def accounts_read(config: SimulatorConfig, folder: Path) -> list[Account]:
    """Return the accounts that were read of the database last; none, where that is still to come."""
    contents = kept_contents(config, folder)
    return (contents.accounts or []) if contents is not None else []
