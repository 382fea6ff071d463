"""What pages say of an application whose evaluation is repeated after a complaint: to the office, the committee and its team."""

from __future__ import annotations

from grants.applications import queries as applications
from grants.applications.rules import COMPLAIN
from grants.awards import queries
from grants.core import clock
from tests.awards.test_complaints import DAY, NUMBER, PUBLIC, REJECT, UPHOLD, decided, draft, told, told_world
from tests.awards.test_complaints_told import lettered
from tests.awards.test_settling import assessed_again
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene

__all__ = ["told", "told_world"]


def marks_of(scene: Scene) -> tuple[int, ...]:
    """What the evaluators of the application that is judged again gave, as the list that was decided says it."""
    shown = queries.ranking_page(scene.actor("manager"), scene.slug)
    return next(row.totals_half for row in shown.rows if row.reference == scene.references[NUMBER])


def test_while_an_evaluation_is_repeated_every_page_says_so_and_leads_to_the_complaint(
    told: Scene, browser: Browser
) -> None:
    with clock.at(PUBLIC):
        lettered(told)
        frozen = marks_of(told)
    decided(told, UPHOLD)
    reference = told.references[NUMBER]
    case = f"/applications/{reference}/complaints/1"

    def agreed() -> object:
        return dict(queries.complaints.case_page(told.actor("petra"), reference, 1).procedure)["Consensus agreed"]

    with clock.at(PUBLIC + 4 * DAY):
        # It stood on the list and did not come after it.
        for page in ("decision", "ranking"):
            shown = browser.get("manager", f"/calls/{told.slug}/{page}")
            assert f"({reference}) is repeated after a complaint that was upheld" in text_of(shown)
            assert f'href="{case}"' in shown.text
            assert "came after the list" not in shown.text and "another call" not in shown.text
        # The list says what its evaluators had given when it was decided: their sheets left with their seats.
        assert marks_of(told) == frozen and frozen
        assert "none of the sheets has every score" not in browser.get("manager", f"/calls/{told.slug}/ranking").text
        # The consensus is open again; when the first one was agreed is told as before.
        assert agreed() == CLOSED
        unscored = browser.get("petra", case)
        assert "No outcome can be proposed yet" in text_of(unscored) and "Propose the outcome" not in unscored.text
        own = f"/applications/{reference}"
        for page in (f"{own}/decision-letter", f"{own}/result"):
            shown = browser.get("lead1", page)
            assert "was upheld on 4 March 2023, and the evaluation is repeated" in text_of(shown), page
            assert f'href="{own}/complaint"' in shown.text
        standing = " ".join(text_of(browser.get("lead1", own)).split())
        assert f'href="{own}/result"' in standing and "The first result stands until" in standing
        home = text_of(browser.get("lead1", "/home"))
        assert "Its evaluation is repeated after a complaint. The first result stands until that is settled." in home
        assert "With the evaluators and the panel" not in home
        # Since the complaint was upheld, not since the list was decided in silence.
        assert "since 4 March 2023" in home
        assessed_again(told, 9)
        scored = browser.get("petra", case)
        assert marks_of(told) == frozen
        assert "Propose the outcome" in scored.text and "No outcome can be proposed yet" not in text_of(scored)
        assert agreed() == CLOSED


def test_who_complained_reads_what_became_of_it_and_is_offered_no_other(told: Scene, browser: Browser) -> None:
    own = f"/applications/{told.references[NUMBER]}"
    with clock.at(PUBLIC):
        lettered(told)
    with clock.at(PUBLIC + DAY):
        draft(told)
        # What is not sent is no complaint yet: while it can be sent, the way to complain leads to it.
        own_view = applications.view_for_team(told.application_ids[NUMBER])
        complained, until = queries.own_complaints.own_way(own_view, clock.now())
        assert complained is None and until is not None
    decided(told, REJECT)
    with clock.at(PUBLIC + 4 * DAY):
        for page in (f"{own}/decision-letter", f"{own}/result"):
            shown = browser.get("lead1", page)
            assert "Your complaint was rejected on 4 March 2023." in text_of(shown), page
            assert f'href="{own}/complaint"' in shown.text and f">{COMPLAIN}<" not in shown.text, page
        home = " ".join(text_of(browser.get("lead1", "/home")).split())
        assert "The programme rejected the complaint about" in home
