"""Walking every address of the program as somebody who is kept from an application, none by a list kept by hand.

Two people hold every role there is between them, more than anybody may: one judges, one decides. Each route is walked with
things of the application they are kept from, or stands in ``NOT_WALKED`` with the reason; a new one that does neither fails.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from grants.agreements.models import Grant, Milestone
from grants.applications.models import Application, ApplicationPartner, Submission
from grants.awards.models import Complaint, PanelMeeting, Selection, SelectionScenario
from grants.calls.models import Call, CallExpertTerms
from grants.calls.rules import from_json
from grants.calls.rules.expert_terms import ExpertTerms
from grants.cities.models import City
from grants.conversations.models import Conversation
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.files import StoredFile
from grants.core.jobs import Job
from grants.core.permissions import Actor
from grants.documents.models import StatementRun
from grants.dossiers.rules import from_mapping
from grants.evaluation.models import (
    Assignment,
    AssignmentRun,
    ConflictDeclaration,
    DetectedConflict,
    EntityDeclaration,
    Evaluator,
)
from grants.identity import queries as identity
from grants.identity.models import Organisation, RoleGrant, User
from grants.identity.policy import ROLES_OF_AN_APPLICATION, Role
from grants.ledger import rules as legs
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.reporting.models import PeriodicReport
from grants.web.routing import Access
from tests import actors
from tests.factories import identity as people

WRITING = {"POST", "PUT", "PATCH", "DELETE"}
JUDGES = frozenset({Role.EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER})
DECIDES = frozenset(Role) - JUDGES - ROLES_OF_AN_APPLICATION - {Role.APPLICANT}

# The one place where the title, the cities and the partners of an application stand before one may read it: there one says
# whether one is in conflict with it. Once one is, it is gone from there as well.
DECLARES = "GET /assessments/conflicts"

# What is not walked, each with why nothing of an application can come of it.
NOT_WALKED = {
    "identity.open_link": "a link with a secret, for whoever has none of the roles yet",
    "identity.leave": "ends the session of the walk",
    "identity.sign_out": "ends the session of the walk",
    "static": "files of the program itself",
}
# Registers that name municipalities and people whatever they apply for: there the name of the city alone tells nothing.
REGISTERS = re.compile(r"^(identity|cities|programmes)\.|^oversight\.(organisation|audit|served)|^calls\.")


@dataclass(frozen=True)
class Target:
    """An application, what tells of it, and the values that lead to it in addresses."""

    application_id: Any
    secrets: tuple[str, ...]
    city: str
    # First part of an address to what its placeholders stand for.
    places: Mapping[str, str]
    slug: str
    handle: str
    lead_slug: str
    # What stands for a placeholder of one address alone: the address, the name, the value.
    values: Mapping[tuple[str, str], Any]


def target_of(application: Application) -> Target:
    """Everything that hangs on one application."""
    call = db.session.get_one(Call, application.call_id)
    lead = db.session.get_one(Organisation, application.coordinator_id)
    grants = db.session.scalars(select(Grant).where(Grant.application_id == application.id)).all()
    grant_ids = [grant.id for grant in grants]
    reports = db.session.scalars(select(PeriodicReport.reference).where(PeriodicReport.grant_id.in_(grant_ids))).all()
    requests = db.session.scalars(select(PaymentRequest).where(PaymentRequest.grant_id.in_(grant_ids))).all()
    orders = db.session.scalars(
        select(PaymentOrder.reference).where(PaymentOrder.request_id.in_([each.id for each in requests]))
    ).all()
    tickets = db.session.scalars(select(Conversation.reference).where(Conversation.about_id == application.id)).all()
    places = {
        "applications": application.reference,
        "assessments": application.reference,
        "consensus": application.reference,
        "panels": application.reference,
        "shifts": application.reference,
        "calls": application.reference,
        "grants": next((grant.reference for grant in grants), "PCP-0000-G-0000"),
        "reports": next(iter(reports), "PCP-0000-R-0000"),
        "finance/orders": next(iter(orders), "PCP-0000-P-0000"),
        "finance/requests": next((each.reference for each in requests), "PCP-0000-P-0000"),
        "finance": next(iter(orders), "PCP-0000-P-0000"),
        "help": next(iter(tickets), "PCP-0000-Q-0000"),
        "helpdesk": next(iter(tickets), "PCP-0000-Q-0000"),
    }
    answers = _answers(application)
    named = [application.reference, application.title, *answers, *reports, *orders, *tickets]
    named += [grant.reference for grant in grants] + [each.reference for each in requests]
    handle = db.session.scalar(
        select(User.handle)
        .join(Evaluator, Evaluator.user_id == User.id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .where(Assignment.application_id == application.id)
        .order_by(User.handle)
        .limit(1)
    )
    lead_slug = identity.slug_of(identity.organisation(lead.id))
    return Target(
        *(application.id, tuple(dict.fromkeys(named)), lead.name, places, call.slug, handle or "nobody", lead_slug),
        _values_of(application, call, grants),
    )


def _values_of(application: Application, call: Call, grants: Sequence[Grant]) -> dict[tuple[str, str], Any]:
    """The newest thing of each kind that hangs on the application or its call, by beginning of an address and placeholder."""
    of_call, of_it = call.id, application.id
    meeting = _newest(PanelMeeting.slug, PanelMeeting.call_id == of_call)
    person = (
        select(User.handle)
        .join(ConflictDeclaration, ConflictDeclaration.user_id == User.id)
        .where(ConflictDeclaration.application_id == of_it, ConflictDeclaration.declared != "none")
    )
    near = select(User.handle).join(DetectedConflict, DetectedConflict.user_id == User.id)
    near = near.where(DetectedConflict.application_id == of_it)
    city = select(City.slug).where(City.organisation_id == application.coordinator_id)
    files = select(StoredFile.sha256).where(StoredFile.object_id == of_it)
    contact = select(User.handle).join(RoleGrant, RoleGrant.user_id == User.id)
    contact = contact.where(RoleGrant.object_id.in_([each.id for each in grants]), RoleGrant.role == "signatory")
    of_grants = [each.id for each in grants]
    entry = select(LedgerEntry.number, LedgerEntry.effective_on).join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
    entries = db.session.execute(entry.where(LedgerLeg.grant_id.in_(of_grants)).order_by(LedgerEntry.number)).first()
    about = (Job.subject_id == of_it,)
    found = {
        ("/admin/jobs", "number"): _newest(Job.number, *about),
        ("/admin/mail", "number"): _newest(Job.number, *about, Job.name == "jobs.mail.send"),
        ("/applications/<ref>/complaints", "number"): _newest(Complaint.number, Complaint.application_id == of_it),
        ("/applications/<ref>/receipt", "number"): _newest(Submission.number, Submission.application_id == of_it),
        ("/applications/<ref>", "sha256"): db.session.scalars(files).first(),
        ("/assessments/<ref>", "sha256"): db.session.scalars(files).first(),
        ("/calls/<slug>/assignments/runs", "number"): _newest(AssignmentRun.number, AssignmentRun.call_id == of_call),
        ("/calls/<slug>/conflicts/<ref>/<handle>/found", "handle"): db.session.scalars(near).first(),
        ("/calls/<slug>/conflicts/<ref>/<handle>", "handle"): db.session.scalars(person).first(),
        ("/calls/<slug>/scenarios", "number"): _newest(SelectionScenario.number, SelectionScenario.call_id == of_call),
        ("/calls/<slug>/selections", "number"): _newest(Selection.number, Selection.call_id == of_call),
        ("/cities/<slug>", "slug"): db.session.scalars(city).first(),
        ("/finance/entries", "ref"): legs.reference(*entries) if entries else None,
        ("/finance/statements", "ref"): _newest(StatementRun.reference, StatementRun.scope_reference == call.reference),
        ("/grants/<ref>/milestones", "number"): _newest(Milestone.number, Milestone.grant_id.in_(of_grants)),
        ("/grants/<ref>/people", "handle"): db.session.scalars(contact).first(),
        ("/panels/<slug>", "slug"): meeting,
    }
    form = from_json(call.content).get("application_form.sections") if call.content else None
    if form is not None and form.value is not None:
        section = form.value.sections[0]
        found |= {("", "key"): section.key, ("", "question"): section.questions[0].key}
    return {place: value for place, value in found.items() if value is not None}


def _newest(number: Any, *wanted: Any) -> Any:
    """The newest of something, by its number or name; None where there is none yet."""
    return db.session.scalar(select(number).where(*wanted).order_by(number.desc()).limit(1))


def _answers(application: Application) -> list[str]:
    """The beginnings of what the applicants wrote, long enough to be theirs alone."""
    if application.submission_id is None:
        return []
    content = db.session.get_one(Submission, application.submission_id).content
    if "answers" not in content:
        return []
    told = (answer.text for answer in from_mapping(content["answers"]).answers)
    return [text[:40] for text in told if len(text) >= 40 and not set("<>&'\"\n“”") & set(text[:40])][:3]


def with_roles(name: str, roles: frozenset[Role]) -> Actor:
    """Somebody with every one of these roles, more than the policy lets anybody have."""
    with arranging():
        made = people.user(name, *sorted(roles))
    return actors.actor(made.id)


def keep_from(person: Actor, found: list[Target], *, barred: bool = True) -> Actor:
    """The person once they declared a conflict with these and none with anything else; a bar follows, or is not set yet."""
    assert person.user_id is not None
    away = {each.application_id for each in found}
    with arranging():
        for application_id in db.session.scalars(select(Application.id)):
            told = "conflict" if application_id in away else "none"
            db.session.add(
                ConflictDeclaration(
                    user_id=person.user_id,
                    application_id=application_id,
                    declared=told,
                    reason="A cousin" if application_id in away else None,
                    declared_at=clock.now(),
                )
            )
        for call_id, organisation_id in db.session.execute(
            select(Application.call_id, ApplicationPartner.organisation_id)
            .join(ApplicationPartner, ApplicationPartner.application_id == Application.id)
            .distinct()
        ):
            db.session.add(
                EntityDeclaration(
                    user_id=person.user_id, call_id=call_id, organisation_id=organisation_id, declared="none",
                    declared_at=clock.now(),
                )
            )  # fmt: skip
        for application_id in away if barred else ():
            people.bar(person.user_id, "application", application_id)
    return actors.actor(person.user_id)


def value_of(app: Flask, rule: Rule, name: str, about: Target) -> Any:
    """What stands for one placeholder of a rule; None where nobody has said.

    Where nothing of the kind is there, the value leads nowhere: then the address stands in ``tests/nothing_there.py``.
    """
    places = [place for place, known in about.values if known == name and rule.rule.startswith(place)]
    if places:
        return about.values[max(places, key=len), name]
    first = [*rule.rule.strip("/").split("/"), ""]
    converter = rule._converters[name]
    if type(converter).__name__ == "IntegerConverter":
        return 1
    if type(converter).__name__ == "AnyConverter":
        return next(iter(converter.items))
    match name:
        case "ref" | "application_ref":
            if rule.rule.startswith("/calls/<slug>/questions"):
                return "PCP-0000-Q-0000"
            if rule.rule.startswith("/grants/prepare"):
                return about.places["applications"]
            return about.places.get("/".join(first[:2])) or about.places.get(first[0])
        case "slug":
            return {"cities": "none", "organisations": about.lead_slug, "admin": about.lead_slug}.get(
                first[0], about.slug
            )
        case "handle":
            return about.handle
        case "other":
            return about.lead_slug
        case "form":
            return "csv"
        case "sha256":
            return "0" * 64
        case "name":
            # What every score sheet has.
            return "remark"
        case "key":
            return "summary"
        case "outcome":
            return "selected"
        case "question" | "asked" | "role" | "kind" | "number" | "token":
            return {"kind": "legal_name", "role": "signatory", "asked": "interim"}.get(name, "summary")
    return None


def addresses(app: Flask, about: Target) -> Iterator[tuple[Rule, str | None]]:
    """Every rule with an address that leads to this application where it can."""
    map_of = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if rule.endpoint in NOT_WALKED or access(app, rule).anyone:
            continue
        values = {name: value_of(app, rule, name, about) for name in rule.arguments}
        method = "GET" if "GET" in (rule.methods or ()) else sorted((rule.methods or set()) & WRITING)[0]
        yield rule, None if None in values.values() else map_of.build(rule.endpoint, values, method=method)


def access(app: Flask, rule: Rule) -> Access:
    found: Access = getattr(app.view_functions[rule.endpoint], "access", Access())
    return found


def may_try(actor: Actor, asked: Access) -> bool:
    """Whether the check before every view lets this person through; that it does not is a law of its own."""
    return not asked.any_of or any(actor.can(permission) for permission in asked.any_of)


def text_of(answer: TestResponse) -> str:
    """All words of an answer, those of a workbook too."""
    data = answer.get_data()
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return data.decode("utf-8", "replace")


def told(app: Flask, who: Actor, found: list[Target], methods: tuple[str, ...]) -> dict[str, list[str]]:
    """What each address tells of these applications: by method and address, the words that came through."""
    return walk(app, who, found, methods)[0]


def walk(
    app: Flask, who: Actor, found: list[Target], methods: tuple[str, ...], under: tuple[str, ...] = ("/",)
) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The same with the answer of each address read, by endpoint; of addresses that begin so."""
    client = actors.client_of(app, who)
    answers: dict[str, int] = {}
    leaks: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for about in found:
        for rule, address in addresses(app, about):
            assert address is not None, f"{rule.rule} has a placeholder nobody said anything about"
            if not rule.rule.startswith(under):
                continue
            for method in methods:
                if (
                    method not in (rule.methods or ())
                    or (method, address) in seen
                    or not may_try(who, access(app, rule))
                ):
                    continue
                seen.add((method, address))
                answer = client.open(address, method=method, data={} if method == "POST" else None)
                if method == "GET":
                    answers[rule.endpoint] = answer.status_code
                if answer.status_code >= 500 and rule.endpoint != "oversight.ready":
                    # Of what the small worlds have no whole of, only whoever is free of it sees the want.
                    leaks[f"{method} {address}"] = [f"answered {answer.status_code}"]
                    continue
                names = [word for each in found for word in each.secrets]
                names += [] if REGISTERS.match(rule.endpoint) else [each.city for each in found]
                # Every page carries its own address for the switch of the theme: nobody learns what they typed.
                said = text_of(answer).replace(address, "").replace(quote(address, safe=""), "")
                words = [word for word in names if word in said]
                if words:
                    leaks[f"{method} {address}"] = words
    return leaks, answers


