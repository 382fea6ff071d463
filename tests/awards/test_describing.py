"""What everybody reads of an award in words: from answers told to be published or written anew, confirmed by another person."""

from __future__ import annotations

import csv
import io
import json
import re
from copy import deepcopy
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications import queries as applications
from grants.applications.models import Application, Submission
from grants.applications.rules import digest
from grants.awards import queries, services
from grants.awards.models import AwardDescription
from grants.awards.rules.describing import COPIED_WORDS_MIN, checked_description, published_answers
from grants.calls.models import Call
from grants.calls.rules import ResultsInput, from_json
from grants.core import encoding
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.dossiers.rules import Answer, Definition, DossierContent, Question, QuestionKind, Section, to_mapping
from grants.identity.policy import Role
from tests.awards.publishing import publish
from tests.awards.test_letters import decided
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people
from tests.html import check_page
from tests.statements import statements

__all__ = ["decided"]

WORDS = "Courtyards of a whole quarter are shaded, and the city learns what that needs."
SECRET = "one two three four five six seven eight nine ten eleven twelve thirteen"


def content() -> DossierContent:
    asked = (
        Question("about", "What is it about?", QuestionKind.LONG, published=True),
        Question("plan", "How?", QuestionKind.LONG),
        Question("place", "Where?", QuestionKind.SHORT, published=True),
    )
    answers = (
        Answer("about", "Two **courts** first.\n\n- one\n- two"),
        Answer("plan", SECRET),
        Answer("place", " Oulu "),
    )
    return DossierContent(Definition((Section("s", "S", "1. S", questions=asked),)), answers)


def test_only_answers_told_to_be_published_begin_a_description_in_the_order_of_the_form() -> None:
    assert published_answers(content()) == "Two courts first.\n\none\ntwo\n\nOulu"


@pytest.mark.parametrize("at", range(2))
def test_a_dozen_words_in_a_row_of_a_confidential_answer_are_refused_and_eleven_are_not(at: int) -> None:
    said = SECRET.split()
    copied = " ".join(said[at : at + COPIED_WORDS_MIN]).upper()
    with pytest.raises(Invalid) as told:
        checked_description(f"We say: {copied}, and more.", content())
    assert "“How?”" in told.value.problems["text"]
    fewer = " ".join(said[: COPIED_WORDS_MIN - 1])
    assert checked_description(f" We say: {fewer}, and more. ", content()) == f"We say: {fewer}, and more."


def test_what_is_copied_is_what_a_window_of_words_finds() -> None:
    # The same asked in another way: every window of both texts against every other.
    def windows(text: str) -> set[str]:
        said = re.sub(r"[^a-z ]", "", text.lower()).split()
        return {" ".join(said[at : at + COPIED_WORDS_MIN]) for at in range(len(said) - COPIED_WORDS_MIN + 1)}

    for start in range(6):
        for length in range(8, 14):
            text = f"Alpha {' '.join(SECRET.split()[start : start + length])} omega"
            try:
                checked_description(text, content())
            except Invalid:
                assert windows(text) & windows(SECRET)
            else:
                assert not windows(text) & windows(SECRET)


