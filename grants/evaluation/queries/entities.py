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
from grants.core.db import db
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import ConflictDeclaration, EntityDeclaration
from grants.evaluation.rules import Doubted, EntityRow
from grants.evaluation.states import ConflictKind, Declared, Ruling
from grants.identity.models import Organisation

# Far more than the consortia of the largest call have members.
MEMBERS_MAX = 20_000
# A person by id, or the column that holds it in the query the condition stands in.
Person = UUID | ColumnElement[Any] | InstrumentedAttribute[Any] | None


def entities_open(user_id: Person) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person said of each organisation in it that there is no conflict.

    Whoever joins a consortium later, or is another entry of the register than before, is asked about anew.
    """
    return not_(_unanswered(user_id, or_(_SAID.declared == Declared.NONE.value, _covered(_SAID, Application.id))))


def entities_unasked(user_id: Person) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person said nothing yet of an organisation in it."""
    return _unanswered(user_id, _SAID.id.is_not(None))


# Under names of their own: the tables may stand in the query that carries the condition.
_PART, _MEMBER = aliased(ApplicationPartner), aliased(Organisation)
_SAID, _ABOUT = aliased(EntityDeclaration), aliased(Organisation)


def _stands_for(entry: Any) -> ColumnElement[Any]:
    """The entry of the register that stands for an organisation."""
    return func.coalesce(entry.same_as_id, entry.id)


def _unanswered(user_id: Person, counts: ColumnElement[bool]) -> ColumnElement[bool]:
    answered = (
        select(_SAID.id)
        .join(_ABOUT, _ABOUT.id == _SAID.organisation_id)
        .where(
            _SAID.user_id == user_id,
            _SAID.call_id == Application.call_id,
            _stands_for(_ABOUT) == _stands_for(_MEMBER),
            counts,
        )
        .correlate_except(_SAID, _ABOUT)
        .exists()
    )
    return (
        select(_PART.id)
        .join(_MEMBER, _MEMBER.id == _PART.organisation_id)
        .where(_PART.application_id == Application.id, _PART.state != PartnerState.DECLINED.value, not_(answered))
        .correlate_except(_PART, _MEMBER)
        .exists()
    )


def _covered(said: Any, application_id: Any) -> ColumnElement[bool]:
    """Whether the manager cleared the person for that application after they said this of an organisation."""
    ruled = aliased(ConflictDeclaration)
    return (
        select(ruled.id)
        .where(
            ruled.user_id == said.user_id,
            ruled.application_id == application_id,
            ruled.ruling == Ruling.CLEARED.value,
            ruled.ruled_at >= said.declared_at,
        )
        .correlate_except(ruled)
        .exists()
    )


def entity_doubts(user_id: Person, *declared: Declared) -> tuple[Select[Any], InstrumentedAttribute[Any]]:
    """Rows of what this person said of organisations, with the column that says of which application each is one.

    Asked by what takes part now: also an application that such an organisation joined later is among them.
    """
    part, member = aliased(ApplicationPartner), aliased(Organisation)
    said, about, whose = aliased(EntityDeclaration), aliased(Organisation), aliased(Application)
    rows = (
        select(part.id)
        .select_from(said)
        .join(about, about.id == said.organisation_id)
        .join(member, _stands_for(member) == _stands_for(about))
        .join(part, part.organisation_id == member.id)
        .join(whose, and_(whose.id == part.application_id, whose.call_id == said.call_id))
        .where(
            said.user_id == user_id,
            said.declared.in_([each.value for each in declared]),
            part.state != PartnerState.DECLINED.value,
            not_(_covered(said, part.application_id)),
        )
        .correlate_except(part, member, said, about, whose)
    )
    return rows, part.application_id


