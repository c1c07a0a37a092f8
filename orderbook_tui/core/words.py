"""Words: text from outside, made harmless before it is shown.

Terminals obey what is printed to them. Control characters (C0 with tab and newline, C1, and those that turn the direction
of text or take no room) and lone surrogates are shown as the escapes of JSON; everything else is left as it is. All that is
shown, logged or notified goes through here, and what the screens show through `tui.figures`, which asks here too.
"""

import re
from typing import Final

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def harmless(text: str, limit: int | None = None) -> str:
    """Return `text` with every character that could steer a terminal as a visible escape, cut to `limit` characters."""
    if limit is not None and len(text) > limit:
        text = text[:limit]
        return _UNSAFE.sub(_escape, text)[: max(limit - 1, 0)] + "…"
    shown = _UNSAFE.sub(_escape, text)
    return shown if limit is None or len(shown) <= limit else shown[: max(limit - 1, 0)] + "…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
