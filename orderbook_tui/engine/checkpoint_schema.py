"""The tables and views of a checkpoint, as SQL.

    plan, accounts, assets, markets, strategies, plan_budgets, plan_slots     written once
    attempts, fills, cancels, decisions                                       the journal: only ever appended
    intents                                                                   what was about to be placed elsewhere
    opening_balances                                                          what accounts held elsewhere before that
    progress, budget_snapshot                                                 what the journal folds to, so far
    slots, ledger, history, budgets                                           views, for people with an SQLite shell

The journal's tables share one numbering: `n` is an event's place among all of them. `plan.digest` and `chain` are what
tells that rows are those that were written (see `checkpoint_chain`). Amounts are in units of the asset
(see `assets.precision`), prices in ticks, quantities in lots, times in nanoseconds since the epoch. A text that is no
valid Unicode, or an order id or balance past 64 bits, is a BLOB (see `checkpoint_file`).

The checks are those that cost little with every row: `x >= ''` holds for a text or BLOB and for no number, and an IN of
more than two builds a table each time.
"""

from contextlib import closing
from functools import cache
from hashlib import sha256
from typing import Final

import apsw
import msgspec

APPLICATION_ID: Final = 0x4F425475
"""What marks an SQLite file as a checkpoint: "OBTu"."""
USER_VERSION: Final = 3
EARLIER: Final = {
    1: "14b2485022a6c38050731c2cc163ec8710397100b40bd8064976563659ea955e",
    2: "add3d6d4c8ed52fedcc0f2e24050487709a0ede8e20d5efbda28220fbc9ff37c",
}
"""The fingerprint of the schema of each earlier version that can still be read."""
PAGE_SIZE: Final = 1024
PLAN_TABLES: Final = ("plan", "accounts", "assets", "markets", "strategies", "plan_budgets", "plan_slots")
JOURNAL_TABLES: Final = ("attempts", "fills", "cancels", "decisions")
CHAINED: Final = (*JOURNAL_TABLES, "intents", "opening_balances")
"""The tables whose rows have links, each in the place that its rows are hashed with."""

