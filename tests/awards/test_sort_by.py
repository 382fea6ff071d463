"""The orders of the ranking beside its heads, which a phone hides."""

from __future__ import annotations

import re

from tests.awards.test_letters import decided
from tests.evaluation.scene import Browser, Scene
from tests.html import check_page

__all__ = ["decided"]


def test_each_order_of_a_head_stands_above_the_cards_and_keeps_the_filters(browser: Browser, decided: Scene) -> None:
    shown = browser.get("manager", f"/calls/{decided.slug}/ranking?country=GR&sort=-amount")

    check_page(shown)
    heads = re.findall(r'<a class="pg-order" href="([^"]+)"', shown.text)
    nav = re.search(r'<nav class="pg-sort.*?</nav>', shown.text, re.S)
    assert nav is not None and re.findall(r'href="([^"]+)"', nav[0]) == heads and len(heads) == 4
    assert all("country=GR" in each for each in heads)
    assert 'aria-current="true">Asked for' in nav[0] and ", descending" in nav[0]
