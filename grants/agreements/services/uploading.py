"""A signed document is uploaded instead of a signature recorded here, for either side of an offer or a partner that accedes, and
read by a job; accepted or refused it is by a second person, in the module on checking."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries, rules
from grants.agreements.models import Grant, SignedUpload
from grants.agreements.queries import UPLOAD_FILES, scope_of, upload_scope
from grants.agreements.rules import AccessionView, Awaited, Findings, GrantView, UploadedSigner, UploadInput, UploadView
from grants.agreements.services.acceding import print_form, refuse_signer_of_partner, waited_for
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.offering import power_words, refuse_signer_of_programme
from grants.agreements.states import SIGNED_UPLOAD, GrantState, Side, UploadKind
from grants.core import acts, clock, encoding, faults, files, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity.rules import one_line


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


@act(
    "accession.upload_signed",
    needs=Permission.AGREEMENT_ACCEDE,
    scope=scope_of,
    says="uploaded a signed accession to agreement {subject} for a partner",
)
def upload_accession(
    actor: Actor, grant_id: UUID, organisation_id: UUID, given: UploadInput, incoming: Incoming | None = None
) -> int:
    """Who speaks for a partner uploads what was signed for it. Returns its number."""
    grant, shown, view = waited_for(grant_id, organisation_id)
    rules.refuse_of_others(organisation_id, queries.speaks_for(actor, shown), of_coordinator=False)
    return _upload_accession(actor, grant, shown, view, given, incoming)


@act(
    "accession.record_signed",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="uploaded a signed accession to agreement {subject} that was received",
)
def record_accession(
    actor: Actor, grant_id: UUID, organisation_id: UUID, given: UploadInput, incoming: Incoming | None = None
) -> int:
    """An officer uploads what came from a partner on paper or by mail. Returns its number."""
    grant, shown, view = waited_for(grant_id, organisation_id)
    refuse_conflict(actor, grant_id)
    return _upload_accession(actor, grant, shown, view, given, incoming)


def _upload(actor: Actor, grant_id: UUID, side: Side, given: UploadInput, incoming: Incoming | None) -> int:
    grant, shown = on_offer(grant_id)
    if side in shown.signed:
        raise Refused(f"The agreement is already signed for {rules.signs(side)}.")
    of = queries.awaited(shown, side)
    assert of is not None, "what is on offer is waited for"
    tidy = _checked(grant_id, of, given)
    for each in tidy.signers:
        rules.refuse_signed_before(shown, side, each)
        refuse_signer_of_programme(each.name, each.user_id, side)
        power_of(grant, shown, side, each)
    return _keep(actor, grant, of, tidy, incoming)


def _upload_accession(
    actor: Actor,
    grant: Grant,
    shown: GrantView,
    view: AccessionView,
    given: UploadInput,
    incoming: Incoming | None,
) -> int:
    of = queries.awaited_of(shown, view)
    assert of is not None, "the accession is waited for"
    tidy = _checked(grant.id, of, given)
    for each in tidy.signers:
        refuse_signer_of_partner(shown, view, each)
    # One that was asked for before forms were printed has none yet.
    print_form(grant, view.id, shown.versions[-1].number)
    return _keep(actor, grant, of, tidy, incoming)


def _checked(grant_id: UUID, of: Awaited, given: UploadInput) -> UploadInput:
    """What was typed in one spelling, of an offer or version that waits for it, with people it waits for."""
    standing = of.waits_in(queries.signed_uploads(grant_id))
    if standing is not None:
        raise Refused(
            f"A signed document of this side waits to be checked already: number {standing.number}. Have {standing.uploaded_by_name}, "
            "who uploaded it, withdraw it, or wait until it is accepted or refused; then upload another."
        )
    tidy = UploadInput(
        given.kind,
        tuple(_named(each, of.signers) for each in given.signers),
        clean_text(given.original_kept_at) if given.kind is UploadKind.SCAN else "",
    )
    rules.check_upload(tidy, offered_on=of.since, today=acts.today())
    faults.point("ceiling")
    if len(tidy.signers) > of.missing:
        raise Invalid("More people are named than sign.", {"signers": f"{of.missing} of this side are waited for."})
    return tidy


def _keep(actor: Actor, grant: Grant, of: Awaited, given: UploadInput, incoming: Incoming | None) -> int:
    """The document and its file, and the job that reads it. Its number."""
    assert actor.user_id is not None, "a person uploads a document"
    if incoming is None:
        raise Invalid("The document is missing.", {"file": "Choose the signed document: a PDF."})
    number = 1 + (
        db.session.scalar(select(func.max(SignedUpload.number)).where(SignedUpload.grant_id == grant.id)) or 0
    )
    kept = files.keep(incoming, kind=UPLOAD_FILES, object_id=grant.id, role=f"signed-{number}")
    row = SignedUpload(
        grant_id=grant.id,
        number=number,
        offer_no=of.offer_no,
        side=of.side.value,
        accession_id=of.accession.id if of.accession else None,
        kind=given.kind.value,
        file_id=kept.id,
        original_kept_at=given.original_kept_at or None,
        signers=encoding.encode(given.signers),
        uploaded_by=actor.user_id,
        uploaded_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    jobs.queue(
        "jobs.documents.read_signatures",
        subject=("grant", grant.id),
        unique=f"read_signatures:{row.id}",
        asker=jobs.Asker.PROGRAM,
        upload_id=row.id,
    )
    return number


def on_offer(grant_id: UUID) -> tuple[Grant, GrantView]:
    """A grant under its lock, seen by what is offered for signature: the agreement before it is in force, or an amendment."""
    grant = locked(Grant, grant_id)
    shown = rules.on_offer(queries.view(grant))
    if shown is None:
        raise Refused("This agreement is not offered for signature. Reload the page to see where it stands.")
    if grant.state == GrantState.READY_TO_SIGN.value:
        rules.refuse_after(grant.preparation_ends_on, acts.today())
    return grant, shown


def _named(given: UploadedSigner, possible: tuple[tuple[UUID, str, str], ...]) -> UploadedSigner:
    """The signer as the program knows them; raises :class:`NotFound` for somebody who cannot have signed."""
    name = next((name for user_id, name, _ in possible if user_id == given.user_id), None)
    if name is None:
        raise NotFound
    return UploadedSigner(given.user_id, name, one_line(given.capacity), given.signed_on)


def power_of(
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
    "agreement.withdraw_signed",
    needs=Permission.AGREEMENT_READ,
    scope=scope_of,
    says="withdrew a signed document of agreement {subject}",
)
def withdraw_signed(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """Who uploaded a document takes it back before anybody decided about it, with why; another may then be uploaded."""
    view = undecided(grant_id, number)
    rules.refuse_withdrawing(view, actor.user_id)
    if not clean_text(words):
        raise Invalid("Say why.", {"words": "Say why it is withdrawn, for example: a page is missing."})
    row = locked(SignedUpload, view.id)
    SIGNED_UPLOAD.move(row, "withdraw")
    row.checked_at, row.words = acts.moment(), clean_text(words)
    acts.reason(row.words)


def undecided(grant_id: UUID, number: int) -> UploadView:
    """A document nobody has decided about; raises :class:`NotFound`, or :class:`Conflict` where somebody has meanwhile."""
    view = next((each for each in queries.signed_uploads(grant_id) if each.number == number), None)
    if view is None:
        raise NotFound
    if not view.waits:
        who = view.checked_by or view.uploaded_by_name
        raise Conflict(f"{who} has {view.state} this document meanwhile. Reload the page.")
    return view


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
