"""Reads of what the coordinator of a grant holds for its partners and passed on, and in the books; of all grants reads ``held``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, func, select, type_coerce

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.rules import GrantView
from grants.calls.rules import PassingOn
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound, Problem
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import credits_sum, debits_sum, leg_net
from grants.ledger.rules import natural
from grants.ledger.rules.proofs import Checked
from grants.payments.models import Distribution, DistributionWaiver
from grants.payments.rules.distribution import (
    PROOFS,
    REPORTS_SHOWN_MAX,
    Brought,
    Confirmer,
    DistributionView,
    PartnerBalance,
    PartnerStand,
    ProofFile,
    WaiverView,
    balance_of,
    why_not_confirmed,
)
from grants.payments.states import DistributionState

MEMO = (Account.HELD_BY_COORDINATOR, Account.DISTRIBUTED)
KEPT = (Account.CONSUMED, *MEMO)
PROBLEMS_MAX = 100


def stands_in_books(coordinators: Mapping[UUID, UUID]) -> dict[UUID, dict[UUID, PartnerStand]]:
    """Where the partners of these grants stand in the books, by grant and organisation; ``coordinators`` by grant. One statement."""
    statement = _stands().where(LedgerLeg.grant_id.in_(list(coordinators)))
    found: dict[UUID, dict[UUID, dict[Account, Money]]] = {}
    for grant_id, partner, code, debits, credits in db.session.execute(statement):
        if partner != coordinators[grant_id]:
            account = Account(code)
            of_partner = found.setdefault(grant_id, {}).setdefault(partner, {})
            of_partner[account] = natural(account, int(debits), int(credits))
    return {
        grant_id: {partner: _stand(amounts) for partner, amounts in partners.items()}
        for grant_id, partners in found.items()
    }


def _stands() -> Any:
    place = (LedgerLeg.grant_id, LedgerLeg.organisation_id, LedgerLeg.account)
    return (
        select(*place, debits_sum, credits_sum)
        .where(LedgerLeg.account.in_([each.value for each in KEPT]), LedgerLeg.organisation_id.is_not(None))
        .group_by(*place)
        .order_by(*place)
    )


def _stand(amounts: Mapping[Account, Money]) -> PartnerStand:
    return PartnerStand(*(amounts.get(account, ZERO) for account in KEPT))


# ------------------------------------------------------------------------------------------- one grant


@dataclass(frozen=True, slots=True)
class DistributionPage:
    """The distribution of one grant: its terms, the balance of each partner, what was reported, and what was waived."""

    grant: GrantView
    terms: PassingOn
    balances: tuple[PartnerBalance, ...]
    lines: tuple[DistributionView, ...]
    waivers: tuple[WaiverView, ...]
    who: Confirmer

    @property
    def waiting(self) -> int:
        """How many reports wait for an answer."""
        return sum(each.is_open for each in self.lines)

    @property
    def to_report(self) -> tuple[PartnerBalance, ...]:
        """The partners for whom something is held that is not reported."""
        return tuple(each for each in self.balances if each.to_report)

    def line(self, number: int) -> DistributionView:
        """One of the reports; raises :class:`NotFound`."""
        found = next((each for each in self.lines if each.number == number), None)
        if found is None:
            raise NotFound
        return found

    def why_not(self, line: DistributionView) -> str:
        """Why this person does not say whether the money came; empty where they may."""
        by = self.terms.confirmed_by
        return why_not_confirmed(self.who, line.reported_by_id, line.organisation_id, line.partner, by)[1]


@reader
def distribution_page(actor: Actor, reference: str) -> Asking[DistributionPage]:
    """The distribution of a grant for everybody who may read its agreement; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    lines = select(Distribution).where(Distribution.grant_id == row.id).order_by(Distribution.number.desc())
    about: list[Asking[Any]] = [
        agreements.view.asking(row),
        ask(lines.limit(REPORTS_SHOWN_MAX)),
        ask(_waivers().where(DistributionWaiver.grant_id == row.id)),
        ask(brought_in().where(Grant.id == row.id)),
        ask(passed_on().where(LedgerLeg.grant_id == row.id)),
        ask(reported_as_passed().where(Distribution.grant_id == row.id)),
        files.listed_in.asking(PROOFS, select(Distribution.id).where(Distribution.grant_id == row.id)),
    ]
    grant, rows, waivers, brought, passed, reported, proofs = yield from side_by_side(about)
    asked: list[Asking[Any]] = [
        identity.people.asking({who for each in (*rows, *waivers) for who in _people_of(each)}),
        agreements.reach_of.asking(actor, grant),
    ]
    people, own = yield from side_by_side(asked)
    terms = agreements.passing_on_of(row)
    names = {each.organisation_id: each.name for each in grant.beneficiaries}
    waived = _newest_waivers(waivers)
    partners = [each for each in grant.beneficiaries if not each.is_coordinator]
    of_grant = Found(brought, passed, reported)
    balances = tuple(
        of_grant.balance(row.id, each.organisation_id, each.name, terms, waived.get(each.organisation_id, ZERO))
        for each in partners
    )
    by_line: dict[UUID, list[ProofFile]] = {}
    for file in proofs:
        by_line.setdefault(file.object_id, []).append(ProofFile(file.name, file.sha256))
    return DistributionPage(
        grant,
        terms,
        balances,
        tuple(_view(each, names, people, by_line) for each in rows),
        tuple(
            WaiverView(
                names.get(each.organisation_id, ""),
                each.amount,
                each.reason,
                people[each.waived_by].name,
                each.waived_at,
            )
            for each in waivers
        ),
        confirmer(actor, grant, own),
    )


