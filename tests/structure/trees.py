"""The program's own source as trees, read when the first law asks and walked once: not when tests are merely collected."""

from __future__ import annotations

import ast
import functools
import gc
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    [*(ROOT / "grants").rglob("*.py"), *(ROOT / "jobs").rglob("*.py"), ROOT / "config.py", ROOT / "wsgi.py"]
)

N = TypeVar("N", bound=ast.AST)


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def trees() -> dict[Path, ast.Module]:
    """Every module of the program, parsed."""
    # They stand to the end: no collection of garbage need look at their million parts, now or later.
    gc.disable()
    try:
        return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    finally:
        gc.freeze()
        gc.enable()


def nodes(kind: type[N]) -> Iterator[tuple[str, N]]:
    """The file and each node of one kind (its very class, none below it), in the order of files."""
    for file, node in _by_kind()[kind]:
        assert isinstance(node, kind)
        yield file, node


@functools.cache
def _by_kind() -> dict[type[ast.AST], list[tuple[str, ast.AST]]]:
    found: dict[type[ast.AST], list[tuple[str, ast.AST]]] = defaultdict(list)
    for path, tree in trees().items():
        file = short(path)
        for node in ast.walk(tree):
            # Whether a name is read or written: nobody asks, and there are more of these than of anything else.
            if not isinstance(node, ast.expr_context):
                found[type(node)].append((file, node))
    return found


def name_of(called: ast.expr) -> str:
    """A function as it is called, with dots; what is not written with names only, in its own words."""
    match called:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{name_of(value)}.{attr}"
        case _:
            return ast.unparse(called)
