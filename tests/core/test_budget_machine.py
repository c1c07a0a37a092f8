"""The store of all budgets under any movements, right and wrong, against plain numbers in a dictionary."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from orderbook_tui.core.budget import BudgetStore, MovementKind
from orderbook_tui.core.money import Asset
from orderbook_tui.errors import AmountError, InsufficientBudget
from tests.machines import effort

DECIMALS = {"USD": 2, "BTC": 8}
WRONG = ["0.001", "1e-9", "NaN", "x", 10**30]
accounts, assets = st.sampled_from("abc"), st.sampled_from(sorted(DECIMALS))
amounts = st.one_of(
    st.integers(-1, 60), st.decimals("-1", "60", places=2), st.sampled_from(["0.001", "1e-9", "NaN", "x", 10**30])
)
FROM_TO = {
    MovementKind.LOCK: ("available", "locked"),
    MovementKind.UNLOCK: ("locked", "available"),
    MovementKind.SPEND: ("locked", "spent"),
    MovementKind.RECEIVE: (None, "received"),
}
Pots = dict[str, Decimal]


class Store(RuleBasedStateMachine):
    """A store and its model: the five pots of each pair of account and asset."""

    def __init__(self) -> None:
        super().__init__()
        self.store = BudgetStore([Asset(symbol, decimals) for symbol, decimals in DECIMALS.items()])
        self.model: dict[tuple[str, str], Pots] = {}
        self.movements: list[tuple[str, str, MovementKind, Decimal]] = []

    @rule(account=accounts, asset=assets, amount=st.integers(0, 100))
    def set_budget(self, account: str, asset: str, amount: int) -> None:
        self.store.set_budget(account, asset, amount)
        self.model[account, asset] = _fresh(amount)
        self.movements = [movement for movement in self.movements if movement[:2] != (account, asset)]

    @rule(kind=st.sampled_from(MovementKind), account=accounts, asset=assets, amount=amounts)
    def move(self, kind: MovementKind, account: str, asset: str, amount: Decimal | int | str) -> None:
        pots = self.model.get((account, asset), _fresh(0))
        source, target = FROM_TO[kind]
        try:
            getattr(self.store, kind.value)(account, asset, amount)
        except AmountError:
            assert not _fits(amount, asset) or Decimal(amount) <= 0
        except InsufficientBudget:
            assert source is not None
            assert Decimal(amount) > pots[source]
        else:
            moved = Decimal(amount)
            assert _fits(amount, asset)
            assert moved > 0
            if source is not None:
                assert moved <= pots[source]
                pots[source] -= moved
            pots[target] += moved
            self.model[account, asset] = pots
            self.movements.append((account, asset, kind, moved))

    @rule(account=accounts, asset=assets, amount=st.integers(1, 100))
    def ask(self, account: str, asset: str, amount: int) -> None:
        pots = self.model.get((account, asset), _fresh(0))
        assert self.store.has_available(account, asset, amount) == (pots["available"] >= amount)
        assert self.store.is_depleted(account, asset) == (pots["available"] == pots["locked"] == 0)

    @invariant()
    def every_budget_is_that_of_the_model(self) -> None:
        found = {(budget.account.id, budget.asset.symbol): budget for budget in self.store}
        assert found.keys() == self.model.keys()
        for key, budget in found.items():
            assert {pot: budget.asset.amount(getattr(budget, pot)) for pot in self.model[key]} == self.model[key]
            assert budget.initial == budget.available + budget.locked + budget.spent

    @invariant()
    def the_summary_is_a_recount(self) -> None:
        summary = self.store.get_summary()
        assert summary.budget_count == len(self.model)
        for symbol, totals in summary.assets.items():
            held = [pots for (_, asset), pots in self.model.items() if asset == symbol]
            for pot in ("initial", "available", "locked", "spent", "received"):
                assert getattr(totals, f"total_{pot}") == sum(pots[pot] for pots in held)

    @invariant()
    def the_history_tells_every_movement_in_order(self) -> None:
        history = list(self.store.get_history())
        assert [(each.account_id, each.asset, each.kind, each.amount) for each in history] == self.movements
        last = {(each.account_id, each.asset): each for each in history}
        for key, each in last.items():
            assert {pot: getattr(each, pot) for pot in self.model[key]} == self.model[key]


def _fresh(amount: int) -> Pots:
    return {
        "initial": Decimal(amount),
        "available": Decimal(amount),
        "locked": Decimal(0),
        "spent": Decimal(0),
        "received": Decimal(0),
    }


def _fits(amount: Decimal | int | str, asset: str) -> bool:
    """Whether the amount is a whole number of the asset's units, and not more than 64 bits of them."""
    if amount in ("NaN", "x"):
        return False
    units = Decimal(amount).scaleb(DECIMALS[asset])
    return units == int(units) and abs(units) < 2**63


TestStore = Store.TestCase
TestStore.settings = effort(30, 30)
