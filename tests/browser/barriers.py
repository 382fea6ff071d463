"""What a person with an assistive tool would meet on a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SEVERE = ("serious", "critical")
CONTRAST = "color-contrast"

# What was looked at and found in order is not told: carrying it out of the browser takes as long as looking.
_TOLD = {"resultTypes": ["violations"]}
# Two looks at a page: what is measured for each element against all that lie over it, contrast alone, takes most of the
# time; in a long table plain cells have the colours of those before, what tells a state is looked at in every row.
_LOOKS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (None, {**_TOLD, "rules": {CONTRAST: {"enabled": False}}}),
    ({"exclude": [["tbody tr:nth-child(n+10):not([class]) > :not(:has([class]))"]]}, {**_TOLD, "runOnly": [CONTRAST]}),
)
_IS_THERE = "() => typeof axe === 'object'"
_LOOK = """async (looks) => {
    const found = [];
    for (const [where, how] of looks) found.push(...(await axe.run(where ?? document, how)).violations);
    return found;
}"""


def barriers(page: Page, *, severe: bool = False) -> list[str]:
    """Each barrier of the page with where it stands, only the severe ones if asked."""
    # Half a megabyte, read once by each document: the browser took as long for it as for one look.
    if not page.evaluate(_IS_THERE):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(_LOOK, _LOOKS)
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found
        if not severe or each["impact"] in SEVERE
        for node in each["nodes"]
    ]