def all_entity_conflicts() -> Select[UUID, UUID]:
    """(person, application) of every conflict that stands because of an organisation."""
    part, member = aliased(ApplicationPartner), aliased(Organisation)
    said, about, whose = aliased(EntityDeclaration), aliased(Organisation), aliased(Application)
    return (
        select(said.user_id, part.application_id)
        .select_from(said)
        .join(about, about.id == said.organisation_id)
        .join(member, _stands_for(member) == _stands_for(about))
        .join(part, part.organisation_id == member.id)
        .join(whose, and_(whose.id == part.application_id, whose.call_id == said.call_id))
        .where(
            said.declared == Declared.CONFLICT.value,
            part.state != PartnerState.DECLINED.value,
            not_(_covered(said, part.application_id)),
        )
    )


def said_of_members(application_ids: Collection[UUID]) -> Select[UUID]:
    """Ids of what anybody declared about whoever takes part in one of these applications, by whichever entry of the register."""
    members = select(ApplicationPartner.organisation_id).where(ApplicationPartner.application_id.in_(application_ids))
    standing = select(Organisation.same_as_id).where(Organisation.id.in_(members))
    of = EntityDeclaration.organisation_id
    return select(EntityDeclaration.id).where(or_(of.in_(members), of.in_(standing)))


def _said_by(user_id: UUID | None) -> Any:
    """What this person said, by call and by the entry that stands for each organisation."""
    said, about = aliased(EntityDeclaration), aliased(Organisation)
    return (
        select(
            *(said.call_id, _stands_for(about).label("standing_id"), said.declared, said.kind, said.reason),
            said.declared_at,
        )
        .join(about, about.id == said.organisation_id)
        .where(said.user_id == user_id)
        .subquery("told")
    )


@reader
def entity_rows(user_id: UUID | None, application_ids: Collection[UUID]) -> Asking[tuple[EntityRow, ...]]:
    """The organisations of these applications, each once, with what this person said of it; by name. One statement."""
    told, standing = _said_by(user_id), aliased(Organisation)
    rows = yield from ask(
        select(
            *(standing.id, standing.name, standing.country_code, Application.id.label("application_id")),
            *(Application.title, told.c.declared, told.c.kind, told.c.reason),
        )
        .select_from(ApplicationPartner)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .join(standing, standing.id == _stands_for(Organisation))
        .outerjoin(told, and_(told.c.call_id == Application.call_id, told.c.standing_id == standing.id))
        .where(Application.id.in_(application_ids), ApplicationPartner.state != PartnerState.DECLINED.value)
        .order_by(standing.name, standing.id, Application.reference, told.c.declared)
        .limit(MEMBERS_MAX)
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return tuple(_entity_row(each) for each in found.values())


def _entity_row(rows: list[Any]) -> EntityRow:
    # Two entries of one organisation may both be answered: a doubt stands before “none”.
    told = sorted(rows, key=lambda row: (row.declared in (None, Declared.NONE.value), row.declared is None))[0]
    return EntityRow(
        told.id,
        told.name,
        told.country_code,
        frozenset(row.application_id for row in rows),
        tuple(dict.fromkeys(row.title for row in rows)),
        Declared(told.declared) if told.declared else None,
        ConflictKind(told.kind) if told.kind else None,
        told.reason or "",
    )


def doubted(user_id: UUID, application_ids: Collection[UUID]) -> tuple[Doubted, ...]:
    """What this person said of organisations of these applications other than “none”, with what stands of each application."""
    told, own = _said_by(user_id), aliased(ConflictDeclaration)
    rows = db.session.execute(
        select(
            *(Application.id, Organisation.name, told.c.declared, told.c.kind, told.c.reason, told.c.declared_at),
            *(own.declared.label("told"), own.ruling, own.ruled_at),
        )
        .select_from(ApplicationPartner)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .join(told, and_(told.c.call_id == Application.call_id, told.c.standing_id == _stands_for(Organisation)))
        .outerjoin(own, and_(own.application_id == Application.id, own.user_id == user_id))
        .where(
            Application.id.in_(application_ids),
            ApplicationPartner.state != PartnerState.DECLINED.value,
            told.c.declared != Declared.NONE.value,
        )
        .order_by(Application.reference, Organisation.name)
        .limit(MEMBERS_MAX)
    )
    return tuple(
        Doubted(
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