@dataclass(frozen=True)
class Seen:
    """What a walk told somebody free of an application and somebody in conflict, and which addresses led to something."""

    free: dict[str, list[str]]
    kept: dict[str, list[str]]
    # Endpoints that the free one may ask, and those of them that answered.
    asked: frozenset[str]
    answered: frozenset[str]


def seen_of(
    app: Flask,
    application_id: UUID,
    roles: frozenset[Role],
    *,
    barred: bool = True,
    seat_id: UUID | None = None,
    under: tuple[str, ...] = ("/",),
) -> Seen:
    """The walk of both; with ``seat_id`` the free one assesses the application, and the other one that one instead."""
    about = target_of(db.session.get_one(Application, application_id))
    app.config["WTF_CSRF_ENABLED"] = False
    mark = "judges" if roles & JUDGES else "decides"
    free = keep_from(with_roles(f"Faye Freely who {mark}", roles), [])
    kept = keep_from(with_roles(f"Cora Kepta who {mark}", roles), [about], barred=barred)
    if seat_id is not None:
        free, kept = _seated(free, application_id), _seated(kept, seat_id)
    told_free, answers = walk(app, free, [about], ("GET",), under)
    told_kept, _ = walk(app, kept, [about], ("GET", "POST"), under)
    answered = frozenset(endpoint for endpoint, status in answers.items() if status < 400)
    return Seen(told_free, told_kept, frozenset(answers), answered)


