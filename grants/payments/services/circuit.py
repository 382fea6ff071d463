"""Acts by which two administrators set the circuit of payments, and how much a person may authorise."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity.models import User
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh
from grants.identity.services import refuse_confirming_for_ones_maker
from grants.payments.models import AuthorityLimit, PaymentCircuit
from grants.payments.queries.circuit import circuit_now
from grants.payments.rules.authority import check_limit
from grants.payments.rules.circuit import Pair, pair_code, refuse_fewer_apart
from grants.payments.states import RULE, RuleState


@act("circuit.propose", needs=Permission.CIRCUIT_SET, says="proposed another payment circuit")
def propose_circuit(actor: Actor, apart: frozenset[Pair], *, reason: str) -> int:
    """Propose which steps of an order need different people; it holds once another administrator confirmed it. Its number."""
    words = _proposing(actor, reason)
    refuse_fewer_apart(apart, circuit_now().apart)
    if db.session.scalar(select(PaymentCircuit.id).where(PaymentCircuit.state == RuleState.PROPOSED.value)):
        raise Refused("Another circuit waits to be confirmed. Have it confirmed, refused or withdrawn first.")
    made = PaymentCircuit(
        number=1 + (db.session.scalar(select(func.max(PaymentCircuit.number))) or 0),
        apart=sorted(pair_code(pair) for pair in apart),
        reason=words,
        state=RuleState.PROPOSED.value,
        proposed_by=actor.user_id,
        proposed_at=acts.moment(),
    )
    db.session.add(made)
    return made.number


@act("circuit.confirm", needs=Permission.CIRCUIT_CONFIRM, says="confirmed another payment circuit")
def confirm_circuit(actor: Actor, circuit_id: UUID, *, version: int | None = None) -> None:
    """Let a circuit hold for every order prepared from now on, as another administrator than who proposed it."""
    _decide(actor, locked(PaymentCircuit, circuit_id), "confirm", version)


@act("circuit.refuse", needs=Permission.CIRCUIT_CONFIRM, says="refused another payment circuit")
def refuse_circuit(actor: Actor, circuit_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse a circuit that was proposed, with a reason."""
    _decide(actor, locked(PaymentCircuit, circuit_id), "refuse", version, reason)


@act("circuit.withdraw", needs=Permission.CIRCUIT_SET, says="withdrew another payment circuit")
def withdraw_circuit(actor: Actor, circuit_id: UUID, *, version: int | None = None) -> None:
    """Take back a circuit one proposed."""
    _withdraw(actor, locked(PaymentCircuit, circuit_id), version)


@act("limit.propose", needs=Permission.CIRCUIT_SET, says="proposed how much a person may authorise")
def propose_limit(actor: Actor, user_id: UUID, *, per_order: Money | None, per_day: Money | None, reason: str) -> int:
    """Propose how much an authorising officer may authorise, empty for no limit; it holds once confirmed. Its number."""
    words = _proposing(actor, reason)
    check_limit(per_order, per_day)
    person = locked(User, user_id)
    faults.point("four_eyes")
    if person.id == actor.user_id:
        raise Refused("Nobody sets how much they may authorise themselves. Ask two other administrators.")
    if person.id not in {each.user_id for each in identity.circuit_roles(person.id, Role.AUTHORISING_OFFICER)}:
        raise Refused("This person is no authorising officer, so there is nothing to limit.")
    waits = select(AuthorityLimit.id).where(
        AuthorityLimit.user_id == person.id, AuthorityLimit.state == RuleState.PROPOSED.value
    )
    if db.session.scalar(waits):
        raise Refused(
            "Another limit of this person waits to be confirmed. Have it confirmed, refused or withdrawn first."
        )
    made = AuthorityLimit(
        number=1 + (db.session.scalar(select(func.max(AuthorityLimit.number))) or 0),
        user_id=person.id,
        per_order=per_order,
        per_day=per_day,
        reason=words,
        state=RuleState.PROPOSED.value,
        proposed_by=actor.user_id,
        proposed_at=acts.moment(),
    )
    db.session.add(made)
    return made.number


@act("limit.confirm", needs=Permission.CIRCUIT_CONFIRM, says="confirmed how much a person may authorise")
def confirm_limit(actor: Actor, limit_id: UUID, *, version: int | None = None) -> None:
    """Let a limit hold from now on, as another administrator than who proposed it."""
    faults.point("four_eyes")
    if get(AuthorityLimit, limit_id).user_id == actor.user_id:
        raise Refused("It is your own limit. Another administrator must confirm it.")
    _decide(actor, locked(AuthorityLimit, limit_id), "confirm", version)


@act("limit.refuse", needs=Permission.CIRCUIT_CONFIRM, says="refused how much a person may authorise")
def refuse_limit(actor: Actor, limit_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse a limit that was proposed, with a reason."""
    _decide(actor, locked(AuthorityLimit, limit_id), "refuse", version, reason)


@act("limit.withdraw", needs=Permission.CIRCUIT_SET, says="withdrew how much a person may authorise")
def withdraw_limit(actor: Actor, limit_id: UUID, *, version: int | None = None) -> None:
    """Take back a limit one proposed."""
    _withdraw(actor, locked(AuthorityLimit, limit_id), version)


def _proposing(actor: Actor, reason: str) -> str:
    demand_fresh(actor)
    words = clean_text(reason)
    if actor.user_id is None:
        raise Refused("A person must propose this, not the program.")
    if not words:
        raise Invalid("The reason is missing.", {"reason": "Say why; it stands in the history."})
    acts.reason(words)
    return words


def _decide(
    actor: Actor, row: PaymentCircuit | AuthorityLimit, verb: str, version: int | None, reason: str | None = None
) -> None:
    demand_fresh(actor)
    check_version(row, version)
    faults.point("four_eyes")
    if actor.user_id is None:
        raise Refused("A person must decide this, not the program.")
    if row.proposed_by == actor.user_id:
        raise Refused("You proposed this yourself. Another administrator must decide it; you may withdraw it.")
    refuse_confirming_for_ones_maker(actor, row.proposed_by)
    if reason is not None and not clean_text(reason):
        raise Invalid("The reason is missing.", {"reason": "Say why it is refused."})
    RULE.move(row, verb)
    row.decided_by, row.decided_at = actor.user_id, acts.moment()
    if reason is not None:
        row.decide_reason = clean_text(reason)
        acts.reason(clean_text(reason))


def _withdraw(actor: Actor, row: PaymentCircuit | AuthorityLimit, version: int | None) -> None:
    check_version(row, version)
    faults.point("four_eyes")
    if row.proposed_by != actor.user_id:
        raise Refused("Somebody else proposed this. You may refuse it, with a reason.")
    RULE.move(row, "withdraw")
    row.decided_by, row.decided_at = actor.user_id, acts.moment()
