"""Pages of calls through HTTP: everybody reads, managers prepare, the authorising officer sets the budget."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from grants.calls import queries, services
from grants.calls.models import Call
from grants.calls.rules import DeadlineInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.money import euros
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity.states import Role
from tests import actors
from tests.calls import scene
from tests.html import check_page, texts

MARCH = datetime(2027, 3, 1, 9, tzinfo=UTC)
PAGES = ("manage", "dates", "documents", "cancel")


def text_of(client: FlaskClient, path: str, *, at: datetime = scene.WHILE_OPEN) -> str:
    with clock.at(at):
        answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(" ".join(check_page(answer).itertext()).split())


# --- everybody ----------------------------------------------------------------------------------------------------


def test_nobody_reads_the_public_page_without_signing_in(client: FlaskClient) -> None:
    call = scene.published()
    words = text_of(client, f"/calls/{call.slug}")

    for sentence in (
        "You can apply until 15 November 2022, 12:00 Brussels time.",
        "Printed as “4 November 2022, 23.59 CET”.",
        "Printed as “15 November 2022, 12:00 p.m. CET”. Why: high demand and submission difficulties.",
        "The call names 3 award amounts: EUR 500 000.00, EUR 1 000 000.00 and EUR 1 500 000.00.",
        "You may ask for any amount up to EUR 1 500 000.00. Horizon-like template",
        "At least 50000 inhabitants. Looked up: Every city administration: at least 50 000 inhabitants. (From the press or a third party)",
        "Indirect costs are 25 % of direct costs, not counting subcontracting and support to third parties.",
        "At the exact time of the deadline it is too late.",
        "In all an application needs 10 of 15 points, and the least for each criterion too.",
        "At most 600 words. Feeds “Excellence and ambition”.",
        "Some rules of this call are not public",
        "Horizon-like template",
        "Seen in public documents",
        "Eligibility criterion 7 (maximum grant per legal entity) removed",
        "NetZeroCities, Horizon 2020 grant 101036519",
    ):
        assert sentence in words


def test_the_template_is_labelled_where_its_values_stand(client: FlaskClient) -> None:
    call = scene.published()
    with clock.at(scene.WHILE_OPEN):
        page = check_page(client.get(f"/calls/{call.slug}"))

    tags = [tag for tag in texts(page, "strong") if tag == "Horizon-like template"]
    assert len(tags) > 30


def test_days_left_and_state_follow_the_clock(client: FlaskClient) -> None:
    path = f"/calls/{scene.published().slug}"

    assert "You can apply from 5 September 2022, 00:00 Brussels time." in text_of(client, path, at=scene.BEFORE)
    assert "in 36 days" in text_of(client, path)
    assert "It closed on 15 November 2022, 12:00 Brussels time." in text_of(client, path, at=scene.AFTER)


def test_the_list_parts_calls_by_what_they_are_now(client: FlaskClient) -> None:
    scene.published()
    scene.published(scene.SMALL)
    with clock.at(scene.WHILE_OPEN):
        page = check_page(client.get("/calls"))

    assert texts(page, "h2") == ["Open now", "Opening later"]
    assert texts(page, "h3") == ["Open call for Pilot Cities - NetZeroCities", "Small towns try out"]


def test_an_empty_list_explains_itself(client: FlaskClient) -> None:
    assert "No call is open now." in text_of(client, "/calls")


def test_an_invented_call_says_so(client: FlaskClient) -> None:
    call = scene.published(scene.SMALL)

    assert "Invented" in text_of(client, f"/calls/{call.slug}")
    assert "Invented" in text_of(client, "/calls")


@pytest.mark.parametrize("path", ["", "/manage"])
def test_a_draft_is_not_there_for_applicants(app: Flask, client: FlaskClient, path: str) -> None:
    draft = scene.imported()
    applicant = actors.client_of(app, actors.ana())

    assert applicant.get(f"/calls/{draft.slug}{path}").status_code in (403, 404)
    assert client.get(f"/calls/{draft.slug}").status_code == 404


def test_the_public_page_takes_few_statements(app: Flask, client: FlaskClient) -> None:
    call = scene.published()
    statements: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    client.get(f"/calls/{call.slug}")
    event.remove(db.engine, "before_cursor_execute", note)

    assert len(statements) <= 10


# --- managers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(app: Flask, client: FlaskClient) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()
    return actors.client_of(app, actors.ingrid())


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_a_manager_are_for_managers(app: Flask, manager: FlaskClient, page: str) -> None:
    call = scene.published()
    path = f"/calls/{call.slug}/{page}"

    assert "Open call for Pilot Cities" in text_of(manager, path)
    for other in (actors.ana(), actors.eva(), actors.eli()):
        assert actors.client_of(app, other).get(path).status_code == 403
    assert app.test_client().get(path).location == f"/sign-in?next={path}"


def test_a_manager_walks_from_the_file_to_the_published_call(manager: FlaskClient) -> None:
    check_page(manager.get("/calls/import"))
    upload = (io.BytesIO(scene.CALL_2022.encode()), "call_2022.yaml")
    answer = manager.post("/calls/import", data={"file": upload}, content_type="multipart/form-data")
    assert (answer.status_code, answer.location) == (303, "/calls/open-call-for-pilot-cities-2022/manage")
    path = answer.location.removesuffix("/manage")

    words = text_of(manager, f"{path}/manage", at=scene.BEFORE)
    assert "It cannot be published yet: 22 things are missing." in words
    assert "Money How award amounts bind, Flat rate for indirect costs, Budget categories 3 missing" in words

    assert manager.post(f"{path}/template", data={"template": "horizon-like"}).status_code == 303
    assert "Nothing is missing. It can be published." in text_of(manager, f"{path}/manage", at=scene.BEFORE)

    assert manager.post(f"{path}/publish").status_code == 303
    assert queries.call(None, "open-call-for-pilot-cities-2022").published_at is not None


def test_a_wrong_file_comes_back_with_every_place_and_the_pasted_text(manager: FlaskClient) -> None:
    text = "schema_version: 1\ncall: {id: X, title: Y}\nbudget: {totl: 5}\nduration_months: long\n"
    answer = manager.post("/calls/import", data={"text": text})

    words = " ".join(check_page(answer).itertext())
    assert answer.status_code == 422
    assert "budget.totl (line 3)" in words and "duration_months (line 4)" in words
    assert text.strip() in words
    assert queries.calls(actors.ingrid()) == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a call file, or paste its text."),
        (b"\xff\xfe\x00", "one is plain text in UTF-8, named .yaml or .yml"),
        (b"#" * 200_001, "larger than 200,000 bytes"),
        (b"call: [", "line 1"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(manager: FlaskClient, content: bytes, words: str) -> None:
    upload = (io.BytesIO(content), "call.yaml" if content else "")
    answer = manager.post("/calls/import", data={"file": upload}, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert words in " ".join(check_page(answer).itertext())


def test_publishing_too_early_lists_what_is_missing(manager: FlaskClient) -> None:
    draft = scene.imported()
    answer = manager.post(f"/calls/{draft.slug}/publish")

    assert answer.status_code == 422
    words = " ".join(" ".join(check_page(answer).itertext()).split())
    assert "Why the call was not published" in words
    assert "Award criteria : is not there yet." in words


def test_an_extension_shows_old_and_new_deadline_to_everybody(app: Flask, client: FlaskClient) -> None:
    call = scene.published(scene.SMALL)
    with clock.at(datetime(2027, 3, 14, 9, tzinfo=UTC)):
        answer = actors.client_of(app, actors.ingrid()).post(
            f"/calls/{call.slug}/deadline",
            data={
                "day": "22 March 2027",
                "time": "12:00",
                "reason": "The server was down.",
                "public_note": "One week more.",
            },
        )
    assert answer.status_code == 303

    words = text_of(client, f"/calls/{call.slug}", at=datetime(2027, 3, 15, tzinfo=UTC))
    assert "Deadline, no longer valid" in words
    assert "Printed as “15 March 2027, 17:00 Brussels time”." in words
    assert (
        "Printed as “22 March 2027, 12:00 CET”. Announced on 14 March 2027. Why: The server was down. One week more."
        in words
    )


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"day": "28 March 2027", "time": "02:30"}, "does not exist in Europe/Brussels"),
        ({"day": "31 October 2027", "time": "02:30"}, "happens twice in Europe/Brussels"),
        ({"day": "1 March 2027", "time": "12:00"}, "A deadline only moves to a later time."),
        ({"day": "soon", "time": "noon"}, "is not a date"),
        ({"day": "", "time": ""}, "Enter the day"),
    ],
)
def test_a_deadline_that_cannot_be_comes_back_with_the_text_kept(
    app: Flask, client: FlaskClient, sent: dict[str, str], words: str
) -> None:
    call = scene.published(scene.SMALL)
    with clock.at(MARCH):
        answer = actors.client_of(app, actors.ingrid()).post(
            f"/calls/{call.slug}/deadline",
            data={**sent, "reason": "Because of the outage.", "public_note": "More time."},
        )

    page = check_page(answer)
    assert answer.status_code == 422
    assert words in " ".join(page.itertext())
    assert "Because of the outage." in texts(page, "textarea")


def test_a_version_of_documents_is_added_on_its_page(manager: FlaskClient) -> None:
    call = scene.published(scene.SMALL)
    documents = {"label": "1.1", "published_on": "1 February 2027", "what": "correction", "changes": "one\n\ntwo\n"}
    assert manager.post(f"/calls/{call.slug}/documents", data=documents).status_code == 303
    assert manager.post(f"/calls/{call.slug}/documents", data=documents).status_code == 422

    found = queries.call(None, call.slug)
    assert [document.changes for document in found.documents] == [("one", "two")]


def test_a_call_is_given_up_on_a_page_of_its_own(manager: FlaskClient, client: FlaskClient) -> None:
    call = scene.published(scene.SMALL)
    assert manager.post(f"/calls/{call.slug}/cancel", data={"reason": ""}).status_code == 422

    assert manager.post(f"/calls/{call.slug}/cancel", data={"reason": "The fund closed."}).status_code == 303
    assert "This call was cancelled; nothing can be sent." in text_of(client, f"/calls/{call.slug}")


def test_a_form_sent_twice_moves_the_deadline_once(app: Flask, client: FlaskClient) -> None:
    call = scene.published(scene.SMALL)
    sent = {"act_key": "one", "day": "22 March 2027", "time": "12:00", "reason": "Down.", "public_note": "More."}
    with clock.at(MARCH):
        manager = actors.client_of(app, actors.ingrid())
        answers = [manager.post(f"/calls/{call.slug}/deadline", data=sent).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert len(queries.call(None, call.slug).deadlines) == 2


# --- the authorising officer --------------------------------------------------------------------------------------


def test_the_officer_sets_the_budget_and_everybody_of_the_programme_sees_it(app: Flask, manager: FlaskClient) -> None:
    call = scene.published()
    officer = actors.client_of(app, actors.otto())
    path = f"/calls/{call.slug}/budget"
    check_page(officer.get(path))

    assert officer.post(path, data={"amount": "32.000.000,00", "shown": "0"}).status_code == 303
    assert queries.authorised(call.id) == euros(32_000_000)
    assert "Authorised, EUR 32 000 000.00" in text_of(manager, f"/calls/{call.slug}/manage")
    assert manager.get(path).status_code == 403


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"amount": "", "shown": "0"}, "Enter an amount in euros"),
        ({"amount": "1e6", "shown": "0"}, "is not an amount"),
        ({"amount": "-5", "shown": "0"}, "below zero"),
        ({"amount": "0", "shown": "0"}, "already"),
        ({"amount": "5", "shown": "x"}, "The page is too old."),
    ],
)
def test_an_amount_that_cannot_be_comes_back(app: Flask, client: FlaskClient, sent: dict[str, str], words: str) -> None:
    call = scene.published()
    answer = actors.client_of(app, actors.otto()).post(f"/calls/{call.slug}/budget", data=sent)

    assert answer.status_code == 422
    assert words in " ".join(check_page(answer).itertext())


def test_an_extension_by_somebody_else_is_found_by_the_version(app: Flask, client: FlaskClient) -> None:
    call = scene.published(scene.SMALL)
    shown = queries.call_by_id(call.id).version
    given = DeadlineInput(datetime(2027, 3, 22, 12, 0), "Down.", "More.")
    with clock.at(MARCH):
        services.extend_deadline(actors.ingrid(), call.id, given)
        answer = actors.client_of(app, actors.ingrid()).post(
            f"/calls/{call.slug}/deadline",
            data={"version": shown, "day": "1 April 2027", "time": "12:00", "reason": "x", "public_note": "y"},
        )

    assert answer.status_code == 409


def test_a_page_after_a_draft_is_the_page_after_a_call_that_is_not_there(app: Flask) -> None:
    scene.published()
    draft = queries.call_by_id(scene.imported(scene.SMALL).id)
    assert draft.closes_at is not None

    def after(actor: Actor | None, reference: str) -> object:
        return queries.calls_page(actor, scene.AFTER, Page(after=reference))[1].items

    assert after(None, draft.reference) == after(None, "PCP-1999-C-0001")
    assert after(actors.ingrid(), draft.reference) != after(actors.ingrid(), "PCP-1999-C-0001")


@pytest.mark.parametrize("page", ["manage", "dates", "cancel", "documents", "privacy/edit"])
def test_a_page_of_deeds_is_there_only_for_who_holds_the_permission_in_this_call(app: Flask, page: str) -> None:
    call = scene.published()
    elsewhere = actors.give(actors.person("Else Where"), Role.PROGRAMME_MANAGER, "call", UUID(int=7))
    signatory = actors.give(actors.person("Sig Natory"), Role.PROGRAMME_SIGNATORY, "call", UUID(int=7))
    here = actors.give(actors.person("Hier Here"), Role.PROGRAMME_MANAGER, "call", call.id)
    also = actors.give(actors.person("Also Here"), Role.PROGRAMME_SIGNATORY, "call", call.id)

    def opened(*people: Actor) -> set[int]:
        return {actors.client_of(app, person).get(f"/calls/{call.slug}/{page}").status_code for person in people}

    assert 200 in opened(here, also)
    assert opened(elsewhere, signatory) <= {403, 404}


def test_the_first_page_tells_the_truth_before_while_and_after_a_call_is_open(client: FlaskClient) -> None:
    none = text_of(client, "/")
    call = scene.published()
    title = queries.call_by_id(call.id).title
    before, during, after = (text_of(client, "/", at=at) for at in (scene.BEFORE, scene.WHILE_OPEN, scene.AFTER))
    with arranging():
        get(Call, call.id).results_public_at = scene.AFTER
    public = text_of(client, "/", at=scene.AFTER)

    assert "No call has been published yet." in none
    assert f"No call is open now. Opening later {title}" in before and "Opens 5 September" in before
    assert f"Open calls {title}" in during and "Closed last" not in during
    assert f"No call is open now. Closed last {title}" in after and "not public yet" in after
    assert "not public yet" not in public and f"Results of {title}" in public
