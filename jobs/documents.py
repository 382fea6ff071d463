"""Documents made after an act: the receipt of a submission, the signed grant agreement."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.documents import services


def application_receipt(*, submission_id: str) -> None:
    """An application was sent: print its receipt."""
    services.print_receipt(jobs.actor(Permission.APPLICATION_READ), UUID(submission_id))


def agreement(*, grant_id: str, version_no: int = 1) -> None:
    """A version of a grant agreement entered into force: print it with every signature."""
    services.print_agreement(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), version_no)


def agreement_offer(*, grant_id: str, offer_no: int) -> None:
    """A grant agreement was offered for signature: print it as it is to be read before that."""
    services.print_agreement_offer(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), offer_no)


def accession(*, grant_id: str, accession_id: str) -> None:
    """A partner acceded to a grant agreement: print it with every signature."""
    services.print_accession(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), UUID(accession_id))


def accession_form(*, grant_id: str, accession_id: str, version_no: int) -> None:
    """A partner is asked to accede to a version: print the form it may sign."""
    services.print_accession_form(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), UUID(accession_id), version_no)


def certify_accession(*, grant_id: str, accession_id: str) -> None:
    """An accession is printed and the programme has a certificate: sign the PDF with it, as a new file."""
    services.certify_accession(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), UUID(accession_id))


def termination_letter(*, grant_id: str, number: int) -> None:
    """A termination was confirmed: print its letter; a second run finds it made."""
    services.print_termination(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), number)


def certify_agreement(*, grant_id: str, version_no: int) -> None:
    """A version in force is printed and the programme has a certificate: sign the PDF with it, as a new file."""
    services.certify_agreement(jobs.actor(Permission.AGREEMENT_READ), UUID(grant_id), version_no)


def read_signatures(*, upload_id: str) -> bool:
    """A signed document was uploaded: read the signatures in it and compare its pages with the offer."""
    return services.read_signatures(jobs.actor(Permission.AGREEMENT_READ), UUID(upload_id))


def eligibility_letter(*, letter_id: str) -> None:
    """A decision letter was sent: print it as it was frozen."""
    services.print_letter(jobs.actor(Permission.APPLICATION_CHECK), UUID(letter_id))


def eligibility_letter_draft(*, letter_id: str) -> None:
    """Somebody of the desk wants to see a letter as it would be sent: print its draft, unless it was sent meanwhile."""
    services.print_letter_draft(jobs.actor(Permission.APPLICATION_CHECK), UUID(letter_id))


def reading_pack(*, pack_id: str) -> None:
    """An evaluator wants the applications to read in one file: pack what is open to them now; a second run finds it made."""
    services.make_reading_pack(jobs.actor(Permission.ASSESSMENT_SCORE), UUID(pack_id))


def reading_copy(*, seat_id: str, submission_id: str) -> None:
    """An evaluator wants one application as a PDF: make it if it is open to them now; a second run finds it made."""
    services.make_reading_copy(jobs.actor(Permission.ASSESSMENT_SCORE), UUID(seat_id), UUID(submission_id))


def panel_minutes(*, minutes_id: str) -> None:
    """Somebody wants the minutes of a panel on paper: print the copy this reader may have."""
    services.print_minutes(jobs.actor(Permission.PANEL_READ), UUID(minutes_id))


def complaint_decision(*, complaint_id: str) -> None:
    """A committee of two decided a complaint: print the second decision."""
    services.print_complaint(jobs.actor(Permission.COMPLAINT_DECIDE), UUID(complaint_id))


def selection(*, selection_id: str) -> None:
    """A ranked list was confirmed: print its minute."""
    services.print_selection(jobs.actor(Permission.SELECTION_CONFIRM), UUID(selection_id))


def decision_letter(*, letter_id: str) -> None:
    """A letter of decision was sent: print it and its evaluation summary report as they were frozen."""
    services.print_decision_letter(jobs.actor(Permission.SELECTION_CONFIRM), UUID(letter_id))


def decision_letter_anew(*, letter_id: str) -> None:
    """Somebody said that the PDF of a letter of decision is damaged: print it again as it was frozen."""
    services.print_decision_letter_anew(jobs.actor(Permission.SELECTION_CONFIRM), UUID(letter_id))
