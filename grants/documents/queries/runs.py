"""The runs of statements that were asked for: who may see which, where each stands, and what it found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, not_, or_, select, tuple_

from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core import clock, files
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.jobs import Job, JobState
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.documents.models import StatementFigures, StatementRun
from grants.documents.queries.movements import EntryLine, Place, at, behind
from grants.documents.queries.scopes import call_ids, calls_of
from grants.documents.rules import (
    Figures,
    Format,
    Period,
    Progress,
    RunFile,
    RunFilter,
    RunState,
    RunView,
    ScopeFound,
    ScopeKind,
    from_mapping,
)
from grants.identity.models import User
from grants.ledger.accounts import Account

FILE_KIND = "statement"
# A statement that failed is told on /home for so long.
FAILED_DAYS = timedelta(days=7)

_JOB_STATES: Mapping[RunState, JobState] = {
    RunState.WAITING: JobState.QUEUED,
    RunState.RUNNING: JobState.RUNNING,
    RunState.READY: JobState.DONE,
    RunState.FAILED: JobState.FAILED,
    RunState.CANCELLED: JobState.CANCELLED,
}
_RUN_STATES = {job_state: run_state for run_state, job_state in _JOB_STATES.items()}


def visible(actor: Actor) -> ColumnElement[bool]:
    """Statements in the person's reach, without those that hold a pilot he or she is barred from."""
    return _in_reach(actor) & _not_barred(actor)


def _in_reach(actor: Actor) -> ColumnElement[bool]:
    if actor.everywhere(Permission.STATEMENT_READ):
        return StatementRun.id.is_not(None)
    found: list[ColumnElement[bool]] = []
    if calls := actor.places(Permission.STATEMENT_READ, "call"):
        found.append(StatementRun.call_id.in_(calls))
    of_a_grant = StatementRun.scope_kind == ScopeKind.GRANT.value
    if applications := actor.places(Permission.STATEMENT_READ, "application"):
        own = select(Grant.id).where(Grant.application_id.in_(applications))
        found.append(of_a_grant & StatementRun.scope_id.in_(own))
    if grants := actor.places(Permission.STATEMENT_READ, "grant"):
        found.append(of_a_grant & StatementRun.scope_id.in_(grants))
    return or_(*found) if found else false()


def _not_barred(actor: Actor) -> ColumnElement[bool]:
    grants, calls = actor.barred("grant"), actor.barred("call")
    if not grants and not calls:
        return StatementRun.id.is_not(None)
    touched = or_(Call.id.in_(calls), Call.id.in_(calls_of(grants)))
    programmes = select(Call.programme_id).where(touched)
    of_call = StatementRun.scope_kind == ScopeKind.CALL.value
    return and_(
        or_(StatementRun.call_id.is_(None), StatementRun.call_id.not_in(calls)),
        StatementRun.scope_id.not_in(grants),
        StatementRun.scope_id.not_in(programmes),
        not_(of_call & StatementRun.scope_id.in_(calls_of(grants))),
    )


def keeping_away(actor: Actor) -> tuple[Select[UUID], Select[UUID]]:
    """The statements, and the figures kept for them, that hold a pilot or a call the person is barred from."""
    grants, calls = actor.barred("grant"), actor.barred("call")
    touched = or_(Call.id.in_(calls), Call.id.in_(calls_of(grants)))
    about = StatementFigures.scope_id
    figures = select(StatementFigures.id).where(
        or_(
            about.in_(grants),
            about.in_(select(Call.id).where(touched)),
            about.in_(select(Call.programme_id).where(touched)),
        )
    )
    return select(StatementRun.id).where(not_(_not_barred(actor))), figures


def _runs() -> Select[StatementRun, Job, str]:
    return (
        select(StatementRun, Job, User.name)
        .join(Job, Job.id == StatementRun.job_id)
        .join(User, User.id == StatementRun.requested_by)
    )


def runs(
    actor: Actor, titles: Mapping[str, str], asked: RunFilter | None = None, page: Page | None = None
) -> Rows[RunView]:
    """The statements the person may read, newest first; two statements of SQL however long the list is."""
    wanted, shown = asked or RunFilter(), page or Page()
    statement = _runs().where(visible(actor), *_narrowed(actor, wanted))
    if (key := _key(shown.after)) is not None:
        statement = statement.where(tuple_(StatementRun.created_at, StatementRun.id) < tuple_(*key))
    order = (StatementRun.created_at.desc(), StatementRun.id.desc())
    found = db.session.execute(statement.order_by(*order).limit(shown.limit)).all()
    kept = files_of([run.id for run, _, _ in found])
    views = [_view(run, job, name, titles, kept.get(run.id, ())) for run, job, name in found]
    return cut(views, shown, key=lambda view: view.key)


