"""Signed documents are read, and agreements in force signed for the programme by its certificate; by workers."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.models import SignedUpload
from grants.core import files, jobs
from grants.core.db import get
from grants.core.permissions import Actor
from grants.core.scanning import Clearance
from grants.documents.pdf import signed


def read_signatures(actor: Actor, upload_id: UUID) -> bool:
    """Read the signatures of a document that was uploaded and keep what was found; nothing where that was done before."""
    row = get(SignedUpload, upload_id)
    if row.read_at is not None:
        return False
    kept = files.view(row.file_id)
    if kept.clearance is Clearance.WAITING:
        raise jobs.TryLater("The virus scanner has not looked at the file yet.")
    offered = files.listed("grant", row.grant_id, rules.offer_role(row.offer_no))
    if not offered:
        raise jobs.TryLater("What was offered is not printed yet, so nothing can be compared with it.")
    findings = signed.read(files.genuine(kept), files.genuine(offered[0]))
    return agreeing.note_signatures(actor, upload_id, findings)
