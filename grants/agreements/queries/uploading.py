"""Signed documents that were uploaded, and who may have signed one."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from grants.agreements import rules
from grants.agreements.models import AgreementOffer, Grant, SignedUpload
from grants.agreements.queries.conditions import answers_of, asked_of
from grants.agreements.queries.reach import scope_of, scope_of_view, visible
from grants.agreements.rules import EvidenceView, Findings, GrantView, UploadedSigner, UploadView
from grants.agreements.states import ConditionKey, Side, UploadKind, UploadState, Verdict
from grants.core import clock, encoding
from grants.core.db import get
from grants.core.duties import Duty
from grants.core.files import StoredFile
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader
from grants.identity import queries as identity
from grants.identity.models import User

UPLOAD_FILES = "signed_upload"
_checker = aliased(User)


_OF_UPLOAD = (
    SignedUpload.id, SignedUpload.number, SignedUpload.offer_no, SignedUpload.side, SignedUpload.kind, SignedUpload.signers,
    SignedUpload.original_kept_at, SignedUpload.uploaded_by, SignedUpload.uploaded_at, SignedUpload.state,
    SignedUpload.findings, SignedUpload.checked_at, SignedUpload.words, User.name.label("uploader"),
    _checker.name.label("checker"), StoredFile.name.label("file_name"), StoredFile.sha256,
)  # fmt: skip


@reader
def signed_uploads(grant_id: UUID) -> Asking[tuple[UploadView, ...]]:
    """The signed documents of a grant, in the order they came; one statement."""
    rows = yield from ask(
        select(*_OF_UPLOAD)
        .select_from(SignedUpload)
        .join(User, User.id == SignedUpload.uploaded_by)
        .join(StoredFile, StoredFile.id == SignedUpload.file_id)
        .outerjoin(_checker, _checker.id == SignedUpload.checked_by)
        .where(SignedUpload.grant_id == grant_id)
        .order_by(SignedUpload.number)
    )
    return tuple(_view(row) for row in rows)


def _view(row: Any) -> UploadView:
    return UploadView(
        id=row.id,
        number=row.number,
        offer_no=row.offer_no,
        side=Side(row.side),
        kind=UploadKind(row.kind),
        file=EvidenceView(row.file_name, row.sha256),
        signers=encoding.decode({"value": row.signers}, tuple[UploadedSigner, ...]),
        original_kept_at=row.original_kept_at or "",
        uploaded_by=row.uploaded_by,
        uploaded_by_name=row.uploader,
        uploaded_at=row.uploaded_at,
        state=UploadState(row.state),
        findings=encoding.decode({"value": row.findings}, Findings) if row.findings is not None else None,
        checked_by=row.checker or "",
        checked_at=row.checked_at,
        words=row.words or "",
    )


def upload_scope(upload_id: UUID) -> Scope:
    """Where a signed document lies: in its grant, which is locked."""
    return scope_of(get(SignedUpload, upload_id).grant_id)


@reader
def possible_signers(grant: GrantView, side: Side) -> Asking[tuple[tuple[UUID, str, str], ...]]:
    """Who may have signed for a side, with the capacity that is known: for the city whoever an accepted power names (or,
    where the preparation is older than that, its signatories), for the programme whoever may sign this grant for it.
    """
    if side is Side.PROGRAMME:
        return tuple(
            (each.id, each.name, "")
            for each in identity.users_with(Permission.AGREEMENT_SIGN_PROGRAMME, scope_of_view(grant))
        )
    answers = yield from answers_of.asking([grant.id])
    powers = [
        power
        for _, answer in answers
        if answer.key is ConditionKey.POWER_TO_SIGN and answer.organisation_id is None
        if answer.verdict is not None and answer.verdict.verdict is Verdict.ACCEPTED
        if (power := rules.power_in(answer)) is not None
    ]
    if not powers:
        return tuple((each.user_id, each.name, "") for each in grant.contacts if each.role.value == "signatory")
    last = powers[-1]
    return (
        (last.signer_id, last.signer, last.capacity),
        *((each.user_id, each.name, each.capacity) for each in last.others),
    )


def conditions_on(grant: GrantView, day: date) -> tuple[rules.ConditionView, ...]:
    """The conditions that are asked once, as they stood on a day: what tells who had the power to sign then."""
    given = [answer for _, answer in answers_of([grant.id])]
    return rules.conditions(asked_of(grant), (), given, today=day)


@reader
def upload_duties(actor: Actor) -> Asking[list[Duty]]:
    """Signed documents of an offer that stands which this person may check: not their own, and nobody has decided yet."""
    if not actor.can(Permission.AGREEMENT_CHECK_SIGNED):
        return []
    rows = yield from ask(
        select(Grant.reference, Grant.acronym, Grant.title, Grant.preparation_ends_on, SignedUpload.number)
        .select_from(SignedUpload)
        .join(Grant, Grant.id == SignedUpload.grant_id)
        .join(
            AgreementOffer,
            (AgreementOffer.grant_id == SignedUpload.grant_id) & (AgreementOffer.offer_no == SignedUpload.offer_no),
        )
        .where(
            visible(actor, Permission.AGREEMENT_CHECK_SIGNED),
            SignedUpload.state == UploadState.PROPOSED.value,
            SignedUpload.uploaded_by != actor.user_id,
            AgreementOffer.ended_at.is_(None),
        )
        .order_by(Grant.reference, SignedUpload.number)
        .limit(20)
    )
    return [
        Duty(
            f"Check the signed agreement of {row.acronym or row.title}",
            f"{row.reference}: its signatures count once somebody has compared the document with the offer.",
            "Open the document",
            "agreements.signed_upload",
            {"ref": row.reference, "number": row.number},
            clock.end_of_day(row.preparation_ends_on) if row.preparation_ends_on else None,
        )
        for row in rows
    ]
