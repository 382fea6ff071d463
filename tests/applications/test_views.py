"""Pages of applications through HTTP, by the person whose step it is: the way to “eligible”, and bad inputs."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from grants.applications import queries, services
from grants.applications.models import Submission
from grants.applications.rules import InviteInput
from grants.applications.states import ApplicationState
from grants.budgets.rules import field_name
from grants.calls.rules import CallView
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.money import euros
from grants.identity import queries as identity
from tests import actors
from tests.applications.pages import forms, post, send, text_of, values_of
from tests.factories import applications as factory
from tests.factories import identity as identity_rows
from tests.factories.applications import AFTER_CLOSING, CLOSES_AT, PDF, WHILE_OPEN, again
from tests.html import check_page
from tests.worlds import World


@pytest.fixture(autouse=True)
def without_csrf(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def open_now() -> Iterator[None]:
    with clock.at(WHILE_OPEN):
        yield


def ana(app: Flask) -> FlaskClient:
    return actors.client_of(app, actors.ana())


def started(call: CallView) -> tuple[str, str]:
    """Reference and address of a draft of Ana's."""
    reference = factory.draft(call, actors.ana())
    return reference, f"/applications/{reference}"


# --- the way --------------------------------------------------------------------------------------------------


def test_a_city_goes_from_the_open_call_to_declared_eligible(app: Flask, call: CallView) -> None:
    with clock.at(WHILE_OPEN):
        client = ana(app)
        check_page(client.get("/applications/new"))
        made = send(
            client, f"/applications/new?call={call.slug}", title="Warm Blocks: shared heat", acronym="Warm Blocks"
        )
        assert made.status_code == 303
        place = made.headers["Location"]
        reference = place.rpartition("/")[2]
        assert "0 of 9 sections complete" in text_of(client.get(place)) or "sections complete" in text_of(
            client.get(place)
        )

        invitation = send(
            client, f"{place}/team", name="Marek Nowak", email="marek.nowak@example.eu",
            organisation_id=str(next(iter(actors.marek().organisation_ids))),
        )  # fmt: skip
        assert invitation.status_code == 303
        marek = actors.client_of(app, actors.marek())
        assert "You are invited as Municipality of Southport" in text_of(marek.get(place))
        assert send(marek, f"{place}/team/accept", page=f"{place}/team").headers["Location"] == place

        for section in call.content.definition.sections:
            answers = {
                f"answer_{q.key}": list(factory.answer_to(q).picked) or factory.answer_to(q).text
                for q in section.questions
            }
            saved = send(client, f"{place}/sections/{section.key}", complete="y", go="next", **answers)
            assert saved.status_code == 303, text_of(saved)
        (northbridge,), (southport,) = actors.ana().organisation_ids, actors.marek().organisation_ids
        cells = {field_name(northbridge, "A"): "286.000,50", field_name(northbridge, "B"): "60 000"}
        assert send(client, f"{place}/budget", **cells).status_code == 303
        assert "“286.000,50” was read as EUR 286 000.50." in text_of(client.get(f"{place}/budget"))
        assert send(marek, f"{place}/budget", **{field_name(southport, "A"): "100,000.00"}).status_code == 303
        assert (
            send(client, f"{place}/files", role="attachment_mandate", file=(io.BytesIO(PDF), "mandate.pdf")).status_code
            == 303
        )

        assert "No problem stops the sending." in text_of(client.get(f"{place}/check"))
        sent = send(client, f"{place}/submit", statement="y")
        assert sent.headers["Location"] == f"{place}/receipt"
        words = text_of(client.get(f"{place}/receipt"))
        content = queries.submitted_content(queries.id_of(actors.ana(), reference))
        assert "10:00:00.000 on 3 October 2022 (Europe/Brussels)" in words
        assert content.sha256 in words and "Receipt number" in words
        assert content.budget.totals.requested.cents == 286_000_50 * 5 // 4 + 1 + 60_000_00 + 125_000_00
        for page in ("", "/details", "/print", "/check", "/files", "/team", "/budget"):
            check_page(client.get(place + page))

    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())
        assert (
            "1 to check, 0 waiting for the applicant, 0 for a second person, 0 with a letter to send, 0 done"
            in text_of(eli.get(f"/calls/{call.slug}/eligibility"))
        )
        desk = f"{place}/eligibility"
        verdicts = {f"verdict_{condition.key}": "pass" for condition in call.content.conditions}
        assert send(eli, desk, go="save", **verdicts).headers["Location"] == desk
        declared = send(eli, desk, go="declare", **verdicts)
        assert declared.headers["Location"] == f"/calls/{call.slug}/eligibility"
        assert "Declared eligible" in text_of(eli.get(desk))
        assert "Eligible" not in text_of(ana(app).get(place))
        ticked = values_of(eli, f"/calls/{call.slug}/letters")
        assert post(eli, f"/calls/{call.slug}/letters", ticked).status_code == 303
        jobs.work_off(actor_of=identity.actor_for, but_not=("mail", "reports"))
        check_page(eli.get(place))
        assert "Eligible" in text_of(eli.get("/applications?q=southport"))
        assert "Eligible" in text_of(ana(app).get(place))
    assert queries.view(actors.ana(), reference).state is ApplicationState.ELIGIBLE


