"""Receipts checked by anybody who holds one: reference and hash, and nothing else is told."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application, Submission
from grants.applications.rules import ReceiptProof, Registered
from grants.calls import queries as calls
from grants.core import checkpoints
from grants.core.audit import AuditEvent, AuditSeal
from grants.core.db import db


def registered(submission_id: UUID) -> Registered | None:
    """The record of a submission: its audit event, and the place in the sealed chain once it has one, with the checkpoint that proves it.

    None for what no act of sending brought in, as rows the owner loads: its pages say so rather than fail.
    """
    row = db.session.execute(
        select(AuditEvent.id, AuditSeal.position)
        .outerjoin(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        .where(
            AuditEvent.object_kind == "submission",
            AuditEvent.object_id == submission_id,
            AuditEvent.verb == "application.submit",
        )
        .order_by(AuditEvent.object_version)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    covering = checkpoints.covering(row.position) if row.position else None
    if covering is None:
        return Registered(row.id, row.position)
    return Registered(row.id, row.position, covering.position, covering.made_at)


def receipt_proof(reference: str, sha256: str, file_hashes: Sequence[str] = ()) -> ReceiptProof | None:
    """The submission that bears this reference and this hash together, or None; whoever asks needs to know both.

    Only who does learns whether files with these hashes belong to it: a hash of a file that lies about in the world
    would else tell who attached it.
    """
    try:
        digest = bytes.fromhex(sha256.strip())
    except ValueError:
        return None
    row = db.session.execute(
        select(Submission, Application.reference, Application.title, Application.call_id, Application.submission_id)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference.strip().upper(), Submission.sha256 == digest)
        .order_by(Submission.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    sent = row.Submission
    attached = {file["sha256"] for file in sent.content["files"]}
    return ReceiptProof(
        reference=row.reference,
        title=str(sent.content.get("title") or row.title),
        receipt_number=sent.receipt_number,
        number=sent.number,
        submitted_at=sent.submitted_at,
        zone=calls.call_by_id(row.call_id).zone,
        stands=row.submission_id == sent.id,
        registered=registered(sent.id),
        files=len(sent.content["files"]),
        held=tuple((each, each.lower() in attached) for each in file_hashes),
    )