def test_a_description_is_written_confirmed_by_another_and_read_by_everybody(
    app: Flask, browser: Browser, decided: Scene
) -> None:
    first, ref = decided.application_ids[0], decided.references[0]
    page, place = f"/calls/{decided.slug}/results/descriptions", f"/calls/{decided.slug}/awards"
    shown = browser.get("manager", page)
    check_page(shown)
    assert "0 of 2 awards have a description" in shown.text and "Not written" in shown.text
    sent = browser.post("manager", f"{page}/{ref}", text=WORDS, version="0")
    assert sent.status_code == 303, sent.text
    with pytest.raises(NotAllowed):
        services.describing.confirm(decided.actor("manager"), first, 1)
    publish(decided, ResultsInput())
    stranger = app.test_client()
    assert WORDS not in stranger.get(place).text, "what one person wrote alone is not published"

    check_page(browser.get("officer", page))
    assert browser.post("officer", f"{page}/{ref}/confirm", version="1").status_code == 303
    answer = stranger.get(place)
    check_page(answer)
    assert WORDS in answer.text
    rows = list(csv.reader(io.StringIO(stranger.get(f"{place}.csv").text.lstrip("\ufeff"))))
    assert [row[7] for row in rows] == ["Description", WORDS, ""]
    told = json.loads(stranger.get(f"{place}.json").text)["awards"]
    assert told[0] == {
        "application": "Cool Courtyards", "lead": "Municipality of Neochóra", "country": "GR", "cities": "Neochóra",
        "recommended_cents": 40_000_000, "currency": "EUR", "selected_on": "2022-11-20", "months": 24,
        "description": WORDS, "amount_invented": True,
    }  # fmt: skip
    assert told[1]["description"] is None
    # In an invented call every amount is invented, and each way out says so; in another only one that is marked.
    assert [row[-1] for row in rows] == ["Note", "Invented", "Invented"]
    assert answer.text.count("Invented</strong>") == 2
    with arranging():
        get(Call, decided.call_id).synthetic = False
    rows = list(csv.reader(io.StringIO(stranger.get(f"{place}.csv").text.lstrip("\ufeff"))))
    assert [row[-1] for row in rows] == ["Note", "", ""] and "Invented</strong>" not in stranger.get(place).text
    assert not any(each["amount_invented"] for each in json.loads(stranger.get(f"{place}.json").text)["awards"])

    # Another version waits, and the confirmed one stands.
    assert services.describing.describe(decided.actor("manager"), first, "Other words.", 1) == 2
    assert WORDS in stranger.get(place).text and "Other words." not in stranger.get(place).text
    services.describing.confirm(decided.actor("officer"), first, 2)
    assert WORDS not in stranger.get(place).text and "Other words." in stranger.get(place).text
    kept = db.session.scalars(select(AwardDescription.text).order_by(AwardDescription.number)).all()
    assert list(kept) == [WORDS, "Other words."]


def test_what_changed_meanwhile_comes_back_and_others_write_nothing(browser: Browser, decided: Scene) -> None:
    first, ref = decided.application_ids[0], decided.references[0]
    page = f"/calls/{decided.slug}/results/descriptions"
    services.describing.describe(decided.actor("manager"), first, WORDS, 0)
    clashed = browser.post("manager", f"{page}/{ref}", text="Typed meanwhile.", version="0")
    assert clashed.status_code == 409 and "Typed meanwhile." in clashed.text
    assert browser.post("manager", f"{page}/{ref}", text=" ", version="1").status_code == 422
    long = browser.post("manager", f"{page}/{ref}", text="x" * 5_001, version="1")
    assert long.status_code == 422
    with pytest.raises(Conflict):
        services.describing.confirm(decided.actor("officer"), first, 2)
    with pytest.raises(NotAllowed):
        services.describing.describe(decided.actor("eva1"), first, "Our own words.")
    with pytest.raises((NotFound, NotAllowed)):
        queries.descriptions(decided.actor("eva1"), decided.slug)
    third = decided.application_ids[1]
    with pytest.raises(Refused, match="selected here"):
        services.describing.describe(decided.actor("manager"), third, WORDS)


def _with_a_published_question(definition: Definition) -> Definition:
    first, *others = definition.sections
    text, *rest = [each for each in first.questions if each.kind in (QuestionKind.SHORT, QuestionKind.LONG)]
    asked = (replace(text, published=True), *rest)
    return Definition((replace(first, questions=asked), *others))


