"""Acts of awards on a real database: two people, money reserved once and never too much, states moved, letters queued."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.applications import queries as applications
from grants.applications.models import Application, ApplicationPartner
from grants.awards import queries, services
from grants.awards.models import Selection, SelectionItem
from grants.awards.rules import DecisionInput, PublishedOther, PublishedOutcome, PublishedPilot
from grants.awards.states import AmountBasis, EndedElsewhere, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import ComplaintRules
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.faults import Fault
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.evaluation import services as evaluation
from grants.evaluation.models import Assessment
from grants.evaluation.queries import waiting_detections
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from grants.identity.policy import Role
from grants.ledger.accounts import Account
from grants.ledger.queries import balance, legs
from tests.evaluation.scene import CLOSED, Scene, declares
from tests.factories import identity as people

SOURCE = "https://example.eu/results"


def decision(
    scene: Scene,
    *,
    reason: str = "The panel followed the ranked list.",
    name: str = "manager",
):
    shown = queries.ranking_page(scene.actor(name), scene.slug)
    return DecisionInput(shown.list_hash, reason)


def decide(scene: Scene, name: str = "manager") -> UUID:
    services.decide(scene.actor(name), scene.call_id, decision(scene, name=name))
    return db.session.scalars(select(Selection.id).order_by(Selection.number.desc())).first()


def states(scene: Scene) -> list[str]:
    db.session.rollback()
    return [get(Application, key).state for key in scene.application_ids]


def reserved(scene: Scene) -> Money:
    db.session.rollback()
    return balance(Account.RESERVED, call_id=scene.call_id)


def test_the_list_draws_the_line_between_the_second_and_the_third(evaluated: Scene) -> None:
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)

    # Ranks 1 and 2 both have 12.5: excellence decides.
    assert [(row.title, row.rank, row.outcome, row.line_after) for row in shown.rows] == [
        ("Cool Courtyards", 1, Outcome.SELECTED, False),
        ("Roof by Roof", 2, Outcome.SELECTED, True),
        ("Ferry to Zero", 3, Outcome.RESERVE, False),
    ]
    assert shown.line_words == (
        "Budget line: 2 selected, EUR 200\u00a0000.00 left of EUR 1\u00a0000\u00a0000.00. "
        "Rank 3, “Ferry to Zero”, asks for EUR 200\u00a0000.00 more than is left."
    )
    assert shown.rows[1].tie_words == (
        "“Cool Courtyards” and “Roof by Roof” both have 12.5; “Cool Courtyards” stands first with 4.5 against 4 for Excellence and ambition."
    )


def test_a_list_is_decided_by_one_person_and_confirmed_by_another(evaluated: Scene) -> None:
    selection_id = decide(evaluated)
    assert (reserved(evaluated), states(evaluated)) == (ZERO, ["under_evaluation"] * 3)

    answer = services.confirm(evaluated.actor("chair"), selection_id)

    assert answer == euros(800_000)
    assert reserved(evaluated) == euros(800_000)
    assert calls.free(evaluated.call_id) == euros(200_000)
    assert states(evaluated) == ["selected", "reserve", "selected"]
    items = [queries.item_of(evaluated.application_ids[number]) for number in (0, 2)]
    assert [(item.amount, item.amount_basis) for item in items] == [(euros(400_000), AmountBasis.REQUESTED)] * 2
    assert all(item.entry_id for item in items)
    # The legs name the application, so that whoever is barred from it does not read them.
    booked = [leg.dims.document_id for item in items if item.entry_id for leg in legs(item.entry_id)]
    assert set(booked) == {evaluated.application_ids[0], evaluated.application_ids[2]}
    assert queries.item_of(evaluated.application_ids[1]).outcome is Outcome.RESERVE


def test_nobody_is_told_by_mail_when_a_list_is_confirmed(evaluated: Scene) -> None:
    services.confirm(evaluated.actor("chair"), decide(evaluated))

    db.session.rollback()
    mails = db.session.scalars(select(Job.args["template"].astext).where(Job.name == "jobs.mail.send"))
    assert [name for name in mails if name.startswith(("repeated_", "decision_"))] == []


def test_whoever_decided_cannot_confirm_or_return(evaluated: Scene) -> None:
    selection_id = decide(evaluated, "chair")
    words = "You decided this list; another person must confirm or return it."

    with pytest.raises(Refused, match=words):
        services.confirm(evaluated.actor("chair"), selection_id)
    with pytest.raises(Refused, match=words):
        services.return_list(evaluated.actor("chair"), selection_id, "No")
    with pytest.raises(NotAllowed):
        services.confirm(evaluated.actor("manager"), selection_id)
    assert reserved(evaluated) == ZERO


def test_the_database_refuses_the_same_person_too(evaluated: Scene) -> None:
    selection_id = decide(evaluated)

    with pytest.raises(IntegrityError, match="second_person"), arranging():
        row = get(Selection, selection_id)
        row.state, row.confirmed_by, row.confirmed_at = "confirmed", row.decided_by, CLOSED


@pytest.mark.parametrize("fault", ["four_eyes", "ceiling", "audit", "scope"])
def test_no_guard_of_the_confirmation_can_fail_open(
    evaluated: Scene, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    selection_id = decide(evaluated)
    monkeypatch.setenv("GRANTS_FAULT", fault)

    with pytest.raises(Fault):
        services.confirm(evaluated.actor("chair"), selection_id)

    monkeypatch.delenv("GRANTS_FAULT")
    assert (reserved(evaluated), states(evaluated)) == (ZERO, ["under_evaluation"] * 3)


def test_a_list_is_confirmed_once(evaluated: Scene) -> None:
    selection_id = decide(evaluated)
    services.confirm(evaluated.actor("chair"), selection_id)

    with pytest.raises(Refused, match="cannot confirm now"):
        services.confirm(evaluated.actor("officer"), selection_id)
    assert reserved(evaluated) == euros(800_000)


def test_a_returned_list_stays_and_a_new_one_is_decided(evaluated: Scene) -> None:
    first = decide(evaluated)
    with pytest.raises(Refused, match="waits for a second person"):
        decide(evaluated)
    with pytest.raises(Invalid):
        services.return_list(evaluated.actor("chair"), first, " ")

    services.return_list(evaluated.actor("chair"), first, "The note of the panel is missing.")
    second = decide(evaluated)

    views = queries.selections(evaluated.call_id)
    assert [(view.number, view.state) for view in views] == [
        (2, SelectionState.DECIDED),
        (1, SelectionState.RETURNED),
    ]
    services.confirm(evaluated.actor("officer"), second)


def test_a_list_that_changed_after_it_was_shown_is_not_decided(evaluated: Scene) -> None:
    shown = decision(evaluated)
    name = evaluated.seats(evaluated.application_ids[0])[0]
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "A new job")
    declares(evaluated.actor(name), evaluated.call_id, (conflict,))

    with pytest.raises(Refused, match="have no agreed consensus yet"):
        services.decide(evaluated.actor("manager"), evaluated.call_id, shown)
    with pytest.raises(Conflict):
        _reagree(evaluated, name)
        services.decide(evaluated.actor("manager"), evaluated.call_id, shown)


def _reagree(scene: Scene, leaver: str) -> None:
    """The empty seat is filled, and the consensus agreed anew with another score."""
    first = scene.application_ids[0]
    spare = next(name for name in scene.evaluators if name != leaver and name not in scene.seats(first))
    scene.give(spare, first, "Next best")
    evaluation.submit(scene.actor(spare), first, scene.sheet(8, 8, 8))
    scene.agree(first, 8, 8, 8)


def test_a_conflict_between_decision_and_confirmation_stops_the_list(evaluated: Scene) -> None:
    selection_id = decide(evaluated)
    name = evaluated.seats(evaluated.application_ids[0])[0]
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "A new job")
    declares(evaluated.actor(name), evaluated.call_id, (conflict,))

    with pytest.raises(Refused, match="changed after this list was decided"):
        services.confirm(evaluated.actor("chair"), selection_id)
    assert reserved(evaluated) == ZERO


def test_a_person_with_a_conflict_decides_nothing_and_sees_no_ranks(evaluated: Scene) -> None:
    conflict = Answered(evaluated.application_ids[0], Declared.CONFLICT, "My brother leads it")
    declares(evaluated.actor("chair"), evaluated.call_id, (conflict,))

    shown = queries.ranking_page(evaluated.actor("chair"), evaluated.slug)

    assert [(row.title, row.rank) for row in shown.rows] == [("Roof by Roof", None), ("Ferry to Zero", None)]
    assert (shown.partial, shown.line_words) == (True, "")
    with pytest.raises(Refused, match="You have a conflict of interest"):
        services.decide(evaluated.actor("chair"), evaluated.call_id, decision(evaluated))


def test_whoever_must_declare_and_did_not_decides_confirms_and_returns_nothing(evaluated: Scene) -> None:
    from tests.factories import identity as people

    with arranging():
        evaluated.people["late"] = people.user("Lena Late", Role.PANEL_CHAIR).id
    shown = queries.ranking_page(evaluated.actor("late"), evaluated.slug)
    assert (shown.rows, shown.partial, shown.undeclared, shown.ready) == ((), True, 3, False)
    with pytest.raises(Refused, match="Declare first"):
        services.decide(evaluated.actor("late"), evaluated.call_id, decision(evaluated))

    selection_id = decide(evaluated)
    with pytest.raises(Refused, match="Declare first"):
        services.confirm(evaluated.actor("late"), selection_id)
    with pytest.raises(Refused, match="Declare first"):
        services.return_list(evaluated.actor("late"), selection_id, "It looks odd.")

    answers = tuple(Answered(each, Declared.NONE) for each in evaluated.application_ids)
    declares(evaluated.actor("late"), evaluated.call_id, answers)
    assert len(queries.ranking_page(evaluated.actor("late"), evaluated.slug).rows) == 3
    services.confirm(evaluated.actor("late"), selection_id)


def test_items_of_a_list_are_frozen_whole(evaluated: Scene) -> None:
    before = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    decide(evaluated)

    rows = db.session.scalars(select(SelectionItem).order_by(SelectionItem.position)).all()
    assert [(row.rank, row.score, row.halves, row.outcome) for row in rows] == [
        (1, "25/2", {"excellence": 9, "impact": 8, "implementation": 8}, "selected"),
        (2, "25/2", {"excellence": 8, "impact": 8, "implementation": 9}, "selected"),
        (3, "12", {"excellence": 8, "impact": 8, "implementation": 8}, "reserve"),
    ]
    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    assert shown.selection is not None and [row.rank for row in shown.rows] == [1, 2, 3]
    assert shown.rows[2].missing == euros(200_000)
    # How ties were decided is kept a sentence a line, so that it is told again a sentence at a time.
    assert [row.tie_sentences for row in shown.rows] == [row.tie_sentences for row in before.rows]


def test_below_a_threshold_is_never_funded(scene: Scene) -> None:
    scene.evaluate(((9, 9, 5), (8, 8, 8), (6, 6, 6)))
    services.confirm(scene.actor("chair"), decide(scene))

    assert states(scene) == ["below_threshold", "selected", "below_threshold"]
    assert queries.item_of(scene.application_ids[2]).outcome is Outcome.BELOW_THRESHOLD


# --- a published outcome -----------------------------------------------------------------------------------------


def published(scene: Scene, *amounts: Money) -> PublishedOutcome:
    with arranging():
        cities = [people.organisation(f"Municipality of Westbridge {n}").id for n in range(len(amounts))]
    pilots = tuple(
        PublishedPilot(
            f"Pilot {n}", (city,), amount, AmountBasis.SYNTHETIC if n else AmountBasis.PUBLISHED, acronym=f"P{n}",
            synthetic_note="The amount is invented." if n else "",
        )
        for n, (city, amount) in enumerate(zip(cities, amounts, strict=True))
    )  # fmt: skip
    return PublishedOutcome(SOURCE, "Results of the first cohort", "As published by the programme.", pilots)


def test_a_published_outcome_enters_with_two_people_and_without_scores(scene: Scene) -> None:
    outcome = published(scene, euros(300_000), euros(200_000))
    number = services.record_published_outcome(scene.actor("manager"), scene.call_id, outcome)
    view = queries.selection_of(scene.actor("manager"), scene.slug, number)
    assert (view.kind, view.state) == (SelectionKind.PUBLISHED_OUTCOME, SelectionState.DECIDED)
    assert [pilot.title for pilot, _ in queries.published(view).pilots] == ["Pilot 0", "Pilot 1"]

    services.confirm(scene.actor("officer"), view.id)

    assert reserved(scene) == euros(500_000)
    keys = db.session.scalars(select(SelectionItem.application_id).order_by(SelectionItem.position)).all()
    items = [queries.item_of(key) for key in keys]
    assert [(item.amount, item.amount_basis) for item in items] == [
        (euros(300_000), AmountBasis.PUBLISHED),
        (euros(200_000), AmountBasis.SYNTHETIC),
    ]
    rows = db.session.scalars(select(SelectionItem).order_by(SelectionItem.position)).all()
    assert [(row.rank, row.score, row.halves) for row in rows] == [(None, None, None)] * 2
    entered = [get(Application, item.application_id) for item in items]
    assert [(row.state, row.origin, row.source_url) for row in entered] == [
        ("selected", "published_outcome", SOURCE),
        ("selected", "published_outcome", SOURCE),
    ]
    assert db.session.scalars(select(Assessment)).all() == []
    assert len(db.session.scalars(select(ApplicationPartner)).all()) == 5


def test_a_published_outcome_is_never_on_the_ranked_list(scene: Scene) -> None:
    number = services.record_published_outcome(scene.actor("manager"), scene.call_id, published(scene, euros(100_000)))
    services.confirm(scene.actor("officer"), queries.selection_of(scene.actor("manager"), scene.slug, number).id)

    shown = queries.ranking_page(scene.actor("manager"), scene.slug)

    assert (shown.rows, shown.selection) == ((), None)
    assert [view.number for view in shown.earlier] == [number]


def with_others(scene: Scene, outcome: PublishedOutcome, *ended: EndedElsewhere) -> PublishedOutcome:
    with arranging():
        cities = [people.organisation(f"Municipality of Eastford {n}").id for n in range(len(ended))]
    others = tuple(
        PublishedOther(f"Other {n}", (city,), end, "The money did not reach it.", requested=euros(90_000), synthetic_note="Invented.")
        for n, (city, end) in enumerate(zip(cities, ended, strict=True))
    )  # fmt: skip
    return replace(outcome, others=others)


def test_applications_without_a_grant_enter_as_they_ended_and_reserve_nothing(scene: Scene) -> None:
    outcome = with_others(scene, published(scene, euros(100_000)), *EndedElsewhere)
    number = services.record_published_outcome(scene.actor("manager"), scene.call_id, outcome)
    view = queries.selection_of(scene.actor("manager"), scene.slug, number)

    services.confirm(scene.actor("officer"), view.id)

    assert reserved(scene) == euros(100_000)
    rows = db.session.scalars(
        select(Application).where(Application.origin == "published_outcome").order_by(Application.title)
    ).all()
    assert [(row.title, row.state) for row in rows] == [
        ("Other 0", "not_funded"),
        ("Other 1", "ineligible"),
        ("Other 2", "withdrawn"),
        ("Pilot 0", "selected"),
    ]
    assert rows[1].summary == "Not eligible: The money did not reach it."
    items = db.session.scalars(select(SelectionItem).order_by(SelectionItem.position)).all()
    assert [(item.outcome, item.amount_basis) for item in items] == [
        ("selected", "published"),
        ("not_funded", "synthetic"),
    ]
    # What was decided elsewhere stands on its way with what is known, and is nothing to complain about here.
    views = [applications.view_by_id(row.id) for row in rows]
    ways = [applications.stages(each, clock.now()) for each in views]
    assert [way.now for way in ways] == [
        "It is not funded in this call.", "It is not eligible, so it is not assessed.", "It was withdrawn.",
        "It is selected. The programme prepares the grant with you.",
    ]  # fmt: skip
    assert {way.stages[0].title for way in ways} == {"Recorded from a published outcome"}
    allowed = replace(views[0].call.content, complaints=ComplaintRules(30, 15))
    asked = replace(views[0], call=replace(views[0].call, content=allowed))
    assert "published elsewhere" in queries.own_complaints.window_of(asked, clock.now()).why_not
    assert queries.own_complaints.own_way(asked, clock.now()) == (None, None)
    assert next((other.title, lead) for other, lead in queries.published(view).others) == (
        "Other 0",
        "Municipality of Eastford 0",
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reason": " "}, "“Other 0” does not say why it got no grant."),
        ({"title": ""}, "Application 1 without a grant has no title."),
        ({"organisations": ()}, "“Other 0” names no lead organisation."),
        ({"requested": Money(-1)}, "“Other 0” asks for less than nothing."),
    ],
)
def test_an_application_without_a_grant_says_whose_it_was_and_why(
    scene: Scene, wrong: dict[str, Any], sentence: str
) -> None:
    outcome = with_others(scene, published(scene, euros(100_000)), EndedElsewhere.NOT_FUNDED)
    outcome = replace(outcome, others=(replace(outcome.others[0], **wrong),))

    with pytest.raises(Invalid) as caught:
        services.record_published_outcome(scene.actor("manager"), scene.call_id, outcome)

    assert caught.value.problems == {"others": sentence}


def test_a_published_outcome_beyond_the_budget_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="The selected applications need"):
        services.record_published_outcome(
            scene.actor("manager"), scene.call_id, published(scene, euros(1_000_000), Money(1))
        )


def test_a_published_outcome_names_its_source(scene: Scene) -> None:
    outcome = PublishedOutcome("results", " ", "", ())

    with pytest.raises(Invalid) as caught:
        services.record_published_outcome(scene.actor("manager"), scene.call_id, outcome)

    assert set(caught.value.problems) == {"source_url", "source_title", "reason", "pilots"}


def test_a_returned_outcome_leaves_nothing_behind(scene: Scene) -> None:
    before = len(db.session.scalars(select(Application)).all())
    number = services.record_published_outcome(scene.actor("manager"), scene.call_id, published(scene, euros(100_000)))
    view = queries.selection_of(scene.actor("manager"), scene.slug, number)

    services.return_list(scene.actor("officer"), view.id, "The source names another amount.")

    assert len(db.session.scalars(select(Application)).all()) == before
    assert reserved(scene) == ZERO


@pytest.mark.parametrize("amount", [ZERO, Money(-1)], ids=["zero", "below zero"])
def test_a_published_pilot_gets_something(scene: Scene, amount: Money) -> None:
    outcome = published(scene, amount)

    with pytest.raises(Invalid) as caught:
        services.record_published_outcome(scene.actor("manager"), scene.call_id, outcome)

    assert caught.value.problems == {
        "pilots": "“Pilot 0” has no amount above zero. Write what the pilot was granted, or leave it out."
    }


def test_a_list_is_not_decided_while_a_conflict_that_was_found_waits(evaluated: Scene) -> None:
    shown = decision(evaluated)
    evaluated.find("officer", 0)
    name = evaluated.seats(evaluated.application_ids[0])[0]
    evaluated.find(name, 0)

    with pytest.raises(Refused) as refused:
        services.decide(evaluated.actor("manager"), evaluated.call_id, shown)

    assert str(refused.value) == (
        "1 possible conflict of interest that was found waits for a decision: "
        f"Eva Evaluator {name[-1]} with {evaluated.references[0]}. A programme manager decides about it on the page “Conflicts found”; then the list "
        "can be decided."
    )


def test_what_was_found_about_somebody_kept_away_anyway_holds_no_list_up(evaluated: Scene) -> None:
    name = evaluated.seats(evaluated.application_ids[0])[0]
    evaluated.find(name, 0)
    assert len(waiting_detections(evaluated.call_id)) == 1

    declares(
        evaluated.actor(name),
        evaluated.call_id,
        (Answered(evaluated.application_ids[0], Declared.CONFLICT, "A cousin"),),
    )

    assert waiting_detections(evaluated.call_id) == ()
