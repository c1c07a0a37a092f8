"""What each key is for: the docstring below it in `models` and `venue`, read when somebody asks.

pydantic could do this by itself, but would parse the source of every section whenever the program starts.
"""

import ast
import inspect
import sys
from functools import cache

from orderbook_tui.config.fields import Section


@cache
def descriptions(section: type[Section]) -> dict[str, str]:
    """Return what each key of a section is for."""
    return _documented(section.__module__).get(section.__name__, {})


@cache
def _documented(module: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: _attributes(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _attributes(section: ast.ClassDef) -> dict[str, str]:
    found = {}
    for statement, following in zip(section.body, section.body[1:], strict=False):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                found[key] = inspect.cleandoc(text)
    return found
