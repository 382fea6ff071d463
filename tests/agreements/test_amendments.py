"""Amendments from the draft to the ledger: who may, until when, what each kind does, and that the books stay right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, rules, services
from grants.agreements.models import Amendment, DueDiligenceItem, Grant, Milestone
from grants.agreements.rules import (
    AmendmentInput,
    BudgetShift,
    Change,
    ConditionInput,
    Extension,
    MilestoneTerm,
    Move,
    PartnerIn,
    PartnerOut,
    PowerToSign,
    Scope,
    Share,
)
from grants.agreements.states import AmendmentState, CheckAnswer, ConditionKey, OfferEnd, OfferSubject, Side
from grants.budgets import queries as budgets
from grants.calls.models import Call
from grants.calls.rules import Sourced, to_json
from grants.calls.states import Confidence
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.money import euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.demo.preparing import Sides, validate_entity
from grants.documents import services as documents
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight.queries import verify_ledger
from grants.payments import services as payments
from grants.payments.models import PaymentRequest
from grants.payments.rules import DecisionInput
from grants.reporting import services as reporting
from grants.reporting.queries import numbered
from tests import actors
from tests.agreements.accounts import document
from tests.agreements.amending import (
    GOODS,
    NOW,
    STAFF,
    TODAY,
    Amended,
    maxima,
    mayor,
    queued,
    shares,
    view_of,
)

PROGRAM = system_actor(
    "the program", (Permission.AGREEMENT_LAPSE, Permission.REPORT_OPEN, Permission.PAYMENT_REQUEST_OPEN)
)
LONGER = Extension(date(2025, 12, 1), ((2, date(2025, 10, 1)),))


def drafted(found: Amended, change: Change, *, by: Callable[[], Actor] = actors.ana, letter: bool = False) -> int:
    return services.draft_amendment(by(), found.grant_id, AmendmentInput(change, "The site was closed.", letter))


def effect_of(found: Amended, number: int, day: date = TODAY) -> rules.Proposal:
    shown = view_of(found)
    made, _ = queries.proposed(shown, queries.amendment(found.grant_id, number), day)
    return made


def sent(found: Amended, change: Change, *, by: Callable[[], Actor] = actors.ana, letter: bool = False) -> int:
    number = drafted(found, change, by=by, letter=letter)
    services.send_amendment(by(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
    return number


def text_hash(found: Amended, number: int) -> str:
    shown, amendment = view_of(found), queries.amendment(found.grant_id, number)
    made, text = queries.proposed(shown, amendment, TODAY)
    return rules.text_hash(queries.amended(shown, amendment, made, text))


def accepted(found: Amended, change: Change) -> int:
    number = sent(found, change)
    services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=text_hash(found, number))
    return number


def signed(found: Amended, number: int) -> None:
    offer = queries.amendment(found.grant_id, number).offer_no
    assert offer is not None
    spelled = rules.text_hash(queries.offered_text(found.grant_id, offer))
    for actor, act in (
        (mayor(), services.sign_amendment_for_city),
        (actors.greta(), services.sign_amendment_for_programme),
    ):
        act(actor, found.grant_id, number, capacity="Mayor", document_sha256=spelled)


def amended(found: Amended, change: Change) -> int:
    """The whole way, and the books are right after it."""
    with clock.at(NOW):
        number = accepted(found, change)
        signed(found, number)
        for job in ("reporting", "payments"):
            (args,) = queued(f"jobs.{job}.follow_agreement")[-1:]
            follow = reporting.follow_agreement if job == "reporting" else payments.follow_agreement
            follow(PROGRAM, UUID(str(args["grant_id"])))
    assert verify_ledger() == ()
    return number


def state_of(found: Amended, number: int) -> AmendmentState:
    return queries.amendment(found.grant_id, number).state


def open_commitment(found: Amended) -> dict[Any, int]:
    return {who: amount.cents // 100 for who, amount in books.partners_open(found.grant_id)}


def prefinanced(found: Amended) -> UUID:
    """Pre-financing of 240 000 is decided: 210 000 is payable, parted by the maxima."""
    request = payments.open_prefinancing(PROGRAM, found.grant_id)
    assert request is not None
    payments.decide(actors.otto(), request.id, DecisionInput(euros(240_000)))
    return request.id


def test_a_shift_moves_maxima_budget_and_commitment_in_one_act(found: Amended) -> None:
    change = BudgetShift(
        shares(found, 350_000, 250_000), (Move(euros(40_000), found.city_id, STAFF, found.agency_id, GOODS),)
    )

    number = amended(found, change)

    now, kept = view_of(found), queries.amendment(found.grant_id, number)
    assert maxima(found) == [350_000, 250_000]
    assert open_commitment(found) == {found.city_id: 350_000, found.agency_id: 250_000}
    assert (kept.state, kept.version_no, kept.reference) == (AmendmentState.IN_FORCE, 2, f"{found.reference}-A1")
    assert [(each.number, each.subject) for each in now.versions] == [
        (1, OfferSubject.AGREEMENT),
        (2, OfferSubject.AMENDMENT),
    ]
    assert now.budget_id is not None
    asked = rules.asked_for(budgets.written(now.budget_id))
    assert asked == {found.city_id: euros(350_000), found.agency_id: euros(250_000)}
    text = queries.text_of(now)
    assert text.version == 2 and text.amendments is not None
    assert "Maximum of Energy Agency of Northbridge: EUR 250 000.00, until now EUR 200 000.00." in [
        line.replace("\N{NO-BREAK SPACE}", " ") for line in text.amendments[0].lines
    ]
    assert queries.offered_text(found.grant_id, 1).amendments is None
    # On paper as well: as it was offered, and as it is in force.
    assert documents.print_agreement_offer(actors.otto(), found.grant_id, 2).name.startswith("offer-2")
    assert documents.print_agreement(actors.otto(), found.grant_id, 2).name.endswith("-version-2.pdf")
    assert any(each["template"] == "amendment_in_force" for each in queued("jobs.mail.send"))


def test_a_raise_takes_from_the_call_and_a_lowering_gives_back(found: Amended) -> None:
    before = books.of(call_id=view_of(found).call_id)[Account.AVAILABLE]

    amended(found, BudgetShift(shares(found, 450_000, 250_000)))

    raised = books.of(call_id=view_of(found).call_id)[Account.AVAILABLE]
    assert (before - raised, view_of(found).maximum) == (euros(100_000), euros(700_000))
    assert view_of(found).limits.interim_ceiling == euros(630_000)
    assert sum(line.planned.cents for line in view_of(found).schedule) == euros(700_000).cents
    amended(found, BudgetShift(shares(found, 420_000, 230_000)))
    assert books.of(call_id=view_of(found).call_id)[Account.AVAILABLE] - raised == euros(50_000)
    with clock.at(NOW):
        number = drafted(found, BudgetShift(shares(found, 2_000_000, 230_000)))
        with pytest.raises(Problems) as refusal:
            services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
    assert "but the call has" in refusal.value.found[0].message


def test_an_extension_moves_the_end_and_the_last_report_and_stays_within_the_parent(found: Amended) -> None:
    with clock.at(NOW):
        reporting.open_reports(PROGRAM, found.grant_id)

    amended(found, LONGER)

    now = view_of(found)
    assert (now.ends_before, now.schedule[-1].due_on) == (date(2025, 12, 1), date(2026, 1, 30))
    assert [each.due_on for each in now.milestones] == [date(2024, 1, 15), date(2025, 10, 1)]
    first, last = numbered(found.grant_id, 1), numbered(found.grant_id, 2)
    assert first is not None and last is not None
    assert (first.ends_before, first.due_on) == (date(2024, 6, 1), date(2024, 7, 31))
    assert (last.ends_before, last.due_on) == (date(2025, 12, 1), date(2026, 1, 30))
    assert numbered(found.grant_id, 3) is None


def test_a_partner_joins_and_declares_costs_from_then_on(found: Amended) -> None:
    with clock.at(NOW):
        reporting.open_reports(PROGRAM, found.grant_id)
        parts = (*shares(found, 350_000, 200_000), Share(found.newcomer_id, euros(50_000)))
        change = PartnerIn(
            found.newcomer_id,
            TODAY,
            TODAY,
            parts,
            (Move(euros(40_000), found.city_id, STAFF, found.newcomer_id, STAFF),),
        )
        number = drafted(found, change)
        assert any("legal name is not validated" in each.message for each in effect_of(found, number).problems)
        services.withdraw_amendment(actors.ana(), found.grant_id, number, reason="The register first.")
    validated(found.newcomer_id)

    amended(found, change)

    assert maxima(found) == [350_000, 200_000, 50_000]
    assert open_commitment(found)[found.newcomer_id] == 50_000
    report = numbered(found.grant_id, 2)
    assert report is not None and found.newcomer_id in budgets.written(report.budget_id).organisations


def test_who_joins_reads_the_grant_and_accedes_where_the_call_has_partners_accede(found: Amended) -> None:
    with clock.at(NOW):
        nora = actors.person("Nora Newcomer", organisation_name="Third City")
        pia_too = actors.person("Pia Newcomer", Role.PROJECT_OFFICER, organisation_name="Third City")
    with arranging():
        call = db.session.get_one(Call, view_of(found).call_id)
        days = {"agreement.accession_days": Sourced(45, Confidence.STATED)}
        call.content = {**call.content, "fields": {**call.content["fields"], **to_json(days)["fields"]}}
    validated(found.newcomer_id)
    parts = (*shares(found, 350_000, 200_000), Share(found.newcomer_id, euros(50_000)))
    with pytest.raises(NotFound):
        queries.grant(actors.actor(nora), found.reference)

    moves = (Move(euros(40_000), found.city_id, STAFF, found.newcomer_id, STAFF),)
    amended(found, PartnerIn(found.newcomer_id, TODAY, TODAY, parts, moves))

    # Its agreement said nothing of accessions before.
    shown = queries.grant(actors.actor(nora), found.reference)
    assert queries.text_of(shown).accession == rules.AccessionRule(45)
    assert found.newcomer_id in {each.organisation_id for each in queries.accessions(found.grant_id)}
    with clock.at(NOW):
        duties = queries.duties(actors.actor(nora), NOW)
    assert [each.endpoint for each in duties if each.what.startswith("Accede")] == ["agreements.accessions"]
    # Who works for the programme takes part in no grant.
    held = select(RoleGrant.user_id).where(RoleGrant.role == Role.APPLICATION_PARTNER.value)
    assert nora in (of := set(db.session.scalars(held))) and pia_too not in of
    # Whoever joined later is written to like the others.
    assert nora in queries.team(found.application_id)


def test_who_left_is_not_raised_again(found: Amended) -> None:
    amended(found, PartnerOut(found.agency_id, TODAY, shares(found, 530_000, 0)[:1]))
    assert queries.gone(found.grant_id) == {found.agency_id}

    with clock.at(NOW):
        number = drafted(found, BudgetShift(shares(found, 500_000, 30_000)))
        said = [each.message for each in effect_of(found, number).problems]
    assert [words for words in said if "left this grant, or its accession was ended" in words]


def test_a_partner_leaves_with_what_it_consumed_and_has_on_its_way(found: Amended) -> None:
    with clock.at(NOW):
        prefinanced(found)
    change = PartnerOut(found.agency_id, TODAY, shares(found, 530_000, 0)[:1])

    amended(found, change)

    # A third of the 210 000 that is payable is the agency's.
    assert maxima(found) == [530_000, 70_000]
    assert view_of(found).limits.prefinancing == euros(240_000)
    with clock.at(NOW):
        number = drafted(found, BudgetShift(shares(found, 540_000, 60_000)))
        with pytest.raises(Problems) as refusal:
            services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
    assert "paid, on its way or accepted" in refusal.value.found[0].message


def test_words_change_what_is_done_and_no_amount(found: Amended) -> None:
    before = view_of(found)
    change = Scope("Schools too.", "Paid in parts.", (MilestoneTerm(2, "Roofs", "Twelve roofs.", date(2025, 5, 1)),))

    amended(found, change)

    now = view_of(found)
    assert (now.special_conditions, now.milestones[1].criterion) == ("Paid in parts.", "Twelve roofs.")
    assert (now.maximum, now.schedule, now.limits) == (before.maximum, before.schedule, before.limits)
    assert queries.text_of(now).description_changes == "Schools too."


def test_open_requests_ask_for_what_the_amended_agreement_allows(found: Amended) -> None:
    with clock.at(NOW):
        request = payments.open_prefinancing(PROGRAM, found.grant_id)
    assert request is not None

    dropped = Move(euros(80_000), found.agency_id, STAFF)
    amended(found, BudgetShift(shares(found, 400_000, 100_000), (dropped,)))

    row = db.session.get_one(PaymentRequest, request.id, populate_existing=True)
    assert row.requested == euros(200_000) == view_of(found).limits.prefinancing


def test_a_light_change_goes_by_two_letters_and_a_heavy_one_does_not(found: Amended) -> None:
    light = Scope("Schools too.", "")
    with clock.at(NOW):
        number = drafted(found, LONGER, letter=True)
        with pytest.raises(Refused, match="letters are not enough"):
            services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
        given = AmendmentInput(light, "Two schools asked.", by_letter=True)
        services.edit_amendment(actors.ana(), found.grant_id, number, given)
        services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
        spelled = text_hash(found, number)
        with pytest.raises(Refused, match="answered by consent"):
            services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=spelled)
        with pytest.raises(Refused, match="Your own side"):
            services.consent_to_letter_for_city(mayor(), found.grant_id, number, words="Yes", document_sha256=spelled)
        with pytest.raises(Invalid, match="Write the answer"):
            services.consent_to_letter(actors.otto(), found.grant_id, number, words=" ", document_sha256=spelled)
        with pytest.raises(Conflict):
            services.consent_to_letter(actors.otto(), found.grant_id, number, words="Yes.", document_sha256="0" * 64)

        services.consent_to_letter(actors.otto(), found.grant_id, number, words="We agree.", document_sha256=spelled)

    now, kept = view_of(found), queries.amendment(found.grant_id, number)
    assert (kept.state, kept.answer) == (AmendmentState.IN_FORCE, "We agree.")
    assert [each.subject for each in now.versions] == [OfferSubject.AGREEMENT, OfferSubject.LETTER]
    assert now.offers[-1].ended_why is OfferEnd.AGREED
    assert verify_ledger() == ()


def test_a_letter_of_the_programme_is_answered_by_who_signs_for_the_city(found: Amended) -> None:
    with clock.at(NOW):
        number = sent(found, Scope("Schools too.", ""), by=actors.pia, letter=True)
        spelled = text_hash(found, number)
        with pytest.raises(Refused, match="Your own side"):
            services.consent_to_letter(actors.otto(), found.grant_id, number, words="Yes", document_sha256=spelled)

        services.consent_to_letter_for_city(mayor(), found.grant_id, number, words="Yes.", document_sha256=spelled)

    assert state_of(found, number) is AmendmentState.IN_FORCE


@pytest.mark.parametrize(
    ("opened_on", "last"),
    [(None, date(2024, 4, 28)), (date(2024, 3, 6), date(2024, 4, 20)), (date(2024, 3, 30), date(2024, 4, 28))],
)
def test_silence_is_refusal_and_unopened_counts_as_opened_after_ten_days(
    found: Amended, opened_on: date | None, last: date
) -> None:
    """Sent on 4 March: unopened it counts as opened on the 14th; 45 days run from the day after."""
    with clock.at(NOW):
        number = sent(found, LONGER)
        spelled = text_hash(found, number)
    if opened_on is not None:
        with clock.at(clock.end_of_day(opened_on) - timedelta(hours=9)):
            services.open_amendment(actors.otto(), found.grant_id, number)

    assert queries.amendment(found.grant_id, number).reply_due_on == last
    late = clock.end_of_day(last) + timedelta(hours=1)
    with clock.at(late):
        with pytest.raises(Refused, match="Silence is refusal"):
            services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=spelled)
        assert services.plan_silence(PROGRAM) == 1
        assert services.end_silent_amendment(PROGRAM, found.grant_id, number)
        assert not services.end_silent_amendment(PROGRAM, found.grant_id, number)
        assert services.plan_silence(PROGRAM) == 0
    kept = queries.amendment(found.grant_id, number)
    assert kept.state is AmendmentState.REFUSED and kept.ended is None and "Silence" in kept.end_words
    assert view_of(found).ends_before == date(2025, 6, 1)


def test_on_the_last_day_it_is_still_answered(found: Amended) -> None:
    with clock.at(NOW):
        number = sent(found, LONGER)
        spelled = text_hash(found, number)
    with clock.at(clock.end_of_day(date(2024, 4, 28)) - timedelta(hours=1)):
        assert services.plan_silence(PROGRAM) == 0
        services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=spelled)
    assert state_of(found, number) is AmendmentState.OFFERED


def test_nobody_answers_what_they_proposed_and_no_city_answers_for_the_programme(found: Amended) -> None:
    otto = actors.otto()
    assert otto.user_id is not None
    with clock.at(NOW):
        actors.give(otto.user_id, Role.PROJECT_OFFICER, "call", view_of(found).call_id)
        number = sent(found, LONGER, by=actors.otto)
        spelled = text_hash(found, number)
        with pytest.raises(Refused, match="You proposed this yourself"):
            services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=spelled)
        with pytest.raises(NotAllowed):
            services.accept_amendment(actors.pia(), found.grant_id, number, document_sha256=spelled)
        with pytest.raises(Refused, match="other side proposed"):
            services.withdraw_amendment(actors.ana(), found.grant_id, number, reason="No.")
        services.withdraw_amendment(actors.pia(), found.grant_id, number, reason="A mistake.")
    with pytest.raises(IntegrityError, match="two_people"), arranging():
        row = db.session.query(Amendment).one()
        row.answered_by, row.answered_at = otto.user_id, NOW


def test_one_is_open_at_a_time_and_what_was_shown_is_what_is_sent(found: Amended) -> None:
    with clock.at(NOW):
        number = drafted(found, LONGER)
        with pytest.raises(Refused, match="a draft of your side"):
            drafted(found, LONGER)
        seen = effect_of(found, number).fingerprint
        services.edit_amendment(
            actors.ana(), found.grant_id, number, AmendmentInput(Extension(date(2026, 1, 1)), "Longer still.")
        )
        with pytest.raises(Conflict, match="changed while you were looking"):
            services.send_amendment(actors.ana(), found.grant_id, number, seen=seen)
        services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
        with pytest.raises(Refused):
            services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
        with pytest.raises(Refused, match="It was sent"):
            services.edit_amendment(actors.ana(), found.grant_id, number, AmendmentInput(LONGER, "Other."))
        with pytest.raises(Invalid, match="Say why"):
            services.refuse_amendment(actors.otto(), found.grant_id, number, words=" ")
        services.refuse_amendment(actors.otto(), found.grant_id, number, words="The parent grant ends too early.")
    assert state_of(found, number) is AmendmentState.REFUSED
    assert any(each["template"] == "amendment_ended" for each in queued("jobs.mail.send"))


def test_what_was_sent_is_not_signed_once_the_grant_is_another(found: Amended) -> None:
    with clock.at(NOW):
        number = accepted(found, LONGER)
        with arranging():
            row = db.session.query(Milestone).filter_by(grant_id=found.grant_id, number=1).one()
            row.due_on = date(2024, 2, 1)
        with pytest.raises(Conflict, match="changed after this was sent"):
            signed(found, number)
        assert view_of(found).ends_before == date(2025, 6, 1)
        services.take_back_amendment(actors.otto(), found.grant_id, number, reason="Propose it anew.")
    now = view_of(found)
    assert state_of(found, number) is AmendmentState.WITHDRAWN
    assert now.offers[-1].ended_why is OfferEnd.WITHDRAWN and now.offer is not None and now.offer.number == 1


def test_money_that_was_paid_meanwhile_stands_in_the_way_of_the_last_signature(found: Amended) -> None:
    with clock.at(NOW):
        dropped = Move(euros(120_000), found.agency_id, STAFF)
        number = accepted(found, BudgetShift(shares(found, 550_000, 50_000), (dropped,)))
        prefinanced(found)
        with pytest.raises(Problems) as refusal:
            signed(found, number)
    assert "paid, on its way or accepted" in refusal.value.found[0].message
    assert maxima(found) == [400_000, 200_000] and verify_ledger() == ()


def test_nothing_is_amended_once_the_final_amount_is_set(found: Amended) -> None:
    with arranging():
        db.session.get_one(Grant, found.grant_id).final_amount = euros(500_000)
    with clock.at(NOW), pytest.raises(Refused, match="final amount"):
        drafted(found, LONGER)


def validated(organisation_id: UUID) -> None:
    """The register knows the newcomer as a public body."""
    with clock.at(NOW):
        validate_entity(organisation_id, Sides(actors.ana, actors.pia, actors.ingrid))


def titles(actor: Actor) -> list[str]:
    return [each.what for each in queries.duties(actor, clock.now())]


def test_everybody_is_told_what_waits_for_them(found: Amended) -> None:
    with clock.at(NOW):
        number = drafted(found, LONGER)
        assert "Send or withdraw the amendment of WARM: extension" in titles(actors.ana())
        services.send_amendment(actors.ana(), found.grant_id, number, seen=effect_of(found, number).fingerprint)
        assert "Answer the amendment of WARM: extension" in titles(actors.otto())
        services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=text_hash(found, number))
        assert all("Sign the amendment of WARM: extension" in titles(each) for each in (mayor(), actors.greta()))
        offer = queries.amendment(found.grant_id, number).offer_no
        assert offer is not None
        spelled = rules.text_hash(queries.offered_text(found.grant_id, offer))
        services.sign_amendment_for_city(mayor(), found.grant_id, number, capacity="Mayor", document_sha256=spelled)
        assert "Sign the amendment of WARM: extension" not in titles(mayor())
        services.withdraw_amendment(actors.ana(), found.grant_id, number, reason="Not needed any more.")
        sent(found, Scope("Schools too.", ""), by=actors.pia, letter=True)
        assert "Answer the amendment of WARM: change of what is done" in titles(mayor())
        assert not any("Answer" in each for each in titles(actors.otto()))


def power(found: Amended, key: ConditionKey = ConditionKey.POWER_TO_SIGN) -> ConditionInput:
    mayor_id = mayor().user_id
    assert mayor_id is not None
    said = PowerToSign(mayor_id, "Maya Mayor", "Mayor", "Statute of the city")
    return ConditionInput(key, None, said, TODAY, 0, TODAY, date(2027, 1, 1))


def test_the_power_to_sign_is_answered_anew_while_the_grant_runs(found: Amended) -> None:
    with arranging():
        for position, key in enumerate((ConditionKey.POWER_TO_SIGN, ConditionKey.COUNCIL_DECISION)):
            row = {"key": key.value, "label": key.value, "position": position, "answer": CheckAnswer.OPEN.value}
            db.session.add(DueDiligenceItem(grant_id=found.grant_id, **row))
    with clock.at(NOW):
        number = accepted(found, LONGER)
        with pytest.raises(Refused, match="No accepted power to sign"):
            signed(found, number)
        with pytest.raises(Refused, match="conditions are closed"):
            council = power(found, ConditionKey.COUNCIL_DECISION)
            services.state_condition(actors.ana(), found.grant_id, council, document())
        stated = services.state_condition(actors.ana(), found.grant_id, power(found), document())
        given = rules.VerdictInput(ConditionKey.POWER_TO_SIGN, None, stated)
        services.accept_answer(actors.pia(), found.grant_id, given)

        signed(found, number)

    powers = {each.side: each.power for each in view_of(found).signatures}
    assert powers[Side.CITY].startswith("Statute of the city")
