"""The `venue` section of an exchange that speaks FIX: where it is, the names to log on with, and what it wants in an order."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from orderbook_tui.config.fields import Flag, Milliseconds, Name, Section, Whole, refuse
from orderbook_tui.config.showing import shown
from orderbook_tui.config.venue_costs import FaultsSpec, FeesSpec

SHORTEST_CLIENT_ORDER_ID: Final = 20
"""What a run and a slot can still be told by."""
_OURS: Final = frozenset(
    map(str, (8, 9, 10, 11, 21, 34, 35, 37, 38, 40, 41, 43, 44, 49, 52, 54, 55, 56, 59, 60, 553, 554, 584, 585))
)
"""Tags that the program itself fills in."""


def _in_fix(text: str) -> str:
    if not text.isprintable() or not text.isascii():
        refuse(f"{shown(text)} has a character that FIX does not carry: only printable ASCII goes")
    return text


def _tag(text: str) -> str:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) <= 9 or text.startswith("0"):
        refuse(f"expected the number of a tag, got {shown(text)}")
    if text in _OURS:
        refuse(f"tag {text} is filled in by the program itself")
    return text


FixText = Annotated[Name, AfterValidator(_in_fix)]
FixTag = Annotated[Name, AfterValidator(_tag)]
TagNumber = Annotated[Whole, Field(ge=1, le=999_999_999)]


class FixSessionSpec(Section):
    """One FIX session: the names that both sides go by, and whose orders it carries."""

    sender_comp_id: FixText
    """SenderCompID (49): who you are."""
    target_comp_id: FixText
    """TargetCompID (56): who the exchange is."""
    username: FixText | None = None
    """Username (553) of the Logon; `${env:NAME}` stands for a variable of the environment."""
    password: FixText | None = None
    """Password (554) of the Logon; `${env:NAME}` stands for a variable of the environment, and nothing of it is kept."""
    logon_fields: dict[FixTag, FixText] = Field(default_factory=dict)
    """Further tags of the Logon, such as {"96": "${env:FIX_TOKEN}"}."""
    accounts: tuple[Name, ...] = ()
    """Accounts, by name or id, whose orders it carries; where omitted, all that no other session names."""


class FixVenueSpec(Section):
    """An exchange that speaks FIX 4.2 or 4.4."""

    kind: Literal["fix"] = "fix"
    """An exchange that speaks FIX."""
    host: FixText = "127.0.0.1"
    """The name or address of its machine."""
    port: Annotated[Whole, Field(ge=1, le=65_535)]
    """The port that it listens on."""
    begin_string: Literal["FIX.4.2", "FIX.4.4"] = "FIX.4.4"
    """BeginString (8): the version that is spoken."""
    tls: Flag = False
    """Whether the connection is encrypted; the exchange's certificate is then checked against those that the system trusts."""
    sessions: Annotated[tuple[FixSessionSpec, ...], Field(min_length=1, max_length=1_000)]
    """The sessions, one for each CompID."""
    heartbeat_s: Annotated[Whole, Field(ge=1, le=3_600)] = 30
    """HeartBtInt (108): after how many silent seconds either side says that it is there."""
    accounts: dict[Name, FixText] = Field(default_factory=dict)
    """What Account (1) says for an account (by name or id); its name, where it is not listed."""
    symbols: dict[Name, FixText] = Field(default_factory=dict)
    """What Symbol (55) says for a market; its own symbol, where it is not listed."""
    order_timeout_ms: Annotated[Milliseconds, Field(ge=1)] = 5_000
    """How long an order, a cancel or a question is waited for. After that nobody knows what became of an order."""
    logon_timeout_ms: Annotated[Milliseconds, Field(ge=1)] = 10_000
    """How long the exchange may take to connect and log on, before what is to be sent counts as not sent."""
    reconnect_ms: Annotated[Milliseconds, Field(ge=10)] = 1_000
    """The longest wait before the next try to connect; the first ones come sooner."""
    reset_on_logon: Flag = False
    """Whether every Logon begins with new sequence numbers, where the exchange demands that; reports missed meanwhile are then
    not sent again, but asked for."""
    send_account: Flag = True
    """Whether orders say Account (1)."""
    counterparty_tag: TagNumber | None = None
    """The tag in which a directed order names the account that it is for, where the exchange knows such a thing."""
    contra_tag: TagNumber | None = 375
    """The tag in which a fill names the other side's account; null where it names none."""
    fields: dict[FixTag, FixText] = Field(default_factory=dict)
    """Further tags of every order, cancel and question, such as {"207": "XNAS"}."""
    good_till: Literal["cancel", "day"] = "cancel"
    """TimeInForce (59) of an order that stays: 1, good till cancelled, or 0, for the day."""
    longest_client_order_id: Annotated[Whole, Field(ge=SHORTEST_CLIENT_ORDER_ID, le=1_000)] = 100
    """The longest ClOrdID (11) that the exchange takes; where ours would be longer, the run's name in it is shortened."""
    status_requests: Flag = True
    """Whether it answers OrderStatusRequest, also about an order that it does not have."""
    mass_status: Flag = False
    """Whether it answers OrderMassStatusRequest (FIX 4.4) with an account's orders: a run is then held against that list.
    Where it does not, each order that the run takes to be open is asked about, and those that it does not know are not seen."""
    cancels: Flag = True
    """Whether it takes OrderCancelRequest."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs there; it is part of what an order locks."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose, before an order is sent."""

    @model_validator(mode="after")
    def _lists_where_there_are_lists(self) -> Self:
        if self.mass_status and self.begin_string == "FIX.4.2":
            refuse("mass_status: FIX 4.2 has no OrderMassStatusRequest")
        return self

    @model_validator(mode="after")
    def _each_session_once(self) -> Self:
        seen: set[tuple[str, str]] = set()
        rest = 0
        for session in self.sessions:
            names = session.sender_comp_id, session.target_comp_id
            if names in seen:
                refuse(f"sessions: {shown(names[0])} to {shown(names[1])} stands there twice")
            seen.add(names)
            rest += not session.accounts
        if rest > 1:
            refuse("sessions: of several, all but one name the accounts whose orders they carry")
        return self
