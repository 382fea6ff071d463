"""Filled files and earlier applications: the difference is shown first, and only what is ticked is taken over."""

from __future__ import annotations

import io
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grants.applications import queries, services
from grants.applications.rules import AnswerInput, TakenSection
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.errors import Refused
from grants.dossiers import offline
from grants.dossiers.merging import Shown
from grants.dossiers.rules import Answer
from tests import actors
from tests.applications.pages import send, text_of
from tests.applications.test_team import other_section, partner
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN
from tests.html import check_page


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


def started(app: Flask, call: CallView, title: str = "Warm Blocks") -> tuple[FlaskClient, UUID, str]:
    reference = factory.draft(call, actors.ana(), title)
    return actors.client_of(app, actors.ana()), queries.id_of(actors.ana(), reference), reference


def summary(reference: str) -> str:
    return queries.workplace(actors.ana(), reference).dossier.section("summary").answers["summary"].text


def upload(client: FlaskClient, reference: str, data: bytes, name: str = "form.docx") -> TestResponse:
    return client.post(
        f"/applications/{reference}/offline",
        data={"file": (io.BytesIO(data), name)},
        content_type="multipart/form-data",
    )


def test_everybody_downloads_the_whole_form_of_a_call_and_reads_of_it_on_its_page(app: Flask, call: CallView) -> None:
    visitor = app.test_client()

    answer = visitor.get(f"/calls/{call.slug}/form.docx")

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    written = offline.read(answer.data, call.content.definition).answers
    assert written and all(each.empty for each in written)
    assert f"/calls/{call.slug}/form.docx" in visitor.get(f"/calls/{call.slug}").text
    assert visitor.get("/calls/no-such-call/form.docx").status_code == 404
    sheet = visitor.get(f"/calls/{call.slug}/form.xlsx")
    typed = offline.read_sheet(sheet.data, call.content.definition).answers
    assert typed and all(each.empty for each in typed)


def test_a_filled_file_changes_nothing_before_it_is_accepted_and_then_only_what_is_ticked(
    app: Flask, call: CallView
) -> None:
    client, application_id, reference = started(app, call)
    services.save_answer(actors.ana(), application_id, "summary", AnswerInput("summary", ("Old words",), 0))
    filled = offline.written("F", (), call.content.definition, {"summary": Answer("summary", "New **words**")})

    shown = upload(client, reference, filled)

    assert shown.status_code == 200
    check_page(shown)
    assert "Take over “" in shown.text and "<del>Old" in shown.text
    assert summary(reference) == "Old words"
    fields = {"take_summary": "y", "value_summary": "New **words**", "number_summary": "1"}
    assert (
        client.post(f"/applications/{reference}/offline/accept", data=fields | {"take_summary": ""}).status_code == 303
    )
    assert summary(reference) == "Old words"
    assert client.post(f"/applications/{reference}/offline/accept", data=fields).status_code == 303
    assert summary(reference) == "New **words**"


def test_what_cannot_be_read_and_what_was_cleared_is_told_by_its_place_and_ticked_by_nobody_else(
    app: Flask, call: CallView
) -> None:
    client, application_id, reference = started(app, call)
    services.save_answer(actors.ana(), application_id, "summary", AnswerInput("summary", ("Old words",), 0))
    definition, typed = call.content.definition, {"start_wanted": Answer("start_wanted", "soon")}
    filled = {"form.docx": offline.written("F", (), definition, typed)}
    filled["form.xlsx"] = offline.written_sheet("F", definition, typed)
    section = next(s for s in definition.sections for q in s.questions if q.key == "start_wanted")
    row = [q.key for s in definition.sections for q in s.questions].index("start_wanted") + 2

    for name, where in (("form.docx", section.title), ("form.xlsx", f"Cell D{row}")):
        root = check_page(upload(client, reference, filled[name], name))
        ticks = {
            each.get("name"): each.get("checked") is not None for each in root.iter() if each.get("type") == "checkbox"
        }
        assert ticks == {"take_start_wanted": False, "take_summary": False}
        said = " ".join("".join(root.itertext()).split())
        assert f"{where}: “When could you start?”: “soon” is not a date" in said
        assert "Empty “" in said and "this would empty the answer" in said
    values = {"take_start_wanted": "y", "value_start_wanted": "soon", "number_start_wanted": "0"}
    values |= {"take_summary": "y", "value_summary": "", "number_summary": "1"}
    taken = client.post(f"/applications/{reference}/offline/accept", data=values, follow_redirects=True)

    assert f"{section.title}: “When could you start?”: “soon” is not a date" in text_of(taken)
    assert summary(reference) == ""
    page = check_page(client.get(f"/applications/{reference}/sections/{section.key}"))
    state = next(each for each in page.iter() if each.get("id") == "state-start_wanted")
    assert "“soon” is not a date" in (state.text or "")
    field = next(each for each in page.iter() if each.get("name") == "answer_start_wanted")
    assert field.get("value") == "soon"
    assert "“soon” is not a date" in text_of(client.get(f"/applications/{reference}/check"))


