"""What may be moved and until when the other side answers is stated in the agreement, and read from there ever after."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import Amendment, Grant
from grants.agreements.rules import NO_ANNEXES, FlexibilityRule, ReplyRule
from grants.calls.models import Call
from grants.calls.rules import Sourced, to_json
from grants.calls.states import Confidence
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import Money, euros
from tests.agreements.amending import NOW, Amended, view_of
from tests.agreements.test_amendments import LONGER, sent


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
