"""Acts that make a paper as PDF from what was frozen: receipts, agreements, letters, minutes, decisions. They write produced files only."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.applications import queries as applications
from grants.awards import queries as awards
from grants.core import acts, files, jobs
from grants.core.acts import act
from grants.core.errors import NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.documents import queries
from grants.documents.pdf import accessions as accession_papers
from grants.documents.pdf import agreements as agreement_papers
from grants.documents.pdf import decisions, letters, minutes, selections
from grants.documents.rules import AccessionSheet, AgreementSheet, Format
from grants.evaluation import queries as evaluation


@act(
    "agreement.print",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="made a PDF of agreement {subject}",
)
def print_agreement(actor: Actor, grant_id: UUID, version_no: int = 1) -> FileView:
    """One version of the grant agreement as PDF, with every signature it was given."""
    sheet = queries.agreement_version(grant_id, version_no)
    if sheet is None:
        raise Refused("The agreement is printed when it is signed.")
    made = _agreement_file(sheet, grant_id, rules.version_role(version_no), f"grant-agreement-{sheet.text.agreement}")
    if current_app.config["PROGRAMME_SIGNING_KEY"]:
        jobs.queue(
            "jobs.documents.certify_agreement",
            subject=("grant", grant_id),
            unique=f"certify:{grant_id}:{version_no}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant_id,
            version_no=version_no,
        )
    return made


@act(
    "agreement.print_offer",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="made a PDF of what is offered for signature in {subject}",
)
def print_agreement_offer(actor: Actor, grant_id: UUID, offer_no: int) -> FileView:
    """What is offered as PDF, without signatures, so that it is read on paper before it is signed; made once."""
    role = rules.offer_role(offer_no)
    for made in files.listed("grant", grant_id, role):
        return made
    sheet = queries.agreement_offer(grant_id, offer_no)
    return _agreement_file(sheet, grant_id, role, f"offer-{offer_no}-of-grant-agreement-{sheet.text.agreement}")


@act(
    "termination.print",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="made the letter of the termination of {subject}",
)
def print_termination(actor: Actor, grant_id: UUID, number: int) -> FileView:
    """The letter of a confirmed termination as PDF, of a grant or of one partner’s part; made once."""
    for made in files.listed(agreements.TERMINATION_FILES, grant_id, rules.letter_role(number)):
        return made
    letter = queries.termination_letter(grant_id, number)
    return files.keep_bytes(
        letters.termination(letter, synthetic=queries.agreement_is_synthetic(grant_id)),
        name=f"termination-{number}-of-{letter.reference}.pdf",
        media_type=Format.PDF.media_type,
        kind=agreements.TERMINATION_FILES,
        object_id=grant_id,
        role=rules.letter_role(number),
    )


def _agreement_file(sheet: AgreementSheet, grant_id: UUID, role: str, stem: str) -> FileView:
    return files.keep_bytes(
        agreement_papers.agreement(sheet, synthetic=queries.agreement_is_synthetic(grant_id)),
        name=f"{stem}{f'-version-{sheet.version}' if sheet.version > 1 else ''}.pdf",
        media_type=Format.PDF.media_type,
        kind="grant",
        object_id=grant_id,
        role=role,
    )


@act(
    "accession.print_form",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="made the form of an accession to agreement {subject}",
)
def print_accession_form(actor: Actor, grant_id: UUID, accession_id: UUID, version_no: int) -> FileView:
    """The form by which a partner accedes to a version, to be signed on paper or electronically; made once."""
    role = rules.accession_form_role(accession_id, version_no)
    for made in files.listed("grant", grant_id, role):
        return made
    sheet = queries.accession(grant_id, accession_id, version_no)
    data = accession_papers.form(sheet, synthetic=queries.agreement_is_synthetic(grant_id))
    return _accession_file(data, sheet, grant_id, role, "accession-form")


@act(
    "accession.print",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="made a PDF of an accession to agreement {subject}",
)
def print_accession(actor: Actor, grant_id: UUID, accession_id: UUID) -> FileView:
    """An accession with its signatures; made once, and signed by the programme's certificate where there is one."""
    role = rules.accession_role(accession_id)
    for made in files.listed("grant", grant_id, role):
        return made
    sheet = queries.accession(grant_id, accession_id)
    data = accession_papers.accession(sheet, synthetic=queries.agreement_is_synthetic(grant_id))
    made = _accession_file(data, sheet, grant_id, role, "accession")
    if current_app.config["PROGRAMME_SIGNING_KEY"]:
        jobs.queue(
            "jobs.documents.certify_accession",
            subject=("grant", grant_id),
            unique=f"certify:{accession_id}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant_id,
            accession_id=accession_id,
        )
    return made


def _accession_file(data: bytes, sheet: AccessionSheet, grant_id: UUID, role: str, stem: str) -> FileView:
    return files.keep_bytes(
        data,
        name=f"{stem}-{sheet.text.agreement}-partner-{sheet.accession.place}-version-{sheet.version_no}.pdf",
        media_type=Format.PDF.media_type,
        kind="grant",
        object_id=grant_id,
        role=role,
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
