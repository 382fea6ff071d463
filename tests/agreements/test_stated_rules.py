"""What may be moved and until when the other side answers is stated in the agreement, and read from there ever after."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements import queries, rules, services
from grants.agreements.models import AgreementOffer, AgreementVersion, Amendment, Grant
from grants.agreements.rules import (
    NO_ANNEXES,
    AgreementText,
    BudgetShift,
    FlexibilityRule,
    ReplyRule,
    TerminationInput,
    TransferInput,
)
from grants.agreements.rules.text import ReplyTerms
from grants.agreements.states import OfferEnd, OfferSubject, TerminationReason
from grants.calls.models import Call
from grants.calls.rules import Sourced, to_json
from grants.calls.states import Confidence
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, euros
from tests import actors
from tests.agreements.accounts import document
from tests.agreements.amending import NOW, STAFF, Amended, shares, view_of
from tests.agreements.test_amendments import LONGER, amended, sent
from tests.applications.pages import text_of


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def test_the_share_that_was_rounded_down_to_an_amount_is_said_as_it_was_laid_down() -> None:
    for percent, maximum in ((10, 599_999_99), (33, 1_234_567_89), (5, 100_01)):
        amount = Money(maximum * percent // 100)
        words = plain(FlexibilityRule(amount, amount, Money(maximum)).words)
        assert f"({percent} %) in all freely" in words and "with a notice" not in words
    both = plain(FlexibilityRule(euros(60_000), euros(120_000), euros(600_000)).words)
    assert "up to EUR 60 000.00 (10 %) in all freely and up to EUR 120 000.00 (20 %) in all with a notice" in both
    assert "by an amendment only" in FlexibilityRule(euros(0), euros(0), euros(600_000)).words


def test_a_text_states_both_and_one_offered_before_keeps_its_hash(found: Amended) -> None:
    grant = replace(view_of(found), flexibility=FlexibilityRule(euros(60_000), euros(120_000), euros(600_000)))

    text = rules.agreement_text(grant, NO_ANNEXES)

    assert text.reply is not None and "within 45 calendar days" in text.reply.words
    assert "10 calendar days after it was sent" in text.reply.words and "at least 30 calendar days" in text.reply.words
    assert {"flexibility", "reply"} <= set(rules.stated(text))
    older = replace(text, flexibility=None, reply=None)
    assert not {"flexibility", "reply"} & set(rules.stated(older))
    assert rules.text_hash(older) != rules.text_hash(text)


def test_what_the_call_says_later_moves_no_clock_of_a_grant(found: Amended) -> None:
    with arranging():
        grant = db.session.get_one(Grant, found.grant_id)
        grant.reply_days, grant.opened_after_days = 20, 5
        call = db.session.get_one(Call, view_of(found).call_id)
        later = {
            "agreement.amendment_reply_days": Sourced(90, Confidence.STATED),
            "agreement.opened_after_days": Sourced(0, Confidence.STATED),
        }
        call.content = {**call.content, "fields": {**call.content["fields"], **to_json(later)["fields"]}}

    with clock.at(NOW):
        number = sent(found, LONGER)

    assert view_of(found).reply == ReplyRule(20, 5)
    assert queries.amendment(found.grant_id, number).reply_due_on == date(2024, 3, 29)
    row = db.session.scalars(select(Amendment)).one()
    assert (row.reply_days, row.opened_after_days) == (20, 5)


def second_version(found: Amended, text: AgreementText) -> None:
    with arranging():
        db.session.add(
            AgreementOffer(
                grant_id=found.grant_id,
                offer_no=2,
                subject=OfferSubject.AMENDMENT.value,
                text=encoding.encode(text),
                sha256=bytes.fromhex(rules.text_hash(text)),
                needs_city=1,
                needs_programme=1,
                offered_at=NOW,
                ended_at=NOW,
                ended_why=OfferEnd.SIGNED.value,
            )
        )
        db.session.add(
            AgreementVersion(
                grant_id=found.grant_id, number=2, offer_no=2, in_force_on=date(2024, 3, 4), in_force_at=NOW
            )
        )
        db.session.get_one(Grant, found.grant_id).offer_no = 2


@pytest.mark.parametrize(("stated", "first"), [(60, date(2024, 5, 3)), (None, date(2024, 4, 3))])
def test_so_long_as_the_agreement_in_force_says_a_termination_is_objected_to(
    app: Flask, found: Amended, stated: int | None, first: date
) -> None:
    """A text that says nothing of it was signed before texts did: the usual days hold."""
    text = queries.offered_text(found.grant_id, 1)
    second_version(found, replace(text, reply=None if stated is None else ReplyTerms(ReplyRule(45, 10), stated)))
    with clock.at(NOW):
        page = actors.client_of(app, actors.pia()).get(f"/grants/{found.reference}/termination").text
        assert f'value="{clock.long_date(first)}"' in page
        given = TerminationInput(
            TerminationReason.BREACH, "Nobody was hired.", clock.add_days(first, 1), clock.add_days(first, -1)
        )
        with pytest.raises(Invalid) as wrong:
            services.propose_termination(actors.pia(), found.grant_id, given, document())
        days = stated or 30
        assert wrong.value.problems == {
            "objections_until": f"The other side has at least {days} days to object. Enter {clock.long_date(first)} or a later day."
        }
        given = replace(given, objections_until=first)
        assert services.propose_termination(actors.pia(), found.grant_id, given, document()) == 1


def test_shares_of_what_may_be_moved_stay_those_of_the_maximum_that_was_signed(app: Flask, found: Amended) -> None:
    with arranging():
        grant = db.session.get_one(Grant, found.grant_id)
        grant.transfer_free, grant.transfer_notify = euros(60_000), euros(120_000)
    amended(found, BudgetShift(shares(found, 480_000, 220_000)))
    assert view_of(found).maximum == euros(700_000)

    flexible = queries.flexibility(found.grant_id)

    assert flexible is not None and plain(flexible.words) == "used 0 % of 20 %"
    with clock.at(NOW):
        page = plain(text_of(actors.client_of(app, actors.ana()).get(f"/grants/{found.reference}/transfers")))
        assert (
            "used 0 % of 20 %" in page and "of the maximum grant of EUR 600 000.00 the agreement was signed for" in page
        )
        much = TransferInput(found.city_id, STAFF, found.agency_id, STAFF, euros(120_001), "Done by the agency.")
        with pytest.raises(Refused) as refused:
            services.move_budget(actors.ana(), found.grant_id, much)
    said = "it is at most EUR 120 000.00 (20 % of the maximum grant of EUR 600 000.00 it was signed for)"
    assert said in plain(str(refused.value))


def test_additional_pre_financing_is_stated_and_a_text_without_it_keeps_its_hash(found: Amended) -> None:
    plainly = rules.agreement_text(view_of(found), NO_ANNEXES)
    stands = view_of(found)
    grant = replace(stands, limits=replace(stands.limits, additional=euros(1_000)), additional_threshold=70)

    text = rules.agreement_text(grant, NO_ANNEXES)

    assert "where that is less than 70 % of it, it is less by what is missing" in plain(text.additional_words)
    assert "EUR 1 000.00" in plain(text.additional_words) and plainly.additional_words == ""
    assert "additional_threshold" in rules.stated(text) and rules.stated(text)["limits"]["additional"] == 1_000_00
    assert "additional_threshold" not in rules.stated(plainly) and "additional" not in rules.stated(plainly)["limits"]
    assert rules.text_hash(text) != rules.text_hash(plainly)
    assert rules.only_stated(encoding.encode(plainly)) == rules.stated(plainly) != encoding.encode(plainly)