@pytest.fixture
def answered(decided: Scene) -> Scene:
    """The form says of its first question that the answer is published, and what was sent answers it."""
    path = "application_form.sections"
    with arranging():
        call = get(Call, decided.call_id)
        stored: Any = deepcopy(call.content)
        definition = from_json(call.content)[path].value
        stored["fields"][path]["value"] = encoding.encode(_with_a_published_question(definition))
        call.content = stored
        for application_id in decided.application_ids:
            application = get(Application, application_id)
            sent = get(Submission, application.submission_id)
            snapshot: Any = deepcopy(sent.content)
            about = applications.content_of(sent).dossier
            snapshot["answers"] = to_mapping(
                DossierContent(_with_a_published_question(about.definition), about.answers)
            )
            again = Submission(
                application_id=application_id, number=2, receipt_number=sent.receipt_number + 100,
                submitted_at=sent.submitted_at, submitted_by=sent.submitted_by, closes_at=sent.closes_at,
                content=snapshot, sha256=digest(snapshot), requested=sent.requested,
            )  # fmt: skip
            db.session.add(again)
            db.session.flush()
            application.submission_id = again.id
    db.session.rollback()
    return decided


def test_what_an_applicant_read_is_published_stands_until_other_words_are_confirmed(
    app: Flask, browser: Browser, answered: Scene
) -> None:
    page, place = f"/calls/{answered.slug}/results/descriptions", f"/calls/{answered.slug}/awards"
    first, ref = answered.application_ids[0], answered.references[0]
    shown = browser.get("officer", page)
    check_page(shown)
    assert "2 of 2 awards have a description" in shown.text and shown.text.count("As answered") == 2
    publish(answered, ResultsInput())
    stranger = app.test_client()

    text = unescape(stranger.get(place).text)
    told = re.findall(r"(\w[\w ]+): what we answer to “[^”]+”", text)
    assert sorted(told) == ["Cool Courtyards", "Roof by Roof"], (
        "one answer of each award, and of nothing that was not selected"
    )
    told_as_data = json.loads(stranger.get(f"{place}.json").text)["awards"]
    assert all("what we answer to" in each["description"] for each in told_as_data)

    # What one person wrote alone takes nothing away.
    services.describing.describe(answered.actor("manager"), first, WORDS, 0)
    check_page(browser.get("officer", page))
    assert "Cool Courtyards: what we answer" in unescape(stranger.get(place).text)
    services.describing.confirm(answered.actor("officer"), first, 1)
    text = unescape(stranger.get(place).text)
    assert "Cool Courtyards: what we answer" not in text and WORDS in text and "Roof by Roof: what we answer" in text
    assert f'id="{ref}"' in browser.get("officer", page).text


def test_a_long_description_opens_and_the_public_page_asks_little(
    app: Flask, browser: Browser, answered: Scene
) -> None:
    long = "Shade for a courtyard. " * 30
    first = answered.application_ids[0]
    services.describing.describe(answered.actor("manager"), first, long, 0)
    services.describing.confirm(answered.actor("officer"), first, 1)
    publish(answered, ResultsInput())
    place = f"/calls/{answered.slug}/awards"
    stranger = app.test_client()
    stranger.get(place)

    with statements() as found:
        answer = stranger.get(place)

    check_page(answer)
    assert len(found) <= 8
    assert answer.text.count("<summary>What it is about") == 1 and long.strip() in answer.text


def test_who_wrote_a_description_does_not_confirm_it(decided: Scene) -> None:
    first = decided.application_ids[0]
    with arranging():
        decided.people["both"] = people.user("Bo Both", Role.PROGRAMME_MANAGER, Role.AUTHORISING_OFFICER).id
    services.describing.describe(decided.actor("both"), first, WORDS, 0)
    with pytest.raises(Refused, match="wrote this description"):
        services.describing.confirm(decided.actor("both"), first, 1)


def test_the_page_asks_as_much_of_many_awards_as_of_one(browser: Browser, decided: Scene) -> None:
    page = f"/calls/{decided.slug}/results/descriptions"
    selected = [one for one in decided.application_ids if get(Application, one).state == "selected"]
    assert len(selected) == 2

    def asked() -> int:
        browser.get("manager", page)
        with statements() as found:
            browser.get("manager", page)
        return len(found)

    with arranging():
        get(Application, selected[1]).state = "not_funded"
    of_one = asked()
    with arranging():
        get(Application, selected[1]).state = "selected"
    of_two = asked()
    services.describing.describe(decided.actor("manager"), selected[0], WORDS, 0)
    assert of_one == of_two == asked() <= 12
