"""Writing together: each answer saved while one types, two in one field, presence, history; through acts and HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from grants.applications import queries, services
from grants.applications.rules import AnswerInput, InviteInput, SectionInput
from grants.calls.rules import CallView
from grants.core import clock, presence
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor
from grants.dossiers.merging import AnswerChanged, Shown
from grants.dossiers.models import DossierAnswer, DossierAnswerVersion
from grants.dossiers.rules import Answer, Mark
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import forms, post, text_of, values_of
from tests.factories import applications as factory
from tests.factories import identity as identity_rows
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again
from tests.html import check_page
from tests.servers import TestValkey
from tests.statements import statements

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def without_csrf(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def open_now() -> Iterator[None]:
    with clock.at(WHILE_OPEN):
        yield


@pytest.fixture(scope="module")
def valkey() -> Iterator[TestValkey]:
    server = TestValkey()
    server.start()
    yield server
    server.stop()


def of_ana(call: CallView) -> tuple[Actor, UUID, str]:
    """Ana's draft: her rights on it, its id and its reference."""
    reference = factory.draft(call, actors.ana())
    ana = actors.ana()
    return ana, queries.id_of(ana, reference), reference


def marek_of(application_id: UUID, *, accepted: bool = True, asked: tuple[str, ...] = ("summary",)) -> Actor:
    """Marek of Southport, a partner in the application who is asked to write some sections."""
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    given = InviteInput("marek.nowak@example.eu", "Marek Nowak", southport, sections=asked)
    services.invite(actors.ana(), application_id, given)
    if accepted:
        services.accept_invitation(again(marek), application_id, southport)
    return again(marek)


def stranger(call: CallView) -> Actor:
    """Sid, who writes in an application of his own city."""
    factory.draft(call, actors.sid(), "Cool Roofs")
    return actors.sid()


def saved(actor: Actor, application_id: UUID, text: str, number: int) -> int:
    given = AnswerInput("summary", (text,), number)
    return services.save_answer(actor, application_id, "summary", given).answer.number


def stored(application_id: UUID) -> str:
    found = db.session.scalar(
        select(DossierAnswer.text)
        .where(DossierAnswer.question_key == "summary")
        .execution_options(populate_existing=True)
    )
    return found or ""


# --- the act --------------------------------------------------------------------------------------------------


