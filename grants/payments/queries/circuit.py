"""What is known of a person before they take a step of an order: circuits, stand-ins, limits; and the pages of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, case, func, select, type_coerce
from sqlalchemy.dialects.postgresql import distinct_on

from grants.core import clock
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import policy
from grants.identity import queries as identity
from grants.identity.policy import Role
from grants.identity.queries import HeldRole
from grants.identity.rules.standing_in import StandIn, StandInStanding, ties_among
from grants.payments.models import AuthorityLimit, PaymentCircuit, PaymentOrderSignature
from grants.payments.rules.authority import Authoriser, Limit, Used
from grants.payments.rules.circuit import Circuit, Pair, apart_words, circuit_at, pair_of
from grants.payments.rules.hands import Acting, Hands
from grants.payments.states import RuleState, Step

SHOWN_MAX = 100

STEP_OF: Mapping[Step, Permission] = {
    Step.PREPARED: Permission.PAYMENT_ORDER_PREPARE,
    Step.VERIFIED: Permission.PAYMENT_ORDER_VERIFY,
    Step.AUTHORISED: Permission.PAYMENT_ORDER_AUTHORISE,
    Step.SENT: Permission.PAYMENT_FILE_SEND,
}


@reader
def circuits() -> Asking[tuple[Circuit, ...]]:
    """Every circuit that was ever in force, the newest first. One statement."""
    rows = yield from ask(
        select(PaymentCircuit.apart, PaymentCircuit.decided_at, PaymentCircuit.number)
        .where(PaymentCircuit.state == RuleState.CONFIRMED.value)
        .order_by(PaymentCircuit.number.desc())
    )
    return tuple(Circuit(_pairs(apart), since, number) for apart, since, number in rows)


def _pairs(codes: Sequence[str]) -> frozenset[Pair]:
    return frozenset(pair_of(code) for code in codes)


@reader
def hands_of(actor: Actor, at: datetime | None = None) -> Asking[Hands]:
    """What is known of this person before they sign, in one statement however many orders follow."""
    at = at or clock.now()
    authorises = actor.can(Permission.PAYMENT_ORDER_AUTHORISE)
    about: list[Asking[Any]] = [
        circuits.asking(),
        identity.stand_ins.asking(actor.user_id),
        identity.circuit_roles.asking(actor.user_id, at=at),
    ]
    if authorises:
        about += [limits.asking(), identity.circuit_roles.asking(None, Role.AUTHORISING_OFFICER, at=at), _today(at)]
    found = yield from side_by_side(about)
    known, tied, roles = found[:3]
    set_limits, officers, today = found[3:] if authorises else ({}, (), {})
    return Hands(
        at=at,
        circuits=known,
        ties=ties_among(tied, actor.user_id),
        used={
            person: Used(limit, today.get(person, Money(0))) for person, limit in _own(set_limits, actor, tied).items()
        },
        authorisers=tuple(_authoriser(each, set_limits) for each in officers),
        roles=tuple(each for held in roles for each in _acting(held, tied)),
    )


def _own(found: Mapping[UUID, Limit], actor: Actor, tied: Sequence[StandIn]) -> dict[UUID, Limit]:
    """The person's own limit, told without a name, and those of the people they stand in for."""
    people = {actor.user_id, *(each.for_id for each in tied if each.user_id == actor.user_id)}
    return {
        user_id: Limit(user_id, limit.per_order, limit.per_day, "" if user_id == actor.user_id else limit.name)
        for user_id, limit in found.items()
        if user_id in people
    }


def _authoriser(held: HeldRole, found: Mapping[UUID, Limit]) -> Authoriser:
    """Somebody who may authorise; a stand-in up to the lower of two limits."""
    amounts = [found[who].per_order for who in (held.user_id, held.stand_in_for) if who is not None and who in found]
    least = min((each for each in amounts if each is not None), default=None)
    return Authoriser(held.user_id, held.name, held.object_id, least)


