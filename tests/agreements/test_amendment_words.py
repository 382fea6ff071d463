"""What pages, papers and mails say of amendments: signatures that stand, letters, the budget and the account that stand."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from flask import Flask

from grants.agreements import queries, rules, services
from grants.agreements.forms import amend_form
from grants.agreements.models import Grant
from grants.agreements.rules import AccountChange, AgreementText, BudgetShift, Move, PartnerOut
from grants.agreements.states import AmendmentKind
from grants.budgets.models import BudgetLine
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Problems
from grants.core.money import euros
from grants.documents.pdf import agreements as paper
from grants.documents.queries import agreement_version
from tests import actors
from tests.agreements.amending import GOODS, NOW, STAFF, TODAY, Amended, mayor, queued, shares, view_of
from tests.agreements.test_amendment_ends import SCHOOLS
from tests.agreements.test_amendments import LONGER, amended, drafted, effect_of, sent, text_hash
from tests.applications.pages import text_of


def lettered(found: Amended) -> int:
    number = sent(found, SCHOOLS, letter=True)
    services.consent_to_letter(
        actors.otto(), found.grant_id, number, words="We agree.", document_sha256=text_hash(found, number)
    )
    return number


def text_after(found: Amended, number: int) -> AgreementText:
    shown, amendment = view_of(found), queries.amendment(found.grant_id, number)
    made, text = queries.proposed(shown, amendment, TODAY)
    return queries.amended(shown, amendment, made, text)


def test_signatures_of_a_version_before_were_not_taken_back(app: Flask, found: Amended) -> None:
    amended(found, LONGER)
    amended(found, SCHOOLS)
    with clock.at(NOW):
        shown = text_of(actors.client_of(app, actors.otto()).get(f"/grants/{found.reference}/agreement"))
    assert "Given to earlier versions" in shown and "Signed for the coordinator by Maya Mayor" in shown
    assert "taken back" not in shown and "no longer count" not in shown


def test_signatures_of_what_ended_without_effect_no_longer_count(app: Flask, found: Amended) -> None:
    with clock.at(NOW):
        number = sent(found, LONGER)
        services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=text_hash(found, number))
        offer = queries.amendment(found.grant_id, number).offer_no
        assert offer is not None
        spelled = rules.text_hash(queries.offered_text(found.grant_id, offer))
        services.sign_amendment_for_city(mayor(), found.grant_id, number, capacity="Mayor", document_sha256=spelled)
        otto, place = actors.client_of(app, actors.otto()), f"/grants/{found.reference}/agreement"
        assert "Given to what is offered now" in text_of(otto.get(place))
        services.take_back_amendment(actors.otto(), found.grant_id, number, reason="Propose it anew.")
        assert "Given to offers that ended without effect These no longer count." in text_of(otto.get(place))


def test_what_was_agreed_by_letters_says_so_with_both_messages(app: Flask, found: Amended) -> None:
    with clock.at(NOW):
        lettered(found)
        otto, place = actors.client_of(app, actors.otto()), f"/grants/{found.reference}"
        pages = [text_of(otto.get(f"{place}/{each}")) for each in ("agreement", "versions/2", "offers/2", "versions")]
        for shown in pages:
            assert "Agreed by an exchange of letters" in shown
            assert "Nobody has signed yet" not in shown and "Nobody signed it" not in shown
        # The first offer of this world was signed by nobody.
        assert pages[3].count("0 of 2") == 1 and "None: letters" in pages[3]
        for shown in pages[:3]:
            assert "The site was closed." in shown and "We agree." in shown
        sheet = agreement_version(found.grant_id, 2)
    assert sheet is not None
    lines = " ".join(paper.letter_lines(sheet.letters))
    assert "Agreed by an exchange of letters" in lines and "The site was closed." in lines and "We agree." in lines
    assert paper.agreement(sheet, synthetic=False).startswith(b"%PDF")


def test_an_extension_states_the_budget_that_stands_after_a_transfer(found: Amended) -> None:
    amended(
        found,
        BudgetShift(shares(found, 400_000, 200_000), (Move(euros(1_000), found.city_id, STAFF, found.city_id, GOODS),)),
    )
    with clock.at(NOW):
        stood = queries.text_of(view_of(found)).budget
        unmoved = drafted(found, LONGER)
        assert text_after(found, unmoved).budget == stood
        with arranging():
            # As a transfer leaves it.
            grant = db.session.get_one(Grant, found.grant_id)
            amounts = {STAFF: euros(230_000), GOODS: euros(90_000)}
            for row in db.session.query(BudgetLine).filter_by(budget_id=grant.budget_id, organisation_id=found.city_id):
                row.amount = amounts.get(row.category, row.amount)
        text = text_after(found, unmoved)
    assert text.budget is not None and text.budget != stood
    assert euros(230_000) in text.budget.lines[0].amounts
    assert text.budget.basis.endswith("with amendment 2") and text.amendments is not None
    assert "The annex states the budget as it stands by now." in text.amendments[-1].lines


def test_only_the_account_that_is_paid_is_named(app: Flask, found: Amended) -> None:
    with clock.at(NOW):
        shown = view_of(found)
        assert shown.account is not None and shown.account.confirmed_at is not None
        assert [each.id for each in queries.payee_choices(shown)] == [shown.account.id]
        terms, _ = queries.terms_now(shown)
        with app.test_request_context():
            form = amend_form(shown, terms, AmendmentKind.BANK_ACCOUNT, accounts=queries.payee_choices(shown))
        assert form["account"].label.text == "Account that is confirmed and paid, to be stated in the agreement"
        good = drafted(found, AccountChange(shown.account.id, f"{shown.account.holder}, {shown.account.masked}"))
        assert effect_of(found, good).problems == ()
        services.withdraw_amendment(actors.ana(), found.grant_id, good, reason="Another one.")
        bad = drafted(found, AccountChange(found.newcomer_id, "Somebody, BE00 •••• 0000"))
        with pytest.raises(Problems) as refusal:
            services.send_amendment(actors.ana(), found.grant_id, bad, seen=effect_of(found, bad).fingerprint)
    assert "not the account that is confirmed and paid" in refusal.value.found[0].message


def test_who_leaves_is_told_what_its_maximum_is(found: Amended) -> None:
    with clock.at(NOW):
        number = drafted(found, PartnerOut(found.agency_id, date(2024, 3, 4), shares(found, 600_000, 0)[:1]))
        made = effect_of(found, number)
        lines = rules.note_lines(queries.amendment(found.grant_id, number), made)
    assert any("its maximum is what is paid to it, on its way or accepted by then" in each for each in lines)


def test_the_programme_answers_itself_and_the_words_say_so(app: Flask, found: Amended) -> None:
    with clock.at(NOW):
        number = sent(found, LONGER, by=actors.pia)
        maya, place = actors.client_of(app, mayor()), f"/grants/{found.reference}/amendments/{number}"
        shown = text_of(maya.get(place))
        assert "Silence is refusal" not in shown and "Another person of the programme decides by 28 April 2024" in shown
        services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=text_hash(found, number))
        for template, words in (("amendment_sent", "Silence is refusal"), ("amendment_accepted", "has accepted")):
            context = next(each for each in queued("jobs.mail.send") if each["template"] == template)["context"]
            assert context["side"] == "programme"
            source = app.jinja_env.get_template(f"mail/{template}.txt")
            body = source.render(**context, person=SimpleNamespace(name="Maya"), address=lambda *a, **k: "")
            assert words not in body
