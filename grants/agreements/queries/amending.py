"""Amendments of a grant, what each would make of it, and what stands in its way: on pages and inside acts alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from grants.agreements import rules
from grants.agreements.models import AgreementOffer, AgreementSignature, Amendment, Grant
from grants.agreements.queries.acceding import gone
from grants.agreements.queries.binding import fixed_packages, held_of
from grants.agreements.queries.bound import unsettled_from
from grants.agreements.queries.reach import visible
from grants.agreements.queries.texts import accession_days, offered_text
from grants.agreements.rules import (
    AccountView,
    AgreementText,
    AmendmentView,
    Change,
    Deed,
    Footing,
    GrantTerms,
    GrantView,
    Letters,
    PartnerIn,
    Percentages,
    Proposal,
    Sent,
)
from grants.agreements.states import (
    AmendmentKind,
    AmendmentState,
    BankAccountState,
    GrantState,
    MilestoneState,
    OfferSubject,
    Side,
)
from grants.budgets import queries as budgets
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.states import InstalmentKind
from grants.core import acts, clock
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import User
from grants.identity.rules import OrganisationView
from grants.ledger import queries as books
from grants.ledger.accounts import Account

_sender, _opener, _answerer, _ender = (aliased(User) for _ in range(4))

# So many in one night; the rest is ended in the next.
A_NIGHT_MAX = 500


@reader
def amendments(grant_id: UUID) -> Asking[tuple[AmendmentView, ...]]:
    """Every amendment and exchange of letters of a grant in the order they were drafted; one statement."""
    rows = yield from ask(
        select(
            Amendment, User.name.label("drafter"), _sender.name.label("sender"), _opener.name.label("opener"),
            _answerer.name.label("answerer"), _ender.name.label("ender"),
        )
        .join(User, User.id == Amendment.drafted_by)
        .outerjoin(_sender, _sender.id == Amendment.sent_by)
        .outerjoin(_opener, _opener.id == Amendment.opened_by)
        .outerjoin(_answerer, _answerer.id == Amendment.answered_by)
        .outerjoin(_ender, _ender.id == Amendment.ended_by)
        .where(Amendment.grant_id == grant_id)
        .order_by(Amendment.number)
    )  # fmt: skip
    return tuple(_view(row) for row in rows)


def _view(row: Any) -> AmendmentView:
    kind = AmendmentKind(row.kind)
    return AmendmentView(
        number=row.number,
        version=row.version,
        reference=row.reference,
        kind=kind,
        by_letter=row.by_letter,
        side=Side(row.side),
        state=AmendmentState(row.state),
        reason=row.reason,
        change=rules.read_change(kind, row.change),
        drafted=Deed(row.drafted_by, row.drafter, row.drafted_at),
        sent=Sent(row.sent["reason"], rules.read_terms(row.sent["before"]), rules.read_terms(row.sent["after"]))
        if row.sent
        else None,
        sent_by=_deed(row.sent_by, row.sender, row.sent_at),
        opened=_deed(row.opened_by, row.opener, row.opened_at),
        reply_due_on=row.reply_due_on,
        answered=_deed(row.answered_by, row.answerer, row.answered_at),
        answer=row.answer or "",
        offer_no=row.offer_no,
        ended=_deed(row.ended_by, row.ender, row.ended_at),
        end_words=row.end_words or "",
        version_no=row.version_no,
        in_force_at=row.in_force_at,
    )


def _deed(by: UUID | None, name: str | None, at: Any) -> Deed | None:
    return Deed(by, name, at) if by is not None and name is not None else None


@reader
def amendment(grant_id: UUID, number: int) -> Asking[AmendmentView]:
    """One of them; raises :class:`NotFound`."""
    of_grant = yield from amendments.asking(grant_id)
    found = next((each for each in of_grant if each.number == number), None)
    if found is None:
        raise NotFound
    return found


@reader
def terms_now(grant: GrantView) -> Asking[tuple[GrantTerms, AgreementText]]:
    """The terms of a signed grant as they stand, and the text in force; raises :class:`NotFound` where nothing is in force."""
    if grant.offer is None or not grant.versions:
        raise NotFound
    about: list[Asking[Any]] = [offered_text.asking(grant.id, grant.offer.number)]
    # The budget of a grant from before it had its own is the application's, and is left alone.
    own = grant.budget_id is not None and grant.revision is not None
    if own:
        assert grant.budget_id is not None, "just asked"
        about.append(budgets.stored.asking(grant.budget_id))
    text, *kept = yield from side_by_side(about)
    return rules.terms_of(grant, text, kept[0].content if kept else None), text


@reader
def footing(grant: GrantView, change: Change | None, today: date) -> Asking[Footing]:
    """What a change stands on beside the terms, as of now."""
    joins = change.organisation_id if isinstance(change, PartnerIn) else None
    about: list[Asking[Any]] = [
        calls.call_by_id.asking(grant.call_id),
        held_of.asking(grant.id),
        gone.asking(grant.id),
        unsettled_from.asking(grant.id),
        fixed_packages.asking(grant.id),
        books.balances.asking(by=(), accounts=(Account.PREFINANCING,), grant_id=grant.id),
        books.of.asking(accounts=(Account.AVAILABLE,), call_id=grant.call_id),
        books.of.asking(grant_id=grant.id),
        identity.with_facts.asking([joins] if joins else []),
    ]
    call, held, departed, unsettled, packages, advances, of_call, of_grant, known = yield from side_by_side(about)
    names = {each.organisation_id: each.name for each in grant.beneficiaries}
    if joins is not None and joins not in known:
        raise NotFound
    if joins is not None:
        names[joins] = known[joins][0].name
    return Footing(
        percentages=percentages_of(call),
        interim_months=interim_months(call),
        report_days=grant.time_limits.report,
        payment_days=grant.time_limits.balance,
        today=today,
        coordinator_id=grant.coordinator_id,
        prefinanced=bool(advances),
        fixed=frozenset(each.number for each in grant.milestones if each.state is not MilestoneState.PLANNED),
        held=held,
        gone=departed,
        left={each.organisation_id: each.left_on for each in grant.beneficiaries if each.left_on is not None},
        ending=rules.ending_parts(grant.terminations),
        unsettled_from=unsettled,
        packages=packages,
        counted_to_ceiling=of_grant.counted_to_ceiling,
        available=of_call[Account.AVAILABLE],
        parent_ends_on=grant.parent_ends_on,
        paid_accounts=frozenset(each.id for each in payee_choices(grant)),
        final_amount=grant.final_amount,
        names=names,
        entity_missing=rules.entity_missing(known[joins][1], today) if joins is not None else "",
    )


def percentages_of(call: CallView) -> Percentages:
    """The call's payment rules."""
    plan = call.content.payment_plan
    return Percentages(
        plan.prefinancing_percent, plan.interim_ceiling_percent, plan.retention_percent, plan.additional_percent
    )


