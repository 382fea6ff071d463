"""What people declared about organisations, as conditions that the gates carry and as the rows of the page.

Entries of the register that stand for one organisation count as that one, on both sides. A ruling of the manager on an
application that came after what was said covers it for that application. Knows nothing of the gate in ``access``, which
asks this one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import PartnerState
from grants.core.db import among, db
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import ConflictDeclaration, EntityDeclaration
from grants.evaluation.rules import Doubted, EntityRow
from grants.evaluation.states import ConflictKind, Declared, Ruling
from grants.identity.models import Organisation

# Far more than the consortia of the largest call have members.
MEMBERS_MAX = 20_000
# A person by id, or the column that holds it in the query the condition stands in.
Person = UUID | ColumnElement[Any] | InstrumentedAttribute[Any] | None


# Under names of their own: the tables may stand in the query that carries the condition. Made once: an alias made anew
# copies every column of its table, and these stand in nearly every request.
_PART, _MEMBER, _WHOSE = aliased(ApplicationPartner), aliased(Organisation), aliased(Application)
_SAID, _ABOUT, _RULED = aliased(EntityDeclaration), aliased(Organisation), aliased(ConflictDeclaration)
_OWN, _STANDING = aliased(ConflictDeclaration), aliased(Organisation)


def entities_unasked(user_id: Person) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person said nothing yet of an organisation in it.

    Whoever joins a consortium later, or is another entry of the register than before, is asked about anew.
    """
    # Hangs on the row outside by the application alone: so the database may work it out once for all rows of a list.
    rows, application_id = unasked_members(user_id)
    return rows.where(application_id == Application.id).exists()


def unasked_members(user_id: Person) -> tuple[Select[Any], InstrumentedAttribute[Any]]:
    """Rows of the organisations of which this person said nothing yet, with the column that says in which application each is."""
    said = (
        select(_SAID.id)
        .where(
            _SAID.user_id == user_id, _SAID.call_id == _WHOSE.call_id, _SAID.organisation_id == _PART.organisation_id
        )
        .correlate_except(_SAID)
    )
    answered = (
        select(_SAID.id)
        .join(_ABOUT, _ABOUT.id == _SAID.organisation_id)
        .where(
            _SAID.user_id == user_id,
            _SAID.call_id == _WHOSE.call_id,
            _stands_for(_ABOUT) == _stands_for(_MEMBER),
        )
        .correlate_except(_SAID, _ABOUT)
    )
    # Most were told of by this very entry of the register: only of the others it is asked which one stands for them.
    rows = (
        select(_PART.id)
        .join(_MEMBER, _MEMBER.id == _PART.organisation_id)
        .join(_WHOSE, _WHOSE.id == _PART.application_id)
        .where(_TAKES_PART, not_(said.exists()), not_(answered.exists()))
        .correlate_except(_PART, _MEMBER, _WHOSE)
    )
    return rows, _PART.application_id


def _stands_for(entry: Any) -> ColumnElement[Any]:
    """The entry of the register that stands for an organisation."""
    return func.coalesce(entry.same_as_id, entry.id)


_TAKES_PART = _PART.state != PartnerState.DECLINED.value


def _covered() -> ColumnElement[bool]:
    """Whether the manager cleared the person for the application of the row after they said this of an organisation."""
    return (
        select(_RULED.id)
        .where(
            _RULED.user_id == _SAID.user_id,
            _RULED.application_id == _PART.application_id,
            _RULED.ruling == Ruling.CLEARED.value,
            _RULED.ruled_at >= _SAID.declared_at,
        )
        .correlate_except(_RULED)
        .exists()
    )


def _uncovered(what: Any, *declared: Declared) -> Select[Any]:
    """What anybody said of organisations, by each application of the call one takes part in now and no ruling covers.

    Also an application that such an organisation joined later is among them.
    """
    return (
        select(what)
        .select_from(_SAID)
        .join(_ABOUT, _ABOUT.id == _SAID.organisation_id)
        .join(_MEMBER, _stands_for(_MEMBER) == _stands_for(_ABOUT))
        .join(_PART, _PART.organisation_id == _MEMBER.id)
        .join(_WHOSE, and_(_WHOSE.id == _PART.application_id, _WHOSE.call_id == _SAID.call_id))
        .where(_SAID.declared.in_([each.value for each in declared]), _TAKES_PART, not_(_covered()))
    )


def entity_doubts(user_id: Person, *declared: Declared) -> tuple[Select[Any], InstrumentedAttribute[Any]]:
    """Rows of what this person said of organisations, with the column that says of which application each is one.

    One doubt about any entry of an organisation is a doubt, whatever was said of the others.
    """
    rows = _uncovered(_PART.id, *declared).where(_SAID.user_id == user_id)
    return rows.correlate_except(_PART, _MEMBER, _SAID, _ABOUT, _WHOSE), _PART.application_id


def all_entity_conflicts() -> Select[UUID, UUID]:
    """(person, application) of every conflict that stands because of an organisation."""
    rows: Select[UUID, UUID] = _uncovered(_SAID.user_id, Declared.CONFLICT).add_columns(_PART.application_id)
    return rows


