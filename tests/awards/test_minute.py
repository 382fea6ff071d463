"""The minute of a selection decision as PDF: made once after the confirmation, for whoever sees the list whole."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from fractions import Fraction

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from grants.awards import queries
from grants.awards.rules import Override, Plan
from grants.awards.rules.minute import departures
from grants.core import files
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import Job
from grants.core.money import euros
from grants.documents import services as documents
from grants.evaluation.models import AssessmentScore
from tests.awards.test_reserve import confirmed, selection
from tests.awards.test_unscored import a_sheet_of, blank
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people
from tests.shut import shuts
from tests.statements import statements

__all__ = ["confirmed"]


def printed(scene: Scene, number: int = 1) -> str:
    view = queries.selection_of(scene.actor("chair"), scene.slug, number)
    made = documents.print_selection(scene.actor("chair"), view.id)
    data = files.genuine(made).read_bytes()
    pages = PdfReader(io.BytesIO(data)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_a_cut_by_a_third_of_a_percent_is_told_without_a_float() -> None:
    assert departures(Plan(cut_percent=Fraction(10**17 + 1, 10**16)))[0].startswith("Everybody gets about 10 % less")
    assert departures(Plan(cut_percent=Fraction(12_345_678, 1_000_000)))[0].startswith("Everybody gets about 12.346 %")


def test_the_minute_says_the_whole_decision_and_is_made_once(confirmed: Scene, browser: Browser) -> None:
    view = selection(confirmed)
    asked = db.session.scalars(select(Job).where(Job.name == "jobs.documents.selection")).all()
    assert [job.args for job in asked] == [{"selection_id": str(view.id)}]
    # A sheet that lacks a score by now is in no figure: the list is of what was agreed.
    scored = AssessmentScore.assessment_id.in_(a_sheet_of(confirmed.application_ids[0]))
    blank(AssessmentScore, scored, confirmed.sheet(9, 8, 8).marks[0].criterion)

    text = printed(confirmed)

    for words in (
        view.decided_by, view.confirmed_by, view.reason, view.list_hash, "(Europe/Brussels)", str(view.used), "By which rules",
        "How ties were decided", "Reserve list, in its order", *confirmed.references, "Selected", "Reserve",
    ):  # fmt: skip
        assert " ".join(words.split()) in text, words
    # The country of each lead, and the list by country; on the page too.
    assert "By country Country of the lead On the list Selected Money, EUR" in text and "GR 1 1 400" in text, text
    page = browser.get("manager", f"/calls/{confirmed.slug}/selections/1").text
    assert "<caption>By country" in page and page.count('data-label="On the list"') == 3
    assert not re.search(r"\b0(\.0)? of \d|\b0\.[05]\b", text)
    assert printed(confirmed) == text
    assert len(files.listed(queries.SELECTION_FILES, view.id)) == 1


@shuts("awards.selection_minute")
def test_the_minute_is_for_who_sees_the_list_whole(confirmed: Scene, browser: Browser) -> None:
    path = f"/calls/{confirmed.slug}/selections/1"
    link = f"{path}/minute.pdf"
    assert link not in browser.get("manager", path).get_data(as_text=True)
    assert browser.get("manager", link).status_code == 404
    printed(confirmed)

    assert link in browser.get("manager", path).get_data(as_text=True)
    with browser.get("manager", link) as handed_out:
        assert handed_out.mimetype == "application/pdf"
    db.session.rollback()
    (taken,) = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "selection.download_minute")).all()
    assert (taken.user_id, taken.reason) == (confirmed.people["manager"], "List 1.")
    kept_away = replace(confirmed.actor("auditor"), bars=frozenset({("application", confirmed.application_ids[1])}))
    with pytest.raises(NotFound):
        queries.minute_file(kept_away, confirmed.slug, 1)
    assert not queries.selection_page(kept_away, confirmed.slug, 1)[1].has_minute
    assert browser.get("auditor", path).status_code == 200
    with browser.get("auditor", link) as handed_out:
        assert handed_out.status_code == 200
    with arranging():
        people.bar(confirmed.people["auditor"], "application", confirmed.application_ids[1])
    assert browser.get("auditor", link).status_code == 404
    assert browser.get("eva1", link).status_code in (403, 404)


def test_the_minute_is_read_in_few_statements(confirmed: Scene) -> None:
    key = selection(confirmed).id
    with statements() as asked:
        queries.minute(key)

    assert len(asked) <= 8


def test_departures_are_said_with_their_reason() -> None:
    plan = Plan(exclusive=(("A", "B"),), overrides=(Override("A", 2, euros(5), "Ethics check first", "Travel is cut"),))

    assert departures(plan) == (
        "Of A, B at most one is selected.",
        "A: place 2; EUR 5.00; on the condition: Ethics check first. Reason: Travel is cut",
    )