def interim_months(call: CallView) -> tuple[int, ...]:
    """The months after which a grant of the call owes an interim report."""
    instalments = call.content.payment_plan.instalments
    return tuple(
        each.due_month for each in instalments if each.kind is InstalmentKind.INTERIM and each.due_month is not None
    )


@reader
def proposed(grant: GrantView, found: AmendmentView, today: date) -> Asking[tuple[Proposal, AgreementText]]:
    """What an amendment makes of the grant: of a draft worked out on what stands now, of what was sent as it was sent.

    Its problems are those of today in both cases.
    """
    about: list[Asking[Any]] = [terms_now.asking(grant), footing.asking(grant, found.change, today)]
    (now, text), on = yield from side_by_side(about)
    if found.sent is None:
        after = rules.apply(now, found.change, on)
        return rules.proposal(now, after, rules.change_problems(now, found.change, on), on), text
    problems = rules.change_problems(found.sent.before, found.change, on, sent=found.sent.after)
    return rules.proposal(found.sent.before, found.sent.after, problems if found.is_open else (), on), text


def letters(grant: GrantView) -> dict[int, Letters]:
    """The two messages of each version that was agreed by letters, by the number of its offer; no statement where there is none."""
    if all(each.subject is not OfferSubject.LETTER for each in grant.offers):
        return {}
    return rules.letters_by_offer(amendments(grant.id))


def organisations_of(shown: Proposal) -> Mapping[UUID, OrganisationView]:
    """Everybody the terms after it name."""
    named = {share.organisation_id for share in shown.after.shares}
    if shown.after.budget is not None:
        named |= set(shown.after.budget.organisations)
    return identity.organisations(sorted(named))


def amended(grant: GrantView, found: AmendmentView, shown: Proposal, text: AgreementText) -> AgreementText:
    """The text an amendment would make the agreement, to be offered and signed.

    With the first who joins the coordinator, it says that partners accede, where the call has them do so.
    """
    made = rules.amended_text(text, found, shown, organisations_of(shown), len(grant.versions) + 1)
    if not isinstance(found.change, PartnerIn) or text.accession is not None:
        return made
    days = accession_days(grant.call_id)
    return replace(made, accession=rules.AccessionRule(days)) if days else made


def payee_choices(grant: GrantView) -> tuple[AccountView, ...]:
    """The account an amendment may name: the one of the coordinator that is confirmed and paid now, or none."""
    confirmed = grant.account is not None and grant.account.state is BankAccountState.CONFIRMED
    return (grant.account,) if grant.account is not None and confirmed else ()


def silent(today: date) -> list[tuple[UUID, int]]:
    """Grants with a request that nobody answered in time, and its number; the earliest first."""
    rows = db.session.execute(
        select(Amendment.grant_id, Amendment.number)
        .where(Amendment.state == AmendmentState.SENT.value, Amendment.reply_due_on < today)
        .order_by(Amendment.reply_due_on, Amendment.reference)
        .limit(A_NIGHT_MAX)
    )
    return [(row.grant_id, row.number) for row in rows]