def test_what_somebody_changed_meanwhile_is_left_as_it_is(app: Flask, call: CallView) -> None:
    client, application_id, reference = started(app, call)
    services.save_answer(actors.ana(), application_id, "summary", AnswerInput("summary", ("Newer",), 0))

    fields = {"take_summary": "y", "value_summary": "From the file", "number_summary": "0"}
    answer = client.post(f"/applications/{reference}/offline/accept", data=fields, follow_redirects=True)

    assert "was changed meanwhile and is left as it is" in text_of(answer)
    assert summary(reference) == "Newer"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("form.docx", b"words", "form.docx"),
        ("form.pdf", factory.PDF, "here you can upload .docx, .xlsx"),
        ("form.pdf", b"%PDF-1.7 damaged", "“form.pdf” is a PDF; here you can upload .docx, .xlsx"),
        ("form.xlsx", b"%PDF-1.7 damaged", "“form.xlsx” is a PDF; here you can upload .docx, .xlsx"),
        (
            "form.docx",
            b"PK\x03\x04damaged",
            "is damaged: it cannot be opened. Save it again and upload that. Here you can",
        ),
        ("empty.docx", b"", "is empty"),
    ],
)
def test_what_is_no_filled_form_is_refused_in_words(
    app: Flask, call: CallView, name: str, data: bytes, said: str
) -> None:
    client, _, reference = started(app, call)

    answer = upload(client, reference, data, name)

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'id="file-error"' in answer.text


def test_a_partner_takes_over_only_what_is_asked_of_them(app: Flask, call: CallView) -> None:
    _, application_id, reference = started(app, call)
    marek, other = partner(application_id, other_section(reference)), other_section(reference)
    filled = offline.written("F", (), call.content.definition, {"summary": Answer("summary", "Mine")})

    shown = upload(actors.client_of(app, marek), reference, filled)

    assert "not taken, for this section is not asked of you" in text_of(shown)
    given = TakenSection("summary", (Answer("summary", "Mine"),), (Shown("summary", 0),))
    with pytest.raises(Refused, match="Nobody has asked you"):
        services.take_over(marek, application_id, (given,))
    assert summary(reference) == "" and other != "summary"


def test_answers_come_from_an_earlier_application_of_the_same_people_and_of_nobody_else(
    app: Flask, call: CallView
) -> None:
    client, earlier_id, earlier = started(app, call, "Earlier")
    services.save_answer(actors.ana(), earlier_id, "summary", AnswerInput("summary", ("Good words",), 0))
    reference = factory.draft(call, actors.ana(), "Later")
    client = actors.client_of(app, actors.ana())
    page = f"/applications/{reference}/offline"
    assert f"from={earlier}" in client.get(page).text

    answer = send(client, f"{page}/accept", page=f"{page}?from={earlier}")

    assert answer.status_code == 303
    assert summary(reference) == "Good words"
    services.save_answer(actors.ana(), earlier_id, "summary", AnswerInput("summary", ("Bad words",), 1))
    assert send(client, f"{page}/accept", page=f"{page}?from={earlier}").status_code == 303
    assert summary(reference) == "Good words"  # What stands here is replaced only where somebody ticks it.
    foreign = factory.draft(call, actors.marek(), "Foreign")
    assert client.get(f"{page}?from={foreign}").status_code == 404


def test_a_filled_workbook_is_shown_like_a_filled_document(app: Flask, call: CallView) -> None:
    client, _, reference = started(app, call)
    filled = offline.written_sheet("F", call.content.definition, {"summary": Answer("summary", "From a sheet")})

    shown = upload(client, reference, filled, "form.xlsx")

    assert shown.status_code == 200
    assert "From a sheet" in text_of(shown)
    own = offline.read_sheet(client.get(f"/applications/{reference}/form.xlsx").data, call.content.definition)
    assert own.answers and all(each.empty for each in own.answers)
    assert client.get(f"/applications/{reference}/form.docx").status_code == 200
