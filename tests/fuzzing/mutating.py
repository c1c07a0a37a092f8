"""Bytes, texts and trees, bent out of shape: what a mutation does is drawn from the random numbers it is given."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final


class Raw(str):
    """A piece of JSON text that stands in a tree as it is, whether or not it is any JSON."""

    __slots__ = ()


class Twice(dict[str, Any]):
    """An object whose members are all written twice."""


NUMBERS: Final = (
    "0", "-0", "-1", "1", "0.0", "1e0", "0.1", "1e-9", "1e3", "1E400", "-1e400", "1e-400", "1e999999999", "1e-999999999",
    "1E99999999999999999999", "9" * 19, "9" * 101, "1" + "0" * 5000, "0." + "1" * 5000, "1" * 99 + "e60", "1e61",
    str(2**31), str(2**53 + 1), str(2**63 - 1), str(2**63), str(2**64), str(-(2**63) - 1), "01", "+1", ".5", "5.", "0x10",
    "1_0", "NaN", "Infinity", "-Infinity", "1e", "--1",
)  # fmt: skip

TEXTS: Final = (
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\ufeff", "\u202eevil", "\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\r\n",
    "[bold red]x[/]", "👩‍👩‍👧", "a" + "\u0301" * 50, "../../etc/passwd", "/dev/zero", "~", ".", "..", "C:\\con", "%s%n", "=1+1",
    "+1", "@x", "\t=x", "'", '"', "{}", "NaN", "1e999999999", "١٢", "1" * 5000, "x" * 99_999, "x" * 100_001, "ﷺ" * 20, "İ", "ß",
    "__class__", "[key]", "<strategy map>", "latest", "null", "embedded:", "a.b:c", "\U000e0041", "\u2028", "\x85", "\xad",
)  # fmt: skip


def interesting(random: Random) -> Any:
    """Return a value of JSON, or what looks like one."""
    match random.randrange(12):
        case 0 | 1 | 2:
            return Raw(random.choice(NUMBERS))
        case 3 | 4 | 5:
            return random.choice(TEXTS)
        case 6:
            return random.choice([None, True, False, [], {}, [[]], {"": {}}, [None], {"a": 1}])
        case 7:
            depth = random.choice([2, 20, 63, 64, 65, 200, 2_000, 50_000])
            opened, closed = random.choice([("[", "]"), ('{"a":', "}"), ('[{"kind":', "}]")])
            return Raw(opened * depth + "1" + (closed * depth if random.random() < 0.8 else ""))
        case 8:
            return Twice({random.choice(TEXTS): random.choice(TEXTS) for _ in range(random.randrange(1, 4))})
        case 9:
            return [random.choice([1, "a", None, {}])] * random.choice([1, 10, 1_000])
        case 10:
            return Raw(
                random.choice(['"\\ud800"', '"\\u0000"', '"\\x"', '"\x01"', "'a'", '"a', "#", "// no", "undefined", ","])
            )
    return random.randrange(-(2**70), 2**70)


def written(tree: Any) -> str:
    """Return a tree as JSON text, with its `Raw` pieces as they are."""
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, dict):
        members = [f"{json.dumps(key)}: {written(value)}" for key, value in tree.items()]
        return "{" + ", ".join(members * 2 if isinstance(tree, Twice) else members) + "}"
    if isinstance(tree, list | tuple):
        return "[" + ", ".join(map(written, tree)) + "]"
    return json.dumps(tree)


def bent(random: Random, tree: Any, keys: Sequence[str]) -> Any:
    """Return a tree with one place of it changed; `keys` are those that an object might have."""
    places = _places(tree)
    if not places:
        return interesting(random)
    parent, key = random.choice(places)
    match random.randrange(8):
        case 0 | 1 | 2:
            parent[key] = interesting(random)
        case 3:
            parent[key] = _of_its_kind(random, parent[key])
        case 4:
            del parent[key]
        case 5:
            other, where = random.choice(places)
            parent[key] = other[where] if not _is_within(parent[key], other) else None
        case 6 if isinstance(parent, dict):
            parent[random.choice([*keys, *TEXTS[:12], f"{key}s", key.upper()])] = parent.pop(key)
        case 7 if isinstance(parent, list):
            parent.extend([parent[key]] * random.choice([1, 2, 50]))
        case _:
            parent[key] = [parent[key]] if random.random() < 0.5 else {random.choice(keys): parent[key]}
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting and len(found) < 2_000:
        value = waiting.pop()
        members = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
        for key, member in members:
            found.append((value, key))
            waiting.append(member)
    return found


def _is_within(outer: Any, inner: Any) -> bool:
    """Whether putting `inner`'s members elsewhere could make a tree that holds itself; where in doubt, it could."""
    return isinstance(outer, dict | list) or isinstance(inner, dict | list)


def _of_its_kind(random: Random, value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return random.choice([True, False, None])
    if isinstance(value, int):
        return random.choice([value + 1, -value, value * 2, 0, 2**31, 2**63])
    if isinstance(value, str):
        return mutated_text(random, value)
    return random.choice([[], {}, [value], value])


def mutated_text(random: Random, text: str) -> str:
    """Return a text with something put in, taken out or changed."""
    at = random.randrange(len(text) + 1)
    to = min(len(text), at + random.choice([0, 1, 1, 2, 8, 1_000]))
    return text[:at] + random.choice([random.choice(TEXTS), text[at:to] * 2, chr(random.randrange(0x110000)), ""]) + text[to:]


def mutated(random: Random, content: bytes, others: Sequence[bytes] = (), marks: Sequence[bytes] = ()) -> bytes:
    """Return bytes after one to a few mutations; splices come from `others`, and `marks` are put in whole."""
    for _ in range(random.choice([1, 1, 1, 2, 3, 8])):
        content = random.choice(_MUTATIONS)(random, content, others, marks)
    return content


Mutation = Callable[[Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def _flip(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    if not content:
        return content
    changed = bytearray(content)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _set(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    if not content:
        return content
    at, count = random.randrange(len(content)), random.choice([1, 2, 4, 8])
    return (
        content[:at] + random.choice([b"\0", b"\xff", b"\x7f", b"\x80", b"0", b'"', b"{", b"["]) * count + content[at + count :]
    )


def _cut(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + content[at + random.choice([1, 4, 64, len(content)]) :]


def _copy(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    at, to = random.randrange(len(content) + 1), random.randrange(len(content) + 1)
    length = random.choice([1, 8, 64, 1024])
    return content[:to] + content[at : at + length] * random.choice([1, 1, 2, 100]) + content[to:]


def _splice(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    other = random.choice(others) if others else content
    return content[: random.randrange(len(content) + 1)] + other[random.randrange(len(other) + 1) :]


def _mark(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice(marks or [b"\0"]) + content[at + random.choice([0, 1, 8]) :]


def _encoded(random: Random, content: bytes, others: Sequence[bytes], marks: Sequence[bytes]) -> bytes:
    text = content.decode("latin-1")
    return random.choice([
        b"\xef\xbb\xbf" + content,
        b"\xef\xbb\xbf" * 2 + content,
        text.encode("utf-16"),
        text.encode("utf-16-be"),
        text.encode("utf-32"),
        content + b"\0" * random.choice([1, 512]),
        b" " * random.choice([1, 10_000]) + content,
        content + content,
    ])  # fmt: skip


_MUTATIONS: Final[Sequence[Mutation]] = (_flip, _flip, _set, _cut, _copy, _splice, _mark, _mark, _encoded)
