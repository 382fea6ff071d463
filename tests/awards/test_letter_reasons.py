"""The place {why} of every letter of decision: known to its words, shown with data where they are written, told in the letter."""

from __future__ import annotations

from html import unescape

import pytest

from grants.awards.rules import EACH_ROW_SAYS, selected_words
from grants.awards.rules.letter_words import HOUSE_TEXTS, checked_text, reason_lacking
from grants.awards.states import Outcome
from tests.awards.test_letters import decided, letters, shown_to, text_of
from tests.evaluation.scene import Browser, Scene
from tests.html import check_page

__all__ = ["decided"]

OWN = "About {application}. {why}"


@pytest.mark.parametrize("outcome", Outcome)
def test_every_letter_knows_the_reason_and_one_that_tells_it_lacks_nothing(outcome: Outcome) -> None:
    assert checked_text(outcome, OWN) == OWN
    assert reason_lacking(outcome, OWN) == ""


def test_words_written_before_every_letter_had_the_reason_still_tell_the_threshold() -> None:
    assert reason_lacking(Outcome.BELOW_THRESHOLD, "Sorry. {below}") == ""
    assert "Write {why} where" in reason_lacking(Outcome.BELOW_THRESHOLD, "Sorry.")
    assert "{why}" in HOUSE_TEXTS[Outcome.BELOW_THRESHOLD]


@pytest.mark.parametrize(
    ("outcome", "words", "told"),
    [
        ("selected", "Selected: it fits in what is left.", "Selected: it fits in what is left."),
        (
            "selected", f"Selected: better ranks are left out by a rule{EACH_ROW_SAYS}.",
            "Selected: better ranks are left out by a rule.",
        ),
        (
            "selected", "Moved to place 1: The only island.",
            "Moved to place 1: The only island. Selected: the budget reaches it.",
        ),
        (
            "selected", "Worked out anew, the list selects it. Its money comes from what is free.",
            "Worked out anew, the list selects it. Its money comes from what is free.",
        ),
        (
            "selected", "Selected ahead of P-2026-A-0002 by the rule: at least 4 countries.",
            "Selected ahead of another application by the rule: at least 4 countries.",
        ),
        ("not_funded", "Not selected: x.", "The list did not select it; since then the decision on a complaint did."),
    ],
)  # fmt: skip
def test_why_it_is_selected_is_said_by_its_rule_or_by_the_money_and_names_nobody_else(
    outcome: str, words: str, told: str
) -> None:
    assert selected_words(Outcome(outcome), words, "P-2026-A-0001") == told


def test_where_words_are_written_each_place_stands_with_what_it_becomes(browser: Browser, decided: Scene) -> None:
    row = shown_to(decided).rows[0]
    assert row.outcome is Outcome.SELECTED and row.text is not None
    page = f"/calls/{decided.slug}/decision/texts/selected"

    answer = browser.get("manager", page)
    check_page(answer)
    text = text_of(answer)

    assert f'data-label="For {row.reference}">Selected: the budget reaches it.</td>' in text
    assert f'data-label="For {row.reference}">{row.title}</td>' in text
    # No score is told before the results are public.
    assert '<span class="quiet">Nothing to say</span>' in text

    tried = unescape(text_of(browser.post("manager", page, go="show", text=OWN, version="0")))
    assert f"About {row.title}. Selected: the budget reaches it." in tried


def test_own_words_tell_the_reason_of_every_outcome_there_is(decided: Scene) -> None:
    there = {row.outcome for row in shown_to(decided).rows if row.outcome is not None}
    assert {Outcome.SELECTED, Outcome.RESERVE} <= there
    for outcome in there:
        letters.write_text(decided.actor("manager"), decided.call_id, outcome, OWN, 0)

    for row in shown_to(decided).rows:
        assert row.text is not None and not row.exceptions
        assert row.text.paragraphs == (f"About {row.title}. {row.places['why']}",)
        begins = "Selected: " if row.outcome is Outcome.SELECTED else "Not selected: "
        assert row.places["why"].startswith(begins), row.places["why"]


def test_a_prepared_letter_shows_no_place_any_more(browser: Browser, decided: Scene) -> None:
    letters.prepare(decided.actor("manager"), decided.call_id, shown_to(decided).shown_hash)

    text = text_of(browser.get("manager", f"/calls/{decided.slug}/decision/texts/selected"))

    assert "<code>{why}</code>" in text and 'data-label="For ' not in text
