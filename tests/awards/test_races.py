"""Two at one moment: a list is decided, confirmed and moved up from once, and a decline beside a move loses no money."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select

from grants.agreements import services as agreements
from grants.awards import queries, services
from grants.awards.models import Selection, SelectionMove
from grants.awards.rules import DecisionInput, Override, Plan, ScenarioInput
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import ZERO, Money, euros
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests.awards.at_once import Deed, at_once
from tests.awards.publishing import tell_all
from tests.awards.test_reserve import selection
from tests.awards.test_services import decision, reserved, states
from tests.evaluation.scene import Scene
from tests.factories import identity as people


def count(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def money(scene: Scene) -> tuple[Money, list[str]]:
    return reserved(scene), states(scene)


def prepared(scene: Scene, number: int) -> tuple[Deed, Deed]:
    """The preparation of a selected application: the deeds by which the programme drops it, and the city declines it."""
    with arranging():
        office_id = people.user(f"Greta Office {number}", Role.PROGRAMME_MANAGER).id
        mayor = people.user(f"Mayor {number}")
        people.role(mayor.id, Role.SIGNATORY, kind="application", object_id=scene.application_ids[number])
        mayor_id = mayor.id
    tell_all(scene)
    actor, city = actor_for(office_id), actor_for(mayor_id, fresh=True)
    grant = agreements.prepare(actor, scene.application_ids[number], starts_on=date(2023, 3, 1))
    return (
        lambda: agreements.drop(actor, grant.id, reason="Due diligence failed."),
        lambda: agreements.decline(city, grant.id, reason="The council said no."),
    )


def test_what_two_do_at_one_moment_happens_once(evaluated: Scene) -> None:
    manager, chair, officer = (evaluated.actor(name) for name in ("manager", "chair", "officer"))
    # One chooses a scenario that asks for a condition, the other the list as the call says.
    plan = Plan(overrides=(Override(evaluated.references[0], conditions="Ethics check first"),))
    number = services.save_scenario(manager, evaluated.call_id, ScenarioInput("On a condition", plan))
    shown = queries.ranking_page(manager, evaluated.slug, plan=plan)
    given, chosen = decision(evaluated), DecisionInput(shown.list_hash, "It is safer.", scenario=number)

    told = at_once(
        lambda: services.decide(manager, evaluated.call_id, given),
        lambda: services.decide(chair, evaluated.call_id, chosen),
    )
    assert told[1:] == ["done"] and told[0] in ("Refused", "Conflict") and count(Selection) == 1

    key = selection(evaluated).id
    # Whoever of them decided it does not confirm it.
    told = at_once(lambda: services.confirm(chair, key), lambda: services.confirm(officer, key))
    assert told[1:] == ["done"] and told[0] in ("Refused", "Conflict")
    assert money(evaluated) == (euros(800_000), ["selected", "reserve", "selected"])

    (first, _), (second, declined) = prepared(evaluated, 0), prepared(evaluated, 2)
    first()
    reference = evaluated.references[1]
    told = at_once(*[lambda: services.decide_move(manager, key, reference, "The city declined.")] * 2)
    assert told[1:] == ["done"] and told[0] in ("Refused", "Conflict") and count(SelectionMove) == 1

    # Two confirm the move while the other selected application is dropped and its city declines it: each stands once.
    move = queries.reserve_page(selection(evaluated)).moves[0].id
    told = at_once(
        lambda: services.confirm_move(chair, move), lambda: services.confirm_move(officer, move), second, declined
    )
    assert told[2:] == ["done", "done"] and set(told[:2]) <= {"Refused", "Conflict"}, told
    assert money(evaluated) in (
        (euros(400_000), ["dropped", "selected", "dropped"]),
        (euros(400_000), ["dropped", "selected", "declined"]),
    )
    assert queries.reserve_page(selection(evaluated)).available >= ZERO
