"""What is known of people beside organisations and teams, as conflicts are looked for: who wrote, advised, joined, and what was dismissed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, literal, or_, select, union

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.cities.models import City
from grants.core import clock
from grants.core.db import db
from grants.evaluation.models import DetectedConflict, Evaluator
from grants.evaluation.rules.detecting import FactKey
from grants.evaluation.states import DetectedKind, DetectedState
from grants.identity.models import Membership, Organisation, RoleGrant
from grants.identity.policy import WRITES_APPLICATIONS, Role

# From when an application is sent until its list is decided, somebody may still decide about it; on the reserve list too.
LOOKED_AT = tuple(
    state.value
    for state in (
        ApplicationState.SUBMITTED,
        ApplicationState.ELIGIBLE,
        ApplicationState.UNDER_EVALUATION,
        ApplicationState.RESERVE,
    )
)


@dataclass(slots=True)
class Besides:
    """What is known beside organisations and teams: who wrote what, who advises which city, who joined when, what a person dismissed."""

    wrote: dict[UUID, set[UUID]]
    advised: dict[UUID, list[tuple[UUID, datetime, str]]]
    joined: dict[UUID, dict[UUID, datetime]]
    dismissed: set[FactKey]


def besides(call_id: UUID, user_ids: Collection[UUID], since: datetime) -> Besides:
    """All of it in one statement: rows of a word, a person, an application, an organisation, a text and a moment."""
    nobody = literal(None, Evaluator.organisation_id.type)
    found, decided = Besides(defaultdict(set), defaultdict(list), defaultdict(dict), set()), dict[FactKey, datetime]()
    each: tuple[Any, ...] = (
        _wrote(call_id).add_columns(nobody, literal(""), literal(None, RoleGrant.starts_at.type)),
        _advised(user_ids, since, nobody),
        _joined(user_ids, since, nobody),
        _dismissed(call_id),
    )
    for word, user_id, application_id, organisation_id, text, at in db.session.execute(union(*each)):
        match word:
            case "wrote":
                found.wrote[application_id].add(user_id)
            case "advised":
                found.advised[user_id].append((organisation_id, at, text))
            case "joined":
                found.joined[user_id][organisation_id] = at
            case "dismissed":
                decided[user_id, application_id, text, organisation_id] = at
    found.dismissed.update(key for key, at in decided.items() if not _began_anew(key, at, found))
    return found


def _began_anew(key: FactKey, decided_at: datetime, found: Besides) -> bool:
    """Whether an advice or a membership a person dismissed has begun anew since, which they said nothing of."""
    user_id, _, kind, organisation_id = key
    match kind:
        case DetectedKind.ADVISED_CITY.value:
            began = [since for each, since, _ in found.advised.get(user_id, ()) if each == organisation_id]
        case DetectedKind.OWN_ORGANISATION.value:
            began = [since for each, since in found.joined.get(user_id, {}).items() if each == organisation_id]
        case _:
            return False
    return any(since > decided_at for since in began)


def _wrote(call_id: UUID) -> Select[Any]:
    """Who of the team wrote each application and is of it no more; who only read it has written nothing."""
    now = clock.now()
    said: tuple[Any, ...] = (literal("wrote"), RoleGrant.user_id, Application.id)
    return (
        select(*said)
        .join(RoleGrant, and_(RoleGrant.kind == "application", RoleGrant.object_id == Application.id))
        .where(
            Application.call_id == call_id,
            Application.state.in_(LOOKED_AT),
            RoleGrant.role.in_(sorted(WRITES_APPLICATIONS)),
            RoleGrant.starts_at <= now,
            RoleGrant.ends_before <= now,
        )
    )


def _advised(user_ids: Collection[UUID], since: datetime, nothing: Any) -> Select[Any]:
    """The organisations that act for cities each person advises or advised since then, as they stand, with the city and when the newest began."""
    standing = func.coalesce(Organisation.same_as_id, Organisation.id)
    return (
        select(literal("advised"), RoleGrant.user_id, nothing, standing, City.name, func.max(RoleGrant.starts_at))
        .join(City, or_(City.id == RoleGrant.object_id, City.part_of_id == RoleGrant.object_id))
        .join(Organisation, Organisation.id == City.organisation_id)
        .where(
            RoleGrant.kind == "city",
            RoleGrant.role == Role.CITY_ADVISOR.value,
            RoleGrant.user_id.in_(user_ids),
            RoleGrant.starts_at <= clock.now(),
            or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > since),
        )
        .group_by(RoleGrant.user_id, standing, City.name)
    )


def _joined(user_ids: Collection[UUID], since: datetime, nothing: Any) -> Select[Any]:
    """The organisations each person belongs to or belonged to since then, as they stand, with when the newest membership began."""
    standing = func.coalesce(Organisation.same_as_id, Organisation.id)
    return (
        select(literal("joined"), Membership.user_id, nothing, standing, literal(""), func.max(Membership.starts_at))
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Membership.user_id.in_(user_ids),
            Membership.starts_at <= clock.now(),
            or_(Membership.ends_before.is_(None), Membership.ends_before > since),
        )
        .group_by(Membership.user_id, standing)
    )


def _dismissed(call_id: UUID) -> Select[Any]:
    """The facts of a call that a person dismissed and may: what nobody may dismiss holds again once it is so again."""
    row = DetectedConflict
    said: tuple[Any, ...] = (
        *(literal("dismissed"), row.user_id, row.application_id),
        *(row.organisation_id, row.kind, row.decided_at),
    )
    return (
        select(*said)
        .join(Application, Application.id == row.application_id)
        .where(
            Application.call_id == call_id,
            row.state == DetectedState.DISMISSED.value,
            row.kind.in_([kind.value for kind in DetectedKind if kind.may_be_dismissed]),
        )
    )