def test_one_answer_is_saved_with_seven_statements_also_when_much_is_written(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    saved(ana, application_id, "One", 0)
    with statements() as few:
        saved(ana, application_id, "One two", 1)
    marek_of(application_id)
    for number in range(2, 12):
        saved(ana, application_id, f"Text {number}", number)

    with statements() as many:
        saved(ana, application_id, "The last", 12)

    assert (len(few), len(many)) == (7, 7)


def test_the_same_text_sent_twice_is_one_version_and_one_event(call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)

    numbers = [saved(ana, application_id, "One", 0) for _ in range(3)]

    assert numbers == [1, 1, 1]
    assert db.session.scalar(select(func.count()).select_from(DossierAnswerVersion)) == 1
    told = select(func.count()).select_from(AuditEvent).where(AuditEvent.verb == "application.save_answer")
    assert db.session.scalar(told.where(AuditEvent.object_kind == "dossier_answer")) == 1


def test_nothing_is_saved_after_the_deadline_and_the_rule_is_said(call: CallView) -> None:
    with clock.at(WHILE_OPEN):
        ana, application_id, _ = of_ana(call)
        saved(ana, application_id, "In time", 0)

    with clock.at(AFTER_CLOSING), pytest.raises(Refused, match="The deadline was 15 November 2022, 12:00"):
        saved(ana, application_id, "Too late", 1)

    assert stored(application_id) == "In time"


def test_a_partner_writes_only_after_accepting(call: CallView, open_now: None) -> None:
    _, application_id, _ = of_ana(call)
    marek = marek_of(application_id, accepted=False)

    with pytest.raises(Refused, match="Accept the invitation of Municipality of Southport first"):
        saved(marek, application_id, "Mine", 0)

    services.accept_invitation(marek, application_id, *marek.organisation_ids)
    assert saved(again(marek), application_id, "Mine", 0) == 1


def test_a_stranger_and_a_barred_member_meet_nothing_there(call: CallView, open_now: None) -> None:
    _, application_id, _ = of_ana(call)
    marek = marek_of(application_id)
    with arranging():
        identity_rows.bar(marek.user_id, "application", application_id)

    for person in (again(marek), stranger(call)):
        with pytest.raises(NotFound):
            saved(person, application_id, "Mine", 0)
    assert stored(application_id) == ""


def test_two_saves_at_one_moment_store_one_and_offer_both(app: Flask, call: CallView, open_now: None) -> None:
    ana, application_id, _ = of_ana(call)
    marek = marek_of(application_id)
    db.session.rollback()
    for number in range(5):
        outcomes = raced(app, application_id, {"Ana": ana, "Marek": marek}, number)

        (won,) = [name for name, said in outcomes.items() if said == number + 1]
        (other,) = [said for said in outcomes.values() if isinstance(said, AnswerChanged)]
        assert other.contested.stored.text == f"{won} writes text {number}"
        assert other.contested.number == number + 1
        db.session.rollback()
        assert stored(application_id) == f"{won} writes text {number}"


def raced(app: Flask, application_id: UUID, people: dict[str, Actor], number: int) -> dict[str, object]:
    """What each is answered when both save at the same moment, each in a transaction of its own."""
    line, outcomes = threading.Barrier(len(people)), dict[str, object]()

    def save(name: str, person: Actor) -> None:
        with app.app_context(), clock.at(WHILE_OPEN):
            line.wait()
            try:
                outcomes[name] = saved(person, application_id, f"{name} writes text {number}", number)
            except AnswerChanged as error:
                outcomes[name] = error

    threads = [threading.Thread(target=save, args=pair) for pair in people.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_mark_nobody_touched_is_left_as_it_is(call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    services.save_section(ana, application_id, "summary", SectionInput((), Mark.COMPLETE, ()))

    stale = SectionInput((Answer("summary", "One"),), None, (Shown("summary", 0),))
    services.save_section(ana, application_id, "summary", stale)

    assert queries.workplace(ana, reference).dossier.section("summary").mark is Mark.COMPLETE


# --- JSON -----------------------------------------------------------------------------------------------------


def opened(app: Flask, call: CallView) -> tuple[FlaskClient, str, str, UUID]:
    """Ana's browser, the section's page, the address its summary is saved to, and the application."""
    ana, application_id, reference = of_ana(call)
    page = f"/applications/{reference}/sections/summary"
    return actors.client_of(app, ana), page, f"{page}/answers/summary", application_id


def test_an_answer_is_saved_in_any_state_and_its_state_is_told(app: Flask, call: CallView, open_now: None) -> None:
    client, page, path, _ = opened(app, call)

    kept = client.post(path, data={"number": "0", "value": "word " * 151}, headers=JSON)
    emptied = client.post(path, data={"number": "1", "value": ""}, headers=JSON)

    assert (kept.status_code, emptied.status_code) == (200, 200)
    assert kept.json is not None and emptied.json is not None
    assert (kept.json["number"], kept.json["saved_at"], kept.json["words"]) == (1, "10:00", 151)
    assert "the limit is 150. Cut 1 word." in kept.json["problem"]
    assert (kept.json["section"], emptied.json["section"]) == ("in_progress", "not_started")
    assert (emptied.json["number"], emptied.json["words"]) == (2, 0)
    assert values_of(client, page)["number_summary"] == ["2"]


def test_a_section_is_saved_as_it_is_and_what_does_not_fit_is_said(app: Flask, call: CallView, open_now: None) -> None:
    client, page, _, application_id = opened(app, call)

    kept = post(client, page, values_of(client, page), answer_summary="word " * 151, go="stay")

    assert kept.status_code == 303 and stored(application_id).count("word") == 151
    shown = text_of(client.get(page))
    assert "Saved 10:00." in shown and "the limit is 150. Cut 1 word." in shown


def test_a_whole_request_asks_two_more_who_it_is_and_which_application(
    app: Flask, call: CallView, open_now: None
) -> None:
    client, _, path, _ = opened(app, call)
    client.post(path, data={"number": "0", "value": "One"}, headers=JSON)

    with statements() as seen:
        client.post(path, data={"number": "1", "value": "One two"}, headers=JSON)

    assert len(seen) == 9


PAGES_OF_A_TEAM = (
    "", "/sections/summary", "/details", "/budget", "/plan", "/files", "/team", "/check", "/submit", "/offline", "/sign-off",
    "/print", "/history", "/withdraw",
)  # fmt: skip


def test_no_page_of_a_team_takes_more_than_eight_statements(app: Flask, call: CallView, open_now: None) -> None:
    _, application_id, reference = of_ana(call)
    marek_of(application_id)
    client = actors.client_of(app, actors.ana())
    # That she was here is noted once a minute.
    client.get("/home")
    asked = {}
    for page in PAGES_OF_A_TEAM:
        with statements() as seen:
            answer = client.get(f"/applications/{reference}{page}")
        assert answer.status_code == 200, page
        asked[page] = len(seen)

    assert {page: number for page, number in asked.items() if number > 8} == {}


def test_a_conflict_offers_both_texts_and_a_draft(app: Flask, call: CallView, open_now: None) -> None:
    client, _, path, application_id = opened(app, call)
    saved(actors.ana(), application_id, "Owners vote block by block.", 0)
    saved(marek_of(application_id), application_id, "Owners vote once, block by block.", 1)

    answer = client.post(path, data={"number": "1", "value": "All owners vote block by block."}, headers=JSON)

    assert answer.status_code == 409 and answer.json is not None
    assert answer.json["problem"] == "Marek Nowak saved another text at 10:00."
    assert answer.json["stored"] == ["Owners vote once, block by block."]
    assert answer.json["merged"] == ["All owners vote once, block by block."]
    assert (answer.json["number"], answer.json["by"], answer.json["overlaps"]) == (2, "Marek Nowak", 0)
    assert stored(application_id) == "Owners vote once, block by block."


def test_every_refusal_is_a_sentence_in_json(app: Flask, call: CallView) -> None:
    with clock.at(WHILE_OPEN):
        client, page, path, application_id = opened(app, call)
        found = {
            "nobody": app.test_client().post(path, data={"value": "x"}, headers=JSON),
            "no permission": actors.client_of(app, actors.nobody()).post(path, data={"value": "x"}, headers=JSON),
            "a stranger": actors.client_of(app, stranger(call)).post(path, data={"value": "x"}, headers=JSON),
            "no question": client.post(f"{page}/answers/nothing", data={"value": "x"}, headers=JSON),
            "a flood": client.post(path, data={"number": "0", "value": "x" * 100_001}, headers=JSON),
        }
        sid = actors.sid().user_id
        assert sid is not None
        reader = actors.give(sid, Role.APPLICATION_READER, "application", application_id)
        found["only reads"] = actors.client_of(app, reader).post(path, data={"value": "x"}, headers=JSON)
    with clock.at(AFTER_CLOSING):
        client = actors.client_of(app, actors.ana())
        found["too late"] = client.post(path, data={"number": "0", "value": "x"}, headers=JSON)

    assert {what: answer.status_code for what, answer in found.items()} == {
        "nobody": 401, "no permission": 403, "a stranger": 404, "no question": 404, "a flood": 422, "too late": 422, "only reads": 404,
    }  # fmt: skip
    problems = {what: str(answer.get_json()["problem"]) for what, answer in found.items()}
    assert all(problem.endswith(".") for problem in problems.values())
    told = {what for what, problem in problems.items() if "not asked here any more" in problem}
    assert told == {"no question"}, "the call changed for nobody else"
    assert "100000 can be stored" in problems["a flood"]
    assert problems["too late"].startswith("The deadline was 15 November 2022, 12:00")


def test_a_token_that_is_too_old_is_told_apart(app: Flask, call: CallView, open_now: None) -> None:
    client, _, path, application_id = opened(app, call)
    app.config["WTF_CSRF_ENABLED"] = True

    refused = client.post(path, data={"number": "0", "value": "x"}, headers=JSON)

    assert refused.status_code == 400 and refused.json is not None and refused.json["too_old"] is True
    assert stored(application_id) == ""


def test_while_a_demo_is_filled_nothing_is_saved_and_that_is_said(
    app: Flask, call: CallView, open_now: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grants.core.filling import Filling, Phase
    from grants.web import filling

    client, _, path, _ = opened(app, call)
    monkeypatch.setattr(filling.filling, "read", lambda folder: Filling(Phase.FILLING, 1, 2, "", None))

    answer = client.post(path, data={"number": "0", "value": "x"}, headers=JSON)

    assert answer.status_code == 503 and answer.json is not None and "sent later" in answer.json["problem"]


# --- without a script -----------------------------------------------------------------------------------------


def test_a_page_comes_back_with_both_texts_and_the_chosen_one_is_stored(
    app: Flask, call: CallView, open_now: None
) -> None:
    client, page, _, application_id = opened(app, call)
    marek = marek_of(application_id)
    saved(actors.ana(), application_id, "Owners vote block by block.", 0)
    for choice, standing in (
        ("mine", "All owners vote block by block."),
        ("theirs", "Owners vote once, block by block."),
        ("merged", "All owners vote once, block by block."),
    ):
        number = values_of(client, page)["number_summary"]
        saved(actors.ana(), application_id, "Owners vote block by block.", int(number[0]))
        values = values_of(client, page)
        saved(marek, application_id, "Owners vote once, block by block.", int(values["number_summary"][0]))

        clash = post(client, page, values, answer_summary="All owners vote block by block.", complete="y")

        assert clash.status_code == 409
        words = text_of(clash)
        assert "Marek Nowak saved another text, 10:00" in words and "Which text shall stand?" in words
        assert "All owners vote once, block by block." in words
        again_values = next(values for _, values in forms(check_page(clash)) if "answer_summary" in values)
        assert again_values["answer_summary"] == ["All owners vote block by block."]
        assert again_values["choose_summary"] == ["mine"]
        assert post(client, page, again_values, choose_summary=choice).status_code == 303
        assert stored(application_id) == standing
    values = values_of(client, page)
    saved(actors.ana(), application_id, "Typed in the other window.", int(values["number_summary"][0]))
    own = text_of(post(client, page, values, answer_summary="Typed in this window."))
    assert "You saved another text in another window of yours, 10:00" in own
    assert "in another window of yours. Choose below" in own and "omebody else changed" not in own


def test_an_old_form_changes_only_what_its_writer_changed(app: Flask, call: CallView, open_now: None) -> None:
    ana, application_id, reference = of_ana(call)
    section = next(
        each for each in queries.workplace(ana, reference).dossier.sections
        if sum(1 for item in each.questions if item.question.kind.value == "long") > 1
    )  # fmt: skip
    first, second = [item.question.key for item in section.questions if item.question.kind.value == "long"][:2]
    client, page = actors.client_of(app, ana), f"/applications/{reference}/sections/{section.key}"
    old = values_of(client, page)
    marek = marek_of(application_id, asked=(section.key,))
    services.save_answer(marek, application_id, section.key, AnswerInput(first, ("Marek writes",), 0))

    answer = post(client, page, old, **{f"answer_{second}": "Ana writes"})

    assert answer.status_code == 303
    answers = queries.workplace(again(ana), reference).dossier.section(section.key).answers
    assert (answers[first].text, answers[second].text) == ("Marek writes", "Ana writes")


def test_an_old_form_neither_opens_a_finished_section_nor_says_it_is_finished(
    app: Flask, call: CallView, open_now: None
) -> None:
    client, page, _, application_id = opened(app, call)
    old = values_of(client, page)
    services.save_section(marek_of(application_id), application_id, "summary", SectionInput((), Mark.COMPLETE, ()))
    reference = page.split("/")[2]

    assert post(client, page, old, answer_summary="Words").status_code == 303
    assert queries.workplace(actors.ana(), reference).dossier.section("summary").mark is Mark.COMPLETE
    assert post(client, page, values_of(client, page), complete=None).status_code == 303
    assert queries.workplace(actors.ana(), reference).dossier.section("summary").mark is Mark.OPEN


# --- presence -------------------------------------------------------------------------------------------------


def test_who_writes_in_a_section_is_seen_by_the_team_alone_and_recorded_nowhere(
    app: Flask, call: CallView, open_now: None, valkey: TestValkey
) -> None:
    app.config["REDIS_URL"] = valkey.url
    client, page, _, application_id = opened(app, call)
    marek = actors.client_of(app, marek_of(application_id))
    before = db.session.scalar(select(func.count()).select_from(AuditEvent))

    alone = client.post(f"{page}/presence", data={"question": "summary"}, headers=JSON)
    second = marek.post(f"{page}/presence", data={"question": "summary"}, headers=JSON)
    first = client.post(f"{page}/presence", data={"question": "summary"}, headers=JSON)
    marek.post(f"{page}/presence", data={"question": ""}, headers=JSON)
    left = client.post(f"{page}/presence", data={"question": "summary"}, headers=JSON)
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == before
    foreign = actors.client_of(app, stranger(call)).post(f"{page}/presence", data={"question": "x"}, headers=JSON)

    assert [answer.json for answer in (alone, second, first, left)] == [
        {"others": []},
        {"others": [{"question": "summary", "sentence": "Ana Kowalska is writing here."}]},
        {"others": [{"question": "summary", "sentence": "Marek Nowak is writing here."}]},
        {"others": []},
    ]
    assert foreign.status_code == 404


def test_somebody_not_heard_of_for_forty_seconds_has_gone(
    app: Flask, valkey: TestValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["REDIS_URL"] = valkey.url
    ana, marek = UUID(int=1), UUID(int=2)
    presence.arrive("place", ana, "Ana", "summary")
    now = presence._now()

    monkeypatch.setattr(presence, "_now", lambda: now + presence.SECONDS_KEPT - 1)
    assert [each.name for each in presence.arrive("place", marek, "Marek", "summary")] == ["Ana"]
    monkeypatch.setattr(presence, "_now", lambda: now + presence.SECONDS_KEPT + 1)
    assert presence.arrive("place", marek, "Marek", "summary") == ()
    assert presence.arrive("elsewhere", marek, "Marek", "summary") == ()


def test_without_a_queue_server_nobody_is_seen_and_writing_goes_on(app: Flask, call: CallView, open_now: None) -> None:
    app.config["REDIS_URL"] = f"unix://{app.config['GRANTS_HOME']}/nothing"
    client, page, path, _ = opened(app, call)

    for _ in range(2):
        answer = client.post(f"{page}/presence", data={"question": "summary"}, headers=JSON)
        assert (answer.status_code, answer.json) == (200, {"others": []})
    assert client.post(path, data={"number": "0", "value": "x"}, headers=JSON).status_code == 200


# --- list and history -----------------------------------------------------------------------------------------


def test_the_task_list_says_who_wrote_last_and_when(app: Flask, call: CallView, open_now: None) -> None:
    _, application_id, reference = of_ana(call)
    saved(marek_of(application_id), application_id, "Some words here", 0)

    with clock.at(WHILE_OPEN + timedelta(minutes=5)):
        today = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}"))
    with clock.at(WHILE_OPEN + timedelta(days=1)):
        later = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}"))

    assert "3 of 150 words. Marek Nowak, 10:00" in today
    assert "3 of 150 words. Marek Nowak, 3 October 2022" in later


def test_an_earlier_version_stands_again_as_a_new_one(app: Flask, call: CallView, open_now: None) -> None:
    client, page, _, application_id = opened(app, call)
    saved(actors.ana(), application_id, "Good words", 0)
    saved(marek_of(application_id), application_id, "Bad words", 1)
    path = f"{page}/history/summary"
    shown = client.get(path).get_data(as_text=True)
    assert "<del>Good</del><ins>Bad</ins> words" in shown
    (values,) = [values for _, values in forms(check_page(client.get(path))) if "shown" in values]

    assert post(client, path, values).status_code == 303

    assert stored(application_id) == "Good words"
    assert "Version 3, the one that stands" in text_of(client.get(path))
    late = post(client, path, {**values, "version": ["2"]})
    assert late.status_code == 409 and "Nothing was changed; look again." in text_of(late)
    assert stored(application_id) == "Good words"
    assert post(client, path, {**values, "version": ["77"]}).status_code == 404


def test_a_reader_finds_no_way_to_restore_after_the_deadline(app: Flask, call: CallView) -> None:
    with clock.at(WHILE_OPEN):
        _, page, _, application_id = opened(app, call)
        saved(actors.ana(), application_id, "One", 0)
        saved(actors.ana(), application_id, "Two", 1)

    with clock.at(AFTER_CLOSING):
        client = actors.client_of(app, actors.ana())
        found = client.get(f"{page}/history/summary").get_data(as_text=True)
        refused = client.post(f"{page}/history/summary", data={"version": "1", "shown": "2"})

    assert "Restore version" not in found
    assert refused.status_code == 422
    assert stored(application_id) == "Two"


def test_the_section_page_asks_no_more_however_often_it_was_saved(app: Flask, call: CallView, open_now: None) -> None:
    client, page, _, application_id = opened(app, call)
    saved(actors.ana(), application_id, "One", 0)
    client.get(page)
    with statements() as few:
        client.get(page)
    for number in range(1, 8):
        saved(actors.ana(), application_id, f"Text {number}", number)

    with statements() as many:
        client.get(page)

    assert len(many) == len(few)