_TABLES: Final = """
CREATE TABLE plan(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name ANY NOT NULL CHECK (name >= ''),
    config ANY NOT NULL CHECK (config >= ''),
    run TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    total_slots INTEGER NOT NULL CHECK (total_slots >= 0),
    maker_fee INTEGER NOT NULL CHECK (maker_fee BETWEEN 0 AND 9999999999),
    taker_fee INTEGER NOT NULL CHECK (taker_fee BETWEEN 0 AND 9999999999),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;
CREATE TABLE accounts(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    id ANY NOT NULL CHECK (id >= ''),
    name ANY NOT NULL CHECK (name >= '')
) STRICT;
CREATE TABLE assets(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    symbol ANY NOT NULL CHECK (symbol >= ''),
    precision INTEGER NOT NULL CHECK (precision BETWEEN 0 AND 18)
) STRICT;
CREATE TABLE markets(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    symbol ANY NOT NULL CHECK (symbol >= ''),
    base ANY NOT NULL CHECK (base >= ''),
    base_precision INTEGER NOT NULL CHECK (base_precision BETWEEN 0 AND 18),
    quote ANY NOT NULL CHECK (quote >= ''),
    quote_precision INTEGER NOT NULL CHECK (quote_precision BETWEEN 0 AND 18),
    tick_size TEXT NOT NULL,
    lot_size TEXT NOT NULL,
    min_notional TEXT NOT NULL,
    reference_price TEXT NOT NULL,
    band TEXT,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'inactive' OR status = 'suspended'),
    quote_per_tick_lot INTEGER NOT NULL CHECK (quote_per_tick_lot > 0),
    base_per_lot INTEGER NOT NULL CHECK (base_per_lot > 0)
) STRICT;
CREATE TABLE strategies(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    kind TEXT NOT NULL CHECK (kind = 'match_with' OR kind = 'sequential_next' OR kind = 'any'),
    account ANY CHECK (account >= '')
) STRICT;
CREATE TABLE plan_budgets(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    account INTEGER NOT NULL REFERENCES accounts(place),
    asset INTEGER NOT NULL REFERENCES assets(place),
    initial INTEGER NOT NULL CHECK (initial >= 0),
    UNIQUE (account, asset)
) STRICT;
CREATE TABLE plan_slots(
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 0),
    account INTEGER NOT NULL REFERENCES accounts(place),
    market INTEGER NOT NULL REFERENCES markets(place),
    side INTEGER NOT NULL CHECK (side BETWEEN 0 AND 1),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price INTEGER NOT NULL CHECK (price > 0),
    strategy INTEGER NOT NULL REFERENCES strategies(place),
    time_in_force TEXT NOT NULL CHECK (
        time_in_force = 'gtc' OR time_in_force = 'ioc' OR time_in_force = 'fok' OR time_in_force = 'post_only'
    ),
    max_retries INTEGER NOT NULL CHECK (max_retries >= 0),
    allowed_attempts INTEGER NOT NULL CHECK (allowed_attempts >= 0)
) STRICT;
CREATE TABLE attempts(
    n INTEGER PRIMARY KEY CHECK (n >= 0),
    slot INTEGER NOT NULL CHECK (slot >= 0),
    number INTEGER NOT NULL CHECK (number >= 1),
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    order_id ANY CHECK (typeof(order_id) <> 'real'),
    code ANY CHECK (code >= ''),
    kind TEXT CHECK (kind = 'transient' OR kind = 'permanent' OR kind = 'unknown'),
    message ANY CHECK (message >= ''),
    chain BLOB CHECK (length(chain) = 16),
    CHECK ((kind IS NULL) = (code IS NULL) AND (kind IS NULL) = (message IS NULL) AND (kind IS NULL) = (order_id IS NOT NULL))
) STRICT;
CREATE TABLE fills(
    n INTEGER PRIMARY KEY CHECK (n >= 0),
    maker INTEGER NOT NULL CHECK (maker >= -1),
    taker INTEGER NOT NULL CHECK (taker >= -1),
    price INTEGER NOT NULL CHECK (price > 0),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    maker_fee INTEGER NOT NULL,
    taker_fee INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outside ANY CHECK (outside >= ''),
    execution_id ANY CHECK (execution_id >= ''),
    chain BLOB CHECK (length(chain) = 16),
    CHECK (maker <> taker)
) STRICT;
CREATE TABLE cancels(
    n INTEGER PRIMARY KEY CHECK (n >= 0),
    slot INTEGER NOT NULL CHECK (slot >= 0),
    quantity INTEGER NOT NULL CHECK (quantity >= 0),
    at INTEGER NOT NULL,
    chain BLOB CHECK (length(chain) = 16)
) STRICT;
CREATE TABLE decisions(
    n INTEGER PRIMARY KEY CHECK (n >= 0),
    slot INTEGER NOT NULL CHECK (slot >= 0),
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    action TEXT NOT NULL CHECK (action = 'retry' OR action = 'skip' OR action = 'continue' OR action = 'quit'),
    by ANY NOT NULL CHECK (by >= ''),
    at INTEGER NOT NULL,
    chain BLOB CHECK (length(chain) = 16)
) STRICT;
CREATE TABLE intents(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    slot INTEGER NOT NULL CHECK (slot >= 0),
    number INTEGER NOT NULL CHECK (number >= 1),
    client_order_id ANY NOT NULL CHECK (client_order_id >= ''),
    at INTEGER NOT NULL,
    chain BLOB CHECK (length(chain) = 16)
) STRICT;
CREATE TABLE opening_balances(
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    account ANY NOT NULL CHECK (account >= ''),
    asset ANY NOT NULL CHECK (asset >= ''),
    available ANY NOT NULL CHECK (typeof(available) = 'integer' OR typeof(available) = 'blob'),
    locked ANY NOT NULL CHECK (typeof(locked) = 'integer' OR typeof(locked) = 'blob'),
    chain BLOB CHECK (length(chain) = 16)
) STRICT;
CREATE TABLE progress(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    saved_at INTEGER NOT NULL,
    events INTEGER NOT NULL CHECK (events >= 0),
    completed INTEGER NOT NULL CHECK (completed >= 0),
    failed INTEGER NOT NULL CHECK (failed >= 0),
    skipped INTEGER NOT NULL CHECK (skipped >= 0),
    finished INTEGER NOT NULL CHECK (finished BETWEEN 0 AND 1)
) STRICT;
CREATE TABLE budget_snapshot(
    account ANY NOT NULL,
    asset ANY NOT NULL,
    events INTEGER NOT NULL CHECK (events >= 0),
    available INTEGER NOT NULL CHECK (available >= 0),
    locked INTEGER NOT NULL CHECK (locked >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0),
    received INTEGER NOT NULL CHECK (received >= 0),
    PRIMARY KEY (account, asset)
) STRICT, WITHOUT ROWID;
"""


def highest_fee(notional: str) -> str:
    """Return the highest fee on `notional` as SQL: floor(notional x rate / 10**10), in steps that stay within 64 bits."""
    rest = f"({notional} % 10000000000)"
    return (
        f"({notional} / 10000000000 * rate"
        f" + ({rest} * (rate / 100000) + {rest} * (rate % 100000) / 100000) / 100000)"
    )  # fmt: skip


