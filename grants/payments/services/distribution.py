"""Acts by which a coordinator shows what it passed on to its partners: reported, confirmed or refused by another side, waived."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import GrantState
from grants.applications.models import ApplicationPartner
from grants.core import acts, clock, faults, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.money import Money
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import AsOf, Dimensions, Event
from grants.payments.models import Distribution, DistributionWaiver
from grants.payments.queries.distribution import balances_of, confirmer
from grants.payments.rules.distribution import (
    PROOFS,
    PartnerBalance,
    PassedOnInput,
    Side,
    check_passed_on,
    refuse_confirmer,
)
from grants.payments.services.locks import lock_grant, scope_of_grant
from grants.payments.services.passing import take_up
from grants.payments.states import DISTRIBUTION, DistributionState

CLOSED = "This grant is closed: nothing of it is reported, confirmed or waived any more."


def scope_of_distribution(distribution_id: UUID) -> Scope:
    """Where the grant of a report lies, its money locked."""
    return scope_of_grant(get(Distribution, distribution_id).grant_id)


@act(
    "distribution.report",
    needs=Permission.DISTRIBUTION_REPORT,
    scope=scope_of_grant,
    says="reported {subject} as passed on to a partner",
)
def report_passed_on(actor: Actor, grant_id: UUID, given: PassedOnInput, proof: Incoming | None) -> str:
    """The coordinator says what it passed on, with the proof; the partner is asked to confirm it. Returns its reference.

    Nothing is booked before that, but for what payments of before this was kept brought.
    """
    grant = _open_grant(grant_id)
    assert grant.in_force_at is not None, "only a grant in force was paid"
    check_passed_on(given, _by_partner(grant), clock.in_zone(grant.in_force_at).date(), acts.today())
    if proof is None:
        raise Invalid(
            "The proof is missing.", {"proof": "Add the statement or order of your bank that shows the transfer."}
        )
    number = 1 + (
        db.session.scalar(select(func.max(Distribution.number)).where(Distribution.grant_id == grant_id)) or 0
    )
    assert actor.user_id is not None, "only a person reports a transfer"
    row = Distribution(
        grant_id=grant_id,
        organisation_id=given.organisation_id,
        number=number,
        reference=f"{grant.reference}-P{number}",
        amount=given.amount,
        paid_on=given.paid_on,
        transfer=given.transfer.strip(),
        state=DistributionState.REPORTED.value,
        reported_by=actor.user_id,
        reported_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    acts.subject("distribution", row.id)
    files.keep(proof, kind=PROOFS, object_id=row.id, role="proof")
    take_up(grant, f"distribution:{row.id}")
    _tell_partner(grant, row)
    return row.reference


@act(
    "distribution.confirm",
    needs=Permission.DISTRIBUTION_CONFIRM,
    scope=scope_of_distribution,
    says="confirmed that a partner received {subject}",
)
def confirm_passed_on(actor: Actor, distribution_id: UUID, *, version: int | None = None) -> Money:
    """The partner, or an officer where the agreement says so, confirms that the money came (E23). Returns what is held then.

    As of the day of the transfer where the coordinator held as much by then; of today where it paid before it was paid.
    """
    row, grant, side = _in_hand(actor, distribution_id, version, "confirm")
    take_up(grant, f"distribution:{row.id}:confirm")
    held = _by_partner(grant)[row.organisation_id]
    faults.point("ceiling")
    if row.amount > held.held:
        raise Refused(
            f"The coordinator holds {held.held} for {held.name} now, less than this transfer: a payment came back since, or a "
            "debt was paid back. Refuse it with that reason; the coordinator reports the part that stands."
        )
    DISTRIBUTION.move(row, "confirm")
    _decide(actor, row, side)
    then = books.balance(
        Account.HELD_BY_COORDINATOR,
        grant_id=grant.id,
        organisation_id=row.organisation_id,
        as_of=AsOf(effective_to=row.paid_on),
    )
    ledger.post(
        Event.DISTRIBUTED,
        source_key=f"distribution:{row.id}:passed_on",
        effective_on=row.paid_on if row.amount <= then else acts.today(),
        description=f"{row.reference}: passed on to {held.name}, its transfer of {clock.long_date(row.paid_on)}",
        legs=legs.legs_e23_distributed(
            [(row.organisation_id, row.amount)],
            Dimensions(grant.fund_source_id, grant.call_id, grant.id, grant.coordinator_id, document_id=row.id),
        ),
    )
    _tell_coordinator(grant, row, "confirmed", "")
    return held.held - row.amount


@act(
    "distribution.refuse",
    needs=Permission.DISTRIBUTION_CONFIRM,
    scope=scope_of_distribution,
    says="refused that a partner received {subject}",
)
def refuse_passed_on(actor: Actor, distribution_id: UUID, *, reason: str, version: int | None = None) -> None:
    """The money did not come, or not like this: the coordinator is told why, and reports it anew."""
    row, grant, side = _in_hand(actor, distribution_id, version, "refuse")
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say what is wrong; the coordinator reads it."})
    acts.reason(reason.strip())
    DISTRIBUTION.move(row, "refuse")
    _decide(actor, row, side, reason.strip())
    _tell_coordinator(grant, row, "refused", reason.strip())


@act(
    "distribution.withdraw",
    needs=Permission.DISTRIBUTION_REPORT,
    scope=scope_of_distribution,
    says="withdrew the report of {subject}",
)
def withdraw_passed_on(actor: Actor, distribution_id: UUID, *, version: int | None = None) -> None:
    """The coordinator takes a report back that nobody answered."""
    row = locked(Distribution, distribution_id)
    check_version(row, version)
    _open_grant(row.grant_id)
    DISTRIBUTION.move(row, "withdraw")
    row.decided_by, row.decided_at = actor.user_id, acts.moment()


@act(
    "distribution.waive",
    needs=Permission.DISTRIBUTION_WAIVE,
    scope=scope_of_grant,
    says="waived that the coordinator of {subject} shows what it held for a partner passed on",
)
def waive_distribution(actor: Actor, grant_id: UUID, organisation_id: UUID, *, reason: str) -> Money:
    """Let a grant be closed though what is held for a partner was not shown passed on; the books stay as they are.

    Reports of it that wait for an answer end with its reason. Returns the amount: what is held now.
    """
    demand_fresh(actor)
    grant = _open_grant(grant_id)
    refuse_conflict(actor, grant_id)
    found = _by_partner(grant).get(organisation_id)
    if found is None or not found.held:
        raise Refused("Nothing is held for this partner, so there is nothing to waive.")
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say on which decision it rests. It is not taken back."})
    acts.reason(reason.strip())
    last = select(func.max(DistributionWaiver.number)).where(
        DistributionWaiver.grant_id == grant_id, DistributionWaiver.organisation_id == organisation_id
    )
    assert actor.user_id is not None, "only a person waives something"
    db.session.add(
        DistributionWaiver(
            grant_id=grant_id,
            organisation_id=organisation_id,
            number=1 + (db.session.scalar(last) or 0),
            amount=found.held,
            reason=reason.strip(),
            waived_by=actor.user_id,
            waived_at=acts.moment(),
        )
    )
    _end_reports(actor, grant, organisation_id, reason.strip())
    take_up(grant, f"grant:{grant_id}:waived:{organisation_id}")
    return found.held


def _end_reports(actor: Actor, grant: Grant, organisation_id: UUID, reason: str) -> None:
    """What is waived needs no answer any more: reports of it that nobody answered end with the reason of the waiver."""
    open_ = select(Distribution).where(
        Distribution.grant_id == grant.id,
        Distribution.organisation_id == organisation_id,
        Distribution.state == DistributionState.REPORTED.value,
    )
    rows = db.session.scalars(open_.order_by(Distribution.number).with_for_update()).all()
    faults.point("four_eyes")
    if actor.user_id in {row.reported_by for row in rows}:
        raise Refused("You reported a transfer to this partner, so somebody else must waive what is held for it.")
    people.refuse_tied_to(actor.user_id, *((row.reported_by, row.reported_at) for row in rows))
    for row in rows:
        DISTRIBUTION.move(row, "waive")
        _decide(actor, row, Side.PROGRAMME, reason)
        _tell_coordinator(grant, row, "waived", reason)


@act(
    "distribution.open_file",
    needs=Permission.FILE_READ,
    scope=scope_of_distribution,
    says="opened the proof of {subject}",
)
def open_proof(actor: Actor, distribution_id: UUID, sha256: str) -> FileView:
    """Hand out the proof of a transfer, on the record."""
    acts.subject("distribution", distribution_id)
    grant = get(Grant, get(Distribution, distribution_id).grant_id)
    # The cities of a grant read what is passed on among them.
    if agreements.side_of(actor, agreements.scope(grant)) is Side.PROGRAMME:
        refuse_conflict(actor, grant.id)
    for file in files.listed(PROOFS, distribution_id):
        if file.sha256 == sha256:
            return file
    raise NotFound


def _open_grant(grant_id: UUID) -> Grant:
    grant = lock_grant(grant_id)
    if grant.state == GrantState.CLOSED.value:
        raise Refused(CLOSED)
    return grant


def _by_partner(grant: Grant) -> dict[UUID, PartnerBalance]:
    return {each.organisation_id: each for each in balances_of(grant)}


def _in_hand(actor: Actor, distribution_id: UUID, version: int | None, verb: str) -> tuple[Distribution, Grant, Side]:
    """A report and its grant under their locks, for who may say whether the money came."""
    row = locked(Distribution, distribution_id)
    check_version(row, version)
    DISTRIBUTION.target(DistributionState(row.state), verb)
    grant = _open_grant(row.grant_id)
    shown = agreements.view(grant)
    own = agreements.reach_of(actor, shown)
    partner = next((each.name for each in shown.beneficiaries if each.organisation_id == row.organisation_id), "")
    by = agreements.passing_on_of(grant).confirmed_by
    side = refuse_confirmer(confirmer(actor, shown, own), row.reported_by, row.organisation_id, partner, by)
    if side is Side.PROGRAMME:
        refuse_conflict(actor, grant.id)
    people.refuse_tied_to(actor.user_id, (row.reported_by, row.reported_at))
    return row, grant, side


def _decide(actor: Actor, row: Distribution, side: Side, reason: str | None = None) -> None:
    row.decided_by, row.decided_at = actor.user_id, acts.moment()
    row.decided_for, row.decide_reason = side.value, reason


def _tell_partner(grant: Grant, row: Distribution) -> None:
    """Write to the people of the partner who may confirm, and to officers where the agreement lets them."""
    shown = agreements.view(grant)
    partner = next(each.name for each in shown.beneficiaries if each.organisation_id == row.organisation_id)
    may = {each.id for each in identity.users_with(Permission.DISTRIBUTION_CONFIRM, agreements.scope(grant))}
    contact = select(ApplicationPartner.contact_user_id).where(
        ApplicationPartner.application_id == grant.application_id,
        ApplicationPartner.organisation_id == row.organisation_id,
    )
    theirs = {*(each.id for each in identity.members(row.organisation_id)), *db.session.scalars(contact)}
    people.mail(
        sorted(may & theirs, key=str),
        "passed_on_reported",
        "grant",
        grant.id,
        reference=grant.reference,
        number=row.number,
        partner=partner,
        amount=str(row.amount),
        paid_on=clock.long_date(row.paid_on),
        transfer=row.transfer,
    )


def _tell_coordinator(grant: Grant, row: Distribution, answer: str, reason: str) -> None:
    readers = identity.users_with(Permission.DISTRIBUTION_REPORT, agreements.scope(grant))
    people.mail(
        [each.id for each in readers],
        "passed_on_answered",
        "grant",
        grant.id,
        reference=grant.reference,
        number=row.number,
        amount=str(row.amount),
        answer=answer,
        reason=reason,
    )
