"""Acts of documents: asking for a statement, building it, handing it out; receipts and agreements as PDF. Writes produced files only."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.applications import queries as applications
from grants.core import acts, clock, files, jobs, references
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.documents import queries
from grants.documents.catalogue import CATALOGUE, Statement, named, rendered
from grants.documents.models import StatementFigures, StatementRun
from grants.documents.pdf import letters
from grants.documents.rules import Figures, Format, Produced, RunSummary, ScopeKind, Wanted, to_mapping
from grants.ledger import services as ledger

FILE_KIND = "statement"


def wanted_scope(wanted: Wanted) -> Scope:
    """Where a statement to be asked for lies: in its call."""
    _, call_id, _ = queries.scope_id(named(wanted.name).scope_kind, wanted.scope_reference)
    return queries.call_scope(call_id)


def scope_of(run_id: UUID) -> Scope:
    """Where a statement lies, read under its lock."""
    return queries.call_scope(locked(StatementRun, run_id).call_id)


@act("statement.request", needs=Permission.STATEMENT_REQUEST, scope=wanted_scope, says="asked for statement {subject}")
def request(actor: Actor, wanted: Wanted) -> RunSummary:
    """Ask for a statement as known at a moment (now, where none is named); a job makes its files."""
    kind = named(wanted.name)
    scope_id, call_id, title = queries.scope_id(kind.scope_kind, wanted.scope_reference)
    _refuse_barred(actor, kind.scope_kind, scope_id)
    as_of = _moment(wanted.as_of, acts.moment())
    ledger.read_up_to(as_of)
    run = StatementRun(
        reference=references.new_reference("FIN", clock.in_zone(acts.moment()).year, "S"),
        name=kind.name,
        scope_kind=kind.scope_kind.value,
        scope_id=scope_id,
        scope_reference=wanted.scope_reference,
        scope_title=title,
        call_id=call_id,
        as_of=as_of,
        requested_by=actor.user_id,
    )
    run.job_id = jobs.queue("jobs.financial_reports.build", subject=(FILE_KIND, run.id), run_id=run.id)
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
    """Work the figures out, write the files, keep both; the job's fence makes it happen once."""
    run = locked(StatementRun, run_id)
    _refuse_barred(actor, ScopeKind(run.scope_kind), run.scope_id)
    if run.built_at is not None:
        return RunSummary(run.id, run.reference)
    steps = len(Format) + 1
    jobs.progress(0, steps, "Reading the ledger")
    figures = _figures(named(run.name), run.scope_reference, run.scope_id, run.as_of)
    for done, form in enumerate(Format, 1):
        jobs.progress(done, steps, f"Writing the {form.value.upper()}")
        made = rendered(figures, form)
        files.keep_bytes(
            made.data, name=made.name, media_type=made.media_type, kind=FILE_KIND, object_id=run.id, role=form.value
        )
    run.figures, run.figures_sha256, run.built_at = to_mapping(figures), figures.sha256, acts.moment()
    return RunSummary(run.id, run.reference)


def _figures(kind: Statement, reference: str, scope_id: UUID, as_of: datetime) -> Figures:
    """The figures of a moment: kept the first time, names included; worked out again, they must be the same amounts."""
    # Two runs of one moment at once: the second waits, and finds what the first kept.
    key = hashlib.sha256(f"{kind.name}|{scope_id}|{as_of.isoformat()}".encode()).digest()
    db.session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(key[:8], signed=True))))
    fresh = kind.figures(reference, as_of)
    kept = queries.kept_figures(kind.name, scope_id, as_of)
    if kept is None:
        db.session.add(
            StatementFigures(
                name=kind.name, scope_id=scope_id, as_of=as_of, figures=to_mapping(fresh), sha256=fresh.sha256
            )
        )
        return fresh
    if kept.amounts != fresh.amounts:
        raise Refused(
            f"The ledger no longer says of {reference} what was stated for this moment before. Run “grants ledger verify” and tell the auditor."
        )
    return kept


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
    kind = named(wanted.name)
    scope_id, _, _ = queries.scope_id(kind.scope_kind, wanted.scope_reference)
    _refuse_barred(actor, kind.scope_kind, scope_id)
    acts.subject(kind.scope_kind.value, scope_id)
    as_of = _moment(wanted.as_of, acts.moment())
    ledger.read_up_to(as_of)
    figures = _figures(kind, wanted.scope_reference, scope_id, as_of)
    return tuple(rendered(figures, form) for form in Format)


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
    """Name and kind of scope of every statement."""
    return tuple((found.name, found.scope_kind.value) for found in CATALOGUE.values())


@act(
    "agreement.print",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="made a PDF of agreement {subject}",
)
def print_agreement(actor: Actor, grant_id: UUID) -> FileView:
    """The grant agreement as PDF, with the signatures given so far."""
    grant = queries.agreement(grant_id)
    if not grant.signatures:
        raise Refused("The agreement is printed when it is signed.")
    data = letters.agreement(grant)
    return files.keep_bytes(
        data,
        name=f"grant-agreement-{grant.reference}.pdf",
        media_type=Format.PDF.media_type,
        kind="grant",
        object_id=grant_id,
        role="agreement",
    )


def submission_scope(submission_id: UUID) -> Scope:
    """Where a submission lies: in its application."""
    return applications.scope_of(queries.submission_row(submission_id).application_id)


@act(
    "receipt.print",
    needs=Permission.APPLICATION_READ,
    scope=submission_scope,
    says="made the receipt of application {subject}",
)
def print_receipt(actor: Actor, submission_id: UUID) -> FileView:
    """The receipt of one submitted version as PDF, with the application as it was sent."""
    found = queries.receipt(submission_id)
    return files.keep_bytes(
        letters.receipt(found),
        name=f"receipt-{found.reference}-{found.version}.pdf",
        media_type=Format.PDF.media_type,
        kind="submission",
        object_id=submission_id,
        role="receipt",
    )
