"""Rows that stand between a person and an application: what was declared or found, who takes part, who advises."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import ApplicationState, PartnerState
from grants.calls.models import Call
from grants.cities.models import City
from grants.evaluation.models import ConflictDeclaration, DetectedConflict
from grants.evaluation.queries.entities import entity_doubts
from grants.evaluation.states import Declared, DetectedKind, DetectedState, Ruling
from grants.identity.models import Membership, Organisation, RoleGrant
from grants.identity.policy import TEAM_ROLES, Role
from grants.identity.queries import Moment, role_holds

# A person by id, or the column that holds it in the query the condition stands in.
Person = UUID | ColumnElement[Any] | InstrumentedAttribute[Any] | None
# Rows that stand between people and applications, with the column that says which application.
About = tuple[Select[Any], ColumnElement[Any] | InstrumentedAttribute[Any]]

# States in which conflicts are declared and seats are given: for the first time, or anew after a complaint.
IN_EVALUATION = (ApplicationState.ELIGIBLE.value, ApplicationState.UNDER_EVALUATION.value)

# Under names of their own: the person or the application may be a column of these very tables. Made once: an alias made
# anew copies every column of its table, and these stand in nearly every request.
_FOUND, _DISMISSED, _HELD = aliased(DetectedConflict), aliased(DetectedConflict), aliased(Application)


def conflicts_held(user_id: Person, at: Moment) -> Select[Any]:
    """Ids of the applications with which this person stands in conflict, until the results of their call are public.

    What is in evaluation stays shut whatever is public: it is assessed anew, and its new result is not told yet.
    What ``in_conflict`` of ``access`` says of each, as one set that hangs on no row: whoever asks for anything is asked
    it once, and what comes of it is a bar like any other.
    """
    each = (rows.with_only_columns(column.label("application_id")) for rows, column in conflicts(user_id, at))
    every = union_all(*each).subquery("conflicts")
    return (
        select(_HELD.id)
        .join(every, every.c.application_id == _HELD.id)
        .join(Call, Call.id == _HELD.call_id)
        .where(or_(Call.results_public_at.is_(None), Call.results_public_at > at, _HELD.state.in_(IN_EVALUATION)))
        .correlate(None)
    )


def conflicts(user_id: Person, at: Moment) -> tuple[About, ...]:
    """Every way to stand in conflict with an application."""
    conflict = or_(
        ConflictDeclaration.ruling == Ruling.CONFIRMED.value,
        and_(ConflictDeclaration.ruling.is_(None), ConflictDeclaration.declared == Declared.CONFLICT.value),
    )
    entities = entity_doubts(user_id, Declared.CONFLICT)
    return (told_by(user_id, conflict), entities, *found_of(user_id, at))


def found_of(user_id: Person, now: Moment) -> tuple[About, ...]:
    """What the program knows of itself: conflicts that were found and stand, where they take part, whom they advise."""
    return (found_for(user_id), *_takes_part(user_id, now), _advises(user_id, now))


def about(rows: Select[Any], application_id: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """The condition on :class:`Application` that there is such a row about it."""
    return rows.where(application_id == Application.id).exists()


def in_set(rows: Select[Any], application_id: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """The condition on :class:`Application` that it is one of those that such rows are about."""
    return Application.id.in_(rows.with_only_columns(application_id))


def told_by(user_id: Person, what: ColumnElement[bool]) -> About:
    """The declarations of this person for which that holds."""
    rows = select(ConflictDeclaration.id).where(ConflictDeclaration.user_id == user_id, what)
    return rows.correlate_except(ConflictDeclaration), ConflictDeclaration.application_id


def found_for(user_id: Person) -> About:
    """The conflicts of this person that were found and stand."""
    rows = select(_FOUND.id).where(_FOUND.user_id == user_id, _FOUND.state == DetectedState.CONFIRMED.value)
    return rows, _FOUND.application_id


def _takes_part(user_id: Person, now: Moment) -> tuple[About, About]:
    """Where this person acts for an application, and where they belong to an organisation of it now, by whichever of its entries.

    Where a person decided that an organisation is no conflict, that stands for the membership it was decided about: one
    that began later was looked at by nobody.
    """
    acts_for = select(RoleGrant.id).where(
        RoleGrant.kind == "application",
        RoleGrant.user_id == user_id,
        RoleGrant.role.in_(sorted(TEAM_ROLES)),
        role_holds(now),
    )
    own, partner = aliased(Organisation), aliased(Organisation)
    standing = func.coalesce(partner.same_as_id, partner.id)
    belongs = (
        select(ApplicationPartner.id)
        .join(partner, partner.id == ApplicationPartner.organisation_id)
        .join(own, func.coalesce(own.same_as_id, own.id) == standing)
        .join(Membership, Membership.organisation_id == own.id)
        .where(
            ApplicationPartner.state != PartnerState.DECLINED.value,
            Membership.user_id == user_id,
            Membership.starts_at <= now,
            or_(Membership.ends_before.is_(None), Membership.ends_before > now),
            not_(_dismissed(DetectedKind.OWN_ORGANISATION, Membership, standing)),
        )
    )
    return (acts_for, RoleGrant.object_id), (belongs, ApplicationPartner.application_id)


def _advises(user_id: Person, now: Moment) -> About:
    """Where this person advises a city whose organisation takes part.

    A dismissal stands for what was advised by then; whoever is named anew after it advises anew.
    """
    own, partner = aliased(Organisation), aliased(Organisation)
    standing = func.coalesce(partner.same_as_id, partner.id)
    rows = (
        select(ApplicationPartner.id)
        .join(partner, partner.id == ApplicationPartner.organisation_id)
        .join(own, func.coalesce(own.same_as_id, own.id) == standing)
        .join(City, City.organisation_id == own.id)
        .join(RoleGrant, or_(RoleGrant.object_id == City.id, RoleGrant.object_id == City.part_of_id))
        .where(
            ApplicationPartner.state != PartnerState.DECLINED.value,
            RoleGrant.kind == "city",
            RoleGrant.role == Role.CITY_ADVISOR.value,
            RoleGrant.user_id == user_id,
            role_holds(now),
            not_(_dismissed(DetectedKind.ADVISED_CITY, RoleGrant, standing)),
        )
    )
    return rows, ApplicationPartner.application_id


def _dismissed(
    kind: DetectedKind, tie: type[Membership] | type[RoleGrant], standing: ColumnElement[Any]
) -> ColumnElement[bool]:
    """That a person decided that this tie to the organisation is no conflict with the application, since the tie began.

    What was found names the entry that stands for the organisation.
    """
    return (
        select(_DISMISSED.id)
        .where(
            _DISMISSED.application_id == ApplicationPartner.application_id,
            _DISMISSED.user_id == tie.user_id,
            _DISMISSED.kind == kind.value,
            _DISMISSED.state == DetectedState.DISMISSED.value,
            _DISMISSED.organisation_id == standing,
            _DISMISSED.decided_at >= tie.starts_at,
        )
        .exists()
    )
