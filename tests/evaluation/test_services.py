"""Acts of evaluation on a real database: conflicts, assignment, blind sheets, consensus; each refusal says why."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from grants.applications import services as applications
from grants.applications.models import Application
from grants.applications.rules.exporting import ListForm
from grants.core import jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.faults import Fault
from grants.core.paging import Page
from grants.core.permissions import Permission, Scope, system_actor
from grants.evaluation import queries, services
from grants.evaluation.models import Assessment, AssessmentScore, AssignmentRun, ConflictDeclaration, Consensus
from grants.evaluation.rules import Answered, EvaluatorInput, RunInput
from grants.evaluation.states import AssessmentState, ConsensusState, Declared, Ruling, RunStatus
from grants.identity import queries as identity
from grants.identity.models import Membership, Organisation, User
from tests.evaluation.scene import WORDS, Scene, declares


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def doubt_of(scene: Scene, name: str, application_id: UUID) -> ConflictDeclaration:
    db.session.rollback()
    return db.session.scalars(
        select(ConflictDeclaration).where(
            ConflictDeclaration.user_id == scene.people[name], ConflictDeclaration.application_id == application_id
        )
    ).one()


# --- conflicts ---------------------------------------------------------------------------------------------------


def test_every_title_stands_on_one_page_and_none_is_answered_in_the_beginning(scene: Scene) -> None:
    (page,) = queries.conflict_pages(scene.actor("eva1"))

    assert [(row.title, row.cities, row.declared) for row in page.rows] == [
        ("Cool Courtyards", "Neochóra", None),
        ("Ferry to Zero", "Ærøsted", None),
        ("Roof by Roof", "Kárpátliget", None),
    ]
    assert page.open_count == 3


def test_an_evaluator_with_a_declared_conflict_never_sees_the_application_again(scene: Scene) -> None:
    conflicted = scene.application_ids[0]

    declares(scene.actor("eva1"), scene.call_id, (Answered(conflicted, Declared.CONFLICT, "My sister works there"),))

    actor = scene.actor("eva1")
    assert actor.barred("application") == {conflicted}
    assert [row.title for row in queries.conflict_pages(actor)[0].rows] == ["Ferry to Zero", "Roof by Roof"]


def test_a_doubt_needs_a_reason(scene: Scene) -> None:
    answer = Answered(scene.application_ids[0], Declared.UNSURE, "  ")

    with pytest.raises(Invalid) as caught:
        declares(scene.actor("eva1"), scene.call_id, (answer,))

    assert caught.value.problems == {
        f"reason_{scene.application_ids[0]}": "What makes you unsure? One sentence is enough."
    }
    assert count(ConflictDeclaration) == 0


def test_a_doubt_keeps_the_application_closed_until_another_person_rules(scene: Scene) -> None:
    doubtful = scene.application_ids[0]
    scene.declare_all(but={("eva1", doubtful): Declared.UNSURE})
    row = doubt_of(scene, "eva1", doubtful)

    with pytest.raises(NotFound):
        queries.refuse_conflict(scene.people["eva1"], doubtful)
    services.rule(scene.actor("manager"), row.id, Ruling.CLEARED, "The flat was ten years ago.")
    queries.refuse_conflict(scene.people["eva1"], doubtful)
    services.rule(scene.actor("manager"), row.id, Ruling.CONFIRMED, "It is still theirs.")

    assert scene.actor("eva1").barred("application") == {doubtful}


def test_a_doubt_is_not_taken_back_before_the_ruling(scene: Scene) -> None:
    doubtful = scene.application_ids[0]
    scene.declare_all(but={("eva1", doubtful): Declared.UNSURE})

    with pytest.raises(Refused, match="has not ruled yet"):
        declares(scene.actor("eva1"), scene.call_id, (Answered(doubtful, Declared.NONE),))
    assert doubt_of(scene, "eva1", doubtful).declared == Declared.UNSURE.value
    declares(scene.actor("eva1"), scene.call_id, (Answered(doubtful, Declared.CONFLICT, "We are cousins"),))

    assert scene.actor("eva1").barred("application") == {doubtful}


@pytest.mark.usefixtures("declared_world")
def test_a_list_made_as_a_file_before_a_doubt_is_not_handed_out_after_it(scene: Scene) -> None:
    number = applications.ask_list_file(scene.actor("chair"), "sort=-reference", ListForm.CSV)
    jobs.work_off(actor_of=identity.actor_for, but_not=("mail",))
    assert applications.download_list_file(scene.actor("chair"), number).name.endswith(".csv")

    doubt = Answered(scene.application_ids[0], Declared.UNSURE, "We share a flat")
    declares(scene.actor("chair"), scene.call_id, (doubt,))

    with pytest.raises(Refused, match="What you may read has changed"):
        applications.download_list_file(scene.actor("chair"), number)


def test_nobody_rules_on_their_own_declaration(scene: Scene) -> None:
    scene.declare_all(but={("chair", scene.application_ids[0]): Declared.UNSURE})
    row = doubt_of(scene, "chair", scene.application_ids[0])
    chair = scene.actor("chair")

    with pytest.raises(NotAllowed):
        services.rule(chair, row.id, Ruling.CLEARED, "I am fine.")


def test_an_applicant_in_the_pool_is_told_what_was_noticed(scene: Scene) -> None:
    with arranging():
        city = db.session.scalars(select(Organisation).where(Organisation.town == "Neochóra")).one()
        db.session.add(Membership(user_id=scene.people["eva1"], organisation_id=city.id, starts_at=city.created_at))

    (page,) = queries.conflict_pages(scene.actor("eva1"))
    # Who belongs to an applicant is in conflict from that moment, before anybody looks: there is nothing to be asked.
    assert [row.reference for row in page.rows] == list(scene.references[1:])
    assert [row.noticed for row in page.rows] == ["", ""]
    with arranging():
        # The page tells what the one search finds, nothing of its own: here a name that is like another.
        db.session.get_one(User, scene.people["eva2"]).name = "Lead of Neochóra"

    services.detect(system_actor("the program", (Permission.CONFLICT_DETECT,)), scene.call_id)

    (page,) = queries.conflict_pages(scene.actor("eva2"))
    lead = "Municipality of Neochóra"
    assert page.rows[0].noticed == f"Similar name, {lead}"
    # The first is certain: that application is not there to be asked about, with its bar as before it.
    (page,) = queries.conflict_pages(scene.actor("eva1"))
    assert scene.references[0] not in [row.reference for row in page.rows]


# --- assignment --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("declared_world")
def test_every_application_gets_three_evaluators_with_a_kept_proof(scene: Scene) -> None:
    result = scene.assign()

    run = db.session.scalars(select(AssignmentRun)).one()
    assert (result.status, result.seats_new) == (RunStatus.SOLVED, 9)
    assert [len(scene.seats(application_id)) for application_id in scene.application_ids] == [3, 3, 3]
    assert (run.objective, run.bound) == (run.bound, run.objective)
    assert {get(Application, key).state for key in scene.application_ids} == {"under_evaluation"}
    for name in scene.seats(scene.application_ids[0]):
        scope = Scope.of(("application", scene.application_ids[0]))
        assert scene.actor(name).may(Permission.ASSESSMENT_SCORE, scope)


@pytest.mark.usefixtures("seated_world")
def test_a_second_run_changes_nothing(scene: Scene) -> None:
    before = [scene.seats(application_id) for application_id in scene.application_ids]

    again = scene.assign("another seed")

    assert again.seats_new == 0
    assert [scene.seats(application_id) for application_id in scene.application_ids] == before
    assert count(AssignmentRun) == 2


def test_nobody_undeclared_or_conflicted_is_assigned(scene: Scene) -> None:
    first = scene.application_ids[0]
    scene.declare_all(but={("eva1", first): Declared.CONFLICT, ("eva2", first): Declared.UNSURE})

    scene.assign()

    assert scene.seats(first) == ["eva3", "eva4", "eva5"]


def test_too_few_evaluators_are_answered_in_words_and_kept_as_a_run(scene: Scene) -> None:
    first = scene.application_ids[0]
    scene.declare_all(but={(f"eva{n}", first): Declared.CONFLICT for n in (1, 2, 3)})

    result = scene.assign()

    assert result.status is RunStatus.INFEASIBLE
    assert result.reasons == (
        "“Cool Courtyards” needs 3 evaluators, and only 2 may take it (3 are kept from it by a conflict or rule). "
        "Add 1 evaluator without a conflict to the pool.",
    )
    run = db.session.scalars(select(AssignmentRun)).one()
    assert (run.status, run.objective) == ("infeasible", None)
    assert scene.seats(first) == []


@pytest.mark.usefixtures("seated_world")
def test_a_run_is_never_changed(scene: Scene) -> None:
    with pytest.raises(DBAPIError, match="append-only"), db.engine.connect() as connection:
        connection.exec_driver_sql("begin read write")
        connection.execute(text("UPDATE assignment_run SET seed = 'x'"))


def test_a_run_needs_a_seed_and_an_eligible_application(scene: Scene) -> None:
    with pytest.raises(Invalid):
        services.request_run(scene.actor("manager"), scene.call_id, RunInput(" ", None))
    assert services.request_run(scene.actor("manager"), scene.call_id, RunInput("2022", None))


def test_an_evaluator_cannot_assign(scene: Scene) -> None:
    with pytest.raises(NotAllowed):
        services.request_run(scene.actor("eva1"), scene.call_id, RunInput("2022", None))


def test_a_late_conflict_voids_the_seat_and_it_is_refilled_by_hand(scene: Scene) -> None:
    first = scene.application_ids[0]
    scene.declare_all()
    scene.assign()
    leaver = scene.seats(first)[0]
    spare = next(name for name in scene.evaluators if name not in scene.seats(first))

    declares(scene.actor(leaver), scene.call_id, (Answered(first, Declared.CONFLICT, "A new job"),))

    assert leaver not in scene.seats(first)
    assert not scene.actor(leaver).may(Permission.ASSESSMENT_SCORE, Scope.of(("application", first)))
    assert queries.assessments(scene.actor(leaver)) == tuple(
        row for row in queries.assessments(scene.actor(leaver)) if row.application_id != first
    )
    scene.give(spare, first, "Knows the field best")
    assert spare in scene.seats(first)
    assert len(scene.seats(first)) == 3


def test_a_seat_by_hand_keeps_every_check(scene: Scene) -> None:
    first = scene.application_ids[0]
    scene.declare_all(but={("eva1", first): Declared.CONFLICT})
    scene.assign()

    with pytest.raises(Refused, match="Eva Evaluator 1 has a conflict of interest with it"):
        scene.give("eva1", first, "Wanted")
    spare = next(n for n in scene.evaluators if n != "eva1" and n not in scene.seats(first))
    with pytest.raises(Refused, match=r"has all its evaluators \(3\)"):
        scene.give(spare, first, "Wanted")
    with pytest.raises(Invalid):
        scene.give(spare, first, " ")


def test_the_conflict_check_fails_closed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scene.application_ids[0]
    scene.declare_all()
    scene.assign()
    monkeypatch.setenv("GRANTS_FAULT", "conflict")

    with pytest.raises(Fault):
        services.save(scene.actor(scene.seats(first)[0]), first, scene.sheet(8, 8, 8))

    assert count(Assessment) == 0


def test_loads_are_kept_in_the_pool(scene: Scene) -> None:
    with pytest.raises(Invalid) as caught:
        services.pool(
            scene.actor("manager"),
            scene.call_id,
            EvaluatorInput(scene.people["eva1"], "Finland", ("english",), (), 4, 2),
        )

    assert set(caught.value.problems) == {"country_code", "load_min", "languages"}


# --- score sheets ------------------------------------------------------------------------------------------------


def test_a_draft_is_saved_with_gaps_and_a_missing_score_is_not_zero(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]

    services.save(seated.actor(name), first, seated.sheet(8, None, 0, words="short"))

    db.session.rollback()
    assert sorted(db.session.scalars(select(AssessmentScore.half)), key=str) == [0, 8, None]
    page = queries.assessment_page(seated.actor(name), seated.references[0])
    assert [mark.half for mark in page.sheet.marks] == [8, None, 0]
    assert page.sheet.total_half is None


def test_a_sheet_is_submitted_only_when_every_score_is_given_and_low_ones_have_reasons(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]

    with pytest.raises(Invalid) as caught:
        services.submit(seated.actor(name), first, seated.sheet(5, None, 8, words="too short"))

    assert caught.value.problems == {
        "comment_excellence": (
            "Excellence and ambition has 2.5, below the threshold of 3: say why in at least 30 words; there are 2."
        ),
        "half_impact": "Choose a score for Impact and learning.",
    }
    services.submit(seated.actor(name), first, seated.sheet(5, 6, 8, words=WORDS))
    assert queries.assessment_page(seated.actor(name), seated.references[0]).sheet.state is AssessmentState.SUBMITTED


def test_evaluators_are_blind_to_each_other_until_their_own_sheet_is_in(seated: Scene) -> None:
    first = seated.application_ids[0]
    one, two, _ = seated.seats(first)
    services.submit(seated.actor(one), first, seated.sheet(8, 8, 8))

    assert queries.assessment_page(seated.actor(two), seated.references[0]).others == ()
    with pytest.raises(NotFound):
        queries.consensus_page(seated.actor(two), seated.references[0])
    services.submit(seated.actor(two), first, seated.sheet(6, 6, 8))

    page = queries.assessment_page(seated.actor(two), seated.references[0])
    assert [[mark.half for mark in other.marks] for other in page.others] == [[8, 8, 8]]
    assert page.waiting_for == 1


def test_a_submitted_sheet_is_changed_only_after_the_manager_reopened_it(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    services.submit(seated.actor(name), first, seated.sheet(8, 8, 8))

    with pytest.raises(Refused, match="it no longer changes"):
        services.save(seated.actor(name), first, seated.sheet(9, 8, 8))
    seat = queries.seat_of(seated.actor("manager"), seated.slug, seated.references[0], handle_of(seated, name))[1]
    services.reopen(seated.actor("manager"), seat.id, "A slip of the pen, reported by the evaluator")
    services.save(seated.actor(name), first, seated.sheet(9, 8, 8))


def handle_of(scene: Scene, name: str) -> str:
    return get(User, scene.people[name]).handle


def test_two_browsers_never_overwrite_each_other(seated: Scene) -> None:
    first = seated.application_ids[0]
    name = seated.seats(first)[0]
    shown = services.save(seated.actor(name), first, seated.sheet(8, 8, 8))
    services.save(seated.actor(name), first, seated.sheet(8, 8, 9), shown)

    with pytest.raises(Conflict):
        services.save(seated.actor(name), first, seated.sheet(1, 1, 1), shown)


def test_who_has_no_seat_cannot_open_or_score(seated: Scene) -> None:
    first = seated.application_ids[0]
    outsider = next(name for name in seated.evaluators if name not in seated.seats(first))

    with pytest.raises(NotFound):
        queries.assessment_page(seated.actor(outsider), seated.references[0])
    with pytest.raises((NotFound, NotAllowed)):
        services.save(seated.actor(outsider), first, seated.sheet(8, 8, 8))


def test_a_score_off_the_scale_is_refused(seated: Scene) -> None:
    first = seated.application_ids[0]

    with pytest.raises(Invalid) as caught:
        services.save(seated.actor(seated.seats(first)[0]), first, seated.sheet(11, 8, 8))

    assert caught.value.problems == {
        "half_excellence": "What was sent for Excellence and ambition is not on its scale: choose a score from 0 to 5 in half points."
    }


# --- consensus ---------------------------------------------------------------------------------------------------


def test_the_consensus_waits_for_every_assessment(seated: Scene) -> None:
    first = seated.application_ids[0]
    services.submit(seated.actor(seated.seats(first)[0]), first, seated.sheet(8, 8, 8))

    with pytest.raises(Refused, match="has 1 submitted assessment; 3 are needed"):
        services.write_consensus(seated.actor("chair"), first, seated.sheet(8, 8, 8))


def test_the_consensus_stands_when_every_evaluator_agreed_and_locks_the_sheets(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 6, 8)
    seated.agree(first, 7, 6, 8)

    page = queries.consensus_page(seated.actor("chair"), seated.references[0])
    assert (page.state, page.total_half, len(page.agreed), page.waiting) == (ConsensusState.AGREED, 21, 3, ())
    assert seated.official(first).halves == {"excellence": 7, "impact": 6, "implementation": 8}
    name = seated.seats(first)[0]
    with pytest.raises(Refused, match="The consensus is agreed"):
        services.save(seated.actor(name), first, seated.sheet(1, 1, 1))


def test_scores_of_a_consensus_need_no_average(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 8, 8)
    seated.agree(first, 10, 10, 10)

    assert seated.official(first).evaluator_totals == (24, 24, 24)
    assert queries.consensus_page(seated.actor("chair"), seated.references[0]).total_half == 30


def test_a_changed_consensus_loses_the_agreements_given_to_its_old_words(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 8, 8)
    services.propose(seated.actor("chair"), first, seated.sheet(8, 8, 8, remark="Good."))
    services.agree(seated.actor(seated.seats(first)[0]), first)

    services.take_back(seated.actor("chair"), first)

    db.session.rollback()
    row = db.session.scalars(select(Consensus)).one()
    assert (row.state, row.agreed_by) == ("draft", [])


def test_a_minority_view_closes_a_consensus_most_agree_to(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 8, 8)
    services.propose(seated.actor("chair"), first, seated.sheet(8, 8, 8, remark="Good."))
    one, two, last = seated.seats(first)
    services.agree(seated.actor(one), first)

    with pytest.raises(Refused, match="1 of 3 evaluators have agreed; more than half must"):
        services.settle(seated.actor("chair"), first, "Too optimistic")
    services.agree(seated.actor(two), first)
    services.dissent(seated.actor(last), first, "The plan is too optimistic.")
    services.settle(seated.actor("chair"), first, "One evaluator holds the plan too optimistic.")

    assert queries.consensus_page(seated.actor("chair"), seated.references[0]).state is ConsensusState.AGREED


def test_nobody_s_view_is_written_for_them_and_the_view_stays_with_its_version(seated: Scene) -> None:
    first, chair = seated.application_ids[0], seated.actor("chair")
    seated.assess(first, 8, 8, 8)
    services.propose(chair, first, seated.sheet(8, 8, 8, remark="Good."))
    one, two, last = seated.seats(first)
    for name in (one, two):
        services.agree(seated.actor(name), first)
    silent = get(User, seated.people[last]).name
    assert queries.consensus_page(chair, seated.references[0]).unheard == (silent,)

    with pytest.raises(Invalid) as refused:
        services.settle(chair, first, "")
    assert list(refused.value.problems) == ["unheard"]
    assert refused.value.problems["unheard"].startswith(f"Nothing was heard of {silent}.")
    with pytest.raises(Invalid) as refused:
        services.settle(chair, first, "They would rather have 2.", unheard="On leave until May.")
    assert refused.value.problems["minority_view"].startswith("Nobody said what they hold instead")
    services.settle(chair, first, "", unheard="On leave until May.")

    view = queries.consensus_page(chair, seated.references[0]).minority_view
    assert view == f"Closed without an answer of {silent}: On leave until May."
    services.reopen_agreed(chair, first, "Look at section 4.")
    _, versions = queries.consensus_versions(chair, seated.references[0], Page())
    assert view in [words for _, _, words, _ in versions.items[0].answers]


def test_the_panel_is_told_of_each_reopening_and_of_what_stood_just_before_it(seated: Scene) -> None:
    first, chair = seated.application_ids[0], seated.actor("chair")
    seated.assess(first, 8, 8, 8)
    seated.agree(first, 8, 8, 8)
    services.reopen_agreed(chair, first, "Look at section 4.")
    services.propose(chair, first, seated.sheet(10, 10, 10, remark="Good."))
    one, two, last = seated.seats(first)
    for name in (one, two):
        services.agree(seated.actor(name), first)
    services.settle(chair, first, "", unheard="On leave until May.")

    # A conflict that is declared late: who has it, and why, is not for the panel.
    declares(seated.actor(last), seated.call_id, (Answered(first, Declared.CONFLICT, "A new job"),))
    page = queries.consensus_page(chair, seated.references[0])
    assert (page.state, page.minority_view) == (ConsensusState.DRAFT, "")
    other = next(name for name in seated.evaluators if name not in (one, two, last))
    seated.give(other, first, "Somebody without a conflict.")
    services.submit(seated.actor(other), first, seated.sheet(8, 8, 8))
    services.propose(chair, first, seated.sheet(6, 6, 6, remark="Weaker.", words=WORDS))
    for name in (one, two, other):
        services.agree(seated.actor(name), first)

    told = db.session.scalars(
        select(jobs.Job).where(jobs.Job.name == "jobs.awards.score_changed").order_by(jobs.Job.number)
    )
    emptied = "A seat was emptied, so the evaluators agree anew."

    def all_of(*who: str) -> str:
        *others, end = sorted(get(User, seated.people[each]).name for each in who)
        return f"{', '.join(others)} and {end}"

    assert [tuple(job.args[key] for key in ("text", "before", "reason", "named")) for job in told] == [
        ("the consensus is open again", "12 points", "Look at section 4.", True),
        (
            f"agreed anew: 15 points, by {all_of(one, two)}; closed without all of them by {chair.name}",
            "12 points",
            "Look at section 4.",
            False,
        ),
        ("the consensus is open again", "15 points", emptied, False),
        (f"agreed anew: 9 points, by {all_of(one, two, other)}", "15 points", emptied, False),
    ]


def test_a_chair_who_did_not_declare_opens_no_consensus(scene: Scene) -> None:
    for name in scene.evaluators:
        answers = tuple(Answered(key, Declared.NONE) for key in scene.application_ids)
        declares(scene.actor(name), scene.call_id, answers)
    scene.assign()
    scene.assess(scene.application_ids[0], 8, 8, 8)

    with pytest.raises(NotFound):
        queries.consensus_page(scene.actor("chair"), scene.references[0])
    with pytest.raises(NotAllowed, match="Declare first"):
        services.write_consensus(scene.actor("chair"), scene.application_ids[0], scene.sheet(8, 8, 8))


def test_a_conflict_after_the_consensus_opens_it_again(seated: Scene) -> None:
    first = seated.application_ids[0]
    seated.assess(first, 8, 8, 8)
    seated.agree(first, 8, 8, 8)
    name = seated.seats(first)[0]

    declares(seated.actor(name), seated.call_id, (Answered(first, Declared.CONFLICT, "A new job"),))

    assert seated.official(first).halves is None
    page = queries.consensus_page(seated.actor("chair"), seated.references[0])
    assert (page.state, page.ready) == (ConsensusState.DRAFT, True)
    with pytest.raises(Refused, match="has 2 submitted assessments; 3 are needed"):
        services.propose(seated.actor("chair"), first, seated.sheet(8, 8, 8, remark="Good."))
