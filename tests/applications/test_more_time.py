"""One applicant with a deadline of its own: what it reaches, what everybody may read, and when it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications import queries, rules, services
from grants.applications.models import Application, Submission
from grants.applications.rules import ConditionAnswer
from grants.applications.states import ApplicationState, Verdict
from grants.calls import queries as calls
from grants.calls.rules import CallView, DeadlineInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.jobs.models import Job
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories.applications import AFTER_CLOSING, CLOSES_AT, again, draft, fill, submitted

# The day after the deadline of everybody, noon in Brussels.
OWN = datetime(2022, 11, 16, 12)
OWN_AT = datetime(2022, 11, 16, 11, tzinfo=UTC)
JUST_AFTER = CLOSES_AT + timedelta(minutes=5)


def give(application_id: UUID, local: datetime = OWN, *, at: datetime = JUST_AFTER, reason: str = "An outage.") -> None:
    with clock.at(at):
        services.extend_for_one(actors.ingrid(), application_id, DeadlineInput(local, reason, "A day more for you."))


def reference_of(application_id: UUID) -> str:
    return get(Application, application_id).reference


def test_the_own_deadline_is_the_one_rule_for_writing_and_sending(call: CallView) -> None:
    application_id = fill(draft(call, actors.ana()), actors.ana())
    with pytest.raises(Refused, match="The deadline was 15 November 2022"), clock.at(JUST_AFTER):
        services.submit(again(actors.ana()), application_id)
    give(application_id)
    with clock.at(OWN_AT - timedelta(microseconds=1)):
        services.submit(again(actors.ana()), application_id)
    with pytest.raises(Refused, match="The deadline was 16 November 2022"), clock.at(OWN_AT):
        services.submit(again(actors.ana()), application_id)

    sent = db.session.scalars(select(Submission)).one()
    assert sent.closes_at == OWN_AT
    view = queries.view_by_id(application_id)
    assert (view.call.closes_at, view.call.deadline and view.call.deadline.is_own) == (OWN_AT, True)


def test_everybody_else_keeps_the_deadline_of_the_call(call: CallView) -> None:
    mine = fill(draft(call, actors.ana()), actors.ana())
    other = fill(draft(call, actors.ana(), "Cool Courtyards"), actors.ana())
    give(mine)

    with pytest.raises(Refused, match="15 November 2022"), clock.at(JUST_AFTER):
        services.submit(again(actors.ana()), other)
    assert calls.call_by_id(call.id).closes_at == CLOSES_AT


def test_a_deadline_of_everybody_that_moves_beyond_counts_again(call: CallView) -> None:
    later = OWN_AT + timedelta(days=1)

    assert call.until(OWN_AT, "An outage.").closes_at == OWN_AT
    assert call.until(None, None) is call
    assert call.until(CLOSES_AT, "An outage.") is call
    assert call.until(later, "An outage.").until(OWN_AT, "An outage.").closes_at == later


def test_what_is_to_be_done_and_lists_follow_the_own_deadline(call: CallView) -> None:
    mine = draft(call, actors.ana())
    draft(call, actors.ana(), "Cool Courtyards")
    give(queries.in_call(call.id, mine))
    with clock.at(JUST_AFTER):
        duties = queries.duties(again(actors.ana()), JUST_AFTER)

    assert [(duty.values["ref"], duty.due_at) for duty in duties] == [(mine, OWN_AT)]


def test_the_public_record_says_why_and_not_who(app: Flask, call: CallView) -> None:
    reference = draft(call, actors.ana())
    give(queries.in_call(call.id, reference))
    with clock.at(JUST_AFTER):
        public = text_of(app.test_client().get(f"/calls/{call.slug}"))

    assert "15 November 2022: one applicant was given more time. An outage." in public
    assert reference not in public


@pytest.mark.parametrize("reason", ["Their portal in Northbridge was down", "An outage kept Warm Blocks from sending"])
def test_the_public_reason_may_name_neither_city_nor_title(call: CallView, reason: str) -> None:
    application_id = queries.in_call(call.id, draft(call, actors.ana(), "Warm Blocks"))
    with pytest.raises(Invalid) as refused:
        give(application_id, reason=reason)

    assert "Everybody reads this reason" in refused.value.problems["reason"]
    assert get(Application, application_id).own_closes_at is None


def test_the_team_is_told_by_mail(call: CallView) -> None:
    give(queries.in_call(call.id, draft(call, actors.ana())))
    told = [j.args for j in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]

    assert [(a["template"], a["user_id"]) for a in told] == [("application_more_time", str(actors.ana().user_id))]


@pytest.mark.parametrize(
    ("local", "sentence"),
    [
        (datetime(2022, 11, 15, 12), "A deadline only moves to a later time."),
        (datetime(2023, 1, 15, 12), "move the deadline for everybody"),
    ],
)
def test_an_own_deadline_is_later_and_near(call: CallView, local: datetime, sentence: str) -> None:
    application_id = queries.in_call(call.id, draft(call, actors.ana()))
    with pytest.raises(Invalid) as refused:
        give(application_id, local)

    assert sentence in refused.value.problems["local"]
    assert get(Application, application_id).own_closes_at is None


def test_nobody_gets_more_time_without_a_reason(call: CallView) -> None:
    with pytest.raises(Invalid) as refused:
        give(queries.in_call(call.id, draft(call, actors.ana())), reason=" ")

    assert "reason" in refused.value.problems


def test_nobody_gets_more_time_once_evaluation_has_begun(call: CallView) -> None:
    sent = submitted(call, actors.ana())
    other = queries.in_call(call.id, draft(call, actors.ana(), "Cool Courtyards"))
    with arranging():
        get(Application, sent).state = ApplicationState.UNDER_EVALUATION.value
    with pytest.raises(Refused, match="being evaluated already"):
        give(other)


@pytest.mark.parametrize("state", sorted(rules.COMPARED))
def test_each_state_of_comparing_refuses_more_time(state: ApplicationState) -> None:
    with pytest.raises(Refused, match="being evaluated already"):
        rules.refuse_one_extension(ApplicationState.DRAFT, {ApplicationState.SUBMITTED, state}, None)


def test_results_that_are_set_refuse_more_time() -> None:
    with pytest.raises(Refused, match="being evaluated already"):
        rules.refuse_one_extension(ApplicationState.DRAFT, (), CLOSES_AT)


def test_what_takes_part_no_more_gets_no_time(call: CallView) -> None:
    with pytest.raises(Refused, match="This application is withdrawn"):
        rules.refuse_one_extension(ApplicationState.WITHDRAWN, (), None)


def test_only_who_may_move_deadlines_gives_more_time(call: CallView) -> None:
    application_id = queries.in_call(call.id, draft(call, actors.ana()))
    with pytest.raises(NotAllowed), clock.at(JUST_AFTER):
        services.extend_for_one(again(actors.ana()), application_id, DeadlineInput(OWN, "Mine.", "Mine."))


def test_the_desk_waits_for_the_own_deadline(call: CallView) -> None:
    application_id = submitted(call, actors.ana())
    give(application_id, datetime(2022, 11, 17, 12))
    with pytest.raises(Refused, match="may still be replaced"), clock.at(AFTER_CLOSING):
        services.record_answers(actors.eli(), application_id, (), 0)


def judge(call: CallView, application_id: UUID, *, failing: bool = False) -> None:
    first, *rest = (ConditionAnswer(each.key, Verdict.PASS) for each in call.content.conditions)
    if failing:
        first = replace(first, verdict=Verdict.FAIL, reason="It overlaps.")
    with clock.at(JUST_AFTER - timedelta(minutes=1)):
        services.declare(actors.eli(), application_id, (first, *rest))


@pytest.mark.parametrize(("failing", "sentence"), [(False, "The verdict .* stands"), (True, "gives the proposal back")])
def test_nobody_gets_more_time_once_a_verdict_stands_or_is_proposed(
    call: CallView, failing: bool, sentence: str
) -> None:
    application_id = submitted(call, actors.ana())
    judge(call, application_id, failing=failing)
    with pytest.raises(Refused, match=sentence):
        give(application_id)
    assert get(Application, application_id).own_closes_at is None

    if failing:
        with clock.at(JUST_AFTER):
            services.return_refusal(actors.ella(), application_id, "They get a day more.")
        give(application_id)
        assert get(Application, application_id).own_closes_at == OWN_AT


def test_no_verdict_is_confirmed_given_back_or_told_while_another_version_may_come(call: CallView) -> None:
    refused = submitted(call, actors.ana())
    passed = submitted(call, actors.ana(), "Cool Courtyards")
    judge(call, refused, failing=True)
    judge(call, passed)
    with arranging():  # As a deadline does that moved for everybody.
        for application_id in (refused, passed):
            row = get(Application, application_id)
            row.own_closes_at, row.own_closes_reason = OWN_AT, "An outage."
    with clock.at(OWN_AT - timedelta(microseconds=1)):
        for deed in (
            lambda: services.confirm_refusal(actors.ella(), refused),
            lambda: services.return_refusal(actors.ella(), refused, "Look again."),
            lambda: services.send_letter(actors.eli(), passed),
        ):
            with pytest.raises(Refused, match=r"open until 16 November 2022.*may still be replaced"):
                deed()
    with clock.at(OWN_AT):
        services.confirm_refusal(actors.ella(), refused)
        services.send_letter(actors.eli(), passed)

    assert queries.view_by_id(refused).state is ApplicationState.SUBMITTED
    assert queries.view_by_id(passed).state is ApplicationState.ELIGIBLE


def test_a_manager_gives_more_time_by_the_reference(app: Flask, call: CallView) -> None:
    reference = draft(call, actors.ana())
    with clock.at(datetime(2022, 8, 1, tzinfo=UTC)):
        actors.ingrid()
    manager, at = actors.client_of(app, actors.ingrid()), f"/calls/{call.slug}/more-time"
    filled = {"day": "16 November 2022", "time": "12:00", "fold": "", "reason": "An outage.", "public_note": "For you."}
    with clock.at(JUST_AFTER):
        assert "Give one applicant more time" in text_of(manager.get(f"/calls/{call.slug}/dates"))
        wrong = send(manager, at, reference="PCP-1999-A-0001", **filled)
        assert (wrong.status_code, "No application of this call has the reference" in wrong.text) == (422, True)
        assert send(manager, at, reference=reference.lower(), **filled).status_code == 303
        page = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}"))
        given = text_of(manager.get(at))

    assert "Who has more time" in given
    assert f"{reference}16 November 2022, 12:00An outage." in given
    assert "16 November 2022, 12:00" in page
    assert "a deadline of your own" in page


def test_a_manager_of_another_call_does_not_read_who_has_more_time(app: Flask, call: CallView) -> None:
    reference = draft(call, actors.ana())
    give(queries.in_call(call.id, reference))
    elsewhere = actors.give(actors.person("Else Where"), Role.PROGRAMME_MANAGER, "call", UUID(int=7))
    here = actors.give(actors.person("Hier Here"), Role.PROGRAMME_MANAGER, "call", call.id)
    at = f"/calls/{call.slug}/more-time"

    assert queries.with_own_deadline(elsewhere, call.id) == ()
    assert [row[0] for row in queries.with_own_deadline(here, call.id)] == [reference]
    assert actors.client_of(app, elsewhere).get(at).status_code == 404
    assert reference in text_of(actors.client_of(app, here).get(at))