def test_every_page_of_a_draft_is_well_formed_and_empty_lists_explain_themselves(
    app: Flask, call: CallView, open_now: None
) -> None:
    client = ana(app)
    assert "No application yet" in text_of(client.get("/applications"))
    _, place = started(call)
    client = ana(app)
    for page in ("", "/details", "/budget", "/team", "/files", "/check", "/submit", "/print", "/withdraw"):
        check_page(client.get(place + page))
    for section in call.content.definition.sections:
        check_page(client.get(f"{place}/sections/{section.key}"))
    assert client.get(f"{place}/receipt").status_code == 404
    assert client.get(f"{place}/sections/nowhere").status_code == 404
    assert "No application fits" in text_of(client.get("/applications?q=zzz"))


# --- lost words -----------------------------------------------------------------------------------------------


def test_empty_mandatory_fields_and_too_many_words_never_block_saving(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference, place = started(call)
    client = ana(app)

    saved = send(client, f"{place}/sections/summary", answer_summary="word " * 151, go="stay")

    assert saved.status_code == 303
    page = client.get(f"{place}/sections/summary")
    assert "Up to 150 words; 151 so far." in text_of(page)
    issues = queries.workplace(actors.ana(), reference).issues
    assert any("151 words; the limit is 150. Cut 1 word." in issue.message for issue in issues)
    assert f'href="{place}/sections/summary#answer-summary"' in client.get(f"{place}/check").get_data(as_text=True)


def test_two_browsers_on_one_section_lose_no_words(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)
    first, second, path = ana(app), ana(app), f"{place}/sections/summary"
    mine, theirs = values_of(second, path), values_of(first, path)
    assert post(first, path, theirs, answer_summary="Written first").status_code == 303

    clash = post(second, path, mine, answer_summary="Written second")

    assert clash.status_code == 409
    words = text_of(clash)
    assert "Written first" in words and "Written second" in words and "Which text shall stand?" in words
    assert (
        queries.workplace(actors.ana(), reference).dossier.section("summary").answers["summary"].text == "Written first"
    )
    from tests.applications.pages import forms

    again_values = next(values for _, values in forms(check_page(clash)) if "answer_summary" in values)
    assert again_values["answer_summary"] == ["Written second"]
    assert post(second, path, again_values).status_code == 303
    history = text_of(second.get(f"{path}/history/summary"))
    assert "Written first" in history and "Written second" in history


def test_a_form_sent_again_with_its_old_key_and_other_words_keeps_the_words(
    app: Flask, call: CallView, open_now: None
) -> None:
    _, place = started(call)
    client, path = ana(app), f"{place}/sections/summary"
    values = values_of(client, path)
    assert post(client, path, values, answer_summary="Once").status_code == 303

    twice = post(client, path, values, answer_summary="Once")
    other = post(client, path, values, answer_summary="Then other words")

    assert twice.status_code == 303
    assert other.status_code == 409
    assert "Then other words" in text_of(other)


def test_words_typed_at_the_deadline_come_back_with_the_rule(app: Flask, call: CallView) -> None:
    with clock.at(CLOSES_AT - timedelta(seconds=1)):
        _, place = started(call)
        values = values_of(ana(app), f"{place}/sections/summary")
    with clock.at(CLOSES_AT):
        late = post(ana(app), f"{place}/sections/summary", values, answer_summary="Just too late")

    assert late.status_code == 422
    assert "Just too late" in text_of(late) and "The deadline was 15 November 2022, 12:00" in text_of(late)


# --- the budget -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["1.0000", "1e6", "NaN", "Infinity", "-0", "-5", "１００", "=1+1", "9" * 30])
def test_an_amount_that_cannot_be_read_comes_back_as_typed_with_a_sentence(
    app: Flask, call: CallView, open_now: None, typed: str
) -> None:
    reference, place = started(call)
    (city,) = actors.ana().organisation_ids
    good, bad = field_name(city, "A"), field_name(city, "B")

    answer = send(ana(app), f"{place}/budget", **{good: "77", bad: typed})

    assert answer.status_code == 422
    body = answer.get_data(as_text=True)
    assert f'href="#{bad}"' in body and 'value="77"' in body
    assert typed in body
    # What can be read is saved: an amount that cannot be read keeps no other from being stored.
    assert [cell.amount for cell in queries.workplace(actors.ana(), reference).budget.cells] == [euros(77)]


def test_a_budget_stored_in_part_is_answered_at_once_also_when_it_is_sent_again(
    app: Flask, call: CallView, open_now: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grants.core.answers.time.sleep", lambda seconds: pytest.fail("the request waited"))
    _, place = started(call)
    (city,) = actors.ana().organisation_ids
    browser, path = ana(app), f"{place}/budget"
    values = values_of(browser, path) | {field_name(city, "A"): "77", field_name(city, "B"): "much"}

    answers = [post(browser, path, values) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [422, 422]


def test_tampered_fields_of_the_budget_are_not_read(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)
    (city,) = actors.ana().organisation_ids
    foreign = actors.organisation(actors.SOUTHPORT)

    sent = send(
        ana(app), f"{place}/budget",
        **{field_name(city, "A"): "100", field_name(city, "E"): "999999", field_name(foreign, "A"): "5", "status": "paid"},
    )  # fmt: skip

    budget = queries.workplace(actors.ana(), reference).budget
    assert sent.status_code == 303
    assert budget.totals.total == euros(125)


def test_two_browsers_on_one_budget_lose_no_amount(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)
    (city,) = actors.ana().organisation_ids
    cell, path = field_name(city, "A"), f"{place}/budget"
    client = ana(app)
    values = values_of(client, path)
    assert post(client, path, values, **{cell: "100"}).status_code == 303

    stale = post(client, path, {**values, "act_key": ["another-key-of-another-browser"]}, **{cell: "200"})

    assert stale.status_code == 409
    assert "stored 100.00 by Ana Kowalska, you typed 200" in text_of(stale)
    assert queries.workplace(actors.ana(), reference).budget.amount(city, "A") == euros(100)


def test_a_broken_rule_of_the_budget_is_said_with_its_remedy_and_does_not_block_saving(
    app: Flask, call: CallView, open_now: None
) -> None:
    _, place = started(call)
    (city,) = actors.ana().organisation_ids

    assert send(ana(app), f"{place}/budget", **{field_name(city, "B"): "1 600 000"}).status_code == 303

    words = text_of(ana(app).get(f"{place}/budget"))
    assert "Reduce the budget by EUR 100 000.00." in words
    assert "Everything is saved, but you cannot send the application yet" in words


# --- files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.pdf", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
        ("empty.pdf", b""),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_and_not_kept(
    app: Flask, call: CallView, open_now: None, name: str, data: bytes
) -> None:
    reference, place = started(call)

    answer = send(ana(app), f"{place}/files", role="other", file=(io.BytesIO(data), name))

    assert answer.status_code == 422
    check_page(answer)
    assert queries.workplace(actors.ana(), reference).files == ()


def test_a_file_is_sent_as_an_attachment_to_its_team_only(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)
    assert send(ana(app), f"{place}/files", role="other", file=(io.BytesIO(PDF), "../../plan.pdf")).status_code == 303
    (file,) = queries.workplace(actors.ana(), reference).files

    with ana(app).get(f"{place}/files/{file.sha256}") as mine:
        assert mine.data == PDF
        assert mine.headers["Content-Disposition"].startswith("attachment")
    assert "/" not in file.name
    assert actors.client_of(app, actors.eli()).get(f"{place}/files/{file.sha256}").status_code == 404
    assert send(ana(app), f"{place}/files/remove", page=f"{place}/files").status_code == 303


# --- sending --------------------------------------------------------------------------------------------------


def test_a_double_click_on_send_makes_one_submission_and_the_same_receipt(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference, place = started(call)
    factory.fill(reference, actors.ana())
    client = ana(app)
    values = values_of(client, f"{place}/submit")

    answers = [post(client, f"{place}/submit", values, statement="y") for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [f"{place}/receipt"] * 2
    assert db.session.scalar(select(func.count()).select_from(Submission)) == 1


def test_sending_without_the_statement_or_with_problems_is_refused(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)

    shown = ana(app).get(f"{place}/submit")
    incomplete = post(ana(app), f"{place}/submit", values_of(ana(app), f"{place}/details"), statement="y")
    factory.fill(reference, actors.ana(), at=clock.now())
    unsaid = send(ana(app), f"{place}/submit")

    assert "cannot be sent yet" in text_of(shown) and "to the programme" not in text_of(shown)

    assert (unsaid.status_code, incomplete.status_code) == (422, 422)
    assert "Confirm that you may send" in text_of(unsaid)
    assert "cannot be sent yet" in text_of(incomplete)


def test_sending_at_the_very_deadline_is_late_whatever_the_page_said(app: Flask, call: CallView) -> None:
    with clock.at(CLOSES_AT - timedelta(milliseconds=1)):
        reference, place = started(call)
        factory.fill(reference, actors.ana(), at=clock.now())
        values = values_of(ana(app), f"{place}/submit")
        assert "At the exact time of the deadline it is too late." in text_of(ana(app).get(f"{place}/submit"))
    with clock.at(CLOSES_AT):
        late = post(ana(app), f"{place}/submit", values, statement="y")

    assert late.status_code == 422
    assert "12:00:00.000 on 15 November 2022" in text_of(late)


def test_what_changed_after_the_last_look_is_shown_before_it_is_sent(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference, place = started(call)
    factory.fill(reference, actors.ana())
    client = ana(app)
    values = values_of(client, f"{place}/submit")
    send(client, f"{place}/details", title="Another title")

    stale = post(client, f"{place}/submit", values, statement="y")

    assert stale.status_code == 409
    assert "was changed after you looked at it" in text_of(stale)


def test_a_title_somebody_changed_meanwhile_comes_back_beside_what_was_typed(
    app: Flask, call: CallView, open_now: None
) -> None:
    _, place = started(call)
    first, second = ana(app), ana(app)
    stale = values_of(second, f"{place}/details")
    assert send(first, f"{place}/details", title="The first to save").status_code == 303

    clash = post(second, f"{place}/details", stale, title="The second to save")

    text = text_of(clash)
    assert clash.status_code == 409
    assert "Stored meanwhileThe first to save" in text
    assert 'value="The second to save"' in clash.text
    again = next(values for action, values in forms(check_page(clash)) if "version" in values)
    assert post(second, f"{place}/details", again, title="The second to save").status_code == 303
    assert "The second to save" in text_of(second.get(place))


def test_withdrawing_asks_why_and_leaves_a_page_to_read(app: Flask, call: CallView, open_now: None) -> None:
    _, place = started(call)

    assert send(ana(app), f"{place}/withdraw", reason=" ").status_code == 422
    assert send(ana(app), f"{place}/withdraw", reason="The council voted no").status_code == 303
    assert "It takes part no more." in text_of(ana(app).get(place))


def test_a_partner_declines_by_a_form_and_a_lead_takes_a_partner_out(
    app: Flask, call: CallView, open_now: None
) -> None:
    reference, place = started(call)
    lead, marek = actors.ana(), actors.marek()
    (southport,) = marek.organisation_ids
    services.invite(
        lead, queries.id_of(lead, reference), InviteInput("marek.nowak@example.eu", "Marek Nowak", southport)
    )
    partner = actors.client_of(app, again(marek))

    assert (
        send(partner, f"{place}/team/decline", page=f"{place}/team", reason="No time").headers["Location"]
        == "/applications"
    )
    with clock.at(WHILE_OPEN + timedelta(minutes=1)):
        assert actors.client_of(app, again(marek)).get(place).status_code in (403, 404)
        assert send(ana(app), f"{place}/team/remove", page=f"{place}/team").status_code == 303
    assert len(queries.view(lead, reference).partners) == 1


def test_an_invitation_that_is_not_complete_keeps_what_was_typed(app: Flask, call: CallView, open_now: None) -> None:
    _, place = started(call)

    answer = send(
        ana(app),
        f"{place}/team",
        name="Réka Szűcs",
        email="not-an-address",
        new_name="City of Kővárhely",
        country_code="hungary",
    )

    assert answer.status_code == 422
    body = answer.get_data(as_text=True)
    assert "Réka Szűcs" in body and "not-an-address" in body and "City of Kővárhely" in body


# --- sight ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    ["", "/details", "/budget", "/team", "/files", "/check", "/submit", "/print", "/sections/summary", "/receipt"],
)
def test_a_draft_of_another_city_is_not_there(app: Flask, call: CallView, open_now: None, page: str) -> None:
    _, place = started(call)
    factory.draft(call, actors.marek(), "Another one")

    for stranger in (actors.marek(), actors.eli(), actors.ingrid(), actors.zoe()):
        assert actors.client_of(app, stranger).get(place + page).status_code in (403, 404)


def test_the_desk_needs_a_reason_for_a_fail_and_keeps_what_was_typed(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    place = f"/applications/{queries.view_by_id(application_id).reference}/eligibility"
    key = call.content.conditions[0].key
    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())

        answer = send(eli, place, go="declare", **{f"verdict_{key}": "fail"}, remark="We are sorry")

        assert answer.status_code == 422
        assert "Say why this condition is not met" in text_of(answer) and "We are sorry" in text_of(answer)
        assert send(eli, place, go="declare", **{f"verdict_{key}": "nonsense"}).status_code == 422


def test_a_reason_longer_than_the_desk_may_write_comes_back_whole(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    place = f"/applications/{queries.view_by_id(application_id).reference}/eligibility"
    key = call.content.conditions[0].key
    words = "It overlaps. " * 200
    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())

        for deed in ("save", "declare"):
            answer = send(eli, place, go=deed, **{f"verdict_{key}": "fail", f"reason_{key}": words})

            assert answer.status_code == 422
            assert words.strip() in text_of(answer)
        assert (
            send(eli, place, go="save", **{f"verdict_{key}": "fail", f"reason_{key}": words[:1_900]}).status_code == 303
        )


def test_the_team_sees_no_half_done_check_and_checks_nothing_itself(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    place = f"/applications/{queries.view_by_id(application_id).reference}/eligibility"
    answers = {f"verdict_{condition.key}": "pass" for condition in call.content.conditions}
    with clock.at(AFTER_CLOSING):
        own_officer = actors.give(actors.eli().user_id, actors.Role.APPLICATION_PARTNER, "application", application_id)
        other_officer = actors.actor(actors.person("Ella Eligibility", actors.Role.ELIGIBILITY_OFFICER))
        for deed in ("save", "declare"):
            refused = send(actors.client_of(app, own_officer), place, go=deed, **answers)
            assert refused.status_code == 422
            assert "you cannot check it" in text_of(refused)
        other = actors.client_of(app, other_officer)
        assert send(other, place, go="save", **answers).status_code == 303
        assert ana(app).get(place).status_code == 404
        assert send(other, place, go="declare", **answers).status_code == 303
        assert ana(app).get(place).status_code == 404
        services.send_letter(other_officer, application_id)
        assert ana(app).get(place).status_code == 200


def test_an_upload_into_a_stranger_s_application_is_not_read(app: Flask, call: CallView, open_now: None) -> None:
    _, place = started(call)
    factory.draft(call, actors.marek(), "Another one")
    received = Path(app.config["GRANTS_HOME"]) / "files" / "incoming" / hashlib.sha256(PDF).hexdigest()

    def upload(client: FlaskClient) -> int:
        data = {"file": (io.BytesIO(PDF), "plan.pdf"), "role": "no such role"}
        return client.post(f"{place}/files", data=data, content_type="multipart/form-data").status_code

    assert (upload(actors.client_of(app, actors.marek())), received.exists()) == (404, False)
    # What may be read is received before it is refused: so its absence above says that it was not read.
    assert (upload(ana(app)), received.exists()) == (422, True)


def test_a_form_that_comes_back_says_that_its_file_must_be_chosen_again(
    app: Flask, call: CallView, open_now: None
) -> None:
    _, place = started(call)

    data = {"file": (io.BytesIO(PDF), "plan & map.pdf"), "role": "no such role"}
    answer = ana(app).post(f"{place}/files", data=data, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "Choose “plan &amp; map.pdf” again" in answer.text


def test_two_officers_on_one_check_lose_no_answer(app: Flask, call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    place = f"/applications/{queries.view_by_id(application_id).reference}/eligibility"
    key = call.content.conditions[0].key
    with clock.at(AFTER_CLOSING):
        first, second = actors.client_of(app, actors.eli()), actors.client_of(app, actors.eli())
        stale = values_of(second, place)
        assert send(first, place, go="save", **{f"verdict_{key}": "pass"}).status_code == 303

        answer = post(second, place, stale, go="save", **{f"verdict_{key}": "fail", f"reason_{key}": "It overlaps"})

        assert answer.status_code == 409
        assert "It overlaps" in text_of(answer)


def test_the_evidence_of_the_desk_names_no_competitor_to_the_team_or_to_whoever_may_not_see_it(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    marek_s = factory.draft(call, actors.marek(), "Cool Roofs")
    (northbridge,) = actors.ana().organisation_ids
    with clock.at(WHILE_OPEN):
        other_id = queries.id_of(again(actors.marek()), marek_s)
        services.invite(
            again(actors.marek()), other_id, InviteInput("ana.kowalska@example.eu", "Ana Kowalska", northbridge)
        )
        services.accept_invitation(again(actors.ana()), other_id, northbridge)
    factory.fill(marek_s, actors.marek())
    with clock.at(WHILE_OPEN):
        services.submit(again(actors.marek()), other_id)
    place = f"/applications/{queries.view_by_id(application_id).reference}/eligibility"
    with clock.at(AFTER_CLOSING):
        eli_id = actors.eli().user_id
        assert eli_id is not None
        eli = actors.client_of(app, actors.eli())
        assert f"also stands in {marek_s}" in text_of(eli.get(place))
        verdicts = {f"verdict_{condition.key}": "pass" for condition in call.content.conditions}
        assert send(eli, place, go="declare", **verdicts).status_code == 303

        services.send_letter(actors.eli(), application_id)
        for reader in (actors.ana(), actors.nuria(), actors.ingrid()):
            words = text_of(actors.client_of(app, reader).get(place))
            assert "Declared eligible" in words
            assert "From the form and the register" not in words and marek_s not in words
        with arranging():
            identity_rows.bar(eli_id, "application", other_id)
        words = text_of(eli.get(place))
        assert marek_s not in words
        assert "Not every application to this call is open to you" in words
        assert "none in an earlier pilot" not in words


def test_declining_twice_by_a_double_click_leads_to_the_same_page(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)
    (southport,) = actors.marek().organisation_ids
    services.invite(
        again(actors.ana()),
        queries.id_of(again(actors.ana()), reference),
        InviteInput("marek.nowak@example.eu", "Marek Nowak", southport),
    )
    marek = actors.client_of(app, actors.marek())
    values = values_of(marek, f"{place}/team", to=f"{place}/team/decline")
    assert values["thing"] == [str(southport)]

    first = post(marek, f"{place}/team/decline", values, reason="No time")
    second = post(marek, f"{place}/team/decline", values, reason="No time")

    assert (first.status_code, first.headers["Location"]) == (303, "/applications")
    assert (second.status_code, second.headers["Location"]) == (303, "/applications")


def test_the_organisation_confirms_by_a_page_who_speaks_for_it(app: Flask, call: CallView, open_now: None) -> None:
    reference, place = started(call)
    (southport,) = actors.marek().organisation_ids
    outsiders = [actors.person(name, actors.Role.APPLICANT) for name in ("Ola Outsider", "Odo Outsider")]
    ana_now = again(actors.ana())
    application_id = queries.id_of(ana_now, reference)
    marek = actors.client_of(app, actors.marek())
    assert "Nobody waits" in text_of(marek.get("/partners/waiting"))
    for deed, outsider in zip(("refuse", "confirm"), outsiders, strict=True):
        name = actors.actor(outsider).name
        services.invite(
            ana_now, application_id, InviteInput(f"{name.lower().replace(' ', '.')}@example.eu", name, southport)
        )
        client = actors.client_of(app, actors.actor(outsider))
        assert send(client, f"{place}/team/accept", page=f"{place}/team").headers["Location"] == place
        assert "Waiting for Municipality of Southport" in text_of(client.get(place))
        assert "the organisation must confirm" in text_of(client.get(f"{place}/team"))
        assert "Waiting for the organisation" in text_of(ana(app).get(f"{place}/team"))

        assert name in text_of(marek.get("/partners/waiting"))
        answered = send(marek, f"/partners/waiting/{deed}", page="/partners/waiting")

        assert answered.headers["Location"] == "/partners/waiting"
        gone = post(marek, f"/partners/waiting/{deed}", {"thing": [str(southport)]})
        assert gone.status_code == 404
    assert queries.view(ana_now, reference).partners[1].contact_name == "Odo Outsider"


def test_anybody_checks_a_receipt_without_signing_in(app: Flask, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    content = queries.submitted_content(application_id)
    place = f"/applications/{content.reference}"
    stranger = app.test_client()

    event = str(queries.registered(queries.submissions(again(actors.ana()), content.reference)[0].id).event_id)
    assert event in text_of(ana(app).get(f"{place}/receipt"))
    found = text_of(stranger.get(f"/receipts?reference={content.reference}&sha256={content.sha256}"))
    assert "They match" in found and "Warm Blocks" in found and event in found and "Not sealed yet" in found
    assert "Ana" not in found and "Northbridge" not in found
    (mandate, *_) = content.files
    asked = f"/receipts?reference={content.reference}&files={mandate.sha256.upper()}%0A{'1' * 64}%20nonsense&sha256="
    held = text_of(stranger.get(asked + content.sha256))
    assert "Belongs to it" in held and held.count("Does not belong to it") == 2 and mandate.name not in held
    assert mandate.sha256 in text_of(ana(app).get(f"{place}/receipt"))
    # Who holds a file and not the receipt learns nothing, also not that somebody attached it.
    assert "elong" not in text_of(stranger.get(f"{asked}{'0' * 64}"))
    wrong = text_of(stranger.get(f"/receipts?reference={content.reference}&sha256={'0' * 64}"))
    assert "No match" in wrong and "Warm Blocks" not in wrong
    assert "match" not in text_of(stranger.get("/receipts"))
    assert stranger.get(f"{place}/receipt").status_code in (302, 303)


def test_a_download_through_the_page_is_on_record(app: Flask, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    content = queries.submitted_content(application_id)

    with actors.client_of(app, actors.eli()).get(
        f"/applications/{content.reference}/files/{content.files[0].sha256}"
    ) as got:
        assert got.status_code == 200

    events = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "application.download")).all()
    assert [(each.user_id, each.object_id) for each in events] == [(actors.eli().user_id, application_id)]


def test_a_stale_desk_says_who_decided_what_and_keeps_what_was_typed(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    place = f"/applications/{queries.view_by_id(application_id).reference}/eligibility"
    key = call.content.conditions[0].key
    verdicts = {f"verdict_{condition.key}": "pass" for condition in call.content.conditions}
    with clock.at(AFTER_CLOSING):
        first = actors.client_of(app, actors.eli())
        second = actors.client_of(app, actors.actor(actors.person("Ella Second", actors.Role.ELIGIBILITY_OFFICER)))
        stale = values_of(second, place)
        assert send(first, place, go="declare", **verdicts).status_code == 303

        typed = {f"verdict_{key}": "fail", f"reason_{key}": "It overlaps with Southport", "remark": "We are sorry"}
        answer = post(second, place, stale, go="declare", **typed)

        words = text_of(answer)
        assert answer.status_code == 409
        assert "gave a verdict on the eligibility of application" in words and "Somebody changed this check" in words
        assert "It is declared eligible." in words
        assert "Not met. It overlaps with Southport" in words and "We are sorry" in words


def test_the_team_reads_on_its_own_page_why_it_is_not_eligible(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    place = f"/applications/{queries.view_by_id(application_id).reference}"
    verdicts = {f"verdict_{condition.key}": "pass" for condition in call.content.conditions}
    failed = call.content.conditions[-1]
    with clock.at(AFTER_CLOSING):
        reasons = {**verdicts, f"verdict_{failed.key}": "fail", f"reason_{failed.key}": "The mandate is missing"}
        assert (
            send(actors.client_of(app, actors.eli()), f"{place}/eligibility", go="declare", **reasons).status_code
            == 303
        )
        assert "The mandate is missing" not in text_of(ana(app).get(place))
        services.confirm_refusal(actors.ella(), application_id)
        assert "The mandate is missing" not in text_of(ana(app).get(place))
        services.send_letter(actors.ella(), application_id)

        words = text_of(ana(app).get(place))
        assert words.count("The mandate is missing") == 1 and "This application is not eligible" in words
        assert f'href="{place}/eligibility"' in ana(app).get(place).text
