"""Laws about the code itself: what may stand where. Everything is discovered, nothing is kept by hand."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import api as import_linter

from grants.app import STAGES, stage_modules
from grants.core import acts
from tests.structure.trees import ROOT, SOURCES, name_of, nodes, short, trees

# Columns that may become a package of the same name when they outgrow one file.
COLUMNS = {"services", "views", "queries", "rules", "forms", "models", "ranking", "matching"}
# Files above the stages, of the core and beside a column, that became packages; their doors re-export too.
ABOVE = {"bench", "cli", "demo", "jobs", "local", "offline"}


# Where SQL may be spoken to the server directly: the core, and what starts and upgrades servers.
CORE = ("grants/core/", "grants/local/", "grants/cli/", "grants/bench/sitting.py", "jobs/worker.py")


@functools.cache
def calls() -> tuple[tuple[str, int, str], ...]:
    """File, line and dotted name of every call in the program."""
    return tuple((file, node.lineno, name_of(node.func)) for file, node in nodes(ast.Call))


def places(matches: Iterator[tuple[str, int, str]]) -> list[str]:
    return [f"{file}:{line} {name}" for file, line, name in matches]


def test_the_import_contracts_hold() -> None:
    assert import_linter.read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_every_stage_is_a_package_and_every_package_a_stage() -> None:
    packages = {path.parent.name for path in (ROOT / "grants").glob("*/__init__.py")}
    folders = {path.parent.name for path in (ROOT / "grants").glob("*/*.py")}

    assert folders == packages
    assert packages - ABOVE == {*STAGES, "core", "web"}


def test_package_files_are_empty_but_the_doors_of_a_column_turned_package() -> None:
    said = []
    for path in SOURCES:
        is_door = path.name == "__init__.py" and path.parent.name in COLUMNS | ABOVE
        if path.name != "__init__.py" or is_door:
            continue
        said += [short(path)] if path.read_text().strip() else []

    assert said == []


def test_a_door_only_names_what_its_modules_say() -> None:
    doors = [path for path in SOURCES if path.name == "__init__.py" and path.parent.name in COLUMNS | ABOVE]
    busy = [
        f"{short(path)}:{node.lineno}"
        for path in doors
        for node in trees()[path].body
        if not isinstance(node, ast.ImportFrom | ast.Expr | ast.Assign)
    ]
    unbound = [f"{short(path)} {name}" for path in doors for name in sorted(offered(path) - bound(path))]

    assert busy == []
    assert unbound == []


def offered(door: Path) -> set[str]:
    """The names a door offers."""
    assigned = (node for node in trees()[door].body if isinstance(node, ast.Assign))
    return {name for node in assigned if name_of(node.targets[0]) == "__all__" for name in ast.literal_eval(node.value)}


def bound(door: Path) -> set[str]:
    """The names a door has: imported from its modules, or assigned."""
    body = trees()[door].body
    imported = {name.asname or name.name for node in body if isinstance(node, ast.ImportFrom) for name in node.names}
    return imported | {name_of(target) for node in body if isinstance(node, ast.Assign) for target in node.targets}


def test_commit_is_said_in_one_file() -> None:
    assert {file for file, _, name in calls() if name.endswith(".commit")} == {"grants/core/acts.py"}


def test_the_clock_is_read_in_one_file() -> None:
    clocks = {"datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
    assert {file for file, _, name in calls() if name in clocks} == {"grants/core/clock.py"}


def test_no_float_comes_near_money_or_scores() -> None:
    allowed = ("grants/evaluation/", "grants/awards/", "grants/bench/")
    assert places(c for c in calls() if c[2] == "float" and not c[0].startswith(allowed)) == []


def test_only_the_core_writes_around_the_session() -> None:
    around = re.compile(r"(session\.(connection|bulk_\w+|commit)|db\.engine\.\w+|\.core_write)$")
    assert places(c for c in calls() if around.search(c[2]) and not c[0].startswith(CORE)) == []


def test_nobody_outside_the_core_writes_sql_as_text() -> None:
    named = [
        f"{file}:{node.lineno}"
        for file, node in nodes(ast.ImportFrom)
        if (node.module or "").startswith("sqlalchemy") and any(name.name == "text" for name in node.names)
    ]
    assert [place for place in named if not place.startswith(CORE)] == []


def test_only_triggers_and_the_core_speak_raw_sql() -> None:
    allowed = re.compile(r"grants/core/|grants/\w+/triggers\.py|grants/local/|grants/cli/")
    assert places(c for c in calls() if c[2].endswith("exec_driver_sql") and not allowed.match(c[0])) == []


def test_core_write_is_marked_in_the_core_only() -> None:
    marked = [short(path) for path in SOURCES if "core_write" in path.read_text(encoding="utf-8")]
    assert [file for file in marked if not file.startswith("grants/core/")] == []


def test_no_error_is_swallowed() -> None:
    silent = [
        f"{file}:{node.lineno}"
        for file, node in nodes(ast.ExceptHandler)
        if node.type is None or all(isinstance(line, ast.Pass) for line in node.body)
    ]
    assert silent == []


def test_every_suppression_gives_its_reason() -> None:
    bare = re.compile(r"#\s*(noqa|type:\s*ignore)(:\s*[A-Z0-9, ]+|\[[a-z, -]+\])?\s*$")
    found = [
        f"{short(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    assert [short(path) for path, tree in trees().items() if tree.body and not ast.get_docstring(tree)] == []


# Acts by which somebody becomes an actor, or that the program itself does; every other act needs a permission.
OPEN_TO_ALL = {"session", "sign_in", "password", "invitation", "link", "demo", "job", "user", "profile", "mail"}


def registered() -> list[acts.RegisteredAct]:
    list(stage_modules("services"))
    return [found for found in acts.REGISTRY.values() if found.module.startswith("grants.")]


def test_every_act_is_named_thing_and_verb() -> None:
    assert [found.verb for found in registered() if not re.fullmatch(r"[a-z_]+\.[a-z_]+", found.verb)] == []


def test_every_act_but_those_of_becoming_somebody_needs_a_permission() -> None:
    free = {found.verb for found in registered() if found.needs is None}
    assert {verb for verb in free if verb.partition(".")[0] not in OPEN_TO_ALL} == set()


def test_every_act_says_what_it_did_in_words_of_its_own() -> None:
    """“Otto Berg <says>” is a sentence: lower case, no full stop, the thing at most once; no two acts say the same."""
    well_said = re.compile(r"[a-z][^{}]*(\{subject\}[^{}]*)?[^.{} ]|[a-z][^{}]*\{subject\}")
    said = [found.says for found in registered()]

    assert [found.verb for found in registered() if not well_said.fullmatch(found.says)] == []
    assert sorted({words for words in said if said.count(words) > 1}) == []


def test_acts_are_in_services_or_the_core() -> None:
    homes = re.compile(r"grants\.(\w+\.services(\.\w+)?|core\.jobs\.asking|demo\.\w+)$")
    assert [found.verb for found in registered() if not homes.match(found.module)] == []


def test_every_act_is_called_by_a_test() -> None:
    """Or by a page or the demo, whose addresses and stories the tests walk."""
    walked = [path for path in SOURCES if re.search(r"/views[./]|grants/demo/", short(path))]
    called = {name for path in [*(ROOT / "tests").rglob("*.py"), *walked] for name in called_in(path)}

    assert [found.verb for found in registered() if found.name not in called] == []


def called_in(path: Path) -> set[str]:
    """Names that are called, or handed on as ``services.name``; words of texts and names of tests are none."""
    text = path.read_text(encoding="utf-8")
    called = re.findall(r"(?<!def )\b([a-z_]+)\(", text)
    return {*called, *re.findall(r"\b\w+\.([a-z_]+)\b(?!\.)", text)}


RETIRED = re.compile(
    r"\b(award decision|peer review|grantees?|bidders?|claimants?|deadline date|reviewers?"
    r"|gives? (?:\S+ ){0,3}up|gave (?:\S+ ){0,3}up|giving (?:\S+ ){0,3}up|given up)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("folder", ["templates", "grants", "docs"])
def test_retired_words_are_not_used(folder: str) -> None:
    found = [
        f"{short(path)}: {match.group()}"
        for path in sorted((ROOT / folder).rglob("*"))
        # The glossary is where they are named.
        if path.suffix in {".html", ".txt", ".py", ".md"} and "static" not in path.parts and path.name != "glossary.md"
        for match in [RETIRED.search(path.read_text(encoding="utf-8"))]
        if match
    ]
    assert found == []


def test_nothing_names_a_registry_or_a_machine() -> None:
    lock = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    npm = ROOT / "package-lock.json"
    assert re.search(r"index[-]url|find[-]links|https?://", lock) is None
    assert not npm.exists() or '"resolved"' not in npm.read_text()