def readable(app: Flask, under: tuple[str, ...] = ("/",)) -> frozenset[str]:
    """Every endpoint that is read and walked."""
    return frozenset(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint not in NOT_WALKED
        and not access(app, rule).anyone
        and rule.rule.startswith(under)
    )


def _seated(person: Actor, application_id: UUID) -> Actor:
    """The person in the pool, with the seat of one application."""
    assert person.user_id is not None
    with arranging():
        entry = Evaluator(
            call_id=db.session.get_one(Application, application_id).call_id, user_id=person.user_id, country_code="FI",
            languages=["en"], topics=[], topic_levels={}, language_levels={}, roles=[], load_min=0, load_max=9,
        )  # fmt: skip
        db.session.add(entry)
        db.session.flush()
        db.session.add(
            Assignment(
                application_id=application_id, evaluator_id=entry.id, state="active", utility=1, hand_reason="By hand."
            )
        )
        people.role(person.user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=application_id)
    return actors.actor(person.user_id)


def walked_unaccepted(app: Flask, application_id: UUID, roles: frozenset[Role]) -> dict[str, list[str]]:
    """What reading and writing tell somebody of the pool who declared no conflict and has not accepted the words of the call."""
    about = target_of(db.session.get_one(Application, application_id))
    app.config["WTF_CSRF_ENABLED"] = False
    person = keep_from(with_roles("Una Unsigned", roles), [])
    assert person.user_id is not None
    with arranging():
        call_id = db.session.get_one(Application, application_id).call_id
        db.session.add(
            Evaluator(
                call_id=call_id, user_id=person.user_id, country_code="FI", languages=["en"], topics=[],
                topic_levels={}, language_levels={}, roles=[], load_min=0, load_max=9,
            )
        )  # fmt: skip
        text = ExpertTerms("You are paid by the day.", "You tell nobody.")
        db.session.add(
            CallExpertTerms(
                call_id=call_id,
                number=1,
                content=encoding.encode(text),
                sha256=text.sha256,
                published_by=person.user_id,
            )
        )
    return told(app, person, [about], ("GET", "POST"))


