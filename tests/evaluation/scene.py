"""A small call of invented municipalities, closed and with eligible applications: where every evaluation test begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from grants.applications import rules as application_rules
from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.budgets.rules import BudgetContent
from grants.budgets.rules import to_mapping as budget_mapping
from grants.calls import queries as call_queries
from grants.calls import services as calls
from grants.calls.rules import BudgetInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.dossiers.rules import Answer, DossierContent, QuestionKind
from grants.dossiers.rules import to_mapping as dossier_mapping
from grants.evaluation import queries, services
from grants.evaluation.models import Assignment, ConflictDeclaration, DetectedConflict, EntityDeclaration, Evaluator
from grants.evaluation.rules import (
    AdjustInput,
    Answered,
    AnsweredEntity,
    EvaluatorInput,
    MarkInput,
    OfficialScore,
    RunInput,
    SheetInput,
)
from grants.evaluation.states import Declared, Deed, DetectedKind, DetectedState, SeatState
from grants.identity.models import User
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests import actors
from tests.deeds import opened
from tests.factories import identity as people

OPENED = datetime(2022, 9, 5, 10, tzinfo=UTC)
CLOSED = datetime(2022, 11, 20, 9, tzinfo=UTC)

CALL = """
schema_version: 1
call:
  id: SMALL-2022
  title: Small neighbourhood pilots 2022
  invented: true
  year: 2022
dates:
  opens: {local: "2022-09-05", time: "09:00"}
  deadline_original: {literal: "15 November 2022, 17:00 Brussels time", iso: "2022-11-15T17:00:00+01:00"}
budget:
  total: 1000000
grant_bands_eur:
  - {code: S, amount: 400000}