def amendment_duties(actor: Actor) -> Asking[list[Duty]]:
    """Requests to answer, letters to answer, amendments to sign, drafts to send."""
    kinds = (_to_answer(actor), _to_sign(actor, Permission.AGREEMENT_SIGN_CITY, Side.CITY),
             _to_sign(actor, Permission.AGREEMENT_SIGN_PROGRAMME, Side.PROGRAMME), _to_send(actor))  # fmt: skip
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


_SILENCE = {
    Side.CITY.value: "silence is refusal.",
    Side.PROGRAMME.value: "a proposal of a colleague, which ends where nobody decides.",
}


def _to_answer(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _waiting(actor, Permission.AMENDMENT_ANSWER, AmendmentState.SENT)
    return [
        _duty(row, "Answer", _SILENCE[row.side], row.reply_due_on)
        for row in rows
        if actor.user_id not in (row.drafted_by, row.sent_by)
        and not (row.by_letter and row.side == Side.PROGRAMME.value)
    ]


def _to_sign(actor: Actor, permission: Permission, side: Side) -> Asking[list[Duty]]:
    """What waits for a signature of this side that this person has not given; a letter of the programme waits for the city."""
    signatures = (
        select(func.count())
        .where(
            AgreementSignature.grant_id == Amendment.grant_id,
            AgreementSignature.offer_no == Amendment.offer_no,
            AgreementSignature.side == side.value,
        )
        .correlate(Amendment)
        .scalar_subquery()
    )
    needed = AgreementOffer.needs_city if side is Side.CITY else AgreementOffer.needs_programme
    own = (
        select(AgreementSignature.id)
        .where(
            AgreementSignature.grant_id == Amendment.grant_id,
            AgreementSignature.offer_no == Amendment.offer_no,
            AgreementSignature.signed_by == actor.user_id,
        )
        .correlate(Amendment)
        .exists()
    )
    waits = (
        select(AgreementOffer.id)
        .where(
            AgreementOffer.grant_id == Amendment.grant_id,
            AgreementOffer.offer_no == Amendment.offer_no,
            signatures < needed,
        )
        .correlate(Amendment)
        .exists()
    )
    asked = [_waiting(actor, permission, AmendmentState.OFFERED, waits, ~own)]
    if side is Side.CITY:
        of_programme = Amendment.side == Side.PROGRAMME.value
        asked.append(_waiting(actor, permission, AmendmentState.SENT, Amendment.by_letter, of_programme))
    rows, *letters = yield from side_by_side(asked)
    duties = [_duty(row, "Sign", "it is in force once both sides have signed.", None) for row in rows]
    return duties + [_duty(row, "Answer", "silence is refusal.", row.reply_due_on) for each in letters for row in each]


def _to_send(actor: Actor) -> Asking[list[Duty]]:
    own = Amendment.drafted_by == actor.user_id
    rows = yield from _waiting(actor, Permission.AMENDMENT_PROPOSE, AmendmentState.DRAFTED, own)
    return [_duty(row, "Send or withdraw", "you drafted it, and nobody knows of it yet.", None) for row in rows]


def _duty(row: Any, deed: str, why: str, due_on: date | None) -> Duty:
    kind = AmendmentKind(row.kind).words.lower()
    return Duty(
        f"{deed} the amendment of {row.acronym or row.title}: {kind}",
        f"{row.reference}-A{row.number}: {why}",
        "Open the amendment",
        "agreements.amendment",
        {"ref": row.reference, "number": str(row.number)},
        clock.end_of_day(due_on) if due_on is not None else None,
    )


def _waiting(actor: Actor, permission: Permission, state: AmendmentState, *more: Any) -> Asking[list[Any]]:
    """Amendments in a state, of grants where a person may do something."""
    if not actor.can(permission):
        return []
    return (
        yield from ask(
            select(
                Grant.reference, Grant.acronym, Grant.title, Amendment.number, Amendment.kind, Amendment.side,
                Amendment.by_letter, Amendment.drafted_by, Amendment.sent_by, Amendment.reply_due_on,
            )
            .join(Amendment, Amendment.grant_id == Grant.id)
            .where(
                visible(actor, permission),
                Grant.state == GrantState.IN_FORCE.value,
                Amendment.state == state.value,
                *more,
            )
            .order_by(Amendment.reply_due_on, Grant.reference)
            .limit(20)
        )
    )  # fmt: skip


def now_of(grant: GrantView, found: AmendmentView) -> tuple[Proposal, AgreementText]:
    """The same as :func:`proposed` inside an act, as of its moment."""
    acts.running_act()
    with clock.at(acts.moment()):
        return proposed(grant, found, acts.today())