def walked_undeclared(app: Flask, application_id: UUID) -> dict[str, list[str]]:
    """What reading tells somebody who judges and declared nothing yet, but for the page where they declare."""
    about = target_of(db.session.get_one(Application, application_id))
    leaks = told(app, with_roles("Uli Undeclared", JUDGES), [about], ("GET",))
    return {address: words for address, words in leaks.items() if address != DECLARES}


def read_in_conflict(app: Flask, application_id: UUID, roles: frozenset[Role]) -> dict[str, list[str]]:
    """What reading tells somebody in conflict whom no bar keeps from it."""
    about = target_of(db.session.get_one(Application, application_id))
    return told(app, keep_from(with_roles("Nora Nobarre", roles), [about], barred=False), [about], ("GET",))


@contextmanager
def opened(gate: Callable[..., Any], answer: Callable[..., Any]) -> Iterator[None]:
    """Inside, a gate answers so wherever it is asked: under each name it has, and where it was handed in."""
    # A statement that every request asks was put together once, from the gates there were.
    statements = [found for module in _modules("grants.identity.queries") for found in vars(module).values()]
    kept = [found for found in statements if hasattr(found, "cache_clear")]
    with pytest.MonkeyPatch.context() as patch:
        for module in _modules("grants"):
            for name, found in list(vars(module).items()):
                if found is gate:
                    patch.setattr(module, name, answer)
                elif isinstance(found, list) and any(each is gate for each in found):
                    patch.setattr(module, name, [answer])
        for found in kept:
            found.cache_clear()
        yield
    for found in kept:
        found.cache_clear()


def _modules(package: str) -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(f"{package}.")]
