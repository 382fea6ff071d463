"""What /home shows: what a person must do, what others have of theirs, what happened lately, and first steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from grants.agreements import queries as agreements
from grants.agreements.models import AgreementSignature, BankAccount, Beneficiary, Grant, Milestone
from grants.agreements.states import BankAccountState, GrantState, MilestoneState
from grants.applications import queries as applications
from grants.applications.models import Application, EligibilityCheck, StageInvitation
from grants.applications.rules.exporting import ListForm
from grants.applications.states import ApplicationState
from grants.awards import queries as awards
from grants.awards.models import Complaint, DecisionLetter, LetterLeftOut, Selection, SelectionItem
from grants.awards.states import ComplaintState, Remedy, SelectionState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.states import CallState, RequestPath
from grants.core import clock
from grants.core.audit import ActRow
from grants.core.duties import Duty
from grants.core.jobs import JobState
from grants.core.permissions import Actor
from grants.core.permissions import Permission as P
from grants.core.together import Asking, Reader, ask, both, reader, side_by_side
from grants.documents import queries as documents
from grants.documents.catalogue import TITLES
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity
from grants.identity.models import Organisation, RoleGrant, User
from grants.identity.states import Role
from grants.oversight import rules
from grants.oversight.queries import trail
from grants.oversight.queries.sentences import Line, told_once
from grants.oversight.queries.verdicts import of_team, verdicts
from grants.oversight.rules import Step, Waiting
from grants.payments import queries as payments
from grants.payments.models import PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.states import DECIDABLE, OrderState, RequestState
from grants.reporting import queries as reporting
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportState

# Every stage that has work for people, in the order of a grant's life.
STAGES_WITH_DUTIES: tuple[Reader[[Actor, datetime], tuple[Duty, ...]], ...] = (
    identity.duties,
    calls.duties,
    applications.duties,
    evaluation.duties,
    awards.duties,
    agreements.duties,
    reporting.duties,
    payments.duties,
)

WAITING_MAX = 10
LATELY_MAX = 10
# Read are more: what was done again within a minute is told once.
LATELY_READ = 30


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """Everything this person must do now, the most urgent first."""
    found = yield from side_by_side(stage.asking(actor, at) for stage in STAGES_WITH_DUTIES)
    return rules.in_order((duty for stage in found for duty in stage), at)


@dataclass(frozen=True, slots=True)
class Overview:
    """What /home shows a person."""

    duties: tuple[Duty, ...]
    waiting: tuple[Waiting, ...]
    lately: tuple[Line, ...]
    steps: tuple[Step, ...]


@reader
def overview(actor: Actor, at: datetime) -> Asking[Overview]:
    """Everything of /home at once: as many statements as the longest chain of questions has steps."""
    parts: list[Asking[Any]] = [
        duties.asking(actor, at), waiting.asking(actor), lately.asking(actor), first_steps.asking(actor)
    ]  # fmt: skip
    return Overview(*(yield from side_by_side(parts)))


# --- Waiting for others -------------------------------------------------------------------------------------------


@reader
def waiting(actor: Actor) -> Asking[tuple[Waiting, ...]]:
    """What this person handed on and others have now, the longest first, at most ten; one statement where nothing is repeated."""
    kinds = (
        _applications,
        _reports,
        _milestones,
        _requests,
        _orders,
        _signatures,
        _selections,
        _repeats,
        _accounts,
        _role_grants,
        _statements,
        _list_files,
    )
    parts = yield from side_by_side(kind(actor) for kind in kinds)
    found = [row for part in parts for row in part]
    return tuple(sorted(found, key=lambda row: row.since)[:WAITING_MAX])


def _goes_on(at: datetime) -> ColumnElement[bool]:
    """Whether a full proposal follows the concept, or may still."""
    *_, closes_at = calls.times_columns()
    may_follow = and_(Call.state != CallState.CANCELLED.value, or_(closes_at.is_(None), closes_at > at))
    return (
        exists()
        .where(StageInvitation.concept_id == Application.id, Call.id == StageInvitation.call_id)
        .where(or_(StageInvitation.started_id.is_not(None), may_follow))
    )


def _upheld(known: ColumnElement[str]) -> ColumnElement[datetime]:
    """Since when an application back with the evaluators is assessed anew: the complaint about it was upheld then."""
    upheld = (
        select(func.max(Complaint.decided_at))
        .where(Complaint.application_id == Application.id, Complaint.state == ComplaintState.UPHELD.value)
        .where(Complaint.remedy == Remedy.REPEAT.value)
        .scalar_subquery()
    )
    anew = (ApplicationState.ELIGIBLE.value, ApplicationState.UNDER_EVALUATION.value)
    return case((known.in_(anew), upheld))


def _told(decided: ColumnElement[Any]) -> ColumnElement[datetime]:
    """When a team was told what was decided: by its newest letter, else by the publication; decided in silence before."""
    sent = select(func.max(DecisionLetter.sent_at)).where(DecisionLetter.application_id == Application.id)
    other = select(func.max(LetterLeftOut.told_at)).where(LetterLeftOut.application_id == Application.id)
    public = select(Call.results_public_at).where(Call.id == Application.call_id, Call.results_public_at <= clock.now())
    told = func.greatest(sent.scalar_subquery(), other.scalar_subquery())
    return case((decided.is_not(None), func.coalesce(told, func.greatest(public.scalar_subquery(), decided))))


def _applications(actor: Actor) -> Asking[list[Waiting]]:
    """By the state its team knows, since the team was told it."""
    declared = (
        select(func.max(EligibilityCheck.decided_at))
        # Until its letter is sent a verdict is known to the desk alone.
        .where(EligibilityCheck.application_id == Application.id, Application.state != ApplicationState.SUBMITTED.value)
        .scalar_subquery()
    )
    decided = (
        select(func.max(Selection.confirmed_at))
        .join(SelectionItem, SelectionItem.selection_id == Selection.id)
        .where(SelectionItem.application_id == Application.id, Selection.state == SelectionState.CONFIRMED.value)
        .where(or_(~applications.untold(), applications.untold_when_public()))
        .scalar_subquery()
    )
    known = applications.state_to_team()
    since = func.coalesce(_upheld(known), _told(decided), declared, Application.submitted_at)
    invited = exists().where(StageInvitation.concept_id == Application.id)
    others_invited = case((~invited, applications.last_invited(Application.call_id)))
    found = yield from _rows(
        select(Application.reference, Application.title, known, since, others_invited, decided)
        .where(of_team(actor, P.APPLICATION_EDIT), known.in_([state.value for state in rules.WITH_OTHERS]))
        .where(since.is_not(None))
        # A concept that is or can be gone on with waits for nobody: its own lead has the next step.
        .where(~_goes_on(clock.now()))
        .order_by(since, Application.reference)
    )
    return [
        Waiting(
            f"Your application \u201c{title}\u201d", rules.WITH_OTHERS[ApplicationState(state)], moment,
            "applications.show", {"ref": reference}, rules.where_it_stands(ApplicationState(state), moment, others, told is not None),
        )
        for reference, title, state, moment, others, told in found
    ]  # fmt: skip


def _reports(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(PeriodicReport.reference, PeriodicReport.number, Grant.reference, PeriodicReport.submitted_at)
        .join(Grant, Grant.id == PeriodicReport.grant_id)
        .join(Application, Application.id == Grant.application_id)
        .where(of_team(actor, P.REPORT_SUBMIT), PeriodicReport.state == ReportState.SUBMITTED.value)
        .order_by(PeriodicReport.submitted_at)
    )
    return [
        Waiting(f"Report {number} of {grant}", "the project officer", since, "reporting.show", {"ref": reference})
        for reference, number, grant, since in found
    ]


def _milestones(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(Grant.reference, Milestone.number, Milestone.title, Milestone.reported_at)
        .join(Grant, Grant.id == Milestone.grant_id)
        .join(Application, Application.id == Grant.application_id)
        .where(of_team(actor, P.REPORT_SUBMIT), Milestone.state == MilestoneState.SUBMITTED.value)
        .order_by(Milestone.reported_at)
    )
    return [
        Waiting(
            f"Milestone \u201c{title}\u201d of {grant}", "the project officer", since, "reporting.milestone",
            {"ref": grant, "number": number},
        )
        for grant, number, title, since in found
    ]  # fmt: skip


def _requests(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(
            Grant.reference,
            PaymentRequest.number,
            PaymentRequest.submitted_at,
            PaymentRequest.state,
            Grant.request_path,
        )
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .join(Application, Application.id == Grant.application_id)
        .where(
            of_team(actor, P.PAYMENT_REQUEST_SUBMIT),
            PaymentRequest.state.in_([state.value for state in DECIDABLE]),
            PaymentRequest.suspended_on.is_(None),
        )
        .order_by(PaymentRequest.submitted_at)
    )
    return [
        Waiting(f"Payment request {number} of {grant}", _looks(state, path), since, "payments.grant", {"ref": grant})
        for grant, number, since, state, path in found
    ]


def _looks(state: str, path: str) -> str:
    """Who looks at a request next."""
    if state == RequestState.SUBMITTED.value and path != RequestPath.DECIDED.value:
        return "the finance initiator"
    if state == RequestState.REGISTERED.value and path == RequestPath.VERIFIED.value:
        return "the finance verifier"
    return "the authorising officer"


_NEXT = {
    OrderState.PREPARED.value: "the finance verifier",
    OrderState.VERIFIED.value: "the authorising officer",
    OrderState.AUTHORISED.value: "the accounting officer",
    OrderState.IN_FILE.value: "the accounting officer, who sends the file",
    OrderState.SENT.value: "the accounting officer, who waits for the bank",
    OrderState.ACKNOWLEDGED.value: "the accounting officer, who waits for the bank",
    OrderState.BANK_REJECTED.value: "the finance initiator, who issues it again",
    OrderState.RETURNED.value: "the finance initiator, who issues it again",
}


def _orders(actor: Actor) -> Asking[list[Waiting]]:
    mine = or_(
        *(
            who == actor.user_id
            for who in (PaymentOrder.prepared_by, PaymentOrder.verified_by, PaymentOrder.authorised_by)
        )
    )
    last = (
        select(func.max(PaymentOrderSignature.signed_at))
        .where(PaymentOrderSignature.order_id == PaymentOrder.id, PaymentOrderSignature.voided_at.is_(None))
        .scalar_subquery()
    )
    since = func.coalesce(last, PaymentOrder.created_at)
    found = yield from _rows(
        select(PaymentOrder.reference, Grant.reference, PaymentOrder.state, since)
        .join(Grant, Grant.id == PaymentOrder.grant_id)
        .where(mine, PaymentOrder.state.in_(_NEXT), agreements.visible(actor, P.PAYMENT_ORDER_READ))
        .order_by(since)
    )
    return [
        Waiting(f"Payment order {reference} for {grant}", _NEXT[state], moment, "payments.order", {"ref": reference})
        for reference, grant, state, moment in found
    ]


def _signatures(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(Grant.reference, AgreementSignature.signed_at)
        .join(
            Grant,
            (Grant.id == AgreementSignature.grant_id) & (Grant.offer_no == AgreementSignature.offer_no),
        )
        .where(
            AgreementSignature.signed_by == actor.user_id,
            Grant.state == GrantState.READY_TO_SIGN.value,
            agreements.visible(actor),
        )
        .order_by(AgreementSignature.signed_at)
    )
    return [
        Waiting(
            f"The agreement {grant}, which you signed",
            "the others who sign it",
            since,
            "agreements.show",
            {"ref": grant},
        )
        for grant, since in found
    ]


def _selections(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(Call.slug, Call.title, Selection.number, Selection.decided_at)
        .join(Call, Call.id == Selection.call_id)
        .where(Selection.decided_by == actor.user_id, Selection.state == SelectionState.DECIDED.value)
        .where(Call.id.not_in(actor.barred("call")))
        .order_by(Selection.decided_at)
    )
    return [
        Waiting(
            f"The selection decision of \u201c{title}\u201d", "a second person, who confirms it", since,
            "awards.selection", {"slug": slug, "number": number},
        )
        for slug, title, number, since in found
    ]  # fmt: skip


def _repeats(actor: Actor) -> Asking[list[Waiting]]:
    """Repeated evaluations that have a score: who is asked to settle them has that as a duty."""
    if not actor.can(P.COMPLAINT_READ):
        return []
    found = yield from awards.repeated.asking(actor)
    return [
        Waiting(
            f"The outcome of the repeated evaluation of {row.reference}", row.due,
            row.since, "awards.complaint", {"ref": row.reference, "number": row.number},
        )
        for row in found
        if row.scored and not row.is_own
    ]  # fmt: skip


def _accounts(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(
            Grant.reference, Organisation.name, BankAccount.entered_at, Beneficiary.is_coordinator, Beneficiary.position
        )
        .join(Organisation, Organisation.id == BankAccount.organisation_id)
        .join(Beneficiary, Beneficiary.organisation_id == BankAccount.organisation_id)
        .join(Grant, Grant.id == Beneficiary.grant_id)
        .where(
            BankAccount.entered_by == actor.user_id,
            BankAccount.state == BankAccountState.PROPOSED.value,
            agreements.visible(actor),
        )
        .order_by(BankAccount.entered_at, Grant.reference)
    )
    first = {
        name: ({"ref": reference} if is_coordinator else {"ref": reference, "payee": position + 1}, since)
        for reference, name, since, is_coordinator, position in reversed(found)
    }
    return [
        Waiting(f"The bank account of {name}", "a second person of finance", since, "agreements.account", where)
        for name, (where, since) in first.items()
    ]


def _role_grants(actor: Actor) -> Asking[list[Waiting]]:
    found = yield from _rows(
        select(User.name, User.handle, RoleGrant.role, RoleGrant.created_at)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.assigned_by == actor.user_id,
            RoleGrant.needs_confirmation,
            RoleGrant.confirmed_at.is_(None),
            RoleGrant.ends_before.is_(None),
        )
        .order_by(RoleGrant.created_at)
    )
    return [
        Waiting(
            f"The role \u201c{role.replace('_', ' ')}\u201d of {name}", "another administrator", since, "identity.user",
            {"handle": handle},
        )
        for name, handle, role, since in found
    ]  # fmt: skip


def _statements(actor: Actor) -> Asking[list[Waiting]]:
    """Statements this person asked for: until they are made, and for a week where they could not be."""
    if not actor.can(P.STATEMENT_REQUEST):
        return []
    found = yield from _rows(documents.unfinished(actor))
    return [
        Waiting(f"{TITLES[name]}: {about}", _MAKING[JobState(state)], since, "documents.show", {"ref": reference})
        for reference, name, about, since, state in found
    ]


# A list that nobody took for longer than this is told only where the files are listed.
LIST_TOLD_FOR = timedelta(days=2)


def _list_files(actor: Actor) -> Asking[list[Waiting]]:
    """Lists of applications this person asked for as files: being made, ready for some days, or why not."""
    if not actor.can(P.APPLICATION_READ):
        return []
    found = yield from _rows(applications.list_files_lately(actor, clock.now() - LIST_TOLD_FOR))
    return [
        Waiting(
            f"List {number} of applications as a {ListForm(form).label}", _MAKING.get(JobState(state), "nobody"), since,
            "applications.show_list_file", {"number": number},
            "It is ready for you to take." if made_at else "Its making was stopped." if state == JobState.CANCELLED.value else "",
        )
        for number, form, since, state, made_at in found
    ]  # fmt: skip


_MAKING = {
    JobState.QUEUED: "a worker of the program",
    JobState.RUNNING: "the program, which is making it",
    JobState.FAILED: "you: it could not be made, and can be tried again",
}


def _rows(statement: Select[*tuple[Any, ...]]) -> Asking[list[Any]]:
    return ask(statement.limit(WAITING_MAX))


# --- What happened lately -------------------------------------------------------------------------------------------


@reader
def lately(actor: Actor) -> Asking[tuple[Line, ...]]:
    """The last ten things that happened to what is this person's, or that this person did, as sentences."""
    if actor.user_id is None:
        return ()
    concerns: list[ColumnElement[bool]] = [(ActRow.user_id == actor.user_id) & ActRow.verb.not_in(rules.QUIET)]
    teams = actor.places(P.APPLICATION_EDIT, "application")
    if teams:
        # A verdict is told with its outcome, below, and not as the deed of a person.
        told = (rules.TEAM_STORY | rules.GRANT_STORY) - rules.QUIET - rules.VERDICTS
        concerns.append(ActRow.verb.in_(told) & trail.about("application", teams))
    for permission, story in (
        (P.CALL_MANAGE, rules.CALL_STORY | rules.APPLICATION_STORY | rules.GRANT_STORY),
        (P.APPLICATION_CHECK, rules.APPLICATION_STORY),
        (P.AGREEMENT_PREPARE, rules.GRANT_STORY),
        (P.LEDGER_READ, rules.ORDER_STORY | {"payment_request.decide", "payment_request.reject"}),
        (P.ROLE_ASSIGN, rules.PEOPLE_STORY),
    ):
        if actor.everywhere(permission):
            concerns.append(ActRow.verb.in_(story))
        elif in_calls := actor.places(permission, "call"):
            concerns.append(ActRow.verb.in_(story) & trail.about("call", in_calls))
    done, ruled = yield from both(
        trail.happened.asking(actor, or_(*concerns), LATELY_READ), verdicts(actor, LATELY_MAX)
    )
    return told_once(nlargest(LATELY_READ, (*done, *ruled), key=lambda line: line.at))[:LATELY_MAX]


# --- First steps ----------------------------------------------------------------------------------------------------


@reader
def first_steps(actor: Actor) -> Asking[tuple[Step, ...]]:
    """What an installation still needs before it can take an application; empty once a call is published. One statement."""
    if not actor.can(P.ROLE_ASSIGN):
        return ()
    holders = select(func.count(func.distinct(RoleGrant.user_id))).where(RoleGrant.ends_before.is_(None))
    ((published, imported, managers, administrators, people),) = yield from ask(
        select(
            select(func.count()).where(Call.state == CallState.PUBLISHED.value).scalar_subquery(),
            select(func.count()).select_from(Call).scalar_subquery(),
            holders.where(RoleGrant.role == Role.PROGRAMME_MANAGER.value).scalar_subquery(),
            holders.where(RoleGrant.role == Role.ADMINISTRATOR.value).scalar_subquery(),
            select(func.count()).select_from(User).scalar_subquery(),
        )
    )
    return () if published else rules.first_steps(imported, managers, administrators, people)


__all__ = ["STAGES_WITH_DUTIES", "Overview", "duties", "first_steps", "lately", "overview", "waiting"]