def confirmer(actor: Actor, grant: GrantView, own: frozenset[UUID] | None) -> Confirmer:
    """As whom this person would answer: of the coordinator is also who belongs to it, beside to a partner."""
    lies = agreements.scope_of_view(grant)
    sends = actor.may(Permission.REPORT_SUBMIT, lies) or actor.may(Permission.DISTRIBUTION_REPORT, lies)
    return Confirmer(actor.user_id, own, sends or grant.coordinator_id in actor.organisation_ids)


@reader
def balances_of(row: Grant) -> Asking[tuple[PartnerBalance, ...]]:
    """The balance of each partner of a grant. One statement."""
    about: list[Asking[Any]] = [
        ask(
            select(Beneficiary.organisation_id, Organisation.name)
            .join(Organisation, Organisation.id == Beneficiary.organisation_id)
            .where(Beneficiary.grant_id == row.id, Beneficiary.is_coordinator.is_(False))
            .order_by(Beneficiary.position, Beneficiary.id)
        ),
        ask(brought_in().where(Grant.id == row.id)),
        ask(passed_on().where(LedgerLeg.grant_id == row.id)),
        ask(reported_as_passed().where(Distribution.grant_id == row.id)),
        ask(_waivers().where(DistributionWaiver.grant_id == row.id)),
    ]
    partners, brought, passed, reported, waivers = yield from side_by_side(about)
    found, waived, terms = Found(brought, passed, reported), _newest_waivers(waivers), agreements.passing_on_of(row)
    return tuple(
        found.balance(row.id, each.organisation_id, each.name, terms, waived.get(each.organisation_id, ZERO))
        for each in partners
    )


def waiting_of(grant_id: UUID) -> Asking[int]:
    """How many reports of a grant wait for an answer."""
    statement = select(func.count()).select_from(Distribution)
    statement = statement.where(
        Distribution.grant_id == grant_id, Distribution.state == DistributionState.REPORTED.value
    )
    ((waiting,),) = yield from ask(statement)
    return int(waiting)


class Found:
    """What was read of grants, from which the balance of a partner follows."""

    def __init__(self, brought: Iterable[Any], passed: Iterable[Any], reported: Iterable[Any]) -> None:
        self.brought: dict[tuple[UUID, UUID], list[Brought]] = {}
        for grant_id, partner, on, cents in brought:
            self.brought.setdefault((grant_id, partner), []).append(Brought(Money(int(cents)), on))
        self.passed = {(grant_id, partner): Money(int(cents)) for grant_id, partner, cents in passed}
        self.waiting = {(grant_id, partner): Money(int(cents)) for grant_id, partner, cents in reported}

    @property
    def places(self) -> list[tuple[UUID, UUID]]:
        """Where a payment brought something for a partner."""
        return list(self.brought)

    def balance(
        self, grant_id: UUID, partner: UUID, name: str, terms: PassingOn, waived: Money = ZERO
    ) -> PartnerBalance:
        place = (grant_id, partner)
        passed, waiting = self.passed.get(place, ZERO), self.waiting.get(place, ZERO)
        return balance_of(partner, name, _net(self.brought.get(place, ())), passed, waiting, terms, waived)


def _net(brought: Sequence[Brought]) -> list[Brought]:
    """What came less what went back, which is taken from the newest before it."""
    kept: list[Brought] = []
    for each in sorted(brought, key=lambda one: one.on):
        back = -each.amount
        if back <= ZERO:
            kept.append(each)
            continue
        while back > ZERO and kept:
            last = kept.pop()
            if last.amount > back:
                kept.append(Brought(last.amount - back, last.on))
            back -= min(back, last.amount)
    return kept


def brought_in() -> Any:
    """What each day brought for each partner, net of what went back that day; of grants by their own place."""
    return (
        select(LedgerLeg.grant_id, LedgerLeg.organisation_id, LedgerEntry.effective_on, func.sum(leg_net))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .join(Grant, Grant.id == LedgerLeg.grant_id)
        .where(
            LedgerLeg.account == Account.CONSUMED.value,
            LedgerLeg.organisation_id.is_not(None),
            LedgerLeg.organisation_id != Grant.coordinator_id,
        )
        .group_by(LedgerLeg.grant_id, LedgerLeg.organisation_id, LedgerEntry.effective_on)
        .order_by(LedgerLeg.grant_id, LedgerLeg.organisation_id, LedgerEntry.effective_on)
    )


