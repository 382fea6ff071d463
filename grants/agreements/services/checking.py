"""Signed documents that were uploaded are accepted or refused by a second person; accepted, their signatures count."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import queries, rules
from grants.agreements.models import Accession, AgreementSignature, Grant, SignedUpload
from grants.agreements.queries import money_locked, scope_of
from grants.agreements.rules import GrantView, UploadedSigner, UploadView
from grants.agreements.services import amended
from grants.agreements.services.acceding import (
    Acceding,
    add_signature,
    complete_accession,
    refuse_signer_of_partner,
    waited_for,
)
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.offering import refuse_signer_of_programme
from grants.agreements.services.signing import enter_into_force
from grants.agreements.services.uploading import on_offer, power_of, undecided
from grants.agreements.states import SIGNED_UPLOAD, OfferSubject, Side, SignatureMethod
from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh


@act(
    "agreement.accept_signed",
    needs=Permission.AGREEMENT_CHECK_SIGNED,
    scope=money_locked,
    says="accepted a signed document of agreement {subject}",
)
def accept_signed(actor: Actor, grant_id: UUID, number: int, *, words: str) -> bool:
    """Another person than who uploaded it has compared it with the offer: its signatures count. Whether that was the last.

    Each by a power that held on the day beside it; the words say what was compared, and by what.
    """
    demand_fresh(actor)
    refuse_conflict(actor, grant_id)
    row, view = _waiting(actor, grant_id, number)
    if not clean_text(words):
        raise Invalid(
            "Say what you compared.", {"words": "Say what you compared and by what: it stays with the signatures."}
        )
    rules.refuse_unproved(view)
    whole = _count_accession(row, view) if view.place is not None else _count_offer(actor, row, view)
    SIGNED_UPLOAD.move(row, "accept")
    row.checked_by, row.checked_at, row.words = actor.user_id, acts.moment(), clean_text(words)
    acts.reason(row.words)
    _tell(actor, locked(Grant, grant_id), view, "signed_upload_accepted", words=row.words)
    return whole


def _count_offer(actor: Actor, row: SignedUpload, view: UploadView) -> bool:
    """The signatures of a document of an offer count; with the last of both sides it is in force."""
    grant, shown = on_offer(row.grant_id)
    if shown.offer is None or view.offer_no != shown.offer.number:
        raise Refused("This document belongs to another offer than the one that stands. Refuse it, and say so.")
    text = queries.offered_text(grant.id, view.offer_no)
    sha256 = rules.text_hash(text)
    assert shown.offer.sha256 == sha256, "what is offered is what was frozen"
    if len(view.signers) > shown.missing(view.side):
        raise Refused(
            f"The agreement is meanwhile signed for {rules.signs(view.side)} by others. Refuse this document."
        )
    for each in view.signers:
        _count(grant, shown, row, each, encoding.encode(text), sha256)
    whole = shown.missing(view.side) == len(view.signers) and shown.signed | {view.side} == frozenset(Side)
    if whole:
        db.session.flush()
        if shown.offer.subject is OfferSubject.AMENDMENT:
            amended.all_signed(actor, grant, queries.view(grant), shown)
        else:
            enter_into_force(grant, shown)
    return whole


def _count_accession(row: SignedUpload, view: UploadView) -> bool:
    """The signatures of a document of a partner count; whether it has acceded with that."""
    assert row.accession_id is not None, "it is of an accession"
    grant, shown, accession = waited_for(row.grant_id, get(Accession, row.accession_id).organisation_id)
    version = shown.versions[-1]
    if version.offer_no != row.offer_no:
        raise Refused(
            f"This document accedes to version {view.version_no}, and version {version.number} is in force now. Refuse it, and "
            "have the form of that version signed."
        )
    for each in view.signers:
        power = refuse_signer_of_partner(shown, accession, each)
        if accession.left(version.number, power) < len(view.signers):
            raise Refused(f"{accession.name} waits for fewer signatures by now. Refuse this document.")
        rules.refuse_acceded_twice(accession, version.number, power, each.user_id, each.name)
        add_signature(
            accession, version, power, Acceding(each.user_id, each.name, each.capacity, row.id, each.signed_on)
        )
    return complete_accession(
        grant, shown, accession, version, power, given=len(view.signers), came_at=view.uploaded_at
    )


def _count(
    grant: Grant, shown: GrantView, row: SignedUpload, signer: UploadedSigner, document: dict[str, object], sha256: str
) -> None:
    """One signature of an accepted document."""
    side = Side(row.side)
    rules.refuse_signed_before(shown, side, signer)
    refuse_signer_of_programme(signer.name, signer.user_id, side)
    if side is Side.PROGRAMME and queries.in_conflict_with(identity.actor_for(signer.user_id), grant.id):
        raise Refused(
            f"{signer.name} is in a conflict of interest with this pilot and cannot have signed for the programme."
        )
    power_id, role_id, power = power_of(grant, shown, side, signer)
    db.session.add(
        AgreementSignature(
            grant_id=grant.id,
            offer_no=row.offer_no,
            side=side.value,
            signed_by=signer.user_id,
            signed_at=acts.moment(),
            name=signer.name,
            capacity=signer.capacity,
            method=SignatureMethod.UPLOADED.value,
            upload_id=row.id,
            signed_on=signer.signed_on,
            power_id=power_id,
            role_id=role_id,
            power=power,
            document=document,
            document_sha256=bytes.fromhex(sha256),
        )
    )


@act(
    "agreement.refuse_signed",
    needs=Permission.AGREEMENT_CHECK_SIGNED,
    scope=scope_of,
    says="refused a signed document of agreement {subject}",
)
def refuse_signed_upload(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """Refuse it with what is wrong; none of its signatures counts, and another one can be uploaded."""
    refuse_conflict(actor, grant_id)
    row, view = _waiting(actor, grant_id, number)
    if not clean_text(words):
        raise Invalid("Say what is wrong.", {"words": "Say what is wrong or missing; whoever uploaded it reads it."})
    SIGNED_UPLOAD.move(row, "refuse")
    row.checked_by, row.checked_at, row.words = actor.user_id, acts.moment(), clean_text(words)
    acts.reason(row.words)
    _tell(actor, locked(Grant, grant_id), view, "signed_upload_refused", words=row.words)


def _waiting(actor: Actor, grant_id: UUID, number: int) -> tuple[SignedUpload, UploadView]:
    """A document nobody has decided about, which is not this person's own; the grant is locked."""
    view = undecided(grant_id, number)
    rules.refuse_own_upload(view.uploaded_by, view.signers, actor.user_id)
    signed = ((each.user_id, view.uploaded_at) for each in view.signers)
    people.refuse_tied_to(actor.user_id, (view.uploaded_by, view.uploaded_at), *signed)
    return locked(SignedUpload, view.id), view


def _tell(actor: Actor, grant: Grant, view: UploadView, template: str, **more: object) -> None:
    """Who uploaded it, and whoever it names as having signed."""
    people.mail(
        sorted({view.uploaded_by, *(each.user_id for each in view.signers)}), template, "grant", grant.id,
        reference=grant.reference, title=grant.title, names=" and ".join(each.name for each in view.signers),
        number=view.number, officer=actor.name, **more,
    )  # fmt: skip
