"""The results of a call: whether they can be published, and what everybody may read of them from their moment on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState, Origin
from grants.awards.models import ResultsPublication, Selection, SelectionItem
from grants.awards.queries.withholding import by_name, reasons
from grants.awards.rules import Decided, PublicationView
from grants.awards.rules.publication import Withheld, gone_words, withheld_words
from grants.awards.states import AmountBasis, MailingState, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView, PublicResult, PublicResults, ResultsInput
from grants.core import clock, encoding
from grants.core.db import db, get, locked
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.identity.models import User

# Sent in, and not told a result yet.
WITHOUT_RESULT = (
    ApplicationState.SUBMITTED.value,
    ApplicationState.ELIGIBLE.value,
    ApplicationState.UNDER_EVALUATION.value,
)
# Who reads what is published of a call, and what is withheld from it, before others do.
OPENS = (Permission.SELECTION_PUBLISH_RESULTS, Permission.SELECTION_CONFIRM)
# Whoever audits reads the same page and changes nothing.
READS_RESULTS = (*OPENS, Permission.AUDIT_READ)
# Selected, and neither declined nor dropped since.
STILL_SELECTED = (
    ApplicationState.SELECTED.value,
    ApplicationState.IN_PREPARATION.value,
    ApplicationState.AWARDED.value,
)
# Selected, and without a grant since.
GONE = (ApplicationState.DECLINED.value, ApplicationState.DROPPED.value)


def application_ids(call_id: UUID) -> frozenset[UUID]:
    """Every application of a call, for an act that holds the call's lock."""
    return frozenset(db.session.scalars(select(Application.id).where(Application.call_id == call_id)))


@reader
def decided(call_id: UUID) -> Asking[Decided]:
    """How far the selection of a call is."""
    rows, ((waiting, sent),) = yield [
        select(Selection.number, Selection.state).where(Selection.call_id == call_id).order_by(Selection.number),
        select(
            func.count().filter(Application.state.in_(WITHOUT_RESULT)).label("waiting"),
            func.count().filter(Application.submission_id.is_not(None)).label("sent"),
        ).where(Application.call_id == call_id, Application.origin == Origin.SUBMITTED_HERE.value),
    ]
    return Decided(
        sum(state == SelectionState.CONFIRMED.value for _, state in rows),
        next((number for number, state in rows if state == SelectionState.DECIDED.value), None),
        waiting,
        sent,
    )


@dataclass(frozen=True, slots=True)
class PublishingPage:
    """How far the selection of a call is, exactly what everybody would read, and what is withheld from them and why."""

    call: CallView
    decided: Decided
    results: tuple[PublicResult, ...]
    # What can be withheld by name, as a choice shows it: also what waits for its letter, which would name it at once.
    named: tuple[tuple[UUID, str], ...]
    withheld: tuple[Withheld, ...]
    # Nothing is selected, for whoever is kept from nothing: others cannot know; and what became of what was.
    none_selected: bool
    # Something of the call waits for what this person declares, selected or not.
    to_declare: bool
    gone: str
    # What waits for a second person.
    waiting: PublicationView | None


@reader
def publishing(actor: Actor, slug: str) -> Asking[PublishingPage]:
    """The results of a call before they are public, and after; :class:`NotFound` out of scope. Six statements.

    Nothing of an application shut to this person: by a conflict, or since they must declare about it and did not. Of what is
    withheld that holds when they are public too, since everybody else reads nothing of it.
    """
    call = yield from calls.call.asking(actor, slug)
    if not any(actor.may(permission, Scope.of(("call", call.id))) for permission in READS_RESULTS):
        raise NotFound
    barred = actor.barred("application")
    about: list[Asking[Any]] = [
        _selected.asking(call, tuple(SelectionKind)), decided.asking(call.id), _proposed.asking(call.id), _of_call(call.id)
    ]  # fmt: skip
    found, done, waiting, (to_declare, others) = yield from side_by_side(about)
    shut = yield from evaluation.undecidable.asking(actor, to_declare, others)
    hidden = barred if call.results_are_public(clock.now()) else barred | shut
    every = [each for each in found if each.stands]
    rows = [each for each in every if each.id not in hidden]
    withheld = yield from reasons.asking(call.id, [each.id for each in rows])
    return PublishingPage(
        call, done, tuple(each.told for each in rows if not each.withheld),
        tuple(
            (each.id, f"{each.told.title} ({each.reference})")
            for each in rows if each.id not in shut and each.decided_here and not each.by_name
        ),
        tuple(each for each in withheld if each.application_id not in shut),
        not every and not hidden,
        bool(hidden - barred) and actor.can(Permission.CONFLICT_DECLARE),
        "" if every or hidden else what_is_gone(each.state for each in found), waiting,
    )  # fmt: skip


@reader
def kept_apart(actor: Actor, call_id: UUID) -> Asking[tuple[frozenset[UUID], frozenset[UUID]]]:
    """Those applications of a call of which this person decides nothing as it stands now, and which of them wait for what they declare.

    For acts, that hold the call: a conflict that came since the request began counts.
    """
    asked, others = yield from _of_call(call_id)
    shut, waiting = yield from both(
        evaluation.undecidable.asking(actor, asked, others), evaluation.undeclared.asking(actor, asked)
    )
    return shut, waiting


