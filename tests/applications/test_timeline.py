"""The way of an application as its team reads it: every stage with its dates, nothing the team was not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from grants.applications import queries, rules, services
from grants.applications.models import Application
from grants.applications.rules import Asked, Checked, Later, StageState
from grants.applications.states import ApplicationState, Verdict
from grants.awards.models import Complaint
from grants.calls.rules import CallView
from grants.calls.states import CallKind
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from tests import actors
from tests.applications.pages import text_of
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again
from tests.statements import statements
from tests.worlds import World

S = ApplicationState
LATE = datetime(2023, 8, 1, 9, tzinfo=UTC)


@pytest.fixture
def sent(app: Flask, sent_world: World[UUID]) -> rules.ApplicationView:
    return queries.view_by_id(sent_world.told())


def states(shown: rules.Timeline) -> dict[str, str]:
    return {stage.key: stage.state.value for stage in shown.stages}


def test_the_stages_of_a_draft_say_until_when_to_send_and_what_comes_next(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    draft = queries.view(again(actors.ana()), reference)

    shown = rules.timeline(draft, Checked(), Later(), WHILE_OPEN)

    assert shown.current is not None and (shown.current.key, shown.current.when) == ("sent", "15 November 2022")
    assert shown.coming is not None and shown.coming.key == "eligibility"
    assert (shown.task, shown.due_at) == ("Finish it and send it.", call.closes_at)
    assert next(stage.when for stage in shown.stages if stage.key == "decision") == "February 2023"
    missed = rules.timeline(draft, Checked(), Later(), AFTER_CLOSING)
    assert (missed.now, missed.task, missed.current) == ("It was not sent before the deadline.", "", None)


GRANT = Later(datetime(2023, 2, 1, 9, tzinfo=UTC), "PCP-2022-G-0001", datetime(2023, 3, 1, 9, tzinfo=UTC))
SIGNED = replace(
    GRANT, signed_at=datetime(2023, 5, 2, tzinfo=UTC), starts_on=date(2023, 6, 1), payment_due_on=date(2023, 6, 1)
)
PASSED = Checked(datetime(2022, 12, 1, 9, tzinfo=UTC), Verdict.PASS)


@pytest.mark.parametrize(
    ("state", "checked", "later", "now", "current", "done"),
    [
        (S.SUBMITTED, Checked(), Later(), "The programme checks", "eligibility", 1),
        (S.ELIGIBLE, PASSED, Later(), "It is with the evaluators", "evaluation", 2),
        (S.UNDER_EVALUATION, PASSED, Later(), "It is with the evaluators", "evaluation", 2),
        (S.RESERVE, PASSED, Later(GRANT.decided_at), "It is on the reserve list", "results", 4),
        (S.SELECTED, PASSED, Later(GRANT.decided_at), "It is selected", "preparation", 4),
        (S.IN_PREPARATION, PASSED, GRANT, "It is selected", "preparation", 4),
        (S.IN_PREPARATION, PASSED, replace(GRANT, to_sign=True), "The agreement waits", "agreement", 5),
        (S.AWARDED, PASSED, SIGNED, "The agreement is signed", "payment", 6),
        (S.AWARDED, PASSED, replace(SIGNED, paid_on=date(2023, 6, 3)), "The grant runs", "results", 7),
        (S.INELIGIBLE, replace(PASSED, verdict=Verdict.FAIL), Later(), "It is not eligible", None, 2),
        (S.BELOW_THRESHOLD, PASSED, Later(GRANT.decided_at), "It is not funded", None, 4),
        (S.NOT_FUNDED, PASSED, Later(GRANT.decided_at), "It is not funded", None, 4),
        (S.DECLINED, PASSED, GRANT, "The grant was declined", None, 4),
        (S.DROPPED, PASSED, GRANT, "The preparation of the grant was dropped", None, 4),
    ],
)
def test_each_state_has_its_place_on_the_way(
    sent: rules.ApplicationView,
    state: ApplicationState,
    checked: Checked,
    later: Later,
    now: str,
    current: str | None,
    done: int,
) -> None:
    shown = rules.timeline(replace(sent, state=state), checked, later, LATE)

    assert shown.now.startswith(now)
    assert (shown.current.key if shown.current else None) == current
    assert sum(stage.state is StageState.DONE for stage in shown.stages) == done
    if current is None:
        assert StageState.NEXT not in {stage.state for stage in shown.stages}


def test_a_withdrawn_application_says_when_and_reaches_nothing_more(sent: rules.ApplicationView) -> None:
    gone = replace(sent, state=S.WITHDRAWN, withdrawn_at=WHILE_OPEN)

    shown = rules.timeline(gone, Checked(), Later(), LATE)

    assert shown.now == "You withdrew it on 3 October 2022."
    assert states(shown)["sent"] == "done" and states(shown)["eligibility"] == "never"


def test_an_open_clarification_is_what_the_team_must_do(sent: rules.ApplicationView) -> None:
    due = AFTER_CLOSING + timedelta(days=10)
    asked = Checked(asked=(Asked(AFTER_CLOSING, due), Asked(AFTER_CLOSING, due, withdrawn_at=AFTER_CLOSING)))

    shown = rules.timeline(sent, asked, Later(), AFTER_CLOSING)

    assert (shown.endpoint, shown.due_at) == ("applications.clarifications", due)
    assert shown.current is not None and shown.current.title == "Clarification 1"
    answered = replace(asked, asked=(Asked(AFTER_CLOSING, due, answered_at=due),))
    assert rules.timeline(sent, answered, Later(), due).task == ""


def test_a_call_that_pays_nothing_ends_with_its_results(sent: rules.ApplicationView) -> None:
    learning = replace(sent.call, content=replace(sent.call.content, kind=CallKind.LEARNING))

    shown = rules.timeline(replace(sent, call=learning), Checked(), Later(), LATE)

    assert [stage.key for stage in shown.stages] == ["sent", "eligibility", "evaluation", "decision", "results"]


def test_the_page_of_an_application_shows_its_way(app: Flask, sent: rules.ApplicationView) -> None:
    with clock.at(AFTER_CLOSING):
        ana, eli = actors.client_of(app, actors.ana()), actors.client_of(app, actors.eli())
        place = f"/applications/{sent.reference}"

        words = text_of(ana.get(place))
        assert "Where it stands" in words and "The programme checks whether it is complete and eligible." in words
        assert "You need not do anything now." in words
        with statements() as seen:
            answer = eli.get(place)
        assert "Where it stands" in text_of(answer)
    for line in seen:
        print(line[:150].replace("\n", " "))
    assert len(seen) <= 8


def test_the_way_costs_one_statement_and_none_beside_the_team(app: Flask, sent: rules.ApplicationView) -> None:
    with statements() as alone:
        queries.stages(sent, AFTER_CLOSING)
    with statements() as without:
        queries.workplace_of(sent)
    with statements() as beside:
        queries.workplace_of(sent, AFTER_CLOSING)
    assert (len(alone), len(beside) - len(without)) == (1, 0)


def test_a_withdrawn_one_is_told_so_on_its_page(app: Flask, sent: rules.ApplicationView) -> None:
    with clock.at(WHILE_OPEN):
        services.withdraw(again(actors.ana()), sent.id, "The council voted no")

    with clock.at(AFTER_CLOSING):
        words = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{sent.reference}"))
    assert "You withdrew it on 3 October 2022." in words and "Not reached." in words


def complained(sent: rules.ApplicationView, **told: object) -> None:
    """A complaint was sent, and its application is in this state."""
    lead, day = actors.ana().user_id, timedelta(days=1)
    with arranging():
        get(Application, sent.id).state = str(told.pop("application"))
        db.session.add(
            Complaint(
                application_id=sent.id, call_id=sent.call.id, number=1, reached_at=LATE, due_at=LATE + day,
                grounds=["overlooked"], text="Section 3.", drafted_by=lead, sent_at=LATE, sent_by=lead, sha256=bytes(32),
                first_decide_at=LATE + day, decide_at=LATE + day, **told,
            )
        )  # fmt: skip
    db.session.rollback()


def test_a_repeated_evaluation_is_told_on_the_way_to_the_team_alone(app: Flask, sent: rules.ApplicationView) -> None:
    one, two = actors.eli().user_id, actors.ana().user_id
    complained(
        sent, application="under_evaluation", about="reserve", state="upheld", remedy="repeat", upholds=True,
        checked_by=one, checked_at=LATE,
        member_one=one, member_two=two, proposed_by=one, confirmed_by=two, decided_at=LATE, letter={},
        letter_sha256=bytes(32),
    )  # fmt: skip
    place = f"/applications/{sent.reference}"
    with clock.at(LATE):
        page = actors.client_of(app, actors.ana()).get(place)
        words = text_of(page)
        assert "New evaluators repeat the evaluation after your complaint." in words
        assert "Your complaint was upheld on 1 August 2023, and the evaluation is repeated." in words
        assert f'href="{place}/complaint"' in page.text
        assert "It is with the evaluators" not in words and "Preparation of the grant" not in words
        # What became of a complaint the office reads on the page of the case.
        office = queries.stages(queries.view_by_id(sent.id), LATE, again(actors.eli()))
        assert (office.complained, office.now) == (None, "It is with the evaluators and the panel.")


def test_who_complained_is_offered_no_other_on_the_page_of_the_application(
    app: Flask, sent: rules.ApplicationView
) -> None:
    complained(sent, application="reserve", about="reserve", state="received")
    with clock.at(LATE):
        words = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{sent.reference}"))
    assert "Your complaint was received on 1 August 2023. It is decided by 2 August 2023." in words
    assert "Complain about the result" not in words
