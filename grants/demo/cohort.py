"""Cohort 1, real: the call of 2022, its 25 pilots from selection to closure, always in time, and 78 invented others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.cities import services as cities
from grants.core.db import db
from grants.core.money import euros
from grants.demo import crowd
from grants.demo.crowd import INVENTED_JOB, RealPilot, invented_iban
from grants.demo.stage import Stage, Story, merged, pay, reach_milestones, sign

# So many pilots are prepared, signed and paid together: a working day of the programme.
A_DAY = 5
STARTS_ON = datetime(2023, 6, 1, tzinfo=UTC).date()


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A real pilot with whoever writes and signs for it."""

    pilot: RealPilot
    lead: str
    mayor: str
    iban: str


def cohort_1(stage: Stage) -> Story:
    """The call and what became of it."""
    yield datetime(2022, 8, 30, 8, tzinfo=UTC)
    stage.say("The call of 2022 with its real extension")
    text = resources.files("grants.calls").joinpath("data/call_2022.yaml").read_text(encoding="utf-8")
    cities.load_register(stage.troupe.actor("manager"))
    call = stage.troupe.publish_call(text, euros(32_000_000))
    yield datetime(2023, 3, 1, 9, tzinfo=UTC)
    stage.say("The published outcome of cohort 1: 103 applications")
    pilots = crowd.pilots()
    stage.troupe.record_cohort_1(call.id, pilots, crowd.others_of_2022())
    yield datetime(2023, 3, 3, 9, tzinfo=UTC)
    stage.troupe.confirm_cohort_1(call.id)
    entered = _entered(call.id)
    days = [pilots[at : at + A_DAY] for at in range(0, len(pilots), A_DAY)]
    yield from merged(*(_group(stage, group, entered, number) for number, group in enumerate(days)))


def _entered(call_id: UUID) -> dict[str, UUID]:
    rows = db.session.execute(select(Application.title, Application.id).where(Application.call_id == call_id))
    return {title: application_id for title, application_id in rows}


def _group(stage: Stage, pilots: Sequence[RealPilot], entered: dict[str, UUID], number: int) -> Story:
    """Some pilots on the same days, from preparation to closure."""
    day = timedelta(days=number)
    names = crowd.contact_names()
    references: dict[str, OnTheWay] = {}
    for place, pilot in enumerate(pilots):
        yield datetime(2023, 4, 3, 8 + place, tzinfo=UTC) + day
        stage.say(f"{pilot.acronym or pilot.title}: the agreement is prepared")
        way = _with_people(stage, pilot, names[pilot.lead], number * A_DAY + place)
        made = stage.troupe.prepare_application(entered[pilot.title], STARTS_ON, way.lead, way.mayor, way.iban)
        references[made] = way
    for place, (reference, way) in enumerate(references.items()):
        yield datetime(2023, 5, 15, 8 + place, tzinfo=UTC) + day
        stage.say(f"{way.pilot.acronym or way.pilot.title}: both sides sign")
        sign(stage, reference, way.mayor)
    yield from pay(stage, list(references), datetime(2023, 5, 25, 9, tzinfo=UTC) + day)
    yield from merged(
        *(reach_milestones(stage, reference, way.lead) for reference, way in references.items()),
        _reports(stage, references, day),
    )
    for reference in references:
        yield datetime(2025, 9, 15, 9, tzinfo=UTC) + day
        stage.troupe.close(reference)


def _with_people(stage: Stage, pilot: RealPilot, name: str, number: int) -> OnTheWay:
    city, country = pilot.cities[0]
    lead = stage.troupe.writer(city, country, name, INVENTED_JOB)
    # Where the cast has somebody who signs, they sign; elsewhere one invented person does both.
    mayor = f"{lead}_mayor" if f"{lead}_mayor" in stage.troupe.ids else lead
    return OnTheWay(pilot, lead, mayor, invented_iban(country, 2_022_000 + number))


def _reports(stage: Stage, references: dict[str, OnTheWay], day: timedelta) -> Story:
    for number, percent, sent in (
        (1, 55, datetime(2024, 6, 17, 9, tzinfo=UTC) + day),
        (2, 42, datetime(2025, 6, 16, 9, tzinfo=UTC) + day),
    ):
        for place, (reference, way) in enumerate(references.items()):
            yield sent + timedelta(hours=place)
            stage.say(f"{way.pilot.acronym or way.pilot.title}: report {number}")
            stage.troupe.report(reference, number, way.lead, percent)
        for place, reference in enumerate(references):
            yield sent + timedelta(days=14, hours=place)
            stage.troupe.accept_report(reference, number)
        yield from pay(stage, list(references), sent + timedelta(days=28))
