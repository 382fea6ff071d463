"""Acts of statements: asked for, built by a job, handed out; and the books and the record of all acts taken out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.core import acts, clock, files, jobs, references
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.documents import queries
from grants.documents.catalogue import CATALOGUE, Statement, named, rendered
from grants.documents.models import StatementFigures, StatementRun
from grants.documents.rules import (
    Figures,
    Format,
    Period,
    Produced,
    RunSummary,
    ScopeFound,
    ScopeKind,
    Wanted,
    from_mapping,
    to_mapping,
)
from grants.identity import queries as identity
from grants.ledger import services as ledger

FILE_KIND = queries.FILE_KIND
JOB = "jobs.financial_reports.build"


def wanted_scope(wanted: Wanted) -> Scope:
    """Where a statement to be asked for lies: with its grant, in its call, or everywhere."""
    return queries.lies_in(_scope(wanted))


def scope_of(run_id: UUID) -> Scope:
    """Where a statement lies, read under its lock."""
    return queries.lies_in_run(locked(StatementRun, run_id))


def lies_in(run_id: UUID) -> Scope:
    """The same without the lock, for acts on its job: a statement being made holds its own lock until it is there."""
    return queries.lies_in_run(get(StatementRun, run_id))


def _scope(wanted: Wanted) -> ScopeFound:
    return queries.scope_of(named(wanted.name).scope_kinds, wanted.scope_reference)


@act("statement.request", needs=Permission.STATEMENT_REQUEST, scope=wanted_scope, says="asked for statement {subject}")
def request(actor: Actor, wanted: Wanted) -> RunSummary:
    """Ask for a statement as known at a moment (now, where none is named); a job makes its files."""
    kind, about = named(wanted.name), _scope(wanted)
    _refuse_barred(actor, about.kind, about.id)
    period = kind.period(wanted.period)
    as_of = _moment(wanted.as_of, acts.moment())
    ledger.read_up_to(as_of)
    run = StatementRun(
        reference=references.new_reference("FIN", clock.in_zone(acts.moment()).year, "S"),
        name=kind.name,
        scope_kind=about.kind.value,
        scope_id=about.id,
        scope_reference=about.reference,
        scope_title=about.title,
        call_id=about.call_id,
        as_of=as_of,
        from_on=period.starts_on,
        before_on=period.ends_before,
        requested_by=actor.user_id,
    )
    run.job_id = jobs.queue(JOB, subject=(FILE_KIND, run.id), run_id=run.id)
    db.session.add(run)
    return RunSummary(run.id, run.reference)


def _refuse_barred(actor: Actor, kind: ScopeKind, scope_id: UUID) -> None:
    """A statement that tells of a pilot is not there for whoever a conflict bars from that pilot."""
    if queries.holds_barred(actor, kind, scope_id):
        raise NotFound


def _moment(asked: datetime | None, now: datetime) -> datetime:
    if asked is not None and asked > now:
        raise Invalid(
            "The moment lies ahead.",
            {"as_of": "A statement shows what is known; choose a moment that is not in the future."},
        )
    return asked or now


@act("statement.build", needs=Permission.STATEMENT_READ, scope=scope_of, says="built statement {subject}")
def build(actor: Actor, run_id: UUID) -> RunSummary:
    """Work the figures out, write the files, keep both; the job's fence makes it happen once.

    Files are kept last and together: a statement that is cancelled on the way leaves none.
    """
    run = locked(StatementRun, run_id)
    _refuse_barred(actor, ScopeKind(run.scope_kind), run.scope_id)
    if run.built_at is not None:
        return RunSummary(run.id, run.reference)
    steps = len(Format) + 2
    jobs.progress(0, steps, "Reading the ledger and comparing its sums")
    about = ScopeFound(ScopeKind(run.scope_kind), run.scope_id, run.scope_reference, run.scope_title, run.call_id)
    figures, kept_id = _figures(named(run.name), about, run.as_of, Period(run.from_on, run.before_on))
    made = []
    for done, (form, file) in enumerate(_files(figures, kept_id), 1):
        jobs.progress(done, steps, f"The {form.value.upper()} is written")
        made.append((form, file))
    jobs.progress(steps - 1, steps, "Keeping the files")
    for form, file in made:
        files.keep_bytes(
            file.data, name=file.name, media_type=file.media_type, kind=FILE_KIND, object_id=run.id, role=form.value
        )
    run.figures_id, run.figures_sha256, run.built_at = kept_id, figures.sha256, acts.moment()
    return RunSummary(run.id, run.reference)


def _files(figures: Figures, kept_id: UUID) -> Iterator[tuple[Format, Produced]]:
    """The files of these figures: those that were made of them first, byte for byte, or new ones where there are none.

    So a later edition of the program, which may draw a page differently, still hands out what was handed out before.
    """
    first = {file.role: file for file in queries.files_of_figures(kept_id)}
    for form in Format:
        data = _stored(first.get(form.value))
        fresh = Produced(f"{figures.file_stem}.{form.value}", form.media_type, data) if data else None
        yield form, fresh or rendered(figures, form)


def _stored(file: FileView | None) -> bytes | None:
    """What lies in the store, if it is still what was kept."""
    if file is None:
        return None
    try:
        data = files.path(file).read_bytes()
    except NotFound:
        return None
    return data if hashlib.sha256(data).hexdigest() == file.sha256 else None


def _figures(kind: Statement, about: ScopeFound, as_of: datetime, period: Period) -> tuple[Figures, UUID]:
    """The figures of a moment: kept the first time, names included; worked out again, they must be the same amounts."""
    # Two runs of one moment at once: the second waits, and finds what the first kept.
    named_by = f"{kind.name}|{about.id}|{as_of.isoformat()}|{period.starts_on}|{period.ends_before}"
    key = hashlib.sha256(named_by.encode()).digest()
    db.session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(key[:8], signed=True))))
    fresh = kind.figures(about.reference, as_of, period)
    kept = queries.kept(kind.name, about.id, as_of, period)
    if kept is None:
        made = StatementFigures(
            name=kind.name,
            scope_id=about.id,
            as_of=as_of,
            from_on=period.starts_on,
            before_on=period.ends_before,
            figures=to_mapping(fresh),
            sha256=fresh.sha256,
        )
        db.session.add(made)
        return fresh, made.id
    known = from_mapping(kept.figures)
    if fresh.contradicts(known):
        raise Refused(
            f"The ledger no longer says of {about.reference} what was stated for this moment before. Run “grants ledger verify” and tell the auditor."
        )
    return known, kept.id


def _refuse_others(actor: Actor, run: StatementRun) -> None:
    """What somebody waits for is stopped, or begun again, by them or by who may ask for more than this."""
    if not queries.may_stop(actor, run.requested_by, run.call_id):
        who = identity.person(run.requested_by).name
        raise Refused(
            f"{who} asked for this statement, and cancels it or tries it again, or somebody who may ask for statements of "
            "the whole call. Ask for one of your own: it is made beside this one."
        )


@act("statement.cancel", needs=Permission.STATEMENT_REQUEST, scope=lies_in, says="cancelled statement {subject}")
def cancel(actor: Actor, run_id: UUID) -> RunSummary:
    """Stop a statement that waits or is being made: either it is there already, or nothing of it is kept."""
    run = get(StatementRun, run_id)
    _refuse_barred(actor, ScopeKind(run.scope_kind), run.scope_id)
    _refuse_others(actor, run)
    acts.subject("statement_run", run_id)
    if jobs.view(run.job_id).state is jobs.JobState.DONE:
        raise Refused("The statement was finished a moment ago; there is nothing left to cancel. Its files are here.")
    jobs.give_up(run.job_id, f"Cancelled by {actor.name}.")
    return RunSummary(run.id, run.reference)


@act("statement.retry", needs=Permission.STATEMENT_REQUEST, scope=lies_in, says="started statement {subject} again")
def retry(actor: Actor, run_id: UUID) -> RunSummary:
    """Try a statement that failed or was cancelled again, for the same moment and period."""
    run = get(StatementRun, run_id)
    _refuse_barred(actor, ScopeKind(run.scope_kind), run.scope_id)
    _refuse_others(actor, run)
    acts.subject("statement_run", run_id)
    jobs.start_again(run.job_id)
    return RunSummary(run.id, run.reference)


@act("statement.download", needs=Permission.STATEMENT_READ, scope=scope_of, says="downloaded a statement")
def download(actor: Actor, run_id: UUID, form: Format) -> FileView:
    """Hand a file out; who took it is kept."""
    run = locked(StatementRun, run_id)
    _refuse_barred(actor, ScopeKind(run.scope_kind), run.scope_id)
    acts.subject(FILE_KIND, run_id)
    found = files.listed(FILE_KIND, run_id, form.value)
    if not found:
        raise NotFound
    return found[0]


@act("statement.export", needs=Permission.STATEMENT_READ, scope=wanted_scope, says="wrote a statement to files")
def export(actor: Actor, wanted: Wanted) -> tuple[Produced, ...]:
    """The files of a statement at once, for the command line; the same bytes as the job's."""
    kind, about = named(wanted.name), _scope(wanted)
    _refuse_barred(actor, about.kind, about.id)
    acts.subject(about.kind.value, about.id)
    period = kind.period(wanted.period)
    as_of = _moment(wanted.as_of, acts.moment())
    ledger.read_up_to(as_of)
    figures, kept_id = _figures(kind, about, as_of, period)
    return tuple(file for _, file in _files(figures, kept_id))


@act("ledger.export", needs=Permission.LEDGER_READ, says="took the books out as a file")
def export_books(actor: Actor, what: str) -> None:
    """Put on the record that the whole journal, or its balances, leave the program; nothing leaves unless this is kept."""
    if not actor.everywhere(Permission.LEDGER_READ):
        raise NotFound
    acts.reason(f"The {what}, by command")


@act("audit.export", needs=Permission.AUDIT_READ, says="took the record of all acts out as a file")
def export_audit(actor: Actor) -> None:
    """Put on the record that the audit leaves the program; nothing leaves unless this is kept."""
    if not actor.everywhere(Permission.AUDIT_READ):
        raise NotFound
    acts.reason("The sealed audit, by command")


def statement_names() -> tuple[tuple[str, str], ...]:
    """Name and kinds of scope of every statement."""
    return tuple((found.name, ",".join(kind.value for kind in found.scope_kinds)) for found in CATALOGUE.values())