def _narrowed(actor: Actor, asked: RunFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.name:
        found.append(StatementRun.name == asked.name)
    if asked.state is not None:
        found.append(Job.state == _JOB_STATES[asked.state].value)
    if text := asked.scope.strip():
        named = (StatementRun.scope_reference, StatementRun.scope_title, StatementRun.reference)
        found.append(or_(*(column.icontains(text, autoescape=True) for column in named)))
    if asked.mine:
        found.append(StatementRun.requested_by == actor.user_id)
    return found


def _key(after: str | None) -> tuple[datetime, UUID] | None:
    """The key in an address; a broken one is as if there were none."""
    moment, _, run_id = (after or "").partition("|")
    try:
        return datetime.fromisoformat(moment), UUID(run_id)
    except ValueError:
        return None


def files_of(run_ids: Collection[UUID]) -> dict[UUID, tuple[RunFile, ...]]:
    """Size and checksum of the files of many statements; one statement of SQL."""
    found: dict[UUID, list[RunFile]] = {}
    for file in files.listed_of(FILE_KIND, run_ids):
        found.setdefault(file.object_id, []).append(RunFile(Format(file.role), file.size_bytes, file.sha256))
    return {
        run_id: tuple(sorted(each, key=lambda file: list(Format).index(file.form))) for run_id, each in found.items()
    }


def run(actor: Actor, reference: str, titles: Mapping[str, str]) -> RunView:
    """One statement; raises :class:`NotFound`."""
    found = db.session.execute(_runs().where(StatementRun.reference == reference, visible(actor))).one_or_none()
    if found is None:
        raise NotFound
    row, job, name = found
    view = _view(row, job, name, titles, files_of([row.id]).get(row.id, ()))
    return replace(view, may_stop=may_stop(actor, row.requested_by, row.call_id))


def figures(actor: Actor, reference: str) -> Figures | None:
    """The kept figures of a statement, or None before it is built."""
    statement = select(StatementRun.figures_id).where(StatementRun.reference == reference, visible(actor))
    found = db.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound
    return from_mapping(get(StatementFigures, found.figures_id).figures) if found.figures_id else None


def may_stop(actor: Actor, requested_by: UUID, call_id: UUID | None) -> bool:
    """Whether a statement may be cancelled and begun again: by who asked, or who asks for its whole call, or programme."""
    if actor.user_id == requested_by or actor.everywhere(Permission.STATEMENT_REQUEST):
        return True
    return call_id in actor.places(Permission.STATEMENT_REQUEST, "call")


def kept(name: str, scope_id: UUID, as_of: datetime, period: Period) -> StatementFigures | None:
    """What was stated for this moment and period before, or None."""
    return db.session.scalars(
        select(StatementFigures).where(
            StatementFigures.name == name,
            StatementFigures.scope_id == scope_id,
            StatementFigures.as_of == as_of,
            _same(StatementFigures.from_on, period.starts_on),
            _same(StatementFigures.before_on, period.ends_before),
        )
    ).one_or_none()


def _same(column: Any, day: date | None) -> ColumnElement[bool]:
    return column.is_(None) if day is None else column == day


def files_of_figures(figures_id: UUID) -> tuple[FileView, ...]:
    """The files first made of these figures, or none where no run of them was finished yet."""
    statement = select(StatementRun.id).where(StatementRun.figures_id == figures_id)
    first = db.session.scalar(statement.order_by(StatementRun.built_at, StatementRun.id).limit(1))
    return files.listed(FILE_KIND, first) if first is not None else ()


def entries_behind(actor: Actor, run: RunView, accounts: Sequence[Account], grant: str, page: Page) -> Rows[EntryLine]:
    """The entries behind a figure of a statement, as known at its moment; ``grant`` narrows a call's to one of its grants.

    Raises :class:`NotFound` where the person may not read that statement, whoever looked it up.
    """
    if db.session.scalar(select(StatementRun.id).where(StatementRun.id == run.id, visible(actor))) is None:
        raise NotFound
    about = ScopeFound(run.scope_kind, run.scope_id, run.scope_reference, run.scope_title, None)
    if run.scope_kind is ScopeKind.CALL:
        about = replace(about, call_id=run.scope_id)
    place = Place(call_ids=call_ids(about))
    if run.scope_kind is ScopeKind.GRANT:
        place = Place(grant_id=run.scope_id)
    elif grant:
        found = db.session.scalar(select(Grant.id).where(Grant.reference == grant, Grant.call_id.in_(place.call_ids)))
        if found is None:
            raise NotFound
        place = Place(grant_id=found)
    return behind(place, accounts, at(run.as_of, run.period), page)


def unfinished(actor: Actor) -> Select[str, str, str, datetime, str]:
    """What this person asked for and has not yet, the longest first: reference, name, scope, since when, state of its job.

    A question, not its answer: /home asks many at once.
    """
    failed = and_(Job.state == JobState.FAILED.value, Job.finished_at > clock.now() - FAILED_DAYS)
    return (
        select(StatementRun.reference, StatementRun.name, StatementRun.scope_title, StatementRun.created_at, Job.state)
        .join(Job, Job.id == StatementRun.job_id)
        .where(
            StatementRun.requested_by == actor.user_id,
            visible(actor),
            or_(Job.state.in_((JobState.QUEUED.value, JobState.RUNNING.value)), failed),
        )
        .order_by(StatementRun.created_at, StatementRun.id)
    )


def _view(row: StatementRun, job: Job, name: str, titles: Mapping[str, str], kept: Sequence[RunFile]) -> RunView:
    return RunView(
        id=row.id,
        reference=row.reference,
        name=row.name,
        title=titles.get(row.name, row.name),
        scope_kind=ScopeKind(row.scope_kind),
        scope_id=row.scope_id,
        scope_reference=row.scope_reference,
        scope_title=row.scope_title,
        as_of=row.as_of,
        period=Period(row.from_on, row.before_on),
        requested_by=row.requested_by,
        requested_by_name=name,
        requested_at=row.created_at,
        built_at=row.built_at,
        figures_sha256=row.figures_sha256,
        progress=_progress(job),
        files=tuple(kept),
    )


def _progress(job: Job) -> Progress:
    took = job.finished_at - job.started_at if job.finished_at and job.started_at else None
    return Progress(
        state=_RUN_STATES[JobState(job.state)],
        done=job.done_units,
        total=job.total_units,
        note=job.note or "",
        error=job.error or "",
        attempt=job.attempt,
        took=took,
    )
