"""The accessions of partners: what was asked, stated and signed, whose they are, and what waits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from grants.agreements.models import (
    Accession,
    AccessionSignature,
    AgreementVersion,
    Beneficiary,
    Grant,
    PreparationFact,
    PreparationVerdict,
    SignedUpload,
)
from grants.agreements.queries.conditions import answers_of
from grants.agreements.queries.reach import visible
from grants.agreements.rules import (
    REMOVAL_DAYS,
    AccessionSignatureView,
    AccessionView,
    GrantView,
)
from grants.agreements.states import ConditionKey, GrantState, UploadState
from grants.applications.models import ApplicationPartner
from grants.core import clock
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.files import StoredFile
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity.models import Organisation, User

# So many in one night; who was told is not found again.
A_NIGHT_MAX = 500
_ender = aliased(User)
_WAITS = (Accession.acceded_at.is_(None), Accession.ended_at.is_(None))


def _checked() -> ColumnElement[bool]:
    """A signed document of it waits to be checked: the partner has done its part."""
    waiting = select(SignedUpload.id).where(
        SignedUpload.accession_id == Accession.id, SignedUpload.state == UploadState.PROPOSED.value
    )
    return waiting.correlate(Accession).exists()


@reader
def accessions(grant_id: UUID) -> Asking[tuple[AccessionView, ...]]:
    """The partners that were asked to accede to the agreement of a grant, in the order they were asked; one statement."""
    about: tuple[Asking[Any], ...] = (
        ask(
            select(
                Accession.id, Accession.organisation_id, Accession.due_on, Accession.acceded_at, Accession.acceded_version,
                Accession.ended_at, Accession.end_reason, Accession.left_at, Organisation.name, _ender.name.label("ender"),
            )
            .select_from(Accession)
            .join(Organisation, Organisation.id == Accession.organisation_id)
            .outerjoin(_ender, _ender.id == Accession.ended_by)
            .where(Accession.grant_id == grant_id)
            .order_by(Accession.created_at, Organisation.name, Accession.id)
        ),
        ask(
            select(*_OF_SIGNATURE)
            .join(Accession, Accession.id == AccessionSignature.accession_id)
            .outerjoin(SignedUpload, SignedUpload.id == AccessionSignature.upload_id)
            .where(Accession.grant_id == grant_id)
            .order_by(AccessionSignature.signed_at, AccessionSignature.id)
        ),
        answers_of.asking([grant_id]),
    )  # fmt: skip
    rows, signed, answers = yield from side_by_side(about)
    return tuple(
        AccessionView(
            id=row.id,
            place=place,
            organisation_id=row.organisation_id,
            name=row.name,
            due_on=row.due_on,
            acceded_at=row.acceded_at,
            acceded_version=row.acceded_version,
            ended_at=row.ended_at,
            ended_by=row.ender or "",
            end_reason=row.end_reason or "",
            left_at=row.left_at,
            signatures=tuple(_signature(each) for each in signed if each.accession_id == row.id),
            answers=tuple(
                answer
                for _, answer in answers
                if answer.key is ConditionKey.POWER_TO_SIGN and answer.organisation_id == row.organisation_id
            ),
        )
        for place, row in enumerate(rows, 1)
    )


_OF_SIGNATURE = (
    AccessionSignature.accession_id, AccessionSignature.signed_by, AccessionSignature.name, AccessionSignature.capacity,
    AccessionSignature.signed_at, AccessionSignature.version_no, AccessionSignature.document_sha256,
    AccessionSignature.power_id, AccessionSignature.power, AccessionSignature.signed_on, SignedUpload.uploaded_at,
)  # fmt: skip


def _signature(row: Any) -> AccessionSignatureView:
    return AccessionSignatureView(
        row.signed_by,
        row.name,
        row.capacity,
        row.signed_at,
        row.version_no,
        row.document_sha256.hex(),
        row.power_id,
        row.power,
        row.signed_on,
        row.uploaded_at,
    )


@reader
def acceded(grant_id: UUID) -> Asking[frozenset[UUID]]:
    """The beneficiaries bound by the agreement of a grant: its coordinator, who acceded, and who was never asked to."""
    rows = yield from ask(
        select(Beneficiary.organisation_id)
        .outerjoin(
            Accession,
            (Accession.grant_id == Beneficiary.grant_id) & (Accession.organisation_id == Beneficiary.organisation_id),
        )
        .where(
            Beneficiary.grant_id == grant_id,
            Beneficiary.left_on.is_(None),
            or_(Accession.id.is_(None), Accession.acceded_at.is_not(None) & Accession.left_at.is_(None)),
        )
    )
    return frozenset(row.organisation_id for row in rows)


@reader
def gone(grant_id: UUID) -> Asking[frozenset[UUID]]:
    """The beneficiaries that are bound no more: those that left, and those whose last accession was ended."""
    about: tuple[Asking[Any], ...] = (
        ask(
            select(Beneficiary.organisation_id, Beneficiary.left_on).where(Beneficiary.grant_id == grant_id),
        ),
        ask(
            select(Accession.organisation_id, Accession.ended_at)
            .where(Accession.grant_id == grant_id)
            .order_by(Accession.created_at, Accession.id)
        ),
    )
    shares, asked = yield from side_by_side(about)
    last = {row.organisation_id: row.ended_at for row in asked}
    left = {row.organisation_id for row in shares if row.left_on is not None}
    return frozenset(left | {who for who, ended_at in last.items() if ended_at is not None})


@reader
def speaks_for(actor: Actor, grant: GrantView) -> Asking[frozenset[UUID]]:
    """The organisations for which this person speaks in a grant: those they belong to, and those that named them."""
    rows = yield from ask(
        select(ApplicationPartner.organisation_id).where(
            ApplicationPartner.application_id == grant.application_id,
            ApplicationPartner.contact_user_id == actor.user_id,
        )
    )
    return actor.organisation_ids | {row.organisation_id for row in rows}


@reader
def accessions_for(actor: Actor, grant: GrantView) -> Asking[tuple[tuple[AccessionView, ...], frozenset[UUID]]]:
    """The partners that were asked to accede, and for whom this person speaks; one statement."""
    return (yield from both(accessions.asking(grant.id), speaks_for.asking(actor, grant)))


def forms_wanted() -> list[tuple[UUID, UUID, int]]:
    """Accessions that wait while the form for the version in force is not printed: grant, accession, version."""
    newest = (
        select(func.max(AgreementVersion.number))
        .where(AgreementVersion.grant_id == Accession.grant_id)
        .correlate(Accession)
    ).scalar_subquery()
    # As ``accession_form_role`` spells it, in the database.
    form = func.concat("accession-form-", Accession.id, "-", newest)
    printed = select(StoredFile.id).where(
        StoredFile.kind == "grant", StoredFile.object_id == Accession.grant_id, StoredFile.role == form
    )
    rows = db.session.execute(
        select(Accession.grant_id, Accession.id, newest.label("version_no"))
        .join(Grant, Grant.id == Accession.grant_id)
        .where(*_WAITS, Grant.state == GrantState.IN_FORCE.value, ~printed.correlate(Accession).exists())
        .order_by(Accession.due_on, Accession.id)
        .limit(A_NIGHT_MAX)
    )
    return [(row.grant_id, row.id, row.version_no) for row in rows if row.version_no]


def waits_for_check(accession_id: UUID) -> bool:
    """Whether a signed document of an accession waits to be checked."""
    waiting = select(SignedUpload.id).where(
        SignedUpload.accession_id == accession_id, SignedUpload.state == UploadState.PROPOSED.value
    )
    return db.session.scalar(waiting) is not None


def late_untold(today: date) -> list[Accession]:
    """Accessions that are overdue and of which nobody was told yet, the longest overdue first."""
    return list(
        db.session.scalars(
            select(Accession)
            .join(Grant, Grant.id == Accession.grant_id)
            .where(
                *_WAITS,
                Accession.told_late_at.is_(None),
                Accession.due_on < today,
                ~_checked(),
                Grant.state == GrantState.IN_FORCE.value,
            )
            .order_by(Accession.due_on, Accession.id)
            .limit(A_NIGHT_MAX)
        )
    )


@reader
def accession_duties(actor: Actor) -> Asking[list[Duty]]:
    """What waits of accessions: for the partner, for who looks at its power, and for who asks for its removal."""
    kinds = (
        (Permission.AGREEMENT_ACCEDE, _of_own(actor) & ~_checked(), _accede),
        (Permission.AGREEMENT_PREPARE, _power_waits(actor.user_id), _look),
        (Permission.REPORT_SUBMIT, (Accession.due_on < clock.today()) & ~_checked(), _remove),
    )
    asked = [each for each in kinds if actor.can(each[0])]
    found = yield from side_by_side([_waiting(actor, permission, which) for permission, which, _ in asked])
    return [say(row) for (_, _, say), rows in zip(asked, found, strict=True) for row in rows]


def _waiting(actor: Actor, permission: Permission, which: ColumnElement[bool]) -> Asking[Collection[Any]]:
    return ask(
        select(Grant.reference, Grant.acronym, Grant.title, Accession.due_on, Organisation.name)
        .select_from(Accession)
        .join(Grant, Grant.id == Accession.grant_id)
        .join(Organisation, Organisation.id == Accession.organisation_id)
        .where(*_WAITS, visible(actor, permission), Grant.state == GrantState.IN_FORCE.value, which)
        .order_by(Accession.due_on, Grant.reference, Organisation.name)
        .limit(20)
    )


def _of_own(actor: Actor) -> ColumnElement[bool]:
    named = select(ApplicationPartner.id).where(
        ApplicationPartner.application_id == Grant.application_id,
        ApplicationPartner.organisation_id == Accession.organisation_id,
        ApplicationPartner.contact_user_id == actor.user_id,
    )
    return or_(Accession.organisation_id.in_(actor.organisation_ids), named.correlate(Grant, Accession).exists())


def _power_waits(user_id: UUID | None) -> ColumnElement[bool]:
    """The newest power that was stated for the partner, by somebody else, has no verdict yet."""
    newer = aliased(PreparationFact)
    replaced = (
        select(newer.id)
        .where(
            newer.grant_id == PreparationFact.grant_id,
            newer.kind == PreparationFact.kind,
            newer.organisation_id == PreparationFact.organisation_id,
            newer.number > PreparationFact.number,
        )
        .correlate(PreparationFact)
        .exists()
    )
    judged = (
        select(PreparationVerdict.id)
        .where(PreparationVerdict.fact_id == PreparationFact.id)
        .correlate(PreparationFact)
        .exists()
    )
    return (
        select(PreparationFact.id)
        .where(
            PreparationFact.grant_id == Accession.grant_id,
            PreparationFact.kind == ConditionKey.POWER_TO_SIGN.value,
            PreparationFact.organisation_id == Accession.organisation_id,
            PreparationFact.stated_by != user_id,
            ~judged,
            ~replaced,
        )
        .correlate(Accession)
        .exists()
    )


def _accede(row: Any) -> Duty:
    return Duty(
        f"Accede to the grant agreement of {row.acronym or row.title}",
        f"{row.reference}: {row.name} signs for its own part, by {clock.long_date(row.due_on)}.",
        "Open the accession",
        "agreements.accessions",
        {"ref": row.reference},
        clock.end_of_day(row.due_on),
    )


def _look(row: Any) -> Duty:
    return Duty(
        f"Look at who may sign for {row.name}",
        f"{row.reference}: it accedes to the grant agreement once its power to sign is accepted.",
        "Open the accession",
        "agreements.accessions",
        {"ref": row.reference},
        clock.end_of_day(row.due_on),
    )


def _remove(row: Any) -> Duty:
    until = clock.add_days(row.due_on, REMOVAL_DAYS)
    return Duty(
        f"{row.name} has not acceded to the grant agreement",
        f"{row.reference}: have it accede, or propose by {clock.long_date(until)} that its part ends.",
        "Open the accession",
        "agreements.accessions",
        {"ref": row.reference},
        clock.end_of_day(until),
    )
