"""Pages are read the quick way only where the strict parser would say the same, fault for fault and word for word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import plain

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Two &amp; two</title>
  <script src="/static/app.js" defer></script>
</head>
<body class="page">
  <main id="main">
    <h1>Pages</h1>
    <p>One <a href="/one?a=1&amp;b=2">link</a> and <strong>more</strong>.</p>
    <form method="post"><label for="x">Say</label><textarea id="x">
It is &lt;b&gt;</textarea><input type="hidden" name="a"><button>Send</button></form>
    <table><thead><tr><th scope="col">A</th></tr></thead><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>
    <ul><li>a</li><li><select aria-label="s"><option selected>1</option></select></li></ul>
    <svg viewBox="0 0 9 9"><title>Drawn</title><path d="M0 0h9"/><g><circle r="1"></circle></g></svg>
  </main>
</body>
</html>
"""
PARTS = plain._TAG.split(PAGE)


@pytest.fixture
def known() -> None:
    """The page has been read, and what stands on it is known."""
    assert plain.parsed(PAGE)[1] == []


def quickly(text: str) -> bool:
    """Whether the strict parser is not asked."""
    quick = plain._read(text)
    return quick is not None and plain.KNOWN.have(quick[1])


def assert_read_as_strictly(text: str) -> None:
    (quick, found), (strict, faults) = plain.parsed(text), plain.strictly(text)
    assert found == faults, text
    assert plain.same(quick, strict), text


def test_what_one_process_learnt_another_knows(tmp_path: Path) -> None:
    one, other = plain.Known(), plain.Known()
    one.share(tmp_path / "known")
    other.share(tmp_path / "known")
    for steps in ({(1, "words"), (2, ("p", "", "", "class"))}, {(3, "a line\n")}):
        assert not other.have(steps)
        one.learn(steps)
        assert other.have(steps) and one.have(steps)
    assert not other.have({(4, "words")})


def test_a_page_like_one_that_was_read_is_read_the_quick_way(known: None) -> None:
    again = PAGE.replace("<tr><td>1</td></tr>", "<tr><td>3 &lt; 4</td></tr>" * 3).replace('"/one', '"/another')

    for text in (again, again.replace("\n", "\r\n"), again.replace('id="x">', 'id="x">\r\n')):
        assert quickly(text)
        assert_read_as_strictly(text)
    assert not quickly(again.replace("\n", "\r"))


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("</strong>", "", "unexpected-end-tag"),
        ("<td>1</td>", "<div>1</div>", "unexpected-start-tag-implies-table-voodoo"),
        ("<button>", "<form><button>", "unexpected-start-tag"),
        ("<li>a</li>", "<li>a & b; &copy</li>", "named-entity-without-semicolon"),
        ("<li>a</li>", "<li>a < b</li>", "expected-tag-name"),
        ("<p>One", "<p><div>One</div>", "unexpected-end-tag"),
        ("<button>", '<button name="a" name="b">', "duplicate-attribute"),
        ("<body", "<head></head><body", "unexpected-start-tag"),
        ("</body>", "</body><p>More</p>", "unexpected-start-tag-after-body"),
        ("<ul>", "<ul/>", "non-void-element-with-trailing-solidus"),
        ("</li><li>", "</li></ul></ul><ul><li>", "end-tag-too-early"),
        ("<!DOCTYPE html>\n", "", "expected-doctype"),
    ],
)
def test_a_fault_is_found_on_a_page_that_is_known_but_for_it(known: None, was: str, becomes: str, fault: str) -> None:
    faulty = PAGE.replace(was, becomes, 1)

    _, found = plain.parsed(faulty)

    assert any(fault in each for each in found), found
    assert_read_as_strictly(faulty)


def spoilt() -> Iterator[list[str]]:
    """The page with one part gone, twice there, or in the place of the next of its kind."""
    for place in range(len(PARTS)):
        yield [*PARTS[:place], *PARTS[place + 1 :]]
        yield [*PARTS[: place + 1], *PARTS[place:]]
        if place + 2 < len(PARTS):
            yield [*PARTS[:place], PARTS[place + 2], PARTS[place + 1], PARTS[place], *PARTS[place + 3 :]]


def test_however_a_known_page_is_spoilt_it_is_read_as_the_strict_parser_reads_it(known: None) -> None:
    texts = ["".join(parts) for parts in spoilt()]

    for text in texts:
        assert_read_as_strictly(text)

    assert sum(map(quickly, texts)) > 50
