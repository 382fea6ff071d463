"""Plain helpers of whatever both sides sign: a text is offered, gets its signatures, and becomes a version of the agreement."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import AgreementOffer, AgreementSignature, AgreementVersion, Grant
from grants.agreements.rules import AgreementText, AnswerView, GrantView, SigningRule
from grants.agreements.states import OfferEnd, OfferSubject, Side, SignatureMethod
from grants.calls.states import FundingForm
from grants.core import acts, clock, encoding, faults, jobs
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity.rules import demand_fresh, one_line


def open_offer(
    actor: Actor, grant: Grant, subject: OfferSubject, text: AgreementText, signing: SigningRule
) -> AgreementOffer:
    """Put a text before both sides, frozen; it is printed so that it can be read on paper before anybody signs."""
    grant.offer_no += 1
    row = AgreementOffer(
        grant_id=grant.id,
        offer_no=grant.offer_no,
        subject=subject.value,
        text=encoding.encode(text),
        sha256=bytes.fromhex(rules.text_hash(text)),
        needs_city=signing.needs_city,
        needs_programme=signing.needs_programme,
        offered_by=actor.user_id,
        offered_at=acts.moment(),
    )
    db.session.add(row)
    jobs.queue(
        "jobs.documents.agreement_offer",
        subject=("grant", grant.id),
        unique=f"agreement_offer:{grant.id}:{row.offer_no}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
        offer_no=row.offer_no,
    )
    return row


def end_offer(grant: Grant, why: OfferEnd) -> None:
    """The offer that is open, if one is, has come to its end; its text and its signatures stay."""
    row = db.session.scalars(
        select(AgreementOffer)
        .where(AgreementOffer.grant_id == grant.id, AgreementOffer.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is not None:
        row.ended_at, row.ended_why = acts.moment(), why.value


def sign(
    actor: Actor, grant: Grant, shown: GrantView, side: Side, *, capacity: str, document_sha256: str
) -> frozenset[Side]:
    """Record that a person accepts exactly the text on offer, by the power that holds this day; the sides complete after it."""
    demand_fresh(actor)
    offer = shown.offer
    assert offer is not None, "only what is offered is signed"
    if not one_line(capacity):
        raise Invalid("Say in which capacity you sign.", {"capacity": "For example: Deputy Mayor for Climate."})
    text = queries.offered_text(grant.id, offer.number)
    stands = rules.text_hash(text)
    if document_sha256 != stands:
        raise Refused("This is not the text that was offered to you. Read it again, then sign.")
    assert offer.sha256 == stands, "what is offered is what was frozen"
    assert all(each.document_sha256 == stands for each in shown.signatures), "both sides sign one text"
    rules.refuse_signed(shown, side, actor.user_id)
    refuse_both_sides(actor, grant, side)
    power = rules.refuse_without_power(queries.conditions_now(shown), actor.user_id) if side is Side.CITY else None
    role = (
        None
        if side is Side.CITY
        else identity.role_behind(actor, Permission.AGREEMENT_SIGN_PROGRAMME, queries.scope(grant))
    )
    db.session.add(
        AgreementSignature(
            grant_id=grant.id,
            offer_no=offer.number,
            side=side.value,
            signed_by=actor.user_id,
            signed_at=acts.moment(),
            name=actor.name,
            capacity=one_line(capacity),
            method=SignatureMethod.RECORDED.value,
            power_id=power.id if power else None,
            role_id=role.id if role else None,
            power=power_words(power) or (role.words if role else None),
            document=encoding.encode(text),
            document_sha256=bytes.fromhex(stands),
        )
    )
    done = shown.signed
    return done | {side} if shown.missing(side) == 1 else done


def power_words(answer: AnswerView | None) -> str | None:
    """By what somebody signs for a city or a partner, as a signature keeps it."""
    power = rules.power_in(answer)
    if answer is None or power is None:
        return None
    until = f" until {clock.long_date(answer.valid_until)}" if answer.valid_until else ""
    return f"{power.words}, from {clock.long_date(answer.valid_from)}{until}" if answer.valid_from else power.words


def refuse_both_sides(actor: Actor, grant: Grant, side: Side, *, deed: str = "sign") -> None:
    """Nobody signs for both, be it in an earlier offer, and nobody who prepares or signs agreements for the programme signs for a city.

    Declining for a city is the same decision the other way.
    """
    earlier = db.session.scalars(
        select(AgreementSignature.signed_by).where(
            AgreementSignature.grant_id == grant.id, AgreementSignature.side != side.value
        )
    ).all()
    faults.point("four_eyes")
    if actor.user_id is None or actor.user_id in earlier:
        raise Refused(
            f"One person cannot {'sign' if deed == 'sign' else 'act'} for both sides. A colleague must {deed} here."
        )
    if side is Side.CITY and _acts_for_programme(actor):
        raise Refused(f"You act for the programme, so you cannot {deed} for a city. Somebody of the city must {deed}.")


def refuse_signer_of_programme(name: str, user_id: UUID, side: Side, *, whom: str = "a city") -> None:
    """The same of somebody who is named as having signed outside: nobody of the programme signs for a city."""
    faults.point("four_eyes")
    if side is not Side.CITY:
        return
    try:
        signer = identity.actor_for(user_id)
    except NotFound:
        # Whose account was closed meanwhile acts for nobody any more.
        return
    if _acts_for_programme(signer):
        raise Refused(f"{name} acts for the programme and cannot sign for {whom}. Somebody of it must sign.")


def _acts_for_programme(actor: Actor) -> bool:
    return any(actor.can(each) for each in (Permission.AGREEMENT_PREPARE, Permission.AGREEMENT_SIGN_PROGRAMME))


def new_version(grant: Grant, shown: GrantView) -> AgreementVersion:
    """What both sides signed is the next version of the agreement from today on; it is printed with all signatures."""
    assert shown.offer is not None, "a version is an offer that was signed"
    row = AgreementVersion(
        grant_id=grant.id,
        number=len(shown.versions) + 1,
        offer_no=shown.offer.number,
        in_force_on=acts.today(),
        in_force_at=acts.moment(),
    )
    db.session.add(row)
    end_offer(grant, OfferEnd.SIGNED)
    jobs.queue(
        "jobs.documents.agreement",
        subject=("grant", grant.id),
        unique=f"agreement:{grant.id}:{row.number}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
        version_no=row.number,
    )
    return row


def refuse_without_packages(text: AgreementText) -> None:
    """Lump sums are paid for work packages: an agreement that names none could never be paid."""
    if text.funding is not None and text.funding.form is FundingForm.LUMP_SUM and not text.work_plan:
        raise Refused(
            "This agreement pays lump sums for work packages, and its budget names none. Have the city revise its work plan first."
        )


def refuse_other_text(shown_sha256: str, text: AgreementText) -> None:
    """What is offered is the text that was on the page."""
    if shown_sha256 != rules.text_hash(text):
        raise Conflict(
            "The agreement was changed after you opened this page, so it was not offered. Read it as it stands now, then offer it."
        )


def signers(grant: Grant) -> list[UUID]:
    """Who may sign this grant, for either side."""
    found = {
        each.id
        for permission in (Permission.AGREEMENT_SIGN_CITY, Permission.AGREEMENT_SIGN_PROGRAMME)
        for each in identity.users_with(permission, queries.scope(grant))
    }
    return sorted(found)
