"""The suspensions of grants, those that stand and those that were lifted."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from grants.agreements.models import AgreementHold, Grant
from grants.agreements.rules import EvidenceView, HoldView
from grants.agreements.states import HoldReason
from grants.core.files import StoredFile
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation, User

_lifter = aliased(User)
HOLD_FILES = "agreement_hold"


@reader
def holds(grant_ids: Collection[UUID]) -> Asking[dict[UUID, tuple[HoldView, ...]]]:
    """The suspensions of each of these grants in the order they were laid down; none is an empty tuple."""
    found: dict[UUID, list[HoldView]] = {each: [] for each in grant_ids}
    if not found:
        return {}
    rows = yield from ask(
        select(
            AgreementHold.grant_id, AgreementHold.number, AgreementHold.organisation_id, AgreementHold.reason,
            AgreementHold.words, AgreementHold.from_on, AgreementHold.held_at, AgreementHold.lifted_on,
            AgreementHold.lift_words, Organisation.name.label("organisation"), Grant.coordinator_id,
            User.name.label("holder"), _lifter.name.label("lifter"), StoredFile.name.label("file_name"), StoredFile.sha256,
        )
        .select_from(AgreementHold)
        .join(Grant, Grant.id == AgreementHold.grant_id)
        .join(User, User.id == AgreementHold.held_by)
        .join(StoredFile, StoredFile.id == AgreementHold.notice_id)
        .outerjoin(Organisation, Organisation.id == AgreementHold.organisation_id)
        .outerjoin(_lifter, _lifter.id == AgreementHold.lifted_by)
        .where(AgreementHold.grant_id.in_(list(found)))
        .order_by(AgreementHold.grant_id, AgreementHold.number)
    )  # fmt: skip
    for row in rows:
        found[row.grant_id].append(
            HoldView(
                row.number,
                row.organisation_id,
                row.organisation or "",
                row.organisation_id == row.coordinator_id,
                HoldReason(row.reason),
                row.words,
                row.from_on,
                row.holder,
                row.held_at,
                EvidenceView(row.file_name, row.sha256),
                row.lifted_on,
                row.lifter or "",
                row.lift_words or "",
            )
        )
    return {grant_id: tuple(of_grant) for grant_id, of_grant in found.items()}
