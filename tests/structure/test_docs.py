"""What the documentation says of the program is what the program says of itself."""

from __future__ import annotations

import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from grants.app import stage_modules
from grants.core import jobs
from grants.core.states import Machine

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"<!-- machines -->\n(.*)<!-- /machines -->", re.DOTALL)


def machines() -> Iterator[Machine[object]]:
    found = [value for module in (*stage_modules("states"), jobs) for value in vars(module).values()]
    seen: set[str] = set()
    for value in found:
        if isinstance(value, Machine) and value.name not in seen:
            seen.add(value.name)
            yield value


def diagrams() -> str:
    return "".join(f"\n### {each.name}\n\n```mermaid\n{each.to_mermaid()}\n```\n" for each in machines()) + "\n"


def test_the_diagrams_are_those_of_the_tables() -> None:
    block = BLOCK.search(PAGE.read_text(encoding="utf-8"))

    assert block is not None
    assert block[1] == diagrams()


def test_the_tour_names_the_menu_and_counts_its_people_as_they_are() -> None:
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| [0-9]", line)]
    menu = {item.label for views in stage_modules("views") for item in getattr(views, "NAVIGATION", ())}

    bold = {word for row in rows for cell in row[2:] for word in re.findall(r"\*\*(.+?)\*\*", cell)}
    people = [row[1] for row in rows if row[1].startswith("**")]

    assert bold and bold <= menu
    counts = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    assert f"The {counts[len(people)]} people below" in text


def test_every_decision_fits_on_a_page() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [page.name for page in pages if not re.fullmatch(r"\d{4}-[a-z-]+\.md", page.name)] == []
    assert [page.name for page in pages if len(page.read_text(encoding="utf-8").splitlines()) > 60] == []


def test_every_file_the_architecture_names_is_there() -> None:
    named = set(re.findall(r"`(\w[\w/]*/\w+\.(?:py|js))`", PAGE.read_text(encoding="utf-8")))
    files = {f"/{path.relative_to(ROOT)}" for top in ("grants", "tests") for path in (ROOT / top).rglob("*.*")}

    assert len(named) >= 40
    # A page about one package names a file from there on.
    assert {path for path in named if not any(file.endswith(f"/{path}") for file in files)} == set()


def test_the_glossary_is_in_the_order_of_the_alphabet() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    tables = [re.findall(r"^\| (.+?) \|", part, re.MULTILINE)[2:] for part in text.split("\n## ")]
    plain = [[re.sub("[^a-z0-9 ]", "", word.lower()) for word in table] for table in tables]

    assert len(plain) == 2 and all(plain)
    assert plain == [sorted(set(table)) for table in plain]


def test_each_decision_has_a_number_of_its_own_which_its_title_says() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert [page.read_text(encoding="utf-8")[2:7] for page in pages] == [f"{page.name[:4]} " for page in pages]


def test_every_example_of_the_code_says_what_the_code_does() -> None:
    shown = [path for path in sorted((ROOT / "grants").rglob("*.py")) if ">>>" in path.read_text(encoding="utf-8")]
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for path in shown:
        module = importlib.import_module(
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        )
        for words in finder.find(module, module.__name__):
            # Before each it looks after every file that was ever read; five thousand things have no example to try.
            if words.examples:
                runner.run(words)
        assert runner.failures == 0, module.__name__

    assert runner.tries > 100
