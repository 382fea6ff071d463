"""What serves pages stays small: the heavy libraries are loaded by workers, inside the functions that need them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.structure.trees import ROOT, short, trees

HEAVY = (
    "pandas",
    "numpy",
    "ortools",
    "highspy",
    "reportlab",
    "openpyxl",
    "xlsxwriter",
    "matplotlib",
    "pyhanko",
    "pyhanko_certvalidator",
)
PROGRAM = f"""
import sys
from config import Config
from grants.app import create_app
create_app(Config(GRANTS_HOME=sys.argv[1], DATABASE_URL="postgresql+psycopg://nobody@/nothing", GRANTS_ENV="test"))
print(" ".join(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_the_web_process_loads_no_heavy_library(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert found.stdout.split() == []


DRAWN_IN = "grants.documents.pdf"
# Programs that somebody runs at a machine; they answer no request. The tree of commands stands in wsgi.py.
AT_HAND = ("grants/bench/", "grants/cli/", "grants/demo/", "wsgi.py")


def parts(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each function and class of a module by its name; what else stands at its top, without one."""
    for node in tree.body:
        yield getattr(node, "name", ""), node


def imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name of a module means, in full; wherever in it the import stands."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.asname or each.name: each.name for each in node.names}
    return found


def dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr) if dotted(value):
            return f"{dotted(value)}.{attr}"
    return ""


def mentions(file: str, tree: ast.Module) -> dict[str, set[str]]:
    """What each part of a module names, with names of other modules in full."""
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    known, own = imported(tree), {name for name, _ in parts(tree) if name}
    found: dict[str, set[str]] = {}
    for name, part in parts(tree):
        if isinstance(part, ast.Import | ast.ImportFrom):
            continue
        for node in ast.walk(part):
            if text := dotted(node):
                first, dot, rest = text.partition(".")
                full = known.get(first) or (f"{module}.{first}" if first in own else "")
                if full:
                    found.setdefault(f"{module}.{name}" if name else module, set()).add(full + dot + rest)
    return found


def drawing(sources: dict[str, ast.Module]) -> dict[str, str]:
    """Every function that draws a PDF, itself or through another, with the file it stands in."""
    said = [(file, part, named) for file, tree in sources.items() for part, named in mentions(file, tree).items()]
    # A package gives out what stands in its modules.
    passed_on = {
        f"{file.removesuffix('/__init__.py').replace('/', '.')}.{name}": full
        for file, tree in sources.items()
        if file.endswith("/__init__.py")
        for name, full in imported(tree).items()
    }
    found: dict[str, str] = {}
    while True:
        known = set(found) | {name for name, full in passed_on.items() if full in found}
        more = {
            part: file
            for file, part, named in said
            if part not in found
            and not part.startswith(DRAWN_IN)
            and any(each.startswith(f"{DRAWN_IN}.") or each in known for each in named)
        }
        if not more:
            return found
        found |= more


def at_fault(sources: dict[str, ast.Module], found: dict[str, str]) -> set[str]:
    """What draws a PDF where requests are answered, or hands who draws to somebody while a module is loaded."""
    loaded = {file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in sources}
    return {
        part
        for part, file in found.items()
        if not file.startswith((*AT_HAND, "jobs/", "grants/documents/"))
        or "/views" in file
        or (part in loaded and not file.startswith(AT_HAND))
    }


def test_nothing_that_answers_a_request_draws_a_pdf() -> None:
    sources = {short(path): tree for path, tree in trees().items()}
    found = drawing(sources)

    assert "grants.documents.services.packs.make_reading_copy" in found and "jobs.documents.reading_copy" in found
    assert at_fault(sources, found) == set()


def test_a_stage_that_is_handed_who_draws_and_a_view_that_calls_it_are_found() -> None:
    """As it once was: the web process loaded ReportLab at the first application that somebody took as a PDF."""
    papers = "from grants.documents.pdf import letters\ndef copy(one):\n    return letters.copy(one)\n"
    handed = "from grants.evaluation import services as other\nother.copies_by(copy)\n"
    shown = "from grants.documents import services\ndef take():\n    return services.copy(1)\n"

    sources = {
        "grants/documents/services/packs.py": ast.parse(papers + handed),
        "grants/documents/services/__init__.py": ast.parse("from grants.documents.services.packs import copy\n"),
        "grants/evaluation/views/packs.py": ast.parse(shown),
        "grants/documents/views.py": ast.parse(shown),
    }

    assert at_fault(sources, drawing(sources)) == {
        "grants.documents.services.packs",
        "grants.evaluation.views.packs.take",
        "grants.documents.views.take",
    }