@reader
def chosen(actor: Actor, slug: str) -> Asking[tuple[CallView, list[_Selected], bool]]:
    """What is selected in a call as far as this person sees it before the public does, by title, without what is withheld by name.

    And whether something of the call waits for what they declare. :class:`NotFound` out of scope. Five statements.
    """
    call = yield from calls.call.asking(actor, slug)
    if not any(actor.may(permission, Scope.of(("call", call.id))) for permission in READS_RESULTS):
        raise NotFound
    about: list[Asking[Any]] = [_selected.asking(call, tuple(SelectionKind)), _of_call(call.id)]
    found, (to_declare, others) = yield from side_by_side(about)
    shut = (yield from evaluation.undecidable.asking(actor, to_declare, others)) | actor.barred("application")
    rows = [each for each in found if each.stands and each.id not in shut and not each.by_name]
    return call, rows, bool(shut - actor.barred("application")) and actor.can(Permission.CONFLICT_DECLARE)


def _of_call(call_id: UUID) -> Asking[tuple[list[UUID], list[UUID]]]:
    """The applications of a call of which who judges declares, and the others."""
    declared = and_(
        Application.origin == Origin.SUBMITTED_HERE.value,
        Application.state.in_((*evaluation.IN_EVALUATION, *evaluation.EVALUATED)),
    )
    rows = yield from ask(select(Application.id, declared.label("declared")).where(Application.call_id == call_id))
    return [row.id for row in rows if row.declared], [row.id for row in rows if not row.declared]


def reads_withheld(actor: Actor, application_id: UUID, place: Scope) -> bool:
    """Whether the person reads that this award is withheld: whoever publishes or confirms, and is in no conflict with it."""
    may = any(actor.may(permission, place) for permission in OPENS)
    return may and not evaluation.undecidable(actor, [application_id])


def publication_scope(publication_id: UUID) -> Scope:
    """A publication lies in its call, which is locked first."""
    scope = evaluation.call_scope(get(ResultsPublication, publication_id).call_id)
    locked(ResultsPublication, publication_id)
    return scope


@reader
def _proposed(call_id: UUID) -> Asking[PublicationView | None]:
    """The publication of a call that waits for a second person; the database holds at most one."""
    row = ResultsPublication
    found = yield from ask(
        select(row.id, row.version, row.given, row.without_letters, User.name, row.prepared_by, row.prepared_at)
        .join(User, User.id == row.prepared_by)
        .where(row.call_id == call_id, row.state == MailingState.PREPARED.value)
    )
    views = [
        PublicationView(each.id, each.version, encoding.decode(each.given, ResultsInput), *each[3:]) for each in found
    ]
    return views[0] if views else None


def public_results(call: CallView, at: datetime) -> PublicResults | None:
    """The selected applications everybody may read of at a moment, by title, and how many are not named; None before that.

    What was published elsewhere is public by its source, once two people recorded it.
    """
    public = call.results_are_public(at)
    kinds = tuple(SelectionKind) if public else (SelectionKind.PUBLISHED_OUTCOME,)
    every = [each for each in _selected(call, kinds) if not each.untold]
    rows = [each for each in every if each.stands]
    found = tuple(each.told for each in rows if not each.by_name)
    # As the page of the awards counts: who waits for its letter is no award for anybody yet.
    unnamed = sum(each.by_name for each in rows)
    gone = "" if rows else what_is_gone(each.state for each in every)
    return PublicResults(found, withheld_words(unnamed), gone) if public or found else None


def what_is_gone(states: Iterable[str]) -> str:
    """What became of those in these states that were selected and get no grant, as everybody reads it."""
    counted = Counter(states)
    return gone_words(*(counted[state] for state in GONE))


@dataclass(frozen=True, slots=True)
class _Selected:
    id: UUID
    reference: str
    told: PublicResult
    untold: bool
    by_name: bool
    decided_here: bool
    state: str

    @property
    def stands(self) -> bool:
        """Whether it is still selected."""
        return self.state in STILL_SELECTED

    @property
    def withheld(self) -> bool:
        """Everybody reads nothing of it once results are public: withheld by name, or first told by a letter."""
        return self.untold or self.by_name


@reader
def _selected(call: CallView, kinds: tuple[SelectionKind, ...]) -> Asking[list[_Selected]]:
    """Every application that was selected by title, whether it still is, and whether it is withheld from the public. Two statements.

    What the publication tells is the same before its moment, for those who look at it, and after it.
    """
    rows = yield from ask(
        select(
            *(Application.id, Application.reference, Application.title, SelectionItem.amount),
            *(SelectionItem.amount_basis, Selection.kind, Application.state),
            *(applications.untold_when_public().label("untold"), by_name().label("by_name")),
        )
        .join(SelectionItem, SelectionItem.application_id == Application.id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            Selection.call_id == call.id,
            Selection.state == SelectionState.CONFIRMED.value,
            Selection.kind.in_([kind.value for kind in kinds]),
            or_(SelectionItem.outcome == Outcome.SELECTED.value, SelectionItem.entry_id.is_not(None)),
            Application.state.in_((*STILL_SELECTED, *GONE)),
        )
        # By title, never by rank: the order must say nothing about scores.
        # All of them: what is withheld is looked for in it, and everybody reads the rest.
        .order_by(func.lower(Application.title), Application.reference)
    )
    cities = yield from evaluation.cities_of.asking([row.id for row in rows])
    return [
        _Selected(
            row.id, row.reference,
            PublicResult(
                *(row.title, cities.get(row.id, ""), row.amount),
                call.synthetic or row.amount_basis == AmountBasis.SYNTHETIC.value,
            ),
            row.untold, row.by_name, row.kind == SelectionKind.RANKED.value, row.state,
        )
        for row in rows
    ]  # fmt: skip


# The public page of a call shows them.
calls.results_come_from(public_results)