def _acting(held: HeldRole, tied: Sequence[StandIn]) -> list[Acting]:
    words = next((each.words for each in tied if each.id == held.id), "")
    allowed = policy.PERMISSIONS[held.role]
    steps = [step for step, permission in STEP_OF.items() if permission in allowed]
    return [Acting(step, held.object_id, held.stand_in_for, words) for step in steps]


def _today(at: datetime) -> Asking[dict[UUID, Money]]:
    """What was authorised on the day of this moment, by whom and for whom."""
    day = clock.in_zone(at).date()
    begins, ends = (
        clock.local_to_utc(datetime.combine(each, time()), clock.BRUSSELS) for each in (day, clock.add_days(day, 1))
    )
    cents = func.sum(type_coerce(PaymentOrderSignature.amount, BigInteger))
    rows = yield from ask(
        select(PaymentOrderSignature.user_id, PaymentOrderSignature.stand_in_for, cents)
        .where(
            PaymentOrderSignature.step == Step.AUTHORISED.value,
            PaymentOrderSignature.voided_at.is_(None),
            PaymentOrderSignature.signed_at >= begins,
            PaymentOrderSignature.signed_at < ends,
        )
        .group_by(PaymentOrderSignature.user_id, PaymentOrderSignature.stand_in_for)
    )
    found: dict[UUID, Money] = {}
    for user_id, stood_in_for, amount in rows:
        for person in {user_id, stood_in_for} - {None}:
            found[person] = found.get(person, Money(0)) + Money(int(amount))
    return found


@reader
def limits() -> Asking[dict[UUID, Limit]]:
    """What each person may authorise, of those of whom that was ever set. One statement."""
    newest = (
        select(AuthorityLimit.user_id, AuthorityLimit.per_order, AuthorityLimit.per_day)
        .where(AuthorityLimit.state == RuleState.CONFIRMED.value)
        .order_by(AuthorityLimit.user_id, AuthorityLimit.decided_at.desc(), AuthorityLimit.number.desc())
        .ext(distinct_on(AuthorityLimit.user_id))
    )
    rows = yield from ask(newest)
    names = yield from identity.people.asking({row[0] for row in rows})
    return {user_id: Limit(user_id, order, day, names[user_id].name) for user_id, order, day in rows}


@dataclass(frozen=True, slots=True)
class RuleView:
    """A circuit or a limit as it was proposed and decided."""

    id: UUID
    version: int
    number: int
    words: str
    reason: str
    state: RuleState
    proposed_by_id: UUID
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decide_reason: str | None
    # Of a limit: whose.
    user_id: UUID | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class CircuitPage:
    """The circuit in force, and what was proposed: what waits, then the newest hundred."""

    now: Circuit
    history: tuple[RuleView, ...]

    @property
    def open(self) -> RuleView | None:
        """What waits for a second administrator."""
        return next((each for each in self.history if each.state is RuleState.PROPOSED), None)


@reader
def circuit_page(actor: Actor) -> Asking[CircuitPage]:
    """The circuit in force with its history; needs ``circuit:read``."""
    known, rows = yield from both(circuits.asking(), _proposals(actor, PaymentCircuit))
    names = yield from identity.people.asking(_people_of(rows))
    history = tuple(_rule(row, apart_words(_pairs(row.apart)), names) for row in rows)
    return CircuitPage(circuit_at(known, clock.now()), history)


@dataclass(frozen=True, slots=True)
class LimitsPage:
    """Who may authorise how much, and what was proposed: what waits, then the newest hundred."""

    officers: tuple[tuple[UUID, str, str], ...]
    history: tuple[RuleView, ...]

    @property
    def open(self) -> tuple[RuleView, ...]:
        """What waits for a second administrator."""
        return tuple(each for each in self.history if each.state is RuleState.PROPOSED)