def _need(lots: str) -> str:
    """Return what an order of `lots` locks, as SQL."""
    notional = f"(limit_price * ({lots}) * quote_per_tick_lot)"
    return f"CASE side WHEN 0 THEN {notional} + {highest_fee(notional)} ELSE ({lots}) * base_per_lot END"


_VIEWS: Final = f"""
CREATE VIEW slots AS
WITH happened AS (
    SELECT slot, n, CASE WHEN kind IS NULL THEN 'Completed' ELSE 'Pending' END AS state FROM attempts
    UNION ALL
    SELECT slot, n, CASE action WHEN 'skip' THEN 'Skipped' WHEN 'continue' THEN 'Failed' ELSE 'Pending' END FROM decisions
),
-- SQLite takes the bare columns of a lone max() from the row that has it.
newest AS (SELECT slot, max(n), state FROM happened GROUP BY slot),
tried AS (SELECT slot, max(n), max(number) AS attempt_count FROM attempts GROUP BY slot),
ending AS (SELECT slot, max(n), code, message FROM attempts GROUP BY slot),
accepted AS (SELECT slot, max(n), order_id FROM attempts WHERE kind IS NULL GROUP BY slot),
filled AS (
    SELECT slot, sum(quantity) AS quantity
    FROM (
        SELECT maker AS slot, quantity FROM fills WHERE maker >= 0
        UNION ALL
        SELECT taker, quantity FROM fills WHERE taker >= 0
    )
    GROUP BY slot
)
SELECT
    p.sequence, a.id AS account_id, m.symbol AS market, CASE p.side WHEN 0 THEN 'Bid' ELSE 'Ask' END AS side,
    p.quantity, p.price, p.time_in_force, s.kind AS strategy, s.account AS counterparty,
    coalesce(newest.state, 'Pending') AS state, coalesce(tried.attempt_count, 0) AS attempt_count,
    coalesce(filled.quantity, 0) AS filled, accepted.order_id, ending.code AS error_code, ending.message AS last_error
FROM plan_slots p
JOIN accounts a ON a.place = p.account
JOIN markets m ON m.place = p.market
JOIN strategies s ON s.place = p.strategy
LEFT JOIN newest ON newest.slot = p.sequence
LEFT JOIN tried ON tried.slot = p.sequence
LEFT JOIN ending ON ending.slot = p.sequence
LEFT JOIN accepted ON accepted.slot = p.sequence
LEFT JOIN filled ON filled.slot = p.sequence;

CREATE VIEW ledger AS
WITH doubts AS (
    -- An order that may be at the venue keeps what it needs locked, until that is known or its slot is skipped.
    SELECT
        n, slot, started, ended, outcome,
        lag(outcome, 1, '') OVER (PARTITION BY slot ORDER BY n) = 'unknown' AS held
    FROM (
        SELECT n, slot, started, ended, coalesce(kind, 'accepted') AS outcome FROM attempts
        UNION ALL
        SELECT n, slot, at, at, 'skipped' FROM decisions WHERE action = 'skip'
    )
),
touched AS (
    SELECT n, 0 AS part, slot, 'lock' AS what, 0 AS price, 0 AS lots, 0 AS fee, started AS at
    FROM doubts WHERE outcome IN ('accepted', 'unknown') AND NOT held
    UNION ALL
    SELECT n, 0, slot, 'unlock', 0, 0, 0, ended FROM doubts WHERE outcome NOT IN ('accepted', 'unknown') AND held
    UNION ALL
    SELECT n, 0, maker, 'fill', price, quantity, maker_fee, at FROM fills WHERE maker >= 0
    UNION ALL
    SELECT n, 1, taker, 'fill', price, quantity, taker_fee, at FROM fills WHERE taker >= 0
    UNION ALL
    SELECT n, 0, slot, 'cancel', 0, 0, 0, at FROM cancels
),
counted AS (
    SELECT
        t.*, p.account, p.side, p.price AS limit_price, m.base, m.quote, m.quote_per_tick_lot, m.base_per_lot,
        (SELECT max(maker_fee, taker_fee) FROM plan) AS rate,
        p.quantity - coalesce(
            sum(t.lots) OVER (PARTITION BY t.slot ORDER BY t.n, t.part ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
        ) AS left
    FROM touched t JOIN plan_slots p ON p.sequence = t.slot JOIN markets m ON m.place = p.market
),
valued AS (
    SELECT
        *, {_need("left")} AS held, {_need("left - lots")} AS still_held,
        price * lots * quote_per_tick_lot AS notional, lots * base_per_lot AS moved,
        CASE side WHEN 0 THEN quote ELSE base END AS given, CASE side WHEN 0 THEN base ELSE quote END AS wanted
    FROM counted
),
moves AS (
    SELECT n, part, 0 AS step, account, given AS asset, 'lock' AS kind, held AS amount, at, slot
    FROM valued WHERE what = 'lock'
    UNION ALL
    SELECT n, part, 0, account, given, 'unlock', held, at, slot FROM valued WHERE what = 'cancel' OR what = 'unlock'
    UNION ALL
    SELECT n, part, 0, account, given, 'spend', CASE side WHEN 0 THEN notional + fee ELSE moved END, at, slot
    FROM valued WHERE what = 'fill'
    UNION ALL
    SELECT n, part, 1, account, given, 'unlock', held - still_held - notional - fee, at, slot
    FROM valued WHERE what = 'fill' AND side = 0 AND held - still_held - notional - fee <> 0
    UNION ALL
    SELECT n, part, 2, account, wanted, 'receive', CASE side WHEN 0 THEN moved ELSE notional - fee END, at, slot
    FROM valued WHERE what = 'fill'
)
SELECT
    row_number() OVER (ORDER BY moves.n, moves.part, moves.step) AS number, moves.n AS event,
    accounts.id AS account, moves.asset, moves.kind, moves.amount, moves.at, moves.slot
FROM moves JOIN accounts ON accounts.place = moves.account
ORDER BY 1;

CREATE VIEW history AS
WITH first AS (
    SELECT accounts.id AS account, assets.symbol AS asset, initial
    FROM plan_budgets JOIN accounts ON accounts.place = account JOIN assets ON assets.place = asset
)
SELECT
    l.number, l.at, l.account, l.asset, l.kind, l.amount, l.slot, coalesce(f.initial, 0) AS initial,
    coalesce(f.initial, 0)
        + sum(CASE l.kind WHEN 'lock' THEN -l.amount WHEN 'unlock' THEN l.amount ELSE 0 END) OVER w AS available,
    sum(CASE l.kind WHEN 'lock' THEN l.amount WHEN 'receive' THEN 0 ELSE -l.amount END) OVER w AS locked,
    sum(CASE l.kind WHEN 'spend' THEN l.amount ELSE 0 END) OVER w AS spent,
    sum(CASE l.kind WHEN 'receive' THEN l.amount ELSE 0 END) OVER w AS received
FROM ledger l LEFT JOIN first f ON f.account = l.account AND f.asset = l.asset
WINDOW w AS (PARTITION BY l.account, l.asset ORDER BY l.number)
ORDER BY 1;

CREATE VIEW budgets AS
WITH moved AS (
    SELECT accounts.id AS account, assets.symbol AS asset, 'initial' AS kind, initial AS amount
    FROM plan_budgets JOIN accounts ON accounts.place = account JOIN assets ON assets.place = asset
    UNION ALL
    SELECT account, asset, kind, amount FROM ledger
)
SELECT
    account, asset,
    sum(CASE kind WHEN 'initial' THEN amount ELSE 0 END) AS initial,
    sum(CASE kind WHEN 'initial' THEN amount WHEN 'lock' THEN -amount WHEN 'unlock' THEN amount ELSE 0 END) AS available,
    sum(CASE kind WHEN 'lock' THEN amount WHEN 'unlock' THEN -amount WHEN 'spend' THEN -amount ELSE 0 END) AS locked,
    sum(CASE kind WHEN 'spend' THEN amount ELSE 0 END) AS spent,
    sum(CASE kind WHEN 'receive' THEN amount ELSE 0 END) AS received
FROM moved GROUP BY account, asset;
"""


