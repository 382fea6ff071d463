"""Declarations as data: in the form, checked before sending, frozen with the application, and marked for the desk."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.applications import queries, services
from grants.applications.rules import SectionInput
from grants.calls import queries as calls
from grants.calls.rules import declarations as rules
from grants.calls.rules import read_call_file
from grants.calls.rules.declarations import Declarant, Declaration, Said
from grants.core import clock
from grants.core.errors import Problems
from grants.dossiers.rules import Answer, Mark
from tests import actors
from tests.calls import scene
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again
from tests.html import check_page
from tests.worlds import World, Worlds

FILE = (
    scene.CALL_2022
    + """
declarations:
  other_grants: true
  asked:
    - {key: harm, text: "Does any activity significantly harm an environmental objective?", explain: "yes"}
    - {key: council, text: "Has the council agreed?", explain: "no", evidence: true}
    - {key: exclusion, text: "Is the organisation in an exclusion situation?", explain: "yes", by: each_organisation}
"""
)
NORTHBRIDGE = actors.NORTHBRIDGE
GIVEN = {
    "other_grants": ("yes", ""),
    "other_grants_list": ("", "LIFE\tLIFE-7\t10000\t1 May 2023\t1 May 2024\tAsked for\tStaff\tOther months"),
    "declare_harm": ("no", ""),
    "declare_harm_why": ("", ""),
    "declare_council": ("yes", ""),
    "declare_council_why": ("", ""),
    "declare_exclusion": ("", f"{NORTHBRIDGE}\tno\t"),
}


def _call() -> UUID:
    return scene.published(FILE).id


@pytest.fixture(scope="session")
def declared_world(worlds: Worlds) -> World[UUID]:
    return worlds.of(_call)


@pytest.fixture
def call_id(declared_world: World[UUID]) -> UUID:
    return declared_world.told()


def filled(call_id: UUID, **changed: tuple[str, str]) -> UUID:
    """A draft with everything answered, and the declarations as given."""
    reference = factory.draft(calls.call_by_id(call_id), actors.ana())
    application_id = factory.fill(reference, actors.ana())
    answers = GIVEN | changed
    with clock.at(WHILE_OPEN):
        for key in rules.SECTIONS:
            given = tuple(
                Answer(question.key, answers[question.key][1], tuple(filter(None, (answers[question.key][0],))))
                for section in calls.call_by_id(call_id).content.definition.sections
                if section.key == key
                for question in section.questions
                if question.key in answers
            )
            services.save_section(again(actors.ana()), application_id, key, SectionInput(given, Mark.COMPLETE, None))
    return application_id


def issues(application_id: UUID) -> list[str]:
    view = queries.view_by_id(application_id)
    return [issue.message for issue in queries.workplace(again(actors.ana()), view.reference).issues]


def test_a_call_file_says_what_is_declared_and_reads_back_as_it_was(app: Flask, call_id: UUID) -> None:
    slug = calls.call_by_id(call_id).slug
    written = calls.file_text(actors.ingrid(), slug)

    expected = (
        Declaration("harm", "Does any activity significantly harm an environmental objective?", Said.YES),
        Declaration("council", "Has the council agreed?", Said.NO, evidence=True),
        Declaration("exclusion", "Is the organisation in an exclusion situation?", Said.YES, Declarant.EACH),
    )
    assert read_call_file(FILE).value("declarations.asked") == expected
    assert read_call_file(written).value("declarations.asked") == expected
    assert read_call_file(written).value("declarations.other_grants") is True


def test_two_declarations_of_one_key_keep_a_call_from_being_published(app: Flask) -> None:
    draft = scene.filled(FILE.replace("key: council", "key: harm"))

    from grants.calls.services import publish

    with clock.at(scene.BEFORE), pytest.raises(Problems, match="more than once"):
        publish(actors.ingrid(), draft.id)


def test_everybody_reads_before_applying_what_is_declared(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    words = client.get(f"/calls/{calls.call_by_id(call_id).slug}").text

    assert "Other grants for the same" in words and "Has the council agreed?" in words


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, ""),
        ({"other_grants": ("", "")}, "Has anybody of the consortium"),
        ({"other_grants_list": ("", "")}, "The other grants"),
        ({"declare_harm": ("yes", "")}, "Explain: Does any activity"),
        ({"declare_exclusion": ("", "")}, f"{NORTHBRIDGE} has no row yet"),
        ({"declare_exclusion": ("", f"{NORTHBRIDGE}\tperhaps\t")}, "Write yes or no"),
        ({"declare_exclusion": ("", f"{NORTHBRIDGE}\tYes\t")}, "needs an explanation"),
        ({"declare_exclusion": ("", f"{NORTHBRIDGE}\tyes\tSettled in 2021.")}, ""),
    ],
)
def test_what_is_not_declared_or_not_explained_stops_the_sending(
    app: Flask, call_id: UUID, changed: dict[str, tuple[str, str]], sentence: str
) -> None:
    found = issues(filled(call_id, **changed))

    assert bool(found) == bool(sentence), found
    assert sentence in " ".join(found) or any(sentence.split(":")[0] in each for each in found) or not sentence


def test_declarations_are_frozen_with_the_application_and_the_desk_sees_which_to_look_at(
    app: Flask, call_id: UUID
) -> None:
    application_id = filled(call_id)
    with clock.at(WHILE_OPEN):
        services.submit(again(actors.ana()), application_id)
    reference = queries.view_by_id(application_id).reference
    content = queries.submitted_content(application_id)
    with clock.at(AFTER_CLOSING):
        page = actors.client_of(app, actors.eli()).get(f"/applications/{reference}/eligibility")
        printed = actors.client_of(app, again(actors.ana())).get(f"/applications/{reference}/print")

    assert content.dossier.answer("declare_exclusion").text.startswith(NORTHBRIDGE)
    check_page(page)
    assert page.text.count("Look at this") == 1, "the other grant, and nothing else"
    assert "LIFE · LIFE-7 · 10000" in page.text
    assert "LIFE-7" in printed.text and "Has the council agreed?" in printed.text


def test_the_offline_form_asks_what_is_declared(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    import io
    import zipfile

    answer = client.get(f"/calls/{calls.call_by_id(call_id).slug}/form.docx")

    assert answer.status_code == 200
    text = zipfile.ZipFile(io.BytesIO(answer.get_data())).read("word/document.xml").decode()
    assert "Has the council agreed?" in text and "Other grants for the same" in text
