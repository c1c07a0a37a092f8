"""Rules: what a reply means. The first that holds counts; where none does, nobody knows.

A reply whose body is no JSON is held against those rules alone that say so (`any_body`): half a reply, or the page of some
machine in between, is no word of the exchange.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from orderbook_tui.config.http import Outcome, RuleSpec
from orderbook_tui.venues.http.client import Reply, Unreadable
from orderbook_tui.venues.http.expressions import Search, compiled, is_true


class Ruling(NamedTuple):
    """What a reply means, and by which rule; `rule` is -1 where none holds."""

    outcome: Outcome
    rule: int = -1


class Step(NamedTuple):
    """A rule that was held against a reply: why it does not hold, or empty where it does."""

    outcome: Outcome
    words: str
    why_not: str


class Rules:
    """An ordered list of rules."""

    def __init__(self, specs: Sequence[RuleSpec], place: str) -> None:
        self._rules: list[tuple[RuleSpec, Search | None]] = [
            (spec, compiled(spec.when, f"{place}.outcomes[{index}].when") if spec.when is not None else None)
            for index, spec in enumerate(specs)
        ]

    @property
    def outcomes(self) -> set[Outcome]:
        return {spec.outcome for spec, _ in self._rules}

    def judge(self, reply: Reply) -> Ruling:
        """Return what a reply means."""
        for index, (spec, when) in enumerate(self._rules):
            if not _why_not(spec, when, reply):
                return Ruling(spec.outcome, index)
        return Ruling("unknown")

    def steps(self, reply: Reply) -> list[Step]:
        """Return what became of each rule, up to the one that holds."""
        steps = []
        for spec, when in self._rules:
            steps.append(Step(spec.outcome, _words(spec), _why_not(spec, when, reply)))
            if not steps[-1].why_not:
                break
        return steps


def _why_not(spec: RuleSpec, when: Search | None, reply: Reply) -> str:
    if spec.status and reply.status not in spec.status and f"{reply.status // 100}xx" not in spec.status:
        return f"the status is {reply.status}"
    tree: Any = reply.tree
    if isinstance(tree, Unreadable):
        if tree.why and not spec.any_body:
            return tree.why
        return "there is no body" if when is not None else ""
    if when is not None and not is_true(found := when(tree)):
        return f"it gives {_shown(found)}"
    return ""


def _words(spec: RuleSpec) -> str:
    statuses = ", ".join(map(str, spec.status)) or "any status"
    return f"{statuses}, {spec.when}" if spec.when is not None else statuses


def _shown(found: Any) -> str:
    return "null" if found is None else "false" if found is False else "nothing"


def _rule(outcome: Outcome, *status: int | str, when: str | None = None, any_body: bool = False) -> RuleSpec:
    return RuleSpec(outcome=outcome, status=status, when=when, any_body=any_body)


_STATUS: Final = "(order.status || status)"
_GONE: Final = f"contains(['cancelled', 'canceled', 'expired', 'CANCELLED', 'CANCELED', 'EXPIRED'], {_STATUS})"
_REFUSED: Final = f"contains(['rejected', 'refused', 'REJECTED', 'REFUSED'], {_STATUS})"
_FILLED: Final = f"contains(['filled', 'FILLED'], {_STATUS})"
_BUSY: Final = _rule("retry", 429, any_body=True)
_SAID: Final = (
    _rule("refused", "2xx", when=_REFUSED),
    _rule("cancelled", "2xx", when=_GONE),
    _rule("filled", "2xx", when=_FILLED),
)

USUAL: Final[Mapping[str, tuple[RuleSpec, ...]]] = {
    "place": (_BUSY, *_SAID, _rule("accepted", 202), _rule("open", "2xx"), _rule("refused", 400, 401, 403, 404, 405, 413, 422)),
    "status": (_BUSY, *_SAID, _rule("accepted", 202), _rule("open", "2xx"), _rule("not_found", 404)),
    "fence": (_BUSY, *_SAID, _rule("open", "2xx"), _rule("not_found", 404)),
    "cancel": (_BUSY, *_SAID[2:], _rule("cancelled", "2xx"), _rule("not_found", 404)),
}
"""The rules of each operation, where none are given."""
