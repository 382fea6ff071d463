"""What stands for the placeholders of addresses that lead to an application: the things that hang on it or on its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from grants.agreements.models import Grant, Milestone
from grants.applications.models import Application, Submission
from grants.awards.models import Complaint, PanelMeeting, Selection, SelectionScenario
from grants.calls.models import Call
from grants.calls.rules import from_json
from grants.cities.models import City
from grants.conversations.models import Conversation
from grants.core.db import db
from grants.core.files import StoredFile
from grants.core.jobs import Job
from grants.documents.models import StatementRun
from grants.dossiers.rules import from_mapping
from grants.evaluation.models import Assignment, AssignmentRun, ConflictDeclaration, DetectedConflict, Evaluator
from grants.identity import queries as identity
from grants.identity.models import Organisation, RoleGrant, User
from grants.ledger import rules as legs
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest
from grants.reporting.models import PeriodicReport


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


def _answers(application: Application) -> list[str]:
    """The beginnings of what the applicants wrote, long enough to be theirs alone."""
    if application.submission_id is None:
        return []
    content = db.session.get_one(Submission, application.submission_id).content
    if "answers" not in content:
        return []
    told = (answer.text for answer in from_mapping(content["answers"]).answers)
    return [text[:40] for text in told if len(text) >= 40 and not set("<>&'\"\n“”") & set(text[:40])][:3]


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
        ("/finance/batches", "ref"): _newest(PaymentBatch.reference),
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
