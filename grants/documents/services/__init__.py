"""Acts of documents: statements, papers as PDF, packs to read. They write produced files and the record of each run only."""

from __future__ import annotations

from grants.documents.services.packs import make_reading_copy, make_reading_pack
from grants.documents.services.papers import (
    print_accession,
    print_accession_form,
    print_agreement,
    print_agreement_offer,
    print_complaint,
    print_decision_letter,
    print_decision_letter_anew,
    print_letter,
    print_letter_draft,
    print_minutes,
    print_receipt,
    print_selection,
    print_termination,
)
from grants.documents.services.signing import certify_accession, certify_agreement, read_signatures
from grants.documents.services.statements import (
    FILE_KIND,
    build,
    cancel,
    download,
    export,
    export_audit,
    export_books,
    request,
    retry,
    statement_names,
)

__all__ = [
    "FILE_KIND",
    "build",
    "cancel",
    "certify_accession",
    "certify_agreement",
    "download",
    "export",
    "export_audit",
    "export_books",
    "make_reading_copy",
    "make_reading_pack",
    "print_accession",
    "print_accession_form",
    "print_agreement",
    "print_agreement_offer",
    "print_complaint",
    "print_decision_letter",
    "print_decision_letter_anew",
    "print_letter",
    "print_letter_draft",
    "print_minutes",
    "print_receipt",
    "print_selection",
    "print_termination",
    "read_signatures",
    "request",
    "retry",
    "statement_names",
]
