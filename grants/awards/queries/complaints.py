"""Complaints as the programme, the committee and the auditor read them, and what is printed of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Text, and_, case, cast, func, literal, or_, select

from grants.applications import queries as applications
from grants.applications.models import Application, EligibilityCheck, EligibilityLetter
from grants.applications.rules import ApplicationView, LetterText
from grants.applications.states import ApplicationState
from grants.awards.models import Complaint, Selection, SelectionItem
from grants.awards.queries.complaint_views import views_of
from grants.awards.queries.involved import involved_in
from grants.awards.queries.reserve import breaches_now
from grants.awards.queries.results import evaluation_told
from grants.awards.rules import ResultPage, ResultScore, halves_kept
from grants.awards.rules import complaints as rules
from grants.awards.rules.complaints import ComplaintView
from grants.awards.states import OPEN_COMPLAINTS, ComplaintState, Remedy, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView, Half
from grants.core import files
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, alone, ask, both, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Consensus
from grants.evaluation.rules import OfficialScore
from grants.identity import queries as identity

LETTERS = "complaint_letter"
JOB = "jobs.documents.complaint_decision"


def scope_of(complaint_id: UUID) -> Scope:
    """A complaint lies in its application, which is locked first."""
    return applications.scope_of(get(Complaint, complaint_id).application_id)


def lies_in(complaint_id: UUID) -> Scope:
    """The same without the lock, for acts that only read."""
    return applications.lies_in(get(Complaint, complaint_id).application_id)


@dataclass(frozen=True, slots=True)
class CasePage:
    """One complaint as those who handle it read it, with what they may read of the first decision."""

    application: ApplicationView
    complaint: ComplaintView
    result: ResultPage | None
    procedure: tuple[tuple[str, str | datetime], ...]
    conditions: tuple[tuple[str, str], ...]
    involved: Mapping[UUID, str]
    people: tuple[tuple[UUID, str], ...]
    # Who gives out roles, by name, and who holds the permission and handles nothing of it, each with the reason.
    administrators: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    letter_made: bool = False
    # Whether the repeated evaluation has a score yet, so that its outcome can be proposed.
    scored: bool = False
    # Which rules of its list an outcome would break were it corrected now, while the committee looks at that.
    breaches: tuple[str, ...] = ()

    @property
    def breached_words(self) -> str:
        """The same as a sentence."""
        return rules.breached_words(self.breaches)

    @property
    def unfit(self) -> tuple[str, ...]:
        """Those of the committee who may not decide it (any more), by name; another committee can be named then."""
        return tuple(name for key, name in self.complaint.committee if key not in self._able)

    @property
    def _able(self) -> frozenset[UUID]:
        return frozenset(key for key, _ in self.people)

    @property
    def _committee(self) -> frozenset[UUID]:
        return frozenset(key for key, _ in self.complaint.committee)

    def settles(self, user_id: UUID | None) -> bool:
        """Whether this person proposes what the repeated evaluation came to, or confirms it."""
        return rules.settles(user_id, self._committee, self._able)

    def confirms(self, user_id: UUID | None) -> bool:
        """Whether this person confirms what somebody else proposed of it."""
        return rules.settle_together((self.complaint.settlement_by, user_id), self._committee, self._able)

    @property
    def falls(self) -> bool:
        """Whether nobody can confirm what is proposed: who proposed it, or is passed over by it, changed since."""
        return not any(self.confirms(key) for key in self._able)

    @property
    def compared(self) -> tuple[tuple[ResultScore, Half | None], ...]:
        """Each criterion with the score of the first decision beside that of the repeated evaluation."""
        if self.result is None or self.complaint.settlement is None:
            return ()
        halves = halves_kept(self.complaint.settlement.halves)
        criteria = self.application.call.content.criteria
        return tuple((score, halves.get(one.key)) for score, one in zip(self.result.scores, criteria, strict=True))

    def why_not(self, user_id: UUID | None) -> str:
        """Why this person handles nothing of it; empty where they may."""
        return self.involved.get(user_id, "") if user_id else "nobody is signed in"


@reader
def case_page(actor: Actor, reference: str, number: int) -> Asking[CasePage]:
    """One complaint for the programme; :class:`NotFound` out of scope, in conflict, and before it was sent."""
    found = yield from ask(
        select(Complaint.id, Complaint.application_id, Complaint.call_id)
        .join(Application, Application.id == Complaint.application_id)
        .where(
            Application.reference == reference,
            Complaint.number == number,
            Complaint.state != ComplaintState.DRAFT.value,
        )
    )
    row = next(iter(found), None)
    scope = Scope.of(("application", row.application_id), ("call", row.call_id)) if row else None
    if row is None or scope is None or not actor.may(Permission.COMPLAINT_READ, scope):
        raise NotFound
    parts: list[Asking[Any]] = [
        evaluation.undecidable.asking(actor, [row.application_id]),
        _application(row.application_id),
        views_of.asking(select(Complaint).where(Complaint.id == row.id)),
        involved_in.asking(row.application_id),
        identity.users_with.asking(Permission.COMPLAINT_DECIDE, scope),
        _conditions(row.application_id),
        _procedure(row.application_id),
        files.listed.asking(LETTERS, row.id),
        identity.users_with.asking(Permission.ROLE_ASSIGN, scope),
        # Asked whether it is shown or not: after the others it would be three statements more.
        _breaches(row.application_id),
    ]
    found = yield from side_by_side(parts)
    shut, application, (view,), involved, holders, conditions, steps, made, administrators, breaches = found
    if shut:
        raise NotFound
    repeated = [row.application_id] if view.waits_for_result else []
    looks = view.state is ComplaintState.UNDER_REVIEW and Remedy.CORRECT in rules.REMEDIES[view.about]
    told, out, scores = yield from side_by_side([
        evaluation_told.asking(application, view.about, view.sent_at),
        evaluation.shut_out.asking([row.application_id], [each.id for each in holders]),
        *([evaluation.official_scores.asking(application.call.content, repeated)] if repeated else [_no_scores()]),
    ])  # fmt: skip
    conflicted = {user_id for user_id, _ in out}
    people = tuple((each.id, each.name) for each in holders if each.id not in involved and each.id not in conflicted)
    procedure = ((words, at) for words, at in (*steps, ("Results public", application.call.results_public_at)) if at)
    return CasePage(
        application, view, told, tuple(procedure), conditions, involved, people,
        tuple(each.name for each in administrators), tuple(_left_out(holders, involved, conflicted)),
        view.decided_at is not None and bool(made), any(each.halves is not None for each in scores.values()),
        breaches if looks else (),
    )  # fmt: skip


def _left_out(
    holders: Sequence[Any], involved: Mapping[UUID, str], conflicted: Collection[UUID]
) -> Iterator[tuple[str, str]]:
    """Who may decide complaints and not this one, each with the reason as it is told to others."""
    for each in holders:
        if each.id in conflicted:
            yield each.name, "has a conflict with the application, or has not declared about it"
        elif each.id in involved:
            yield each.name, "had a part in the first decision"


def _no_scores() -> Asking[Mapping[UUID, OfficialScore]]:
    yield from ()
    return {}


def _breaches(application_id: UUID) -> Asking[tuple[str, ...]]:
    """What correcting its outcome would break of its confirmed list."""
    lists = yield from ask(
        select(SelectionItem.selection_id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(SelectionItem.application_id == application_id, Selection.state == SelectionState.CONFIRMED.value)
        .order_by(Selection.number.desc())
        .limit(1)
    )
    return (yield from breaches_now.asking(lists[0].selection_id, application_id)) if lists else ()


def _application(application_id: UUID) -> Asking[ApplicationView]:
    (row,) = yield from ask(select(Application).where(Application.id == application_id))
    return (yield from applications.view_of.asking(row))


def _conditions(application_id: UUID) -> Asking[tuple[tuple[str, str], ...]]:
    """What the letter of the desk said of each condition."""
    letters_sent = yield from ask(
        select(EligibilityLetter.content)
        .where(EligibilityLetter.application_id == application_id, EligibilityLetter.sent_at.is_not(None))
        .order_by(EligibilityLetter.sent_at.desc())
        .limit(1)
    )
    told = (LetterText.from_mapping(row.content) for row in letters_sent if row.content)
    return tuple(answer for text in told for _, answers in text.parts for answer in answers)


def _procedure(application_id: UUID) -> Asking[tuple[tuple[str, datetime | None], ...]]:
    """The steps of the first decision with their moments, without a name."""
    # A consensus that was opened again forgot when it was agreed, and has another moment later: the record keeps the first.
    recorded = (
        select(func.max(cast(AuditEvent.changes["agreed_at"][1].astext, DateTime(timezone=True))))
        .where(
            AuditEvent.object_kind == Consensus.__tablename__,
            AuditEvent.object_id == Consensus.id,
            AuditEvent.recorded_at <= Selection.confirmed_at,
        )
        .correlate(Consensus, Selection)
        .scalar_subquery()
    )
    later = Consensus.agreed_at > Selection.confirmed_at
    agreed_at = case((or_(Consensus.agreed_at.is_(None), later), recorded), else_=Consensus.agreed_at)
    (row,) = yield from ask(
        select(
            *(EligibilityCheck.decided_at.label("checked"), agreed_at.label("agreed_at")),
            *(Selection.decided_at, Selection.confirmed_at, Selection.number),
        )
        .select_from(Application)
        .outerjoin(EligibilityCheck, EligibilityCheck.submission_id == Application.submission_id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .outerjoin(SelectionItem, SelectionItem.application_id == Application.id)
        .outerjoin(
            Selection,
            and_(Selection.id == SelectionItem.selection_id, Selection.state == SelectionState.CONFIRMED.value),
        )
        .where(Application.id == application_id)
        .order_by(Selection.number.desc().nulls_last())
        .limit(1)
    )
    return (
        ("Eligibility decided", row.checked),
        ("Consensus agreed", row.agreed_at),
        ("Ranked list decided", row.decided_at),
        ("Ranked list confirmed by a second person", row.confirmed_at),
    )


@dataclass(frozen=True, slots=True)
class ListPage:
    """The complaints of a call for the programme, and how many there are of each state."""

    call: CallView
    rows: Rows[ComplaintView]
    counts: tuple[tuple[ComplaintState, int], ...]
    late: int


@reader
def list_page(actor: Actor, slug: str, page: Page, at: datetime) -> Asking[ListPage]:
    """The complaints that were sent about applications of a call, by reference and number; three statements and the call.

    Nothing of an application with which the reader has a conflict, in rows and in counts.
    """
    call = calls.call(actor, slug)
    if not actor.may(Permission.COMPLAINT_READ, Scope.of(("call", call.id))):
        raise NotFound
    ids = yield from ask(select(Complaint.application_id).where(Complaint.call_id == call.id).distinct())
    shut = yield from evaluation.undecidable.asking(actor, [row.application_id for row in ids])
    inside = (
        Complaint.call_id == call.id,
        Complaint.state != ComplaintState.DRAFT.value,
        Complaint.application_id.not_in(shut),
    )
    key = func.concat(Application.reference, "/", func.lpad(cast(Complaint.number, Text), 4, "0"))
    wanted = (
        select(Complaint)
        .join(Application, Application.id == Complaint.application_id)
        .where(*inside, key > (page.after or ""))
        .order_by(key)
        .limit(page.limit)
    )
    late = func.count().filter(Complaint.state.in_([each.value for each in OPEN_COMPLAINTS]), Complaint.decide_at <= at)
    views, counted = yield from both(
        views_of.asking(wanted),
        ask(select(Complaint.state, func.count(), late).where(*inside).group_by(Complaint.state)),
    )
    by_state = {ComplaintState(state): number for state, number, _ in counted}
    rows = cut(views, page, key=lambda each: f"{each.reference}/{each.number:04d}", total=sum(by_state.values()))
    counts = tuple((state, by_state[state]) for state in ComplaintState if state in by_state)
    return ListPage(call, rows, counts, sum(row[2] for row in counted))


def about_eligibility(call_id: UUID, since: datetime | None = None) -> int:
    """How many complaints about a verdict of the desk are open in a call; with ``since`` those sent after that moment.

    One that was upheld counts until its application is eligible again; then the list waits for its evaluation.
    """
    return alone(open_about_eligibility(Complaint.call_id == call_id, since))


def open_about_eligibility(of: ColumnElement[bool], since: datetime | None = None) -> Asking[int]:
    """The same for a page, of the complaints that meet a condition. A number alone: it tells nobody of whose."""
    restored = and_(
        Complaint.state == ComplaintState.UPHELD.value,
        Complaint.remedy == Remedy.RESTORE.value,
        Application.state == ApplicationState.INELIGIBLE.value,
    )
    rows = yield from ask(
        select(func.count().label("number"))
        .select_from(Complaint)
        .join(Application, Application.id == Complaint.application_id)
        .where(
            of,
            Complaint.about == ApplicationState.INELIGIBLE.value,
            or_(Complaint.state.in_([each.value for each in OPEN_COMPLAINTS]), restored),
            Complaint.sent_at > since if since is not None else literal(True),
        )
    )
    return int(rows[0].number)


def public_counts(call_id: UUID) -> tuple[tuple[ComplaintState, int], ...]:
    """How many complaints of each state a call had, for everybody: no name, no application."""
    rows = db.session.execute(
        select(Complaint.state, func.count())
        .where(Complaint.call_id == call_id, Complaint.state != ComplaintState.DRAFT.value)
        .group_by(Complaint.state)
    ).all()
    found = {ComplaintState(state): number for state, number in rows}
    return tuple((state, found[state]) for state in ComplaintState if state in found)


# --- what is printed ----------------------------------------------------------------------------------------------


def for_print(complaint_id: UUID) -> tuple[rules.ComplaintLetter, Complaint, ApplicationView]:
    """A second decision for the job that prints it."""
    row = get(Complaint, complaint_id)
    assert row.letter is not None, "only what was decided is printed"
    return rules.ComplaintLetter.from_mapping(row.letter), row, applications.view_by_id(row.application_id)


def id_of(reference: str, number: int) -> UUID:
    """The id of a complaint; who may have anything of it is asked by the act."""
    found = db.session.scalar(
        select(Complaint.id)
        .join(Application, Application.id == Complaint.application_id)
        .where(Application.reference == reference, Complaint.number == number)
    )
    if found is None:
        raise NotFound
    return found


def letter_of(complaint_id: UUID) -> str:
    """The SHA-256 of the PDF of a second decision; :class:`NotFound` while it is being made."""
    made = files.listed(LETTERS, complaint_id)
    if not made:
        raise NotFound
    return made[0].sha256
