"""A signed document is uploaded instead of a signature recorded here, read by a job, and accepted or refused by a second person."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries, rules
from grants.agreements.models import AgreementSignature, Grant, SignedUpload
from grants.agreements.queries import UPLOAD_FILES, scope_of, upload_scope
from grants.agreements.rules import Findings, GrantView, UploadedSigner, UploadInput, UploadView
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.offering import power_words, refuse_signer_of_programme
from grants.agreements.services.signing import enter_into_force
from grants.agreements.states import SIGNED_UPLOAD, GrantState, Side, SignatureMethod
from grants.core import acts, clock, encoding, faults, files, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh, one_line


@act(
    "agreement.upload_signed_city",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=scope_of,
    says="uploaded a signed document of agreement {subject} for the city",
)
def upload_signed_city(actor: Actor, grant_id: UUID, given: UploadInput, incoming: Incoming | None = None) -> int:
    """A signatory of the city uploads what was signed for it. Returns its number."""
    return _upload(actor, grant_id, Side.CITY, given, incoming)


@act(
    "agreement.upload_signed",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="uploaded a signed document of agreement {subject} that was received",
)
def upload_signed(
    actor: Actor, grant_id: UUID, side: Side, given: UploadInput, incoming: Incoming | None = None
) -> int:
    """An officer uploads what came on paper or by mail, of either side. Returns its number."""
    refuse_conflict(actor, grant_id)
    return _upload(actor, grant_id, side, given, incoming)


def _upload(actor: Actor, grant_id: UUID, side: Side, given: UploadInput, incoming: Incoming | None) -> int:
    grant, shown = _on_offer(grant_id)
    assert shown.offer is not None and actor.user_id is not None, "a person uploads what is on offer"
    if side in shown.signed:
        raise Refused(f"The agreement is already signed for {rules.signs(side)}.")
    found = queries.signed_uploads(grant_id)
    if any(each.waits and (each.offer_no, each.side) == (shown.offer.number, side) for each in found):
        raise Refused(
            "A signed document of this side waits to be checked already. Wait until it is accepted or refused, then upload another."
        )
    tidy = UploadInput(
        given.kind,
        tuple(_named(each, queries.possible_signers(shown, side)) for each in given.signers),
        clean_text(given.original_kept_at) if given.kind.value == "scan" else "",
    )
    offered_on = clock.in_zone(shown.offer.offered_at).date()
    rules.check_upload(tidy, offered_on=offered_on, today=acts.today())
    if len(tidy.signers) > shown.missing(side):
        raise Invalid(
            "More people are named than sign.", {"signers": f"{shown.missing(side)} of this side are waited for."}
        )
    for each in tidy.signers:
        rules.refuse_signed_before(shown, side, each)
        refuse_signer_of_programme(each.name, each.user_id, side)
        _power_of(grant, shown, side, each)
    if incoming is None:
        raise Invalid("The document is missing.", {"file": "Choose the signed document: a PDF."})
    number = 1 + (
        db.session.scalar(select(func.max(SignedUpload.number)).where(SignedUpload.grant_id == grant_id)) or 0
    )
    kept = files.keep(incoming, kind=UPLOAD_FILES, object_id=grant_id, role=f"signed-{number}")
    row = SignedUpload(
        grant_id=grant_id,
        number=number,
        offer_no=shown.offer.number,
        side=side.value,
        kind=tidy.kind.value,
        file_id=kept.id,
        original_kept_at=tidy.original_kept_at or None,
        signers=encoding.encode(tidy.signers),
        uploaded_by=actor.user_id,
        uploaded_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    jobs.queue(
        "jobs.documents.read_signatures",
        subject=("grant", grant_id),
        unique=f"read_signatures:{row.id}",
        asker=jobs.Asker.PROGRAM,
        upload_id=row.id,
    )
    return number


def _on_offer(grant_id: UUID) -> tuple[Grant, GrantView]:
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.READY_TO_SIGN.value:
        raise Refused("This agreement is not offered for signature. Reload the page to see where it stands.")
    rules.refuse_after(grant.preparation_ends_on, acts.today())
    return grant, queries.view(grant)


def _named(given: UploadedSigner, possible: tuple[tuple[UUID, str, str], ...]) -> UploadedSigner:
    """The signer as the program knows them; raises :class:`NotFound` for somebody who cannot have signed."""
    name = next((name for user_id, name, _ in possible if user_id == given.user_id), None)
    if name is None:
        raise NotFound
    return UploadedSigner(given.user_id, name, one_line(given.capacity), given.signed_on)


def _power_of(
    grant: Grant, shown: GrantView, side: Side, signer: UploadedSigner
) -> tuple[UUID | None, UUID | None, str | None]:
    """By what somebody signed, valid on the day beside the signature: the answer of the city, or the dated role."""
    if side is Side.CITY:
        answer = rules.uploaded_power(queries.conditions_on(shown, signer.signed_on), signer)
        return (answer.id if answer else None), None, power_words(answer)
    faults.point("four_eyes")
    until = min(clock.end_of_day(signer.signed_on), acts.moment())
    role = identity.role_on(signer.user_id, Permission.AGREEMENT_SIGN_PROGRAMME, queries.scope(grant), until)
    if role is None:
        raise Refused(
            f"{signer.name} had no confirmed power to sign for the programme on {clock.long_date(signer.signed_on)}."
        )
    return None, role.id, role.words


@act(
    "agreement.note_signatures",
    needs=Permission.AGREEMENT_READ,
    scope=upload_scope,
    says="read the signatures in a signed document of {subject}",
)
def note_signatures(actor: Actor, upload_id: UUID, findings: Findings) -> bool:
    """Keep what a job found in a signed document; once. It decides nothing."""
    row = locked(SignedUpload, upload_id)
    if row.read_at is not None:
        return False
    row.findings, row.read_at = encoding.encode(findings), acts.moment()
    return True


@act(
    "agreement.accept_signed",
    needs=Permission.AGREEMENT_CHECK_SIGNED,
    scope=scope_of,
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
    grant, shown = _on_offer(grant_id)
    if shown.offer is None or view.offer_no != shown.offer.number:
        raise Refused("This document belongs to another offer than the one that stands. Refuse it, and say so.")
    rules.refuse_unproved(view)
    text = queries.offered_text(grant_id, view.offer_no)
    sha256 = rules.text_hash(text)
    assert shown.offer.sha256 == sha256, "what is offered is what was frozen"
    if len(view.signers) > shown.missing(view.side):
        raise Refused(
            f"The agreement is meanwhile signed for {rules.signs(view.side)} by others. Refuse this document."
        )
    for each in view.signers:
        _count(grant, shown, row, each, encoding.encode(text), sha256)
    SIGNED_UPLOAD.move(row, "accept")
    row.checked_by, row.checked_at, row.words = actor.user_id, acts.moment(), clean_text(words)
    acts.reason(row.words)
    _tell(actor, grant, view, "signed_upload_accepted", words=row.words)
    whole = shown.missing(view.side) == len(view.signers) and shown.signed | {view.side} == frozenset(Side)
    if whole:
        db.session.flush()
        enter_into_force(grant, shown)
    return whole


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
    power_id, role_id, power = _power_of(grant, shown, side, signer)
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
    view = next((each for each in queries.signed_uploads(grant_id) if each.number == number), None)
    if view is None:
        raise NotFound
    if not view.waits:
        raise Conflict(f"{view.checked_by} has {view.state} this document meanwhile. Reload the page.")
    rules.refuse_own_upload(view.uploaded_by, view.signers, actor.user_id)
    people.refuse_tied_to(actor.user_id, (view.uploaded_by, view.uploaded_at))
    return locked(SignedUpload, view.id), view


def _tell(actor: Actor, grant: Grant, view: UploadView, template: str, **more: object) -> None:
    """Who uploaded it, and whoever it names as having signed."""
    people.mail(
        sorted({view.uploaded_by, *(each.user_id for each in view.signers)}), template, "grant", grant.id,
        reference=grant.reference, title=grant.title, names=" and ".join(each.name for each in view.signers),
        number=view.number, officer=actor.name, **more,
    )  # fmt: skip


@act(
    "agreement.open_signed",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened a signed document of agreement {subject}",
)
def open_signed(actor: Actor, grant_id: UUID, number: int) -> FileView:
    """Hand out a signed document that was uploaded; who took it is kept."""
    acts.subject("grant_agreement", grant_id)
    file_id = db.session.scalar(
        select(SignedUpload.file_id).where(SignedUpload.grant_id == grant_id, SignedUpload.number == number)
    )
    if file_id is None:
        raise NotFound
    return files.view(file_id)
