"""Signed documents that were uploaded, and who may have signed one."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, func, or_, select
from sqlalchemy.orm import aliased

from grants.agreements import rules
from grants.agreements.models import Accession, AgreementOffer, AgreementVersion, Grant, SignedUpload
from grants.agreements.queries.conditions import answers_of, asked_of
from grants.agreements.queries.reach import scope_of, scope_of_view, visible
from grants.agreements.rules import (
    AccessionView,
    Awaited,
    EvidenceView,
    Findings,
    GrantView,
    UploadedSigner,
    UploadView,
)
from grants.agreements.states import ConditionKey, GrantState, Side, UploadKind, UploadState, Verdict
from grants.core import clock, encoding
from grants.core.db import get
from grants.core.duties import Duty
from grants.core.files import StoredFile
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import Organisation, User

UPLOAD_FILES = "signed_upload"
_checker = aliased(User)


_OF_UPLOAD = (
    SignedUpload.id, SignedUpload.number, SignedUpload.offer_no, SignedUpload.side, SignedUpload.kind, SignedUpload.signers,
    SignedUpload.original_kept_at, SignedUpload.uploaded_by, SignedUpload.uploaded_at, SignedUpload.state,
    SignedUpload.findings, SignedUpload.checked_at, SignedUpload.words, User.name.label("uploader"),
    _checker.name.label("checker"), StoredFile.name.label("file_name"), StoredFile.sha256,
    AgreementVersion.number.label("version_no"),
)  # fmt: skip


@reader
def signed_uploads(grant_id: UUID) -> Asking[tuple[UploadView, ...]]:
    """The signed documents of a grant, in the order they came; one statement."""
    partners = _partners(grant_id)
    rows = yield from ask(
        select(*_OF_UPLOAD, partners.c.place, partners.c.name.label("partner"))
        .select_from(SignedUpload)
        .join(User, User.id == SignedUpload.uploaded_by)
        .join(StoredFile, StoredFile.id == SignedUpload.file_id)
        .outerjoin(_checker, _checker.id == SignedUpload.checked_by)
        .outerjoin(partners, partners.c.id == SignedUpload.accession_id)
        .outerjoin(
            AgreementVersion,
            (AgreementVersion.grant_id == SignedUpload.grant_id)
            & (AgreementVersion.offer_no == SignedUpload.offer_no)
            & SignedUpload.accession_id.is_not(None),
        )
        .where(SignedUpload.grant_id == grant_id)
        .order_by(SignedUpload.number)
    )
    return tuple(_view(row) for row in rows)


@reader
def uploads_and_papers(grant_id: UUID) -> Asking[tuple[tuple[UploadView, ...], frozenset[str]]]:
    """The signed documents of a grant, and the roles of its papers that are printed by now; one statement."""
    printed = ask(
        select(StoredFile.role).where(
            StoredFile.kind == "grant", StoredFile.object_id == grant_id, StoredFile.removed_at.is_(None)
        )
    )
    about: list[Asking[Any]] = [signed_uploads.asking(grant_id), printed]
    found, roles = yield from side_by_side(about)
    return found, frozenset(row.role for row in roles)


def _partners(grant_id: UUID) -> Subquery:
    """The partners that were asked to accede to a grant, with their places as :func:`accessions` counts them."""
    order = (Accession.created_at, Organisation.name, Accession.id)
    return (
        select(Accession.id, Organisation.name, func.row_number().over(order_by=order).label("place"))
        .join(Organisation, Organisation.id == Accession.organisation_id)
        .where(Accession.grant_id == grant_id)
        .subquery()
    )


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
        partner=row.partner or "",
        place=row.place,
        version_no=row.version_no,
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


@reader
def awaited(grant: GrantView, side: Side) -> Asking[Awaited | None]:
    """What may be uploaded as signed for a side of what is on offer now, the agreement or an amendment; None where nothing is."""
    shown = rules.on_offer(grant)
    if shown is None or shown.offer is None:
        return None
    people = yield from possible_signers.asking(shown, side)
    offered_on = clock.in_zone(shown.offer.offered_at).date()
    return Awaited(shown.offer.number, side, rules.signs(side), offered_on, shown.missing(side), people)


def awaited_of(grant: GrantView, accession: AccessionView) -> Awaited | None:
    """What may be uploaded as signed for a partner that accedes; None where its accession is not waited for."""
    if grant.state is not GrantState.IN_FORCE or not accession.is_open:
        return None
    version = grant.versions[-1]
    last = accession.answers[-1] if accession.possible() else None
    missing = accession.left(version.number, last) if last is not None else 1
    return Awaited(
        version.offer_no, Side.CITY, accession.name, version.in_force_on, missing, accession.possible(), accession
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
        select(
            Grant.reference, Grant.acronym, Grant.title, Grant.preparation_ends_on, Grant.state, SignedUpload.number,
            SignedUpload.accession_id, Accession.due_on,
        )
        .select_from(SignedUpload)
        .join(Grant, Grant.id == SignedUpload.grant_id)
        .join(
            AgreementOffer,
            (AgreementOffer.grant_id == SignedUpload.grant_id) & (AgreementOffer.offer_no == SignedUpload.offer_no),
        )
        .outerjoin(Accession, Accession.id == SignedUpload.accession_id)
        .where(
            visible(actor, Permission.AGREEMENT_CHECK_SIGNED),
            SignedUpload.state == UploadState.PROPOSED.value,
            SignedUpload.uploaded_by != actor.user_id,
            or_(
                AgreementOffer.ended_at.is_(None),
                (Accession.id.is_not(None))
                & Accession.acceded_at.is_(None)
                & Accession.ended_at.is_(None)
                & (Grant.state == GrantState.IN_FORCE.value),
            ),
        )
        .order_by(Grant.reference, SignedUpload.number)
        .limit(20)
    )  # fmt: skip
    return [_duty(row) for row in rows]


def _duty(row: Any) -> Duty:
    what = (
        "accession" if row.accession_id else "agreement" if row.state == GrantState.READY_TO_SIGN.value else "amendment"
    )
    last = row.due_on if row.accession_id else row.preparation_ends_on if what == "agreement" else None
    return Duty(
        f"Check the signed {what} of {row.acronym or row.title}",
        f"{row.reference}: its signatures count once somebody has compared the document with what was to be signed.",
        "Open the document",
        "agreements.signed_upload",
        {"ref": row.reference, "number": row.number},
        clock.end_of_day(last) if last else None,
    )
