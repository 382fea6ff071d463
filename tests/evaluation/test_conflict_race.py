"""Two connections at one moment: who declares a conflict while they read, save or send; who decides while the program looks."""

from __future__ import annotations

from uuid import UUID

from flask import Flask
from sqlalchemy import select

from config import Config
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Permission, system_actor
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Assessment, Assignment, ConflictDeclaration, DetectedConflict
from grants.evaluation.rules import Answered, SheetInput
from grants.evaluation.states import Declared, DetectedState, InvitationState, Ruling, SeatState
from grants.identity.queries import actor_for
from tests.evaluation.scene import CLOSED, Scene
from tests.evaluation.test_answer_links import invite
from tests.soak.racing import DONE, Racers


def declares(user_id: UUID, call_id: UUID, application_id: UUID) -> None:
    with clock.at(CLOSED):
        services.declare(
            actor_for(user_id, fresh=True), call_id, (Answered(application_id, Declared.CONFLICT, "A cousin"),), ()
        )


def answers(user_id: UUID, call_id: UUID, application_id: UUID, declared: Declared, reason: str) -> None:
    """A page that showed “None” is sent."""
    with clock.at(CLOSED):
        said = Answered(application_id, declared, reason, over=rules.answer_mark(Declared.NONE))
        services.declare(actor_for(user_id, fresh=True), call_id, (said,), ())


def saves(user_id: UUID, application_id: UUID, sheet: SheetInput) -> None:
    with clock.at(CLOSED):
        services.save(actor_for(user_id, fresh=True), application_id, sheet)


def submits(user_id: UUID, application_id: UUID, sheet: SheetInput) -> None:
    with clock.at(CLOSED):
        services.submit(actor_for(user_id, fresh=True), application_id, sheet)


def opens(user_id: UUID, reference: str) -> None:
    with clock.at(CLOSED):
        queries.assessment_page(actor_for(user_id, fresh=True), reference)


def looks(call_id: UUID) -> None:
    with clock.at(CLOSED):
        services.detect(system_actor("the program", (Permission.CONFLICT_DETECT,)), call_id)


def decides(manager_id: UUID, application_id: UUID, user_id: UUID) -> None:
    with clock.at(CLOSED):
        services.decide_detected(
            actor_for(manager_id, fresh=True), application_id, user_id, Ruling.CONFIRMED, "They still meet"
        )


def agrees(token: str, version: int) -> None:
    with clock.at(CLOSED):
        services.agree_by_link(*services.whose_link(queries.invitation_by_link(token)), version)


def withdraws(manager_id: UUID, invitation_id: UUID, version: int) -> None:
    with clock.at(CLOSED):
        services.withdraw_invitation(actor_for(manager_id, fresh=True), invitation_id, "A mistake.", version)


def nothing_counts(scene: Scene, name: str, number: int) -> None:
    """No seat, no way in, and whatever was written hangs on a seat that counts for nothing."""
    application_id = scene.application_ids[number]
    assert name not in scene.seats(application_id)
    assert application_id in scene.actor(name).barred("application")
    sheets = db.session.execute(
        select(Assignment.state)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id == application_id)
    )
    assert {state for (state,) in sheets} <= {SeatState.VOIDED.value}
    assert queries.shut_for(scene.actor(name), [application_id]) == {application_id}


def test_a_conflict_wins_over_whatever_is_done_at_the_same_moment(settings: Config, app: Flask, seated: Scene) -> None:
    sheet = seated.sheet(9, 8, 8)
    with Racers(settings, 2) as racers:
        for number, deed in enumerate((saves, submits, opens)):
            application_id = seated.application_ids[number]
            name = seated.seats(application_id)[0]
            user_id = seated.people[name]
            words = (user_id, seated.references[number]) if deed is opens else (user_id, application_id, sheet)

            told = racers.race_all([(declares, (user_id, seated.call_id, application_id)), (deed, words)])

            assert told.all[0].kind == DONE
            # Too early to be refused, or refused as if it were not there; never a fault.
            assert told.all[1].kind in (DONE, "NotFound", "NotAllowed", "Refused"), told.all
            nothing_counts(seated, name, number)

        # One person with two windows: one answer stands, and the other window is told.
        about = (seated.people["chair"], seated.call_id, seated.application_ids[0])
        doubts = [(*about, Declared.UNSURE, "We met once"), (*about, Declared.UNSURE, "A former student")]
        told = racers.race(answers, doubts)
        assert told.kinds == ["Conflict", DONE]
        won = doubts[0 if told.all[0].kind == DONE else 1][-1]
        mine = (ConflictDeclaration.user_id == about[0], ConflictDeclaration.application_id == about[2])
        assert db.session.scalars(select(ConflictDeclaration.reason).where(*mine)).all() == [won]

        # Somebody says yes by the link of the mail, and the programme takes the invitation back: one of both is first.
        token = invite(seated, "Nora").rpartition("/")[2]
        asked = queries.invitations(seated.call_id)[seated.people["Nora"]]
        told = racers.race_all(
            [(agrees, (token, asked.version)), (withdraws, (seated.people["manager"], asked.id, asked.version))]
        )
        assert told.kinds in (["Refused", DONE], ["Conflict", DONE]), told.all
        db.session.rollback()
        stands = queries.invitations(seated.call_id)[seated.people["Nora"]].state
        assert stands is (InvitationState.AGREED, InvitationState.WITHDRAWN)[told.all[1].kind == DONE]

        # The program finds no fact any more for what a person confirms: one of both is first, and that stands.
        name = seated.seats(seated.application_ids[1])[0]
        seated.find(name, 1)
        about = (seated.people["manager"], seated.application_ids[1], seated.people[name])
        told = racers.race_all([(looks, (seated.call_id,)), (decides, about)])
        assert told.all[0].kind == DONE and told.all[1].kind in (DONE, "NotFound"), told.all
        row = db.session.scalars(select(DetectedConflict).where(DetectedConflict.user_id == about[2])).one()
        if told.all[1].kind == DONE:
            assert row.state == DetectedState.CONFIRMED.value and row.decided_by == about[0]
            nothing_counts(seated, name, 1)
        else:
            assert row.state == DetectedState.GONE.value and name in seated.seats(about[1])
