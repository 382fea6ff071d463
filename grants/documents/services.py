"""Acts of documents: asking for a statement, building it, handing it out; receipts and agreements as PDF. Writes produced files only."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.applications import queries as applications
from grants.awards import queries as awards
from grants.core import acts, clock, files, jobs, references
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.file_types import megabytes
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.documents import queries
from grants.documents.catalogue import CATALOGUE, Statement, named, rendered
from grants.documents.models import StatementFigures, StatementRun
from grants.documents.pdf import decisions, letters, minutes, selections
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
from grants.evaluation import queries as evaluation
from grants.evaluation.models import ReadingPack
from grants.evaluation.rules import PACK_BYTES_MAX, PACK_KIND, ToRead
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
    data = letters.agreement(grant, synthetic=queries.agreement_is_synthetic(grant_id))
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


@act(
    "eligibility_letter.print",
    needs=Permission.APPLICATION_CHECK,
    scope=applications.letter_scope,
    says="made the decision letter of application {subject}",
)
def print_letter(actor: Actor, letter_id: UUID) -> FileView:
    """A decision letter as PDF, from what was frozen when it was sent."""
    text, row, application = applications.letter_for_print(letter_id)
    assert row.sent_at is not None, "only what was sent is printed"
    return files.keep_bytes(
        letters.eligibility(text, row.sent_at, zone=application.call.zone, synthetic=application.call.synthetic),
        name=f"decision-letter-{text.reference}.pdf",
        media_type=Format.PDF.media_type,
        kind=applications.LETTER_FILES,
        object_id=letter_id,
        role="letter",
    )


@act(
    "eligibility_letter.print_draft",
    needs=Permission.APPLICATION_CHECK,
    scope=applications.letter_held,
    says="made the PDF of the draft of the decision letter of application {subject}",
)
def print_letter_draft(actor: Actor, letter_id: UUID) -> FileView | None:
    """A letter not yet sent as the PDF it would be, marked as a draft; the one of older words goes. None once it was sent."""
    found = applications.letter_draft_for_print(actor, letter_id)
    if found is None:
        return None
    text, application = found
    acts.subject("application", application.id)
    role = applications.draft_role(text)
    for old in files.listed(applications.LETTER_FILES, letter_id):
        if old.role == role:
            return old
        files.discard(old.id)
    return files.keep_bytes(
        letters.eligibility(text, None, zone=application.call.zone, synthetic=application.call.synthetic),
        name=f"draft-decision-letter-{text.reference}.pdf",
        media_type=Format.PDF.media_type,
        kind=applications.LETTER_FILES,
        object_id=letter_id,
        role=role,
    )


@act("reading_pack.make", needs=Permission.ASSESSMENT_SCORE, says="packed the applications to assess into one file")
def make_reading_pack(actor: Actor, pack_id: UUID, bytes_max: int = PACK_BYTES_MAX) -> int:
    """Pack what is open to its owner at this moment: each application as a PDF, and the PDFs attached to it; once.

    What a conflict shuts while it is packed is left out: what may be read is asked again before the file is kept.
    Raises :class:`Refused` when all of it is larger than ``bytes_max``.
    """
    pack = locked(ReadingPack, pack_id)
    assert pack.owner_id == actor.user_id, "a job runs as the person who asked"
    if pack.made_at is not None:
        return 0
    still: list[str] = []

    def write(file: IO[bytes]) -> None:
        wanted: Sequence[ToRead] = evaluation.to_read(actor)
        while True:
            file.seek(0)
            file.truncate()
            _pack(wanted, file, bytes_max)
            open_now = {each.reference for each in evaluation.to_read(actor)}
            if {each.reference for each in wanted} <= open_now:
                break
            # Each round has fewer than the one before.
            wanted = [each for each in wanted if each.reference in open_now]
        still.extend(each.reference for each in wanted)

    files.keep_written(
        write,
        name=f"applications-to-read-{clock.in_zone(acts.moment()):%Y-%m-%d}.zip",
        media_type="application/zip",
        kind=PACK_KIND,
        object_id=pack.id,
        role="zip",
    )
    pack.made_at, pack.held = acts.moment(), still
    acts.reason(", ".join(still))
    return len(still)


def _pack(wanted: Sequence[ToRead], file: IO[bytes], bytes_max: int) -> None:
    """Write these applications as an archive, one after the other; refused once they are too large together."""
    size = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, each in enumerate(wanted):
            jobs.progress(done, len(wanted), f"{each.reference} is packed")
            for name, data in _to_read(each):
                size += len(data)
                if size > bytes_max:
                    raise Refused(
                        f"The applications open to you are larger than {megabytes(bytes_max)} together, which is "
                        "the limit of one file. Read them on their pages, or take each as a PDF there."
                    )
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _to_read(each: ToRead) -> Iterator[tuple[str, bytes]]:
    """One application as files of the pack."""
    yield (
        f"{files.clean_name(f'{each.reference} {each.title}')}.pdf",
        letters.reading_copy(queries.reading_copy(each.submission_id)),
    )
    for number, attached in enumerate(applications.submitted_content(each.application_id).files, 1):
        file = files.view(attached.file_id)
        if file.media_type == Format.PDF.media_type:
            yield f"{each.reference} files/{number} {files.clean_name(file.name)}", files.genuine(file).read_bytes()


@act(
    "panel.keep_printed_minutes",
    needs=Permission.PANEL_READ,
    scope=awards.minutes.minutes_scope,
    says="made the minutes of {subject} as PDF",
)
def print_minutes(actor: Actor, minutes_id: UUID) -> FileView:
    """A version of the minutes as PDF, without what is shut to who asked for it; one file for each set that is left out."""
    view = awards.minutes.minutes_for(actor, minutes_id)
    acts.subject(awards.minutes.FILES, minutes_id)
    for made in files.listed(awards.minutes.FILES, minutes_id, view.file_role):
        return made
    return files.keep_bytes(
        minutes.panel(view),
        name=f"minutes-{view.text.call_reference}-{view.number}.pdf",
        media_type=Format.PDF.media_type,
        kind=awards.minutes.FILES,
        object_id=minutes_id,
        role=view.file_role,
    )


@act(
    "complaint.print",
    needs=Permission.COMPLAINT_DECIDE,
    scope=awards.complaints.lies_in,
    says="made the second decision about {subject} as PDF",
)
def print_complaint(actor: Actor, complaint_id: UUID) -> FileView:
    """The second decision on a complaint as PDF, from what was frozen when it was decided; made once."""
    text, row, application = awards.complaints.for_print(complaint_id)
    acts.subject("application", application.id)
    for made in files.listed(awards.complaints.LETTERS, complaint_id):
        return made
    assert row.decided_at is not None and row.letter_sha256 is not None, "only what was decided is printed"
    return files.keep_bytes(
        letters.complaint(
            text,
            row.decided_at,
            row.letter_sha256.hex(),
            zone=application.call.zone,
            synthetic=application.call.synthetic,
        ),
        name=f"second-decision-{text.reference}-{row.number}.pdf",
        media_type=Format.PDF.media_type,
        kind=awards.complaints.LETTERS,
        object_id=complaint_id,
        role="letter",
    )


@act(
    "selection.print",
    needs=Permission.SELECTION_CONFIRM,
    scope=awards.selection_scope,
    says="made the minute of the selection of {subject} as PDF",
)
def print_selection(actor: Actor, selection_id: UUID) -> FileView:
    """The minute of a confirmed selection decision as PDF, made once."""
    for made in files.listed(awards.SELECTION_FILES, selection_id):
        return made
    told = awards.minute(selection_id)
    return files.keep_bytes(
        selections.selection(told),
        name=f"selection-{told.call.reference}-{told.view.number}.pdf",
        media_type=Format.PDF.media_type,
        kind=awards.SELECTION_FILES,
        object_id=selection_id,
        role="minute",
    )


@act(
    "letter.print",
    needs=Permission.SELECTION_CONFIRM,
    scope=awards.letters.letter_scope,
    says="made the PDFs of the decision letter of {subject}",
)
def print_decision_letter(actor: Actor, letter_id: UUID) -> tuple[FileView, ...]:
    """A letter of decision and its evaluation summary report as PDF, from what was frozen when it was sent; made once."""
    if made := files.listed(awards.letters.LETTER_FILES, letter_id):
        return tuple(made)
    return _decision_papers(letter_id)


@act(
    "letter.print_anew",
    needs=Permission.SELECTION_CONFIRM,
    scope=awards.letters.letter_scope,
    says="made the PDFs of the decision letter of {subject} anew",
)
def print_decision_letter_anew(actor: Actor, letter_id: UUID) -> tuple[FileView, ...]:
    """The same again, of the same frozen words: the newest version of its files; those before stay, each with its hash.

    Not by whom a conflict keeps from it by now: the act that asked looked, this one runs later.
    """
    if evaluation.undecidable(actor, [awards.letters.application_of(letter_id)]):
        raise NotFound
    made = _decision_papers(letter_id)
    acts.reason("; ".join(f"{file.name}: SHA-256 {file.sha256}" for file in made))
    return made


def _decision_papers(letter_id: UUID) -> tuple[FileView, ...]:
    text, hashes, call = awards.letters.letter_for_print(letter_id)
    papers = (
        (awards.letters.LETTER_ROLE, "decision-letter", decisions.letter(text, hashes, synthetic=call.synthetic)),
        (
            awards.letters.REPORT_ROLE,
            "evaluation-summary-report",
            decisions.report(text, hashes, synthetic=call.synthetic),
        ),
    )
    return tuple(
        files.keep_bytes(
            data, name=f"{stem}-{text.reference}.pdf", media_type=Format.PDF.media_type,
            kind=awards.letters.LETTER_FILES, object_id=letter_id, role=role,
        )
        for role, stem, data in papers
    )  # fmt: skip
