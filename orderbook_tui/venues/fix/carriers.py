"""Which session carries whose orders, as the config has it, with what it takes from the environment."""

from collections.abc import Mapping, Sequence

from fixcore.session.session_id import SessionID

from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.environment import expand
from orderbook_tui.errors import ConfigError, Problem
from orderbook_tui.venues.fix.session import Ears, Line


def expanded(spec: FixVenueSpec) -> FixVenueSpec:
    """Return what the config says with what it takes from the environment, but for the sessions'.

    Raises:
        ConfigError: a variable is not there.
    """
    return spec.model_copy(
        update={
            "host": expand(spec.host, "venue.host"),
            "accounts": {name: expand(value, "venue.accounts") for name, value in spec.accounts.items()},
            "fields": {tag: expand(value, "venue.fields") for tag, value in spec.fields.items()},
        }
    )


def lines_of(spec: FixVenueSpec, ears: Ears) -> list[Line]:
    """Return the sessions, in the order of the config.

    Raises:
        ConfigError: a variable is not there.
    """
    return [_line(spec, number, ears) for number in range(len(spec.sessions))]


def carriers(spec: FixVenueSpec, lines: Sequence[Line], names: Mapping[str, str]) -> dict[str, Line]:
    """Return the session of each account, by id; `names` are those of all accounts.

    Raises:
        ConfigError: an account has no session, or two.
    """
    found: dict[str, Line] = {}
    rest: Line | None = None
    ids = {name: account for account, name in names.items()} | {account: account for account in names}
    for number, (session, line) in enumerate(zip(spec.sessions, lines, strict=True)):
        if not session.accounts:
            rest = line
        for name in session.accounts:
            place = f"venue.sessions[{number}].accounts"
            if name not in ids:
                raise ConfigError([Problem(place, f"there is no account {name}")])
            if ids[name] in found:
                raise ConfigError([Problem(place, f"{name} has a session already")])
            found[ids[name]] = line
    for account, name in names.items():
        if account not in found:
            if rest is None:
                raise ConfigError([Problem("venue.sessions", f"none carries the orders of {name}")])
            found[account] = rest
    return found


def _line(spec: FixVenueSpec, number: int, ears: Ears) -> Line:
    session, at = spec.sessions[number], f"venue.sessions[{number}]"
    logon = {int(tag): expand(value, f"{at}.logon_fields") for tag, value in session.logon_fields.items()}
    if session.username is not None:
        logon[553] = expand(session.username, f"{at}.username")
    if session.password is not None:
        logon[554] = expand(session.password, f"{at}.password")
    identity = SessionID(
        spec.begin_string,
        expand(session.sender_comp_id, f"{at}.sender_comp_id"),
        expand(session.target_comp_id, f"{at}.target_comp_id"),
    )
    return Line(spec, identity, (session.sender_comp_id, session.target_comp_id), logon, ears)
