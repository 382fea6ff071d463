"""Who had a part in the first decision: every table that keeps one, and what came after the complaint, which is none."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from grants.agreements import services as agreements
from grants.applications.models import EligibilityCheck, EligibilityLetter, EligibilityResult
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.models import (
    Complaint,
    DecisionLetter,
    LetterLeftOut,
    LetterMailing,
    LetterText,
    PanelItem,
    PanelMember,
    PanelMinutes,
    ResultsPublication,
    Selection,
    SelectionMove,
    SelectionScenario,
)
from grants.awards.queries.involved import had_part
from grants.awards.rules.complaints import ComplaintInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import Base, Row, db
from grants.core.errors import NotAllowed
from grants.core.money import ZERO, euros
from grants.evaluation.models import (
    Assignment,
    ConflictDeclaration,
    Consensus,
    ConsensusVersion,
    ConsensusWriting,
    DetectedConflict,
    ScoreShift,
)
from tests.awards.test_complaints import DAY, NUMBER, PUBLIC, sent, told, told_world
from tests.evaluation.scene import Scene

__all__ = ["told", "told_world"]

HOUR = timedelta(hours=1)
# The complaint is sent then.
SENT = PUBLIC + DAY
BEFORE, AFTER = SENT - HOUR, SENT + HOUR


class Cast:
    """Somebody for each part by its name, and whose words they are expected to read; nobody of them has an account."""

    def __init__(self) -> None:
        self.expected: dict[UUID, str] = {}
        self.others: dict[UUID, str] = {}

    def has(self, words: str) -> UUID:
        """Somebody who had this part."""
        found = uuid4()
        self.expected[found] = words
        return found

    def none(self, why: str = "only whoever had a part counts") -> UUID:
        """Somebody who had none."""
        found = uuid4()
        self.others[found] = why
        return found


def judged(scene: Scene, cast: Cast) -> list[Row]:
    application_id = scene.application_ids[NUMBER]
    consensus = db.session.scalars(select(Consensus.id).where(Consensus.application_id == application_id)).one()
    meeting, ruled = uuid4(), "you ruled on a conflict of interest with it"
    behind = [cast.has("you stand behind the minutes of its panel") for _ in range(3)]
    wrote = [cast.has("you wrote the consensus on it") for _ in range(2)]
    moved = [cast.has("you moved its score") for _ in range(2)]
    return [
        ConsensusVersion(
            consensus_id=consensus, number=99, written_by=wrote[0], written_at=BEFORE, marks={}, text="Agreed."
        ),
        ConsensusWriting(
            consensus_id=consensus, field="text", number=99, text="Agreed.", saved_at=BEFORE, saved_by=wrote[1]
        ),
        PanelItem(meeting_id=meeting, application_id=application_id, position=1),
        PanelMember(
            meeting_id=meeting, user_id=cast.has("you sat on the panel that discussed it"), role="chair"
        ),
        PanelMinutes(
            meeting_id=meeting, number=1, content={}, sha256=bytes(32), frozen_by=behind[0],
            chair_signed_by=behind[1], chair_signed_at=BEFORE, second_signed_by=behind[2], second_signed_at=BEFORE,
        ),
        ScoreShift(
            application_id=application_id, state="returned", shift_half=1, reason="A panel.", return_reason="No.",
            proposed_by=moved[0], proposed_at=BEFORE, decided_by=moved[1], decided_at=BEFORE,
        ),
        *(
            ConflictDeclaration(
                user_id=cast.none(), application_id=application_id, declared="unsure", reason="I am not sure.",
                declared_at=BEFORE, ruling="cleared", ruled_by=person, ruled_at=at,
            )
            for person, at in ((cast.has(ruled), BEFORE), (cast.none("ruled later"), AFTER))
        ),
        *(
            DetectedConflict(
                user_id=cast.none(), application_id=application_id, kind="mail_domain", evidence="city.eu",
                state="dismissed", found_at=BEFORE, decided_by=person, decided_at=at, decision_reason="Another city.",
            )
            for person, at in ((cast.has(ruled), BEFORE), (cast.none("decided later"), AFTER))
        ),
    ]  # fmt: skip


def seated(scene: Scene, cast: Cast) -> list[Base]:
    """What the record keeps of whoever gave seats; a seat itself keeps nobody."""
    seats = select(Assignment.id).where(Assignment.application_id == scene.application_ids[NUMBER])
    seat, chose = db.session.scalars(seats.limit(1)).one(), "you gave its evaluators their seats"
    others = select(Assignment.id).where(Assignment.application_id != scene.application_ids[NUMBER])
    elsewhere = db.session.scalars(others.limit(1)).one()
    return [
        AuditEvent(
            id=uuid4(), act_id=uuid4(), recorded_at=at, verb=verb, user_id=person, object_kind="assignment",
            object_id=key, changes={},
        )
        for key, verb, at, person in (
            (seat, "assignment.run", BEFORE, cast.has(chose)),
            (seat, "assignment.adjust", BEFORE, cast.has(chose)),
            (seat, "assignment.import", BEFORE, cast.has(chose)),
            (seat, "assignment.adjust", AFTER, cast.none("gave seats of the repeated evaluation")),
            (seat, "conflict.declare", BEFORE, cast.none("left their own seat")),
            (elsewhere, "assignment.adjust", BEFORE, cast.none("gave seats of another application")),
        )
    ]  # fmt: skip


def dropped(scene: Scene, cast: Cast) -> list[Base]:
    """What the record keeps of whoever dropped it: the act belongs to a stage above this one."""
    key, other = scene.application_ids[NUMBER], scene.application_ids[NUMBER - 1]
    told = "you dropped it before its grant agreement was signed"
    return [
        AuditEvent(
            id=uuid4(), act_id=uuid4(), recorded_at=at, verb=verb, user_id=person, object_kind=kind, object_id=about,
            changes={},
        )
        for kind, about, verb, at, person in (
            ("application", key, "agreement.drop", BEFORE, cast.has(told)),
            ("application", key, "agreement.drop", AFTER, cast.none("dropped it after the complaint")),
            ("application", key, "agreement.prepare", BEFORE, cast.none("prepared its agreement")),
            ("application", key, "agreement.decline", BEFORE, cast.none("declined it for the city")),
            ("application", other, "agreement.drop", BEFORE, cast.none("dropped another application")),
        )
    ]  # fmt: skip


def checked(scene: Scene, cast: Cast) -> list[Row]:
    application_id, decided = scene.application_ids[NUMBER], "you decided on its eligibility"
    verdict = EligibilityCheck(
        application_id=application_id, submission_id=uuid4(), verdict="eligible", decided_at=BEFORE, saves=1,
        decided_by=cast.has(decided), confirmed_by=cast.has(decided), returned_by=cast.has(decided), return_reason="No.",
    )  # fmt: skip
    proposed = EligibilityCheck(
        application_id=application_id, submission_id=uuid4(), saves=1, proposed_by=cast.has(decided),
        proposed_at=BEFORE, proposed_reason="Too late.",
    )  # fmt: skip
    return [
        *(verdict, proposed),
        EligibilityResult(check_id=verdict.id, condition="one", verdict="pass", answered_by=cast.has(decided)),
        EligibilityLetter(
            application_id=application_id, check_id=verdict.id, content={}, sha256=bytes(32), sent_at=BEFORE,
            sent_by=cast.has("you sent the letter on its eligibility"),
        ),
    ]  # fmt: skip


def listed(scene: Scene, cast: Cast) -> list[Row]:
    scenario = SelectionScenario(
        call_id=scene.call_id, number=99, name="Ours", plan={}, made_at=BEFORE,
        made_by=cast.has("you made the scenario that was chosen"),
    )  # fmt: skip
    decided, moved = "you decided the ranked list", "you decided a move from the reserve list"
    returned = Selection(
        call_id=scene.call_id, number=99, kind="ranked", state="returned", budget=euros(1), used=ZERO, rules={},
        line_words="", list_sha256=bytes(32), undrawn=True, reason="As ranked.", scenario_id=scenario.id,
        decided_by=cast.has(decided), decided_at=BEFORE, returned_by=cast.has(decided), return_reason="No.",
        draw_refused_by=cast.has(decided), draw_refused_at=BEFORE,
    )  # fmt: skip
    move = {
        "selection_id": returned.id, "application_id": scene.application_ids[NUMBER], "amount": euros(1),
        "free": euros(1), "words": "", "reason": "Money came free.", "decided_at": BEFORE,
    }  # fmt: skip
    return [
        *(scenario, returned),
        SelectionMove(
            **move, number=1, state="confirmed", decided_by=cast.has(moved), confirmed_by=cast.has(moved),
            confirmed_at=BEFORE,
        ),
        SelectionMove(
            **move, number=2, state="returned", decided_by=cast.has(moved), returned_by=cast.has(moved),
            return_reason="No.",
        ),
    ]  # fmt: skip


def told_of(scene: Scene, cast: Cast) -> list[Row]:
    prepared, let_go = "you prepared its letter of decision", "you had its letter of decision sent"
    wrote, published = "you wrote the words of its letter of decision", "you published its result"
    returned, left_out = "you returned its letter of decision", "you left out its letter of decision"
    taken_in = "you took its letter of decision in again"
    list_id = db.session.scalars(select(Selection.id)).one()
    mailings = [
        LetterMailing(call_id=scene.call_id, number=number, **values)
        for number, values in enumerate(
            (
                dict(
                    state="confirmed", prepared_by=cast.has(prepared), prepared_at=BEFORE - HOUR,
                    confirmed_by=cast.has(let_go), confirmed_at=BEFORE,
                ),
                dict(
                    state="confirmed", prepared_by=cast.has(prepared), prepared_at=BEFORE,
                    confirmed_by=cast.none("had a letter sent after the complaint"), confirmed_at=AFTER,
                ),
                dict(
                    state="returned", prepared_by=cast.has(prepared), prepared_at=BEFORE,
                    returned_by=cast.has(returned), returned_at=BEFORE, return_reason="No.",
                ),
                dict(
                    state="returned", prepared_by=cast.has(prepared), prepared_at=BEFORE,
                    returned_by=cast.none("returned after the complaint"), returned_at=AFTER, return_reason="No.",
                ),
                dict(
                    state="returned", prepared_by=cast.none("prepared later"), prepared_at=AFTER,
                    returned_by=cast.none("returned later"), returned_at=AFTER, return_reason="No.",
                ),
            ),
            start=101,
        )
    ]  # fmt: skip
    texts = (
        (cast.none("its words were replaced"), BEFORE - 3 * HOUR),
        (cast.has(wrote), BEFORE - 2 * HOUR),
        (cast.none("wrote for letters that come"), AFTER - timedelta(minutes=1)),
    )
    return [
        *mailings,
        *(
            DecisionLetter(
                mailing_id=each.id, application_id=scene.application_ids[NUMBER], outcome="not_funded",
                state="dropped", selection_id=list_id, content={}, sha256=bytes(32),
            )
            for each in mailings
        ),
        *(
            LetterText(call_id=scene.call_id, outcome="not_funded", number=at, text="Words.", written_by=person, written_at=when)
            for at, (person, when) in enumerate(texts, start=101)
        ),
        LetterText(
            call_id=scene.call_id, outcome="reserve", number=101, text="Words.", written_at=BEFORE - 2 * HOUR,
            written_by=cast.none("the words of another outcome"),
        ),
        *(
            LetterLeftOut(
                application_id=scene.application_ids[NUMBER], reason="By telephone.", left_out_by=out,
                left_out_at=out_at, told_by=by, told_at=by_at, ended_by=again, ended_at=by_at,
            )
            for out, out_at, by, again, by_at in (
                (cast.has(left_out), BEFORE, cast.has(left_out), cast.has(taken_in), BEFORE),
                (cast.has(left_out), BEFORE, cast.none("told later"), cast.none("taken in later"), AFTER),
                (cast.none("left out later"), AFTER, cast.none("told later"), cast.none("taken in later"), AFTER),
            )
        ),
        *(
            ResultsPublication(call_id=scene.call_id, number=number, given={}, without_letters="", **values)
            for number, values in enumerate(
                (
                    dict(
                        state="confirmed", prepared_by=cast.has(published), prepared_at=BEFORE,
                        confirmed_by=cast.has(published), confirmed_at=BEFORE,
                    ),
                    dict(
                        state="confirmed", prepared_by=cast.has(published), prepared_at=BEFORE,
                        confirmed_by=cast.none("published after the complaint"), confirmed_at=AFTER,
                    ),
                    dict(
                        state="returned", prepared_by=cast.none("published nothing"), prepared_at=BEFORE,
                        returned_by=cast.none("published nothing"), return_reason="No.",
                    ),
                ),
                start=101,
            )
        ),
    ]  # fmt: skip


def test_every_part_counts_and_what_came_after_the_complaint_does_not(told: Scene) -> None:
    sent(told)
    cast = Cast()
    with arranging():
        rows: list[Base] = [
            each for made in (judged, seated, checked, listed, told_of, dropped) for each in made(told, cast)
        ]
        db.session.add_all(rows)
        db.session.flush()
        found: dict[UUID, Any] = dict(queries.involved_in(told.application_ids[NUMBER]))
        # Nobody of them has an account: nothing of it is kept.
        db.session.rollback()

    assert [words for person, words in cast.expected.items() if found.get(person) != words] == []
    assert [why for person, why in cast.others.items() if person in found] == []


def test_a_complaint_about_eligibility_counts_only_what_led_to_that(told: Scene) -> None:
    """The desk with its letter, and rulings of before the letter: not who seated, scored, ranked or told it afterwards."""
    sent(told)
    led, later, rulings = Cast(), Cast(), Cast()
    with arranging():
        # The letter of the desk reached the team before what the cast of rulings does.
        db.session.add(
            Complaint(
                application_id=told.application_ids[NUMBER], call_id=told.call_id, number=2, state="received",
                about=ApplicationState.INELIGIBLE.value, reached_at=BEFORE - HOUR, due_at=AFTER + DAY, grounds=[],
                text="It is eligible.", drafted_by=uuid4(), sent_at=AFTER, sent_by=uuid4(), sha256=bytes(32),
                first_decide_at=AFTER + DAY, decide_at=AFTER + DAY,
            )
        )  # fmt: skip
        rows: list[Base] = [*checked(told, led), *judged(told, rulings)]
        rows += [each for made in (seated, listed, told_of, dropped) for each in made(told, later)]
        db.session.add_all(rows)
        earlier = led.has("you ruled on a conflict of interest with it")
        db.session.add(
            ConflictDeclaration(
                user_id=uuid4(), application_id=told.application_ids[NUMBER], declared="unsure", reason="I am not sure.",
                declared_at=BEFORE - 3 * HOUR, ruling="cleared", ruled_by=earlier, ruled_at=BEFORE - 2 * HOUR,
            )
        )  # fmt: skip
        db.session.flush()
        key = told.application_ids[NUMBER]
        found: dict[UUID, Any] = dict(queries.involved_in(key))
        everybody = [*led.expected, *later.expected, *rulings.expected]
        paired = had_part([key], everybody)
        db.session.rollback()

    assert [words for person, words in led.expected.items() if found.get(person) != words] == []
    assert [words for cast in (later, rulings) for person, words in cast.expected.items() if person in found] == []
    assert {person for person, _ in paired} == set(led.expected)


def test_whoever_ran_the_assignment_or_gave_a_seat_by_hand_decides_no_complaint(told: Scene) -> None:
    key = told.application_ids[NUMBER]
    gave = {
        person
        for (person,) in db.session.execute(
            select(AuditEvent.user_id)
            .join(Assignment, Assignment.id == AuditEvent.object_id)
            .where(Assignment.application_id == key, AuditEvent.verb.in_(("assignment.run", "assignment.adjust")))
        )
    } - {None}
    assert gave, "the seats of the scene are given by somebody"

    assert gave <= set(queries.involved_in(key))


def test_whoever_dropped_a_selected_application_decides_no_complaint_about_it(told: Scene) -> None:
    """By the act itself: its verb is all that this stage knows of it."""
    key = told.application_ids[0]
    with clock.at(PUBLIC + 2 * DAY):
        grant = agreements.prepare(told.actor("petra"), key, starts_on=date(2023, 5, 1))
        agreements.drop(told.actor("petra"), grant.id, reason="Due diligence failed.")
    with clock.at(PUBLIC + 3 * DAY):
        services.complaints.save(told.actor("lead0"), key, ComplaintInput(("procedure",), "Nobody heard us before it."))
        complaint = db.session.scalars(select(Complaint.id)).one()
        services.complaints.send(told.actor("lead0"), complaint)

        with pytest.raises(NotAllowed, match="you dropped it before its grant agreement was signed"):
            services.reviewing.admit(told.actor("petra"), complaint)
