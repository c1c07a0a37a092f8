"""A configuration as far as it can be read: what was refused is left out, so that the rest can still be checked.

    tree --validate--> refused places --cut them out--> validate again --> a config, and what is not sound in it

An entry of a list goes as a whole; `Draft.original` says where in the file an entry that stayed stands.
"""

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from orderbook_tui.config.models import SimulatorConfig
from orderbook_tui.config.reading import Document, Trouble
from orderbook_tui.config.showing import Place, shown
from orderbook_tui.config.wording import MISSING, UNKNOWN_KEY, findings


class Draft:
    """What could be made of a document: `config`, and in `troubles` what is wrong within its sections."""

    def __init__(self, document: Document) -> None:
        self.troubles = list(document.troubles)
        self._tree = document.tree
        self._cuts: set[Place] = set()
        self._inside: set[Place] = set()
        self._doubtful: set[Place] = set()
        self._kept: dict[Place, list[int]] = {}
        self.config = self._read(document.lost)

    @classmethod
    def of(cls, config: SimulatorConfig) -> "Draft":
        """Return what a configuration would be read as in which every section is sound."""
        draft = cls(Document({}, []))
        draft.config = config
        return draft

    def is_sound(self, place: Place) -> bool:
        """Whether nothing at, in or around `place` was refused."""
        around = (place[:length] for length in range(len(place)))
        return place not in self._doubtful and place not in self._inside and not any(part in self._cuts for part in around)

    def original(self, place: Place) -> Place:
        """Return where in the file stands what is at `place` of the config."""
        found: Place = ()
        for part in place:
            kept = self._kept.get(found)
            found += (kept[part] if kept is not None and isinstance(part, int) and part < len(kept) else part,)
        return found

    def _read(self, lost: frozenset[Place]) -> SimulatorConfig:
        if not isinstance(self._tree, Mapping):
            self.troubles.append(Trouble((), f"expected an object, got {shown(self._tree)}"))
            self._cut(self.troubles)
            return SimulatorConfig()
        try:
            return SimulatorConfig.model_validate(self._tree)
        except ValidationError as error:
            refused = []
            for trouble, meant in findings(error):
                if trouble.place not in lost or trouble.message.startswith(UNKNOWN_KEY):
                    self.troubles.append(trouble)
                if meant is not None:
                    self._doubtful.add(meant)
                refused.append(trouble)
        while True:
            self._cut(refused)
            try:
                return SimulatorConfig.model_validate(self._without(self._tree, ()))
            except ValidationError as error:
                refused = [Trouble(self.original(trouble.place), trouble.message) for trouble, _ in findings(error)]

    def _cut(self, refused: Iterable[Trouble]) -> None:
        """Leave out what was refused; where that is not enough, the sections around it."""
        places = [trouble.place[:-1] if trouble.message == MISSING else trouble.place for trouble in refused]
        before = len(self._cuts)
        for wider in (_entry, _section, _everything):
            self._cuts.update(map(wider, places))
            if len(self._cuts) > before:
                break
        self._inside = {cut[:length] for cut in self._cuts for length in range(len(cut) + 1)}

    def _without(self, value: object, place: Place) -> object:
        """Return the part of the tree at `place` without what is cut."""
        if place in self._cuts:
            return {}
        if place not in self._inside:
            return value
        if isinstance(value, Mapping):
            return {
                key: self._without(member, (*place, key)) for key, member in value.items() if (*place, key) not in self._cuts
            }
        if isinstance(value, list | tuple):
            kept = [index for index in range(len(value)) if (*place, index) not in self._cuts]
            self._kept[place] = kept
            return [value[index] for index in kept]
        return value


def _entry(place: Place) -> Place:
    """Return `place`, or the first list entry on the way to it."""
    lengths = (length for length, part in enumerate(place, 1) if isinstance(part, int))
    return place[: next(lengths, len(place))]


def _section(place: Place) -> Place:
    return place[:1]


def _everything(_: Place) -> Place:
    return ()
