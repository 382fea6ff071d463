"""Files of an application: limits said before, several at once, newer versions, and each refusal with its way out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grants.applications import queries, rules, services
from grants.calls.rules import Attachment, CallView
from grants.core import clock, files
from grants.core.errors import Conflict, Refused
from grants.core.file_types import DOCUMENTS, FileType
from grants.core.files import FileView, Incoming
from grants.core.paging import Page
from grants.dossiers.rules import Definition, Question, QuestionKind, Section
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories import applications as factory
from tests.factories.applications import PDF, WHILE_OPEN
from tests.statements import statements

MANDATE = "attachment_mandate"


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


def pages(count: int) -> bytes:
    written = io.BytesIO()
    with pikepdf.new() as document:
        for _ in range(count):
            document.add_blank_page(page_size=(72, 72))
        document.save(written)
    return written.getvalue()


class Team:
    """Ana's draft and what she sees of its files."""

    def __init__(self, app: Flask, call: CallView) -> None:
        self.app, self.ref = app, factory.draft(call, actors.ana())
        self.page = f"/applications/{self.ref}/files"

    @property
    def client(self) -> FlaskClient:
        return actors.client_of(self.app, actors.ana())

    @property
    def files(self) -> tuple[FileView, ...]:
        return queries.workplace(actors.ana(), self.ref).files

    def attach(self, *chosen: tuple[bytes, str], role: str = "other", **more: Any) -> TestResponse:
        data = {"role": role, "file": [(io.BytesIO(data), name) for data, name in chosen]}
        return self.client.post(self.page, data=data, content_type="multipart/form-data", **more)


@pytest.fixture
def team(app: Flask, call: CallView) -> Team:
    return Team(app, call)


# --- what may be attached -------------------------------------------------------------------------------------


def test_a_call_limits_types_size_and_pages_and_never_above_the_installation() -> None:
    wanted = Attachment("plan", "Plan", types=(FileType.PDF, FileType.DOCX), megabytes_max=5)

    assert wanted.limits(25_000_000).words == "PDF or Word, at most 5 MB"
    assert wanted.limits(2_000_000).words == "PDF or Word, at most 2 MB"
    assert wanted.limits(25_000_000).accept == ".pdf,.docx"
    assert Attachment("plan", "Plan").limits(25_000_000).types == DOCUMENTS
    # Pages are counted in PDFs alone.
    assert Attachment("plan", "Plan", pages_max=1).limits(25_000_000).words == "PDF, at most 25 MB, at most 1 page"


def test_the_limits_stand_on_the_page_and_in_the_call_before_anything_is_chosen(team: Team, call: CallView) -> None:
    shown = text_of(team.client.get(team.page))

    assert "Letter of mandate" in shown and "PDF, at most 10 MB, at most 10 pages each." in shown
    assert "PDF, at most 10 MB, at most 10 pages" in text_of(team.app.test_client().get(f"/calls/{call.slug}"))


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (pages(11), "mandate.pdf", "“mandate.pdf” has 11 pages; the limit here is 10. Shorten it, or leave pages out."),
        (b"some words\n", "mandate.txt", "“mandate.txt” is plain text; here you can upload .pdf."),
        (PDF + b"%" * 200_000, "mandate.pdf", "“mandate.pdf” is larger than 0.2 MB. Make it smaller, or split it."),
    ],
    ids=["pages", "type", "size"],
)
def test_what_is_beyond_a_limit_is_refused_at_its_field_with_the_limit_and_the_way_out(
    team: Team, data: bytes, name: str, said: str
) -> None:
    team.app.config["UPLOAD_BYTES_MAX"] = 200_000

    answer = team.attach((data, name), role=MANDATE)

    assert (answer.status_code, team.files) == (422, ())
    assert said in text_of(answer)
    assert f'<a href="#file-{MANDATE}">' in answer.text and f'id="file-{MANDATE}-error"' in answer.text


def test_the_limits_hold_for_the_act_too(team: Team) -> None:
    id = queries.id_of(actors.ana(), team.ref)

    for media_type, size, said in (("image/png", 10, "It takes PDF"), ("application/pdf", 11_000_000, "the limit for")):
        with pytest.raises(Refused, match=said):
            services.attach_file(actors.ana(), id, Incoming("mandate.pdf", media_type, size, "0" * 64), MANDATE)


def test_a_place_is_one_of_the_call_s_attachments_its_file_questions_or_any_other(call: CallView) -> None:
    roles = [place.role for place in rules.file_places(call.content, 25_000_000)]

    assert roles[:2] == [MANDATE, "attachment_commitment"]
    assert roles[-1] == "other"


def test_a_question_for_a_file_has_limits_of_its_own(call: CallView) -> None:
    asked = Question("map", "Map of the district", QuestionKind.FILE, pages_max=2, megabytes_max=5)
    content = replace(call.content, definition=Definition((Section("place", "Place", questions=(asked,)),)))
    (place,) = [each for each in rules.file_places(content, 25_000_000) if each.role == "question_map"]

    assert (place.limits.words, asked.file_words) == ("PDF, at most 5 MB, at most 2 pages",) * 2
    assert Question("map", "Map", QuestionKind.FILE).file_words == ""
    with pytest.raises(Refused, match="It takes PDF"):
        rules.refuse_beyond(place, name="map.png", media_type="image/png", size_bytes=10)


# --- several at once ------------------------------------------------------------------------------------------