def passed_on() -> Any:
    place = (LedgerLeg.grant_id, LedgerLeg.organisation_id)
    statement = select(*place, func.sum(leg_net)).where(LedgerLeg.account == Account.DISTRIBUTED.value)
    return statement.where(LedgerLeg.grant_id.is_not(None)).group_by(*place).order_by(*place)


def reported_as_passed() -> Any:
    place = (Distribution.grant_id, Distribution.organisation_id)
    statement = select(*place, func.sum(type_coerce(Distribution.amount, BigInteger)))
    return statement.where(Distribution.state == DistributionState.REPORTED.value).group_by(*place).order_by(*place)


def _waivers() -> Any:
    return (
        select(DistributionWaiver)
        .order_by(DistributionWaiver.waived_at, DistributionWaiver.number)
        .limit(REPORTS_SHOWN_MAX)
    )


def _newest_waivers(rows: Iterable[Any]) -> dict[UUID, Money]:
    """What was waived for each partner; a later waiver stands for the one before."""
    return {row.organisation_id: row.amount for row in rows}


def _people_of(row: Any) -> list[UUID]:
    names = ("reported_by", "decided_by", "waived_by")
    return [who for name in names if (who := getattr(row, name, None)) is not None]


def _view(
    row: Any, names: Mapping[UUID, str], people: Mapping[UUID, Any], proofs: Mapping[UUID, Any]
) -> DistributionView:
    return DistributionView(
        id=row.id,
        version=row.version,
        number=row.number,
        reference=row.reference,
        organisation_id=row.organisation_id,
        partner=names.get(row.organisation_id, ""),
        amount=row.amount,
        paid_on=row.paid_on,
        transfer=row.transfer,
        state=DistributionState(row.state),
        reported_by_id=row.reported_by,
        reported_by=people[row.reported_by].name,
        reported_at=row.reported_at,
        decided_by=people[row.decided_by].name if row.decided_by else None,
        decided_at=row.decided_at,
        decided_for=row.decided_for,
        decide_reason=row.decide_reason,
        proofs=tuple(proofs.get(row.id, ())),
    )


# ------------------------------------------------------------------------------------------------ the books


def passed_on_checked() -> Checked:
    """E23: what is held is the share of a partner less what was passed on, and what was passed on is what was confirmed."""
    statement = select(Grant.id, Grant.coordinator_id, Grant.reference).order_by(Grant.reference)
    grants = {row.id: row for row in db.session.execute(statement.where(Grant.in_force_at.is_not(None)))}
    found: dict[UUID, dict[UUID, dict[Account, Money]]] = {}
    for grant_id, partner, code, debits, credits in db.session.execute(_stands()):
        if grant_id in grants and partner != grants[grant_id].coordinator_id:
            account = Account(code)
            of_partner = found.setdefault(grant_id, {}).setdefault(partner, {})
            of_partner[account] = natural(account, int(debits), int(credits))
    place = (Distribution.grant_id, Distribution.organisation_id)
    confirmed = select(*place, func.sum(type_coerce(Distribution.amount, BigInteger))).group_by(*place)
    confirmed = confirmed.where(Distribution.state == DistributionState.CONFIRMED.value)
    said = {(grant_id, partner): Money(int(cents)) for grant_id, partner, cents in db.session.execute(confirmed)}
    problems = [
        problem
        for grant_id in sorted(found, key=lambda one: str(grants[one].reference))
        for problem in _off(grants[grant_id].reference, grant_id, found[grant_id], said)
    ]
    told = "What a coordinator holds for a partner is its share of the payments less what was confirmed as passed on."
    return Checked("E23", told, len(found), "grants", tuple(problems[:PROBLEMS_MAX]))


def _off(
    reference: str,
    grant_id: UUID,
    partners: Mapping[UUID, Mapping[Account, Money]],
    said: Mapping[tuple[UUID, UUID], Money],
) -> list[Problem]:
    stands = {partner: _stand(amounts) for partner, amounts in partners.items()}
    # Of a grant whose payments were booked before this was kept, nothing is in the books until one more is, or one is reported.
    taken_up = any(Account.HELD_BY_COORDINATOR in amounts for amounts in partners.values())
    problems = []
    for partner, stand in stands.items():
        where, told = f"{reference}, organisation {partner}", said.get((grant_id, partner), ZERO)
        if taken_up and stand.off:
            problems.append(Problem(where, f"E23: {stand.held} is held in the books; it should be {stand.right}."))
        if stand.passed_on != told:
            problems.append(Problem(where, f"E23: {stand.passed_on} is passed on in the books, {told} was confirmed."))
    return problems
