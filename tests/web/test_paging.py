"""Pages of lists by key."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.core.paging import Page, cut
from grants.web.paging import asked


def listed(all_keys: list[str], page: Page) -> list[str]:
    """What a query would find: the rows after the key, at most as many as asked."""
    return [key for key in all_keys if page.after is None or key > page.after][: page.limit]


@given(st.sets(st.text(min_size=1, max_size=4), max_size=40), st.integers(1, 7))
def test_following_the_next_key_shows_every_row_once(keys: set[str], size: int) -> None:
    everything, seen, page = sorted(keys), [], Page(size=size)

    while True:
        found = cut(listed(everything, page), page, key=str)
        assert len(found.items) <= size
        assert found.first is (page.after is None)
        seen += found.items
        if found.next_key is None:
            break
        page = Page(size=size, after=found.next_key)

    assert seen == everything


def test_a_full_last_page_has_no_next_one() -> None:
    assert cut(("a", "b"), Page(size=2), key=str).next_key is None


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", Page()),
        ("?after=k&size=10", Page(20, "k")),
        ("?after=&size=many", Page()),
        ("?size=0", Page(20)),
        ("?size=-5", Page(20)),
        ("?size=100000", Page(200)),
    ],
)
def test_nonsense_counts_as_not_asked(app: Flask, query: str, page: Page) -> None:
    with app.test_request_context(f"/about{query}"):
        assert asked() == page


@pytest.mark.parametrize(
    ("usual", "sizes"), [(50, {20, 50, 60, 100, 200}), (20, {20, 50, 60, 100, 200}), (8, {8, 20, 50, 60, 100, 200})]
)
def test_whatever_is_asked_for_a_list_has_few_sizes_none_smaller_than_asked(
    app: Flask, usual: int, sizes: set[int]
) -> None:
    found = set()
    for wanted in range(1, 202):
        with app.test_request_context(f"/about?size={wanted}"):
            found.add(size := asked(usual).size)
            assert size >= min(wanted, 200)
    assert found == sizes
