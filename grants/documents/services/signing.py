"""Signed documents are read, and agreements in force signed for the programme by its certificate; by workers."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from flask import current_app

from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.models import Grant, SignedUpload
from grants.core import files, jobs
from grants.core.acts import act
from grants.core.db import get
from grants.core.errors import Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.core.scanning import Clearance
from grants.documents.pdf import signed
from grants.documents.rules import Format


def read_signatures(actor: Actor, upload_id: UUID) -> bool:
    """Read the signatures of a document that was uploaded and keep what was found; nothing where that was done before."""
    row = get(SignedUpload, upload_id)
    if row.read_at is not None:
        return False
    kept = files.view(row.file_id)
    if kept.clearance is Clearance.WAITING:
        raise jobs.TryLater("The virus scanner has not looked at the file yet.")
    offered = files.listed("grant", row.grant_id, _to_be_signed(row))
    if not offered:
        raise jobs.TryLater("What was offered is not printed yet, so nothing can be compared with it.")
    findings = signed.read(files.genuine(kept), files.genuine(offered[0]))
    return agreeing.note_signatures(actor, upload_id, findings)


def _to_be_signed(row: SignedUpload) -> str:
    """The role of the paper a document is compared with: what was offered, or the form of an accession."""
    if row.accession_id is None:
        return rules.offer_role(row.offer_no)
    versions = agreements.view(get(Grant, row.grant_id)).versions
    number = next(each.number for each in versions if each.offer_no == row.offer_no)
    return rules.accession_form_role(row.accession_id, number)


@act(
    "agreement.certify",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="signed the PDF of agreement {subject} for the programme by its certificate",
)
def certify_agreement(actor: Actor, grant_id: UUID, version_no: int) -> FileView | None:
    """The PDF of a version in force, signed by the programme's certificate: a new file beside the one without; made once.

    None where no certificate is configured any more.
    """
    return _certified(grant_id, rules.version_role(version_no))


@act(
    "accession.certify",
    needs=Permission.AGREEMENT_READ,
    scope=agreements.scope_of,
    says="signed the PDF of an accession to {subject} for the programme by its certificate",
)
def certify_accession(actor: Actor, grant_id: UUID, accession_id: UUID) -> FileView | None:
    """The same of an accession that was made."""
    return _certified(grant_id, rules.accession_role(accession_id))


def _certified(grant_id: UUID, of: str) -> FileView | None:
    """The paper with this role of a grant, signed by the programme's certificate, beside the one without."""
    role = rules.certified_of(of)
    for made in files.listed("grant", grant_id, role):
        return made
    key, password = (current_app.config[name] for name in ("PROGRAMME_SIGNING_KEY", "PROGRAMME_SIGNING_PASSWORD_FILE"))
    if not key:
        return None
    plain = files.listed("grant", grant_id, of)
    if not plain:
        raise jobs.TryLater("The paper is not printed yet, so there is nothing to sign.")
    try:
        secret = Path(password).read_text(encoding="utf-8").strip()
        data = signed.certified(files.genuine(plain[0]).read_bytes(), Path(key).read_bytes(), secret)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            "The files of PROGRAMME_SIGNING_KEY cannot be read by the worker. `grants doctor` says what is wrong; then start "
            "this job again."
        ) from error
    return files.keep_bytes(
        data,
        name=f"{plain[0].name.removesuffix('.pdf')}-signed.pdf",
        media_type=Format.PDF.media_type,
        kind="grant",
        object_id=grant_id,
        role=role,
    )