def _triggers() -> str:
    """Return what keeps any program from changing what is written once. A row that is replaced by inserting it anew is left to
    the chain: a look at each insert would cost a fifth of all that saving a slot does."""
    refused = [(table, what, "the plan never changes") for table in PLAN_TABLES for what in ("INSERT", "UPDATE", "DELETE")]
    for table in CHAINED:
        refused += [(table, what, "the journal is only ever appended to") for what in ("UPDATE", "DELETE")]
    return "".join(
        f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, '{why}'); END;\n"
        for table, what, why in refused
    )


SCHEMA: Final = _TABLES + _VIEWS + _triggers()

Declared = frozenset[tuple[str, str, str]]
"""(type, name, SQL) of every table, view and trigger, as SQLite records them."""


@cache
def declared() -> Declared:
    """Return the schema of a checkpoint."""
    with closing(apsw.Connection(":memory:")) as memory:
        memory.execute(SCHEMA).fetchall()
        return schema_of(memory)


def schema_of(connection: apsw.Connection) -> Declared:
    """Return the schema that a file has."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return frozenset((str(kind), str(name), str(sql)) for kind, name, sql in rows)


def fingerprint(schema: Declared) -> str:
    """Return what tells a schema from any other."""
    return sha256(msgspec.json.encode(sorted(schema))).hexdigest()