@reader
def limits_page(actor: Actor) -> Asking[LimitsPage]:
    """Who authorises, up to what, with the history of limits; needs ``circuit:read``."""
    asked: list[Asking[Any]] = [
        _proposals(actor, AuthorityLimit),
        identity.circuit_roles.asking(None, Role.AUTHORISING_OFFICER),
        limits.asking(),
    ]
    rows, officers, found = yield from side_by_side(asked)
    names = yield from identity.people.asking(_people_of(rows) | {row.user_id for row in rows})
    people = dict.fromkeys((each.user_id, each.name) for each in officers)
    shown = tuple((user_id, name, found.get(user_id, Limit(user_id)).words) for user_id, name in people)
    history = tuple(
        _rule(row, Limit(row.user_id, row.per_order, row.per_day).words, names, row.user_id) for row in rows
    )
    return LimitsPage(shown, history)


def _proposals(actor: Actor, model: type[PaymentCircuit] | type[AuthorityLimit]) -> Asking[list[Any]]:
    if not actor.can(Permission.CIRCUIT_READ):
        raise NotFound
    # What waits comes first, however much was proposed since.
    waits = case((model.state == RuleState.PROPOSED.value, 0), else_=1)
    return (yield from ask(select(model).order_by(waits, model.number.desc()).limit(SHOWN_MAX)))


def _people_of(rows: Sequence[Any]) -> set[UUID]:
    return {person for row in rows for person in (row.proposed_by, row.decided_by) if person is not None}


def _rule(row: Any, words: str, names: Mapping[UUID, Any], user_id: UUID | None = None) -> RuleView:
    return RuleView(
        id=row.id,
        version=row.version,
        number=row.number,
        words=words,
        reason=row.reason,
        state=RuleState(row.state),
        proposed_by_id=row.proposed_by,
        proposed_by=names[row.proposed_by].name,
        proposed_at=row.proposed_at,
        decided_by=names[row.decided_by].name if row.decided_by else None,
        decided_at=row.decided_at,
        decide_reason=row.decide_reason,
        user_id=user_id,
        name=names[user_id].name if user_id else "",
    )


@dataclass(frozen=True, slots=True)
class StandInsPage:
    """Every stand-in with where it is in its time, and whose roles can be stood in for."""

    rows: tuple[tuple[StandIn, StandInStanding], ...]
    holders: tuple[HeldRole, ...]
    places: Mapping[UUID, str]


@reader
def stand_ins_page(actor: Actor) -> Asking[StandInsPage]:
    """Who stands in for whom; needs ``circuit:read``."""
    if not actor.can(Permission.CIRCUIT_READ):
        raise NotFound
    asked: list[Asking[Any]] = [identity.stand_ins.asking(), identity.circuit_roles.asking()]
    found, held = yield from side_by_side(asked)
    now = clock.now()
    rows = sorted(((each, each.standing(now)) for each in found), key=lambda pair: _ORDER[pair[1]])
    return StandInsPage(
        tuple(rows),
        tuple(each for each in held if each.stand_in_for is None),
        {place.id: place.label for place in identity.role_places("call")},
    )


_ORDER = {
    StandInStanding.WAITING: 0,
    StandInStanding.HOLDS: 1,
    StandInStanding.PLANNED: 2,
    StandInStanding.ENDED: 3,
}


def circuit_now() -> Circuit:
    """The circuit that holds for orders prepared now."""
    return circuit_at(circuits(), clock.now())


@reader
def rule_duties(actor: Actor) -> Asking[list[Duty]]:
    """For administrators: circuits and limits that wait for them as the second person."""
    waits = [
        select(model.id)
        .where(model.state == RuleState.PROPOSED.value, model.proposed_by != actor.user_id)
        .limit(SHOWN_MAX)
        for model in (PaymentCircuit, AuthorityLimit)
    ]
    proposed, limited = yield waits
    told = []
    if proposed:
        told.append(("Decide on another payment circuit", "payments.circuit"))
    if limited:
        count = f"{len(limited)} limits" if len(limited) > 1 else "a limit"
        told.append((f"Decide on {count} of who authorises payments", "payments.limits"))
    why = "It holds only once a second administrator agrees."
    return [Duty(what, why, "Look at what waits", page) for what, page in told]
