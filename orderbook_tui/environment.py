"""Values from the environment: `${env:NAME}` in a text of the config stands for them.

They are put in when they are used, so that a checkpoint, a log or a screen has the placeholder; and `hide` puts the
placeholder back into what others say, such as a venue that repeats a key in its refusal.
"""

import base64
import json
import os
import re
from typing import Final
from urllib.parse import quote, quote_plus

from orderbook_tui.errors import ConfigError, Problem

PLACEHOLDER: Final = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_SHORTEST: Final = 4
"""A value that is shorter is no secret, and would be found in the middle of words."""
_hidden: dict[str, dict[str, str]] = {}
"""What must not be seen, in every form that it may come back in, and what is shown in its place; by how it begins."""


def expand(text: str, path: str) -> str:
    """Return `text` with the values of the variables that it names; `path` is where it stands in the config.

    Raises:
        ConfigError: a variable is not set, or is empty.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        found = os.environ.get(name, "")
        if not found:
            raise ConfigError([Problem(path, f"the environment has no {name}: set it, such as with `export {name}=...`")])
        _keep(found, match.group(0))
        return found

    return PLACEHOLDER.sub(value, text)


def conceal(secret: str, shown: str) -> None:
    """Have `hide` show `shown` for what was made of a secret, such as a signature or a session's token."""
    _keep(secret, shown)


def hide(text: str) -> str:
    """Return `text` with a placeholder for every value that was expanded until now."""
    if not _hidden:
        return text
    found, start, at = "", 0, 0
    while at <= len(text) - _SHORTEST:
        forms = _hidden.get(text[at : at + _SHORTEST], ())
        form = max((each for each in forms if text.startswith(each, at)), key=len, default="")  # one may be part of another
        if form:
            found += text[start:at] + _hidden[form[:_SHORTEST]][form]
            start = at + len(form)
        at += len(form) or 1
    return found + text[start:]


def _keep(value: str, placeholder: str) -> None:
    if len(value) < _SHORTEST:
        return
    encoded = base64.b64encode(value.encode()).decode()
    in_json = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    for form in (value, quote(value, safe=""), quote_plus(value), encoded, encoded.rstrip("="), repr(value)[1:-1], *in_json):
        _hidden.setdefault(form[:_SHORTEST], {}).setdefault(form, placeholder)