duration_months: 24
"""
# Half points by criterion. Ranks 1 and 2 both have 12.5 in all: excellence decides.
SCORES = ((9, 8, 8), (8, 8, 8), (8, 8, 9))
FOUR_HUNDRED_THOUSAND = euros(400_000)
TOWNS = ("Neochóra", "Ærøsted", "Kárpátliget", "Öststrand", "Šumberk", "Ñañarro")
COUNTRIES = ("GR", "DK", "HU", "SE", "CZ", "ES")
TITLES = ("Cool Courtyards", "Ferry to Zero", "Roof by Roof", "Heat from the Lake", "Brick Loan", "Market Street")
WORDS = " ".join(["because"] * 40)


@dataclass
class Scene:
    """The people and things of the small call; actors are resolved anew each time, as a request does."""

    call_id: UUID
    slug: str
    people: dict[str, UUID]
    application_ids: tuple[UUID, ...]
    references: tuple[str, ...]
    leads: tuple[UUID, ...]
    evaluators: tuple[str, ...] = ()

    def actor(self, name: str) -> Actor:
        """Who this person is now, with the roles and bars that hold now."""
        db.session.rollback()
        return actor_for(self.people[name], fresh=True)

    def evaluator_id(self, name: str) -> UUID:
        """The pool entry of a person."""
        found = db.session.scalar(select(Evaluator.id).where(Evaluator.user_id == self.people[name]))
        assert found is not None
        return found

    def seats(self, application_id: UUID) -> list[str]:
        """Names of the evaluators who hold an active seat, sorted."""
        db.session.rollback()
        rows = db.session.scalars(
            select(Evaluator.user_id)
            .join(Assignment, Assignment.evaluator_id == Evaluator.id)
            .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        )
        names = {user_id: name for name, user_id in self.people.items()}
        return sorted(names[user_id] for user_id in rows)

    def declare_all(self, *, but: dict[tuple[str, UUID], Declared] | None = None) -> None:
        """Every evaluator and the chair declare about every application: no conflict, except ``but``."""
        for name in (*self.evaluators, "chair"):
            answers = []
            for application_id in self.application_ids:
                declared = (but or {}).get((name, application_id), Declared.NONE)
                answers.append(
                    Answered(application_id, declared, "" if declared is Declared.NONE else "We share a flat")
                )
            declares(self.actor(name), self.call_id, answers)

    def find(self, name: str, number: int, state: DetectedState = DetectedState.PROPOSED) -> None:
        """The program found that this person stood in a consortium with the lead of an application before."""
        with arranging():
            db.session.add(
                DetectedConflict(
                    user_id=self.people[name], application_id=self.application_ids[number], state=state.value,
                    kind=DetectedKind.PAST_CONSORTIUM.value, evidence="Warm homes, Pilots 2021", found_at=clock.now(),
                )
            )  # fmt: skip

    def give(
        self, name: str, application_id: UUID, reason: str, due_at: datetime | None = None, by: str = "manager"
    ) -> None:
        """An empty seat for this person, by hand."""
        taking = get(User, self.people[name]).handle
        services.adjust(self.actor(by), application_id, AdjustInput(Deed.GIVE, "", taking, reason, due_at))

    def release(self, name: str, application_id: UUID, reason: str, by: str = "manager") -> None:
        """The seat of this person emptied by hand."""
        leaving = get(User, self.people[name]).handle
        services.adjust(self.actor(by), application_id, AdjustInput(Deed.RELEASE, leaving, reason=reason))

    def assign(self, seed: str = "2022", due_at: datetime | None = None) -> Any:
        """Run the exact assignment as the manager."""
        return services.run(self.actor("manager"), self.call_id, RunInput(seed, due_at))

    def sheet(self, *halves: int | None, words: str = WORDS, remark: str = "") -> SheetInput:
        """A sheet with these half points for the three criteria."""
        keys = [criterion.key for criterion in call_queries.call_by_id(self.call_id).content.criteria]
        marks = tuple(MarkInput(key, half, words) for key, half in zip(keys, halves, strict=True))
        return SheetInput(marks, remark)

    def assess(self, application_id: UUID, *halves: int) -> None:
        """Every seated evaluator submits the same scores."""
        for name in self.seats(application_id):
            services.submit(self.actor(name), application_id, self.sheet(*halves))

    def agree(self, application_id: UUID, *halves: int) -> None:
        """The chair writes the consensus and every evaluator agrees."""
        services.propose(self.actor("chair"), application_id, self.sheet(*halves, remark="We agree."))
        for name in self.seats(application_id):
            services.agree(self.actor(name), application_id)

    def official(self, application_id: UUID) -> OfficialScore:
        """The official score of an application by the rule of its call."""
        content = call_queries.call_by_id(self.call_id).content
        return queries.official_scores(content, [application_id])[application_id]

    def evaluate(self, scores: Sequence[tuple[int, int, int]]) -> None:
        """From declarations to agreed consensus for every application."""
        self.declare_all()
        self.assign()
        for application_id, halves in zip(self.application_ids, scores, strict=True):
            self.assess(application_id, *halves)
            self.agree(application_id, *halves)


def declares(actor: Actor, call_id: UUID, answers: Sequence[Answered]) -> int:
    """A person answers about applications, and “none” about every organisation of those they have no conflict with."""
    free = {each.application_id for each in answers if each.declared is not Declared.CONFLICT}
    rows = queries.entity_rows(actor.user_id, free)
    none = tuple(AnsweredEntity(row.organisation_id, Declared.NONE) for row in rows if row.is_open)
    return services.declare(actor, call_id, tuple(answers), none)


def silent_chair(scene: Scene, about: UUID) -> str:
    """A second chair who declared about every application and its organisations but this one; the name in the scene."""
    with arranging():
        user = people.user("Carl Chair", Role.PANEL_CHAIR)
        for application_id in set(scene.application_ids) - {about}:
            lead = get(Application, application_id).coordinator_id
            told = {"user_id": user.id, "declared": Declared.NONE.value, "declared_at": clock.now()}
            db.session.add(ConflictDeclaration(application_id=application_id, **told))
            db.session.add(EntityDeclaration(call_id=scene.call_id, organisation_id=lead, **told))
        scene.people["carl"] = user.id
    return "carl"


def build(
    *, applications: int = 3, evaluators: int = 5, requested: Money = FOUR_HUNDRED_THOUSAND, file: str = CALL
) -> Scene:
    """The call closed with so many eligible applications and a pool of so many evaluators; ``authorised`` is its total."""
    names = [f"eva{number}" for number in range(1, evaluators + 1)]
    with clock.at(OPENED):
        with arranging():
            staff = {
                "manager": people.user("Ingrid Manager", Role.PROGRAMME_MANAGER),
                "chair": people.user("Carla Chair", Role.PANEL_CHAIR),
                "officer": people.user("Otto Officer", Role.AUTHORISING_OFFICER),
                "auditor": people.user("Aud Auditor", Role.AUDITOR),
            }
            for number, name in enumerate(names, 1):
                staff[name] = people.user(f"Eva Evaluator {number}", Role.EVALUATOR)
            ids = {name: user.id for name, user in staff.items()}
        made = calls.import_call(actor_for(ids["manager"]), file)
        calls.apply_template(actor_for(ids["manager"]), made.id)
        calls.publish(actor_for(ids["manager"]), made.id)
        calls.authorise_budget(actor_for(ids["officer"], fresh=True), made.id, BudgetInput(euros(1_000_000)))
        made_applications = [small_application(made.id, number, requested) for number in range(applications)]
        for name in names:
            values = EvaluatorInput(ids[name], "FI", ("en",), (), 0, applications)
            services.pool(actor_for(ids["manager"]), made.id, values)
    return Scene(
        made.id,
        made.slug,
        ids,
        tuple(row[0] for row in made_applications),
        tuple(row[1] for row in made_applications),
        tuple(row[2] for row in made_applications),
        tuple(names),
    )


def small_application(call_id: UUID, number: int, requested: Money) -> tuple[UUID, str, UUID]:
    """An eligible application of an invented municipality, as if it had been submitted and checked."""
    content = call_queries.call_by_id(call_id).content
    reference = f"PCP-2022-A-{number + 101:04d}"
    with arranging():
        city = people.organisation(f"Municipality of {TOWNS[number]}", country_code=COUNTRIES[number])
        lead = people.user(
            f"Lead of {TOWNS[number]}",
            organisation_id=city.id,
            handle=f"lead-{number}",
            email=f"lead{number}@example.eu",
        )
        application = Application(
            call_id=call_id,
            reference=reference,
            title=TITLES[number],
            state=ApplicationState.ELIGIBLE.value,
            origin=Origin.SUBMITTED_HERE.value,
            coordinator_id=city.id,
            requested=requested,
            submitted_at=OPENED,
            search_text=TITLES[number].lower(),
            search_words=TITLES[number].lower(),
        )
        people.role(lead.id, Role.APPLICATION_LEAD, kind="application", object_id=application.id)
        db.session.add(
            ApplicationPartner(
                application_id=application.id, organisation_id=city.id, position=0, role=PartnerRole.COORDINATOR.value,
                state=PartnerState.ACCEPTED.value, contact_user_id=lead.id,
            )
        )  # fmt: skip
        snapshot = {
            "schema": application_rules.SNAPSHOT_SCHEMA,
            "application": {"reference": reference, "title": TITLES[number], "acronym": None, "summary": None},
            "call": {"reference": "PCP-2022-C-0001", "title": "Small neighbourhood pilots 2022"},
            "consortium": [
                {
                    "organisation_id": str(city.id), "name": city.name, "local_name": None, "kind": city.kind,
                    "country_code": city.country_code, "pic": None, "role": "coordinator",
                }
            ],
            "answers": dossier_mapping(_answers(content.definition, TITLES[number])),
            "budget": budget_mapping(BudgetContent(content.budget_rules, (city.id,), ())),
            "files": [],
        }  # fmt: skip
        submission = Submission(
            application_id=application.id, number=1, receipt_number=number + 1, submitted_at=OPENED,
            submitted_by=lead.id, closes_at=CLOSED, content=snapshot, sha256=application_rules.digest(snapshot),
            requested=requested,
        )  # fmt: skip
        application.submission_id = submission.id
        db.session.add_all([application, submission])
        return application.id, reference, lead.id


def _answers(definition: Any, title: str) -> DossierContent:
    answers = []
    for section in definition.sections:
        for question in section.questions:
            if question.kind in (QuestionKind.SHORT, QuestionKind.LONG):
                answers.append(Answer(question.key, f"{title}: what we answer to “{question.label}”."))
    return DossierContent(definition, tuple(answers))


class Browser:
    """Browsers without JavaScript, one for each person of the small call, signed in when first used."""

    def __init__(self, app: Flask, scene: Scene) -> None:
        self.app, self.scene = app, scene
        self._clients: dict[str, FlaskClient] = {}

    def get(self, name: str, path: str) -> TestResponse:
        """The page, as this person; each of its forms leads where they may send it."""
        answer, shut = opened(self._client(name), path)
        assert shut == [], (path, shut)
        return answer

    def post(self, name: str, path: str, **data: Any) -> TestResponse:
        """Send a form, as this person."""
        return self._client(name).post(path, data=data)

    def _client(self, name: str) -> FlaskClient:
        if name not in self._clients:
            client = self.app.test_client()
            actors.sign_in(client, self.scene.people[name])
            self._clients[name] = client
        return self._clients[name]