@reader
def unsettled(user_id: UUID | None, *states: str) -> Asking[frozenset[tuple[UUID, UUID]]]:
    """(call, entry that stands) of the organisations about which a doubt of this person is not settled everywhere.

    Asked of every application of the call in one of these states or with a declaration, also of those that are shut to
    the person: a doubt about an organisation ends by rulings on each.
    """
    declared = select(_OWN.id).where(_OWN.user_id == _SAID.user_id, _OWN.application_id == _PART.application_id)
    rows = yield from ask(
        _uncovered(_SAID.call_id, Declared.CONFLICT, Declared.UNSURE)
        .add_columns(_stands_for(_ABOUT).label("standing_id"))
        .where(_SAID.user_id == user_id, or_(_WHOSE.state.in_(states), declared.correlate_except(_OWN).exists()))
        .distinct()
    )
    return frozenset((row.call_id, row.standing_id) for row in rows)


def said_of_members(application_ids: Collection[UUID]) -> Select[UUID]:
    """Ids of what anybody declared about whoever takes part in one of these applications, by whichever entry of the register."""
    members = select(ApplicationPartner.organisation_id).where(
        among(ApplicationPartner.application_id, application_ids)
    )
    standing = select(Organisation.same_as_id).where(Organisation.id.in_(members))
    of = EntityDeclaration.organisation_id
    return select(EntityDeclaration.id).where(or_(of.in_(members), of.in_(standing)))


def _told() -> Any:
    """What people said, by call and by the entry that stands for each organisation."""
    return (
        select(
            *(_SAID.user_id, _SAID.call_id, _stands_for(_ABOUT).label("standing_id")),
            *(_SAID.declared, _SAID.kind, _SAID.reason, _SAID.declared_at),
        )
        .join(_ABOUT, _ABOUT.id == _SAID.organisation_id)
        .subquery("told")
    )


_TOLD = _told()


@reader
def entity_rows(user_id: UUID | None, application_ids: Collection[UUID]) -> Asking[tuple[EntityRow, ...]]:
    """The organisations of these applications, each once a call, with what this person said of it there; by name.

    One statement.
    """
    told, standing = _TOLD.c, _STANDING
    rows = yield from ask(
        select(
            *(standing.id, standing.name, standing.country_code, Application.id.label("application_id")),
            *(Application.call_id, Application.title, told.declared, told.kind, told.reason),
        )
        .select_from(ApplicationPartner)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .join(standing, standing.id == _stands_for(Organisation))
        .outerjoin(
            _TOLD,
            and_(told.user_id == user_id, told.call_id == Application.call_id, told.standing_id == standing.id),
        )
        .where(among(Application.id, application_ids), ApplicationPartner.state != PartnerState.DECLINED.value)
        .order_by(standing.name, standing.id, Application.reference, told.declared)
        .limit(MEMBERS_MAX)
    )
    found: dict[tuple[UUID, UUID], list[Any]] = {}
    for row in rows:
        found.setdefault((row.call_id, row.id), []).append(row)
    return tuple(_entity_row(each) for each in found.values())


def _entity_row(rows: list[Any]) -> EntityRow:
    # Two entries of one organisation may both be answered: a doubt stands before “none”.
    told = sorted(rows, key=lambda row: (row.declared in (None, Declared.NONE.value), row.declared is None))[0]
    return EntityRow(
        told.call_id,
        told.id,
        told.name,
        told.country_code,
        frozenset(row.application_id for row in rows),
        tuple(dict.fromkeys(row.title for row in rows)),
        Declared(told.declared) if told.declared else None,
        ConflictKind(told.kind) if told.kind else None,
        told.reason or "",
    )


def doubted(*wanted: ColumnElement[bool]) -> tuple[Doubted, ...]:
    """What people said of organisations of such applications other than “none”, with what stands of each application."""
    told = _TOLD.c
    rows = db.session.execute(
        select(
            *(told.user_id, Application.id, Organisation.name, told.declared, told.kind, told.reason, told.declared_at),
            *(_OWN.declared.label("told"), _OWN.ruling, _OWN.ruled_at),
        )
        .select_from(ApplicationPartner)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .join(_TOLD, and_(told.call_id == Application.call_id, told.standing_id == _stands_for(Organisation)))
        .outerjoin(_OWN, and_(_OWN.application_id == Application.id, _OWN.user_id == told.user_id))
        .where(ApplicationPartner.state != PartnerState.DECLINED.value, told.declared != Declared.NONE.value, *wanted)
        .order_by(told.user_id, Application.reference, Organisation.name, told.declared, told.declared_at)
        .limit(MEMBERS_MAX)
    )
    return tuple(
        Doubted(
            row.user_id,
            row.id,
            row.name,
            Declared(row.declared),
            ConflictKind(row.kind),
            row.reason,
            Declared(row.told) if row.told else None,
            Ruling(row.ruling) if row.ruling else None,
            row.ruling == Ruling.CLEARED.value and row.ruled_at >= row.declared_at,
        )
        for row in rows
    )


def doubted_by(user_id: UUID, application_ids: Collection[UUID]) -> tuple[Doubted, ...]:
    """What this person said of organisations of these applications other than “none”."""
    return doubted(_TOLD.c.user_id == user_id, among(Application.id, application_ids))
