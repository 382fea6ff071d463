"""A grant, or the part of one beneficiary, is suspended with a notice, and the suspension is lifted."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import AgreementHold, Grant
from grants.agreements.queries import HOLD_FILES, scope_of
from grants.agreements.rules import HoldInput
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.states import GrantState
from grants.core import acts, clock, files
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, NotFound
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh

FINANCE = (Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER)


@act("agreement.hold", needs=Permission.AGREEMENT_HOLD, scope=scope_of, says="suspended {subject}")
def hold(actor: Actor, grant_id: UUID, given: HoldInput, notice: Incoming | None = None) -> int:
    """Suspend a grant or the part of one beneficiary, with the notice that was sent; everybody of both sides is told.

    While it stands nothing of it is decided, ordered or paid, and nothing is called late. Returns its number.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    shown = queries.view(grant)
    in_force_on = clock.in_zone(grant.in_force_at).date() if grant.in_force_at else None
    rules.check_hold(
        given,
        state=GrantState(grant.state),
        in_force_on=in_force_on,
        open_for=[each.organisation_id for each in shown.holds if each.lifted_on is None],
    )
    if given.organisation_id is not None and all(
        each.organisation_id != given.organisation_id for each in shown.beneficiaries
    ):
        raise NotFound
    if notice is None:
        raise Invalid("The notice is missing.", {"file": "Choose the notice that is sent to the city."})
    number = len(shown.holds) + 1
    kept = files.keep(notice, kind=HOLD_FILES, object_id=grant_id, role=f"notice-{number}")
    row = AgreementHold(
        grant_id=grant_id,
        number=number,
        organisation_id=given.organisation_id,
        reason=given.reason.value,
        words=clean_text(given.words),
        from_on=given.from_on,
        notice_id=kept.id,
        held_by=actor.user_id,
        held_at=acts.moment(),
    )
    db.session.add(row)
    acts.reason(row.words)
    _tell(actor, grant, "agreement_held", row, because=given.reason.words)
    return number


@act("agreement.lift_hold", needs=Permission.AGREEMENT_HOLD, scope=scope_of, says="lifted a suspension of {subject}")
def lift_hold(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """Lift a suspension from today on, and say why; what waited goes on from where it stood."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    row = db.session.scalars(
        select(AgreementHold)
        .where(AgreementHold.grant_id == grant_id, AgreementHold.number == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.lifted_on is not None:
        raise Conflict("Somebody lifted this suspension after you opened the page.")
    if not clean_text(words):
        raise Invalid("Say why.", {"words": "Say what was mended, or why it is lifted; the city reads it."})
    acts.reason(clean_text(words))
    row.lifted_on, row.lifted_by, row.lifted_at = acts.today(), actor.user_id, acts.moment()
    row.lift_words = clean_text(words)
    _tell(actor, grant, "agreement_hold_lifted", row)


@act(
    "agreement.open_hold_notice",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened the notice of a suspension of {subject}",
)
def open_hold_notice(actor: Actor, grant_id: UUID, number: int) -> FileView:
    """Hand out the notice of a suspension; who took it is kept."""
    acts.subject("grant_agreement", grant_id)
    notice_id = db.session.scalar(
        select(AgreementHold.notice_id).where(AgreementHold.grant_id == grant_id, AgreementHold.number == number)
    )
    if notice_id is None:
        raise NotFound
    return files.view(notice_id)


def refuse_held(grant: Grant, organisation_ids: frozenset[UUID] = frozenset()) -> None:
    """Plain helper of payments: refuse a step with what is suspended now; the grant is locked."""
    found = queries.holds([grant.id])[grant.id]
    rules.refuse_held(found, organisation_ids, acts.today())


def _tell(actor: Actor, grant: Grant, template: str, row: AgreementHold, **more: str) -> None:
    """The people of the application, who prepares the grant, and the finance people, who must not pay meanwhile."""
    told = set(queries.team(grant.application_id))
    told |= {each.id for each in identity.users_with(Permission.AGREEMENT_PREPARE, queries.scope(grant))}
    told |= {each.id for each in identity.in_roles(FINANCE, queries.scope(grant))}
    people.mail(
        sorted(told),
        template,
        "grant",
        grant.id,
        reference=grant.reference,
        title=grant.title,
        whose=identity.organisation(row.organisation_id).name if row.organisation_id else "",
        words=row.lift_words or row.words,
        day=clock.long_date(row.lifted_on or row.from_on),
        officer=actor.name,
        **more,
    )
