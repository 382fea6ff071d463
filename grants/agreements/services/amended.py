"""An amendment is answered by another person, offered, signed, and applied in one act at the last signature."""

from __future__ import annotations

from itertools import count
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import AgreementOffer, Amendment, Beneficiary, Grant, Milestone, PaymentScheduleLine
from grants.agreements.queries import money_locked, scope_of
from grants.agreements.rules import AgreementText, AmendmentView, GrantTerms, GrantView, PartnerIn, PartnerOut, Proposal
from grants.agreements.services import offering
from grants.agreements.services.acceding import ask_accessions, let_in
from grants.agreements.services.amending import end, in_force, refuse_problems, row_of, tell
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.departing import end_proposed, leave
from grants.agreements.services.transferring import write_budget
from grants.agreements.states import AMENDMENT, AmendmentState, OfferEnd, OfferSubject, Side
from grants.cities import queries as cities
from grants.cities import services as city_writes
from grants.cities.states import Part
from grants.core import acts, encoding, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event, Posting, legs_e19, legs_e19_lowered, legs_e20


def _answered(actor: Actor, grant: Grant, shown: GrantView, number: int, verb: str) -> tuple[Amendment, AmendmentView]:
    """What is answered: a request that waits, by somebody of the programme who neither proposed it nor acts for the city."""
    demand_fresh(actor)
    refuse_conflict(actor, grant.id)
    row, found = row_of(grant.id, number), queries.amendment(grant.id, number)
    AMENDMENT.target(found.state, verb)
    rules.refuse_silent(found, acts.today())
    rules.refuse_own_amendment(found, actor.user_id)
    for deed in (found.drafted, found.sent_by):
        if deed is not None:
            people.refuse_tied_to(actor.user_id, (deed.by, deed.at))
    if actor.may(Permission.AGREEMENT_ANSWER, queries.scope(grant)):
        raise Refused("You act for the city in this grant, so you cannot answer for the programme. Ask a colleague.")
    return row, found


def _note_answer(actor: Actor, row: Amendment, words: str) -> None:
    row.answered_by, row.answered_at, row.answer = actor.user_id, acts.moment(), clean_text(words) or None


@act(
    "amendment.accept",
    needs=Permission.AMENDMENT_ANSWER,
    scope=money_locked,
    says="accepted an amendment of {subject} and offered it for signature",
)
def accept_amendment(actor: Actor, grant_id: UUID, number: int, *, document_sha256: str, words: str = "") -> int:
    """Accept a request exactly as it was sent and shown, and put the amended agreement before both sides. Its offer's number.

    Raises :class:`Conflict` where the grant or the text is another by now.
    """
    grant, shown = in_force(grant_id)
    row, found = _answered(actor, grant, shown, number, "accept")
    if found.by_letter:
        raise Refused("A letter is answered by consent, not by an offer. Nothing of it is signed.")
    text, _ = _text_of(shown, found, "accepted")
    offering.refuse_other_text(document_sha256, text)
    _note_answer(actor, row, words)
    AMENDMENT.target(found.state, "accept")
    signing = rules.signing_rule(shown, rules.power_in(rules.power_of(queries.conditions_now(shown))))
    offer = offering.open_offer(actor, grant, OfferSubject.AMENDMENT, text, signing)
    row.offer_no = offer.offer_no
    db.session.flush()
    AMENDMENT.move(row, "accept")
    tell(grant, row, "amendment_accepted", why=row.answer or "")
    return offer.offer_no


def _text_of(shown: GrantView, found: AmendmentView, deed: str) -> tuple[AgreementText, Proposal]:
    """The amended agreement as it was sent, once more held against what stands."""
    made, text = queries.now_of(shown, found)
    now, _ = queries.terms_now(shown)
    rules.refuse_moved(found, now)
    refuse_problems(made, deed)
    return queries.amended(shown, found, made, text), made