def test_of_several_files_the_right_ones_are_kept_and_each_other_is_named(team: Team) -> None:
    answer = team.attach((PDF, "plan.pdf"), (b"<html>", "map.pdf"), (b"notes\n", "notes.txt"), (b"", "empty.txt"))

    shown = text_of(answer)
    assert answer.status_code == 422
    assert [file.name for file in team.files] == ["notes.txt", "plan.pdf"]
    assert "“plan.pdf” is attached." in shown and "“notes.txt” is attached." in shown
    assert "“map.pdf” is a web page" in shown and "“empty.txt” is empty" in shown


def test_several_right_files_lead_back_to_the_page(team: Team) -> None:
    assert team.attach((PDF, "plan.pdf"), (b"notes\n", "notes.txt")).status_code == 303
    assert len(team.files) == 2


def test_a_script_is_answered_in_a_sentence(team: Team) -> None:
    accept = {"headers": {"Accept": "application/json"}}

    right, wrong = team.attach((PDF, "plan.pdf"), **accept), team.attach((b"", "empty.txt"), **accept)

    assert (right.status_code, right.json) == (200, {"ok": True})
    assert (wrong.status_code, wrong.json) == (422, {"problem": "“empty.txt” is empty. Choose the file again."})


def test_the_same_bytes_again_are_nothing_new(team: Team) -> None:
    for _ in range(2):
        team.attach((PDF, "plan.pdf"))

    assert [file.version_no for file in team.files] == [1]


# --- newer versions -------------------------------------------------------------------------------------------


def test_a_newer_version_takes_the_place_and_the_older_one_stays_with_the_team(team: Team) -> None:
    team.attach((PDF, "mandate.pdf"), role=MANDATE)
    (first,) = team.files

    answer = send(
        team.client, f"{team.page}/replace", page=team.page, file=(io.BytesIO(pages(2)), "Mandate signed.pdf")
    )

    assert answer.status_code == 303
    (second,) = team.files
    assert (second.name, second.version_no, second.role, second.replaces_id) == (
        "Mandate signed.pdf", 2, MANDATE, first.id
    )  # fmt: skip
    assert "1 older version" in text_of(team.client.get(team.page))
    with team.client.get(f"{team.page}/{first.sha256}") as older:
        assert (older.data, older.headers["Content-Disposition"]) == (PDF, "attachment; filename=mandate.pdf")
    assert actors.client_of(team.app, actors.marek()).get(f"{team.page}/{first.sha256}").status_code in (403, 404)


def test_a_newer_version_keeps_to_the_limits_of_its_own_place_whatever_place_is_sent(team: Team) -> None:
    team.attach((PDF, "mandate.pdf"), role=MANDATE)
    (first,) = team.files

    data = {"thing": str(first.id), "role": "other", "file": (io.BytesIO(pages(11)), "mandate.pdf")}
    answer = team.client.post(f"{team.page}/replace", data=data, content_type="multipart/form-data")

    assert answer.status_code == 422 and "has 11 pages; the limit here is 10" in text_of(answer)
    assert team.files == (first,)


def test_who_replaces_what_was_replaced_meanwhile_is_told_and_nothing_is_stored(team: Team) -> None:
    team.attach((PDF, "plan.pdf"))
    (first,) = team.files
    id = queries.id_of(actors.ana(), team.ref)
    from grants.core import files
    from tests.core.test_files import upload

    services.replace_file(actors.ana(), id, first.id, files.receive(upload(pages(2), "plan.pdf")))
    with pytest.raises(Conflict, match="Somebody replaced this file"):
        services.replace_file(actors.ana(), id, first.id, files.receive(upload(pages(3), "plan.pdf")))

    assert [file.version_no for file in team.files] == [2]


def test_what_was_taken_out_is_gone_with_its_older_versions(team: Team) -> None:
    team.attach((PDF, "plan.pdf"))
    team.attach((pages(2), "plan.pdf"))
    (file,) = team.files

    services.remove_file(actors.ana(), queries.id_of(actors.ana(), team.ref), file.id)

    assert team.files == ()
    assert team.client.get(f"{team.page}/{file.sha256}").status_code == 404


@pytest.mark.usefixtures("short_pages")
def test_however_often_a_file_is_replaced_a_page_reads_and_shows_only_the_last_versions(team: Team) -> None:
    for number in range(9):
        team.attach((PDF + b"\n%" + str(number).encode(), "mandate.pdf"))
    application_id = queries.id_of(actors.ana(), team.ref)

    with statements() as asked:
        (chain,) = files.chains(files.listed("application", application_id))

    assert len(asked) == 2
    assert [file.version_no for file in chain] == [9, 8, 7, 6, 5, 4]
    assert "8 older versions" in text_of(team.client.get(team.page))
    first = files.older(chain[0].id, Page(size=5))
    second = files.older(chain[0].id, Page(size=5, after=first.next_key))
    assert [file.version_no for file in (*first.items, *second.items)] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert second.next_key is None
    oldest = second.items[-1]
    assert files.of_object("application", application_id, oldest.sha256) == oldest
    listed = team.client.get(f"{team.page}/{chain[0].sha256}/versions?size=3")
    assert "after=6" in listed.text
    assert "Version 9 stands" in text_of(listed)
    services.remove_file(actors.ana(), application_id, chain[0].id)
    assert files.of_object("application", application_id, oldest.sha256) is None
    assert team.client.get(f"{team.page}/{chain[0].sha256}/versions").status_code == 404
