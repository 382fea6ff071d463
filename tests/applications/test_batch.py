"""The batch pass: only what the facts show to be eligible, each by an act of its own, and never twice."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest
from flask import Flask, get_flashed_messages

from grants.applications import queries, rules, services
from grants.applications.rules import BatchPick, ConditionAnswer
from grants.applications.states import ApplicationState, BatchWork, Verdict
from grants.applications.views.frame import LEFT_MAX, left_without_a_tick
from grants.calls import services as call_services
from grants.calls.rules import CallView
from grants.core import clock, jobs
from grants.core.acts import ActRow, arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.identity.models import Organisation
from tests import actors
from tests.applications.pages import post, send, text_of
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING, WHILE_OPEN
from tests.statements import statements

PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.fixture(autouse=True)
def officers(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(BEFORE_OPENING):
        actors.eli()
        actors.ella()


def clean(call: CallView, title: str) -> UUID:
    """A sent application of which a person answered what the facts cannot know."""
    lead = actors.ana()
    with arranging():
        for organisation_id in lead.organisation_ids:
            db.session.get_one(Organisation, organisation_id).pic = "912345678"
    application_id = factory.submitted(call, lead, title)
    with clock.at(AFTER_CLOSING):
        desk = queries.desk(actors.eli(), queries.view_by_id(application_id))
        silent = [each for each in desk.conditions if each.evidence and each.evidence.suggests is None]
        answers = tuple(ConditionAnswer(each.condition.key, PASS) for each in silent)
        services.record_answers(actors.eli(), application_id, answers)
    return application_id


def pick_of(application_id: UUID) -> BatchPick:
    view = queries.view_by_id(application_id)
    assert view.submission is not None
    return BatchPick(application_id, view.submission.id)


def work_off() -> None:
    jobs.work_off(actor_of=identity.actor_for, but_not=("mail", "reports"))


def references(call: CallView) -> list[str]:
    rows = queries.batch(actors.eli(), call, Page()).items
    return [row.reference for row in rows]


def test_only_what_looks_met_throughout_can_be_passed_together(call: CallView) -> None:
    ready, begun = clean(call, "Ready"), factory.submitted(call, actors.marek(), "Begun")
    refused = clean(call, "Refused")
    with clock.at(AFTER_CLOSING):
        key = call.content.conditions[0].key
        services.answer_condition(actors.eli(), refused, ConditionAnswer(key, FAIL, "It overlaps"), 1)

        assert references(call) == [queries.view_by_id(ready).reference]
        with pytest.raises(Refused, match="no longer looks met"):
            services.pass_by_facts(actors.eli(), begun, pick_of(begun).submission_id)
        with pytest.raises(Invalid, match="Tick at least one"):
            services.ask_batch(actors.eli(), call.id, ())


def test_what_is_not_among_the_applications_of_the_call_is_in_no_batch(call: CallView) -> None:
    ready = pick_of(clean(call, "Ready"))
    with clock.at(AFTER_CLOSING):
        with pytest.raises(NotFound):
            services.ask_batch(actors.eli(), call.id, (ready, BatchPick(uuid4(), uuid4())))
        with pytest.raises(Refused, match="is not one that was sent"):
            services.ask_batch(actors.eli(), call.id, (ready, BatchPick(ready.application_id, uuid4())))

        assert services.ask_batch(actors.eli(), call.id, (ready,)) == 1


def test_an_own_application_is_never_in_the_batch(call: CallView) -> None:
    application_id = clean(call, "Own")
    with clock.at(BEFORE_OPENING):
        actors.give(actors.ella().user_id, actors.Role.APPLICATION_READER, "application", application_id)
    with clock.at(AFTER_CLOSING):
        rows = queries.batch(actors.ella(), call, Page()).items
        assert rows == ()
        with pytest.raises(Refused, match="you cannot check it"):
            services.pass_by_facts(actors.ella(), application_id, pick_of(application_id).submission_id)


def test_the_batch_costs_the_same_for_one_and_for_three(call: CallView) -> None:
    counts = []
    for title in ("One", "Two", "Three"):
        clean(call, title)
        with clock.at(AFTER_CLOSING):
            eli = actors.eli()
            with statements() as seen:
                queries.batch(eli, call, Page())
        counts.append(len(seen))
    assert counts == [3, 3, 3]


def test_each_ticked_one_is_passed_by_an_act_of_its_own_and_a_stale_one_is_left_out_and_named(
    app: Flask, call: CallView
) -> None:
    first, second = clean(call, "First"), clean(call, "Second")
    stale = pick_of(second)
    with clock.at(WHILE_OPEN):
        ana = factory.again(actors.ana())
        services.edit_details(ana, second, rules.DetailsInput("Second, better"))
        services.submit(ana, second)
    with clock.at(AFTER_CLOSING):
        services.ask_batch(actors.eli(), call.id, (pick_of(first), stale, stale))
        work_off()

        outcomes = queries.last_batch(actors.eli(), call.id, BatchWork.PASS)
        assert [(each.name, each.done, each.waiting) for each in outcomes] == [
            ("First", True, False), ("Second, better", False, False),
        ]  # fmt: skip
        assert "sent again" in outcomes[1].words
        page = text_of(actors.client_of(app, actors.eli()).get(f"/calls/{call.slug}/eligibility/batch"))
        assert "2 of 2 applications done" in page and "1 left out" in page and "sent again" in page
    assert queries.desk(actors.eli(), queries.view_by_id(first)).verdict is PASS
    acts = db.session.query(ActRow).filter(ActRow.verb == "application.pass_by_facts").all()
    assert [act.user_id for act in acts] == [actors.eli().user_id]


def test_the_page_passes_what_stays_ticked(app: Flask, call: CallView) -> None:
    first, second = clean(call, "First"), clean(call, "Second")
    place = f"/calls/{call.slug}/eligibility/batch"
    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())
        kept = pick_of(first)
        offered = eli.get(place).text
        assert offered.count(" checked>") == 2
        nothing = send(eli, place, pick=None, act_key="k" * 30)
        assert nothing.status_code == 422 and " checked>" not in nothing.text
        assert send(eli, place, pick=["x", "|", "1|2"], act_key="l" * 30).status_code == 422
        sent = send(eli, place, pick=[f"{kept.application_id}|{kept.submission_id}"])
        assert sent.status_code == 303
        # What is being passed is not offered again, and what was left without a tick has none.
        assert references(call) == [queries.view_by_id(second).reference]
        assert sent.location.endswith(f"left={queries.view_by_id(second).reference}")
        assert " checked>" not in eli.get(sent.location).text and " checked>" in eli.get(place).text
        work_off()
        assert "1 declared eligible, none left out." in text_of(eli.get(place))
        assert "whose conditions all look met (by now 1 application: 1 passed)" in text_of(eli.get("/home"))
        # A second tab that still offers it begins no batch of its own, and the last result stays.
        stale = post(eli, place, {"pick": [f"{kept.application_id}|{kept.submission_id}"], "act_key": ["m" * 30]})
        assert stale.status_code == 422 and "has its verdict already" in text_of(stale)
        assert "1 declared eligible, none left out." in text_of(eli.get(place))
        assert actors.client_of(app, actors.ana()).get(place).status_code == 403
    verdicts = [queries.desk(actors.eli(), queries.view_by_id(each)).verdict for each in (first, second)]
    assert verdicts == [PASS, None]


def test_two_presses_at_once_pass_an_application_once(app: Flask, call: CallView) -> None:
    application_id = clean(call, "Raced")
    pick = pick_of(application_id)
    told: list[Verdict | None] = []
    with clock.at(AFTER_CLOSING):
        people = [actors.eli(), actors.ella()]
    db.session.rollback()

    def press(who: Actor) -> None:
        with app.app_context(), clock.at(AFTER_CLOSING):
            try:
                told.append(services.pass_by_facts(who, application_id, pick.submission_id))
            except Refused:
                told.append(None)

    presses = [threading.Thread(target=press, args=(who,)) for who in people]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert sorted(map(str, told)) == ["None", "pass"]


def test_what_is_ticked_in_one_call_reaches_no_application_of_another(call: CallView) -> None:
    elsewhere = clean(call, "Elsewhere")
    with clock.at(BEFORE_OPENING):
        copy = call_services.copy_call(actors.ingrid(), call.id, "Another call", 2027)
    with clock.at(AFTER_CLOSING):
        for deed in (
            lambda: services.ask_batch(actors.eli(), copy.id, (pick_of(elsewhere),)),
            lambda: services.send_letters(actors.eli(), copy.id, ((elsewhere, "0" * 64),)),
        ):
            with pytest.raises(NotFound):
                deed()
    assert queries.view_by_id(elsewhere).state is ApplicationState.SUBMITTED


def test_more_left_without_a_tick_than_an_address_holds_is_said(app: Flask) -> None:
    shown = [f"A-{number}|x" for number in range(LEFT_MAX + 5)]
    with app.test_request_context("/", method="POST", data={"shown": shown}):
        left = left_without_a_tick("pick")
        (said,) = get_flashed_messages()

    assert (len(left), left[0]) == (LEFT_MAX, "A-5")
    assert f"You left {LEFT_MAX + 5} without a tick, and only the last {LEFT_MAX} are remembered." in str(said)