@act(
    "amendment.refuse",
    needs=Permission.AMENDMENT_ANSWER,
    scope=scope_of,
    says="refused an amendment of {subject}",
)
def refuse_amendment(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """Refuse a request with a reason that both sides read."""
    grant, shown = in_force(grant_id)
    if not clean_text(words):
        raise Invalid("Say why.", {"words": "Say why it is refused; the other side reads it."})
    row, _ = _answered(actor, grant, shown, number, "refuse")
    _note_answer(actor, row, words)
    end(actor, grant, row, "refuse", words)


@act(
    "amendment.decline",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=scope_of,
    says="declined an amendment of {subject} for the city",
)
def decline_amendment(actor: Actor, grant_id: UUID, number: int, *, reason: str) -> None:
    """Whoever would sign or consent for the city says that it does not: what is offered, or what the programme proposes, ends."""
    demand_fresh(actor)
    grant, row = locked(Grant, grant_id), row_of(grant_id, number)
    found = queries.amendment(grant_id, number)
    AMENDMENT.target(found.state, "decline")
    if found.state is AmendmentState.SENT and found.side is Side.CITY:
        raise Refused("Your own side proposed this. Whoever leads the application may withdraw it.")
    rules.refuse_silent(found, acts.today())
    offering.refuse_both_sides(actor, grant, Side.CITY, deed="decline")
    end(actor, grant, row, "decline", reason)


@act(
    "amendment.take_back",
    needs=Permission.AMENDMENT_ANSWER,
    scope=scope_of,
    says="took an amendment of {subject} back from signature",
)
def take_back_amendment(actor: Actor, grant_id: UUID, number: int, *, reason: str) -> None:
    """The programme takes its offer back before everybody signed; what was signed of it counts no more."""
    refuse_conflict(actor, grant_id)
    end(actor, locked(Grant, grant_id), row_of(grant_id, number), "take_back", reason)


@act(
    "amendment.sign_city",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=money_locked,
    says="signed an amendment of {subject} for the city",
)
def sign_amendment_for_city(actor: Actor, grant_id: UUID, number: int, *, capacity: str, document_sha256: str) -> None:
    """The coordinator accepts exactly the text whose hash was shown; the last signature applies it."""
    _sign(actor, grant_id, number, Side.CITY, capacity, document_sha256)


@act(
    "amendment.sign_programme",
    needs=Permission.AGREEMENT_SIGN_PROGRAMME,
    scope=money_locked,
    says="signed an amendment of {subject} for the programme",
)
def sign_amendment_for_programme(
    actor: Actor, grant_id: UUID, number: int, *, capacity: str, document_sha256: str
) -> None:
    """The programme accepts exactly the text whose hash was shown; the last signature applies it."""
    refuse_conflict(actor, grant_id)
    _sign(actor, grant_id, number, Side.PROGRAMME, capacity, document_sha256)


def _sign(actor: Actor, grant_id: UUID, number: int, side: Side, capacity: str, document_sha256: str) -> None:
    grant, shown = in_force(grant_id)
    row, found = row_of(grant_id, number), queries.amendment(grant_id, number)
    if found.state is not AmendmentState.OFFERED or found.offer_no is None:
        raise Refused("This amendment is not offered for signature. Reload the page to see where it stands.")
    offered = shown.of_offer(found.offer_no)
    done = offering.sign(actor, grant, offered, side, capacity=capacity, document_sha256=document_sha256)
    if done != frozenset(Side):
        return
    _apply(actor, grant, shown, row, offered, found)


def all_signed(actor: Actor, grant: Grant, shown: GrantView, offered: GrantView) -> None:
    """Plain helper of what brings the last signature of an amendment otherwise than here: it is in force. Its money is locked."""
    number = next(each.number for each in queries.amendments(grant.id) if each.offer_no == offered.stands)
    row, found = row_of(grant.id, number), queries.amendment(grant.id, number)
    _apply(actor, grant, shown, row, offered, found)


def _apply(
    actor: Actor, grant: Grant, shown: GrantView, row: Amendment, offered: GrantView, found: AmendmentView
) -> None:
    """Everybody has signed: what was offered is held once more against what stands, and enters into force."""
    _, made = _text_of(shown, found, "signed")
    AMENDMENT.target(found.state, "enter_into_force")
    _enter_into_force(actor, grant, row, offered, found, made)


@act(
    "amendment.consent",
    needs=Permission.AMENDMENT_ANSWER,
    scope=money_locked,
    says="consented for the programme to a letter about {subject}",
)
def consent_to_letter(actor: Actor, grant_id: UUID, number: int, *, words: str, document_sha256: str) -> None:
    """The programme consents to a letter of the city: with that message it is agreed, and a version of its own."""
    grant, shown = in_force(grant_id)
    row, found = _answered(actor, grant, shown, number, "consent")
    _consent(actor, grant, shown, row, found, Side.PROGRAMME, words, document_sha256)


@act(
    "amendment.consent_city",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=money_locked,
    says="consented for the city to a letter about {subject}",
)
def consent_to_letter_for_city(actor: Actor, grant_id: UUID, number: int, *, words: str, document_sha256: str) -> None:
    """Who signs for the city consents to a letter of the programme."""
    demand_fresh(actor)
    grant, shown = in_force(grant_id)
    row, found = row_of(grant_id, number), queries.amendment(grant_id, number)
    rules.refuse_silent(found, acts.today())
    rules.refuse_own_amendment(found, actor.user_id)
    offering.refuse_both_sides(actor, grant, Side.CITY, deed="consent")
    _consent(actor, grant, shown, row, found, Side.CITY, words, document_sha256)


def _consent(
    actor: Actor,
    grant: Grant,
    shown: GrantView,
    row: Amendment,
    found: AmendmentView,
    side: Side,
    words: str,
    document_sha256: str,
) -> None:
    if not found.by_letter or found.state is not AmendmentState.SENT:
        raise Refused("Only a letter that waits for an answer is consented to. Reload the page to see where it stands.")
    if found.side is side:
        raise Refused("Your own side wrote this letter; the other side answers it.")
    if not clean_text(words):
        raise Invalid(
            "Write the answer.", {"words": "Write the consent as a message; it is kept as the second letter."}
        )
    text, made = _text_of(shown, found, "agreed")
    rules.refuse_heavy(found.by_letter, made.effect)
    offering.refuse_other_text(document_sha256, text)
    _note_answer(actor, row, words)
    grant.offer_no += 1
    db.session.add(
        AgreementOffer(
            grant_id=grant.id,
            offer_no=grant.offer_no,
            subject=OfferSubject.LETTER.value,
            text=encoding.encode(text),
            sha256=bytes.fromhex(rules.text_hash(text)),
            needs_city=1,
            needs_programme=1,
            offered_by=actor.user_id,
            offered_at=acts.moment(),
            ended_at=acts.moment(),
            ended_why=OfferEnd.AGREED.value,
        )
    )
    row.offer_no = grant.offer_no
    db.session.flush()
    _enter_into_force(actor, grant, row, queries.view(grant).of_offer(grant.offer_no), found, made)


# --- what it does ------------------------------------------------------------------------------------------------------


def _enter_into_force(
    actor: Actor, grant: Grant, row: Amendment, offered: GrantView, found: AmendmentView, made: Proposal
) -> None:
    """In one act: the terms, the budget, the ledger, a version; reports and payments follow by jobs of their own."""
    version = offering.new_version(grant, offered)
    row.version_no, row.in_force_at = version.number, acts.moment()
    AMENDMENT.move(row, "consent" if found.by_letter else "enter_into_force")
    post_maxima(grant, made.before, made.after, key=f"amendment:{row.id}", what=row.reference)
    write_terms(grant, made.before, made.after)
    _follow_partners(actor, grant, row, found, version.number)
    _note_participation(grant, offered, made)
    for job in ("jobs.reporting.follow_agreement", "jobs.payments.follow_agreement"):
        jobs.queue(
            job,
            subject=("grant", grant.id),
            unique=f"{job}:{grant.id}:{version.number}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant.id,
            version_no=version.number,
        )
    tell(grant, row, "amendment_in_force", why="; ".join(rules.note_lines(found, made)))


def _follow_partners(actor: Actor, grant: Grant, row: Amendment, found: AmendmentView, version_no: int) -> None:
    """Who joins reads the grant from now on, and is asked to accede, where partners are; of who leaves no accession is waited for."""
    if isinstance(found.change, PartnerOut):
        who, on = found.change.organisation_id, found.change.leaves_on
        # Whose part was terminated has left already; the amendment says what becomes of its share.
        if not queries.bonds(grant.id)[who].left_on:
            leave(grant, actor, who, on, f"It left by {row.reference}.")
            end_proposed(
                grant, actor, who, f"It leaves by {row.reference}, so nothing of its part is left to terminate."
            )
    joins = found.change.organisation_id if isinstance(found.change, PartnerIn) else None
    if joins is not None:
        let_in(grant, joins)
    db.session.flush()
    ask_accessions(grant, version_no, queries.offered_text(grant.id, grant.offer_no), again=joins)


def write_terms(grant: Grant, before: GrantTerms, after: GrantTerms) -> None:
    """The rows of a grant say what its agreement says from now on; the grant, its call and its partners are locked."""
    grant.ends_before, grant.maximum = after.ends_before, after.maximum
    grant.prefinancing, grant.interim_ceiling, grant.retention = (
        after.limits.prefinancing,
        after.limits.interim_ceiling,
        after.limits.retention,
    )
    grant.additional = after.limits.additional
    grant.special_conditions = after.special_conditions or None
    _write_shares(grant, after)
    _write_milestones(grant, before, after)
    _write_schedule(grant, after)
    if before.budget is not None and after.budget is not None and before.budget != after.budget:
        assert grant.budget_id is not None, "the budget of these terms is the grant's own"
        write_budget(grant.budget_id, before.budget, after.budget)


def _write_shares(grant: Grant, after: GrantTerms) -> None:
    rows = {
        row.organisation_id: row
        for row in db.session.scalars(select(Beneficiary).where(Beneficiary.grant_id == grant.id))
    }
    position = count(1 + max(row.position for row in rows.values()))
    for share in after.shares:
        row = rows.get(share.organisation_id)
        if row is None:
            row = Beneficiary(
                grant_id=grant.id,
                organisation_id=share.organisation_id,
                is_coordinator=False,
                position=next(position),
            )
            db.session.add(row)
        row.maximum = share.maximum


def _write_milestones(grant: Grant, before: GrantTerms, after: GrantTerms) -> None:
    changed = {new.number: new for old, new in zip(before.milestones, after.milestones, strict=True) if old != new}
    for row in db.session.scalars(
        select(Milestone).where(Milestone.grant_id == grant.id, Milestone.number.in_(changed)).with_for_update()
    ):
        new = changed[row.number]
        row.title, row.criterion = new.title, new.criterion
        if row.due_on != new.due_on:
            # What was expected was said of the day before.
            row.due_on, row.expected_on, row.expected_why = new.due_on, None, None


def _write_schedule(grant: Grant, after: GrantTerms) -> None:
    rows = {
        row.number: row
        for row in db.session.scalars(select(PaymentScheduleLine).where(PaymentScheduleLine.grant_id == grant.id))
    }
    for line in after.schedule:
        row = rows.pop(line.number, None) or PaymentScheduleLine(grant_id=grant.id, number=line.number)
        row.kind, row.report_number = line.kind.value, line.report_number
        row.planned, row.due_on = line.planned, line.due_on
        db.session.add(row)
    for row in rows.values():
        db.session.delete(row)


def post_maxima(grant: Grant, before: GrantTerms, after: GrantTerms, *, key: str, what: str) -> None:
    """Book how the maxima of the partners moved: from one to another (E20), raised from the call or given back to it (E19)."""
    everybody = dict.fromkeys(each.organisation_id for each in (*before.shares, *after.shares))
    gains = {who: after.share(who) - before.share(who) for who in everybody}
    raised = {who: amount for who, amount in gains.items() if amount > ZERO}
    lowered = {who: -amount for who, amount in gains.items() if amount < ZERO}
    dims = Dimensions(grant.fund_source_id, grant.call_id, grant.id, document_id=grant.id)
    postings = []
    for number, (giver, taker, amount) in enumerate(_pairs(lowered, raised), 1):
        legs = legs_e20(amount, dims, giver=giver, taker=taker)
        words = f"{what}: part of one partner’s maximum moves to another"
        postings.append(Posting(Event.TRANSFERRED, f"{key}:moved:{number}", acts.today(), words, legs))
    if left := {who: amount for who, amount in raised.items() if amount}:
        words = f"{what}: the maximum grant is raised"
        postings.append(
            Posting(Event.AMENDED, f"{key}:raised", acts.today(), words, legs_e19(list(left.items()), dims))
        )
    if left := {who: amount for who, amount in lowered.items() if amount}:
        words = f"{what}: the maximum grant is lowered"
        legs = legs_e19_lowered(list(left.items()), dims)
        postings.append(Posting(Event.AMENDED, f"{key}:lowered", acts.today(), words, legs))
    ledger.post_many(postings)


def _pairs(lowered: dict[UUID, Money], raised: dict[UUID, Money]) -> list[tuple[UUID, UUID, Money]]:
    """Who gives what to whom, as far as both sides reach; what is left of either stays in these."""
    found = []
    for giver in lowered:
        for taker in raised:
            amount = min(lowered[giver], raised[taker])
            if amount:
                found.append((giver, taker, amount))
                lowered[giver] -= amount
                raised[taker] -= amount
    return found


def _note_participation(grant: Grant, shown: GrantView, made: Proposal) -> None:
    """The register of cities knows who takes part from now on."""
    stood = {each.organisation_id for each in made.before.shares}
    for share in made.after.shares:
        if share.organisation_id in stood:
            continue
        for city in cities.of_organisation(share.organisation_id):
            city_writes.record_participation(
                city.id,
                call_label=shown.call_title,
                pilot_key=grant.reference,
                pilot_title=grant.title,
                role=Part.PARTNER,
            )
