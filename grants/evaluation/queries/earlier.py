"""What people shared with organisations before, as conflicts are looked for: consortia of other calls, pilots of the register of cities."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import PartnerState
from grants.calls.models import Call
from grants.cities.models import City, Participation
from grants.core.db import db
from grants.evaluation.rules.detecting import Together
from grants.identity.models import Organisation


def past(call_id: UUID, organisation_ids: Collection[UUID], since: datetime) -> tuple[Together, ...]:
    """Consortia of other calls since then, and pilots of the register of cities, in which one of these stood."""
    return (*_earlier_applications(call_id, organisation_ids, since), *_earlier_pilots(organisation_ids, since))


def _earlier_applications(call_id: UUID, organisation_ids: Collection[UUID], since: datetime) -> tuple[Together, ...]:
    mine, standing = aliased(ApplicationPartner), func.coalesce(Organisation.same_as_id, Organisation.id)
    of_mine = select(mine.application_id).where(
        mine.organisation_id.in_(organisation_ids), mine.state != PartnerState.DECLINED.value
    )
    rows = db.session.execute(
        select(Application.id, Application.reference, Call.title, standing)
        .join(Call, Call.id == Application.call_id)
        .join(ApplicationPartner, ApplicationPartner.application_id == Application.id)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(
            Application.id.in_(of_mine),
            Application.call_id != call_id,
            Application.submitted_at > since,
            ApplicationPartner.state != PartnerState.DECLINED.value,
        )
        .order_by(Application.reference)
    )
    return _together((key, f"{reference}, {title}", found) for key, reference, title, found in rows)


def _earlier_pilots(organisation_ids: Collection[UUID], since: datetime) -> tuple[Together, ...]:
    """Pilots of the register; one whose call names an older year than the call looks back to is left out."""
    mine, own = aliased(Participation), aliased(City)
    shared = (
        select(mine.call_label, mine.pilot_key)
        .join(own, own.id == mine.city_id)
        .where(own.organisation_id.in_(organisation_ids))
    ).subquery()
    rows = db.session.execute(
        select(Participation.call_label, Participation.pilot_key, Participation.pilot_title, City.organisation_id)
        .join(City, City.id == Participation.city_id)
        .join(
            shared,
            and_(shared.c.call_label == Participation.call_label, shared.c.pilot_key == Participation.pilot_key),
        )
        .where(City.organisation_id.is_not(None))
        .order_by(Participation.call_label, Participation.pilot_key)
    )
    return _together(
        ((label, key), f"{title or key}, {label}", found)
        for label, key, title, found in rows
        if found is not None and (_year_of(label) or since.year) >= since.year
    )


def _year_of(label: str) -> int | None:
    years = [int(word) for word in "".join(each if each.isdigit() else " " for each in label).split() if len(word) == 4]
    return max(years, default=None)


def _together(rows: Iterable[tuple[Any, str, UUID]]) -> tuple[Together, ...]:
    found: dict[Any, tuple[str, set[UUID]]] = {}
    for key, words, organisation_id in rows:
        found.setdefault(key, (words, set()))[1].add(organisation_id)
    return tuple(Together(words, frozenset(ids)) for words, ids in found.values() if len(ids) > 1)
