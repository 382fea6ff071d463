"""How amendments end without effect: nobody is blocked by the other side's draft or by a text nobody signs, and what ends the
grant ends them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, services
from grants.agreements.models import Amendment
from grants.agreements.rules import Scope, TerminationInput
from grants.agreements.states import AmendmentState, OfferEnd, TerminationReason
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.permissions import Actor, Permission, system_actor
from grants.payments import services as payments
from grants.payments.services import closure
from grants.reporting import services as reporting
from tests import actors
from tests.agreements.accounts import document
from tests.agreements.amending import NOW, Amended, mayor, queued, view_of
from tests.agreements.test_amendments import LONGER, accepted, drafted, effect_of, sent, signed, state_of
from tests.applications.pages import send, text_of

SCHOOLS = Scope("Schools too.", "")


def send_draft(found: Amended, number: int, by: Actor) -> None:
    services.send_amendment(by, found.grant_id, number, seen=effect_of(found, number).fingerprint)


def test_a_draft_of_one_side_blocks_nothing_of_the_other(found: Amended) -> None:
    with clock.at(NOW):
        theirs = drafted(found, SCHOOLS, by=actors.pia)
        own = drafted(found, LONGER)
        with pytest.raises(Refused, match="of your side"):
            drafted(found, SCHOOLS)
        send_draft(found, own, actors.ana())
        with pytest.raises(Refused, match=f"{found.reference}-A{own} is open"):
            send_draft(found, theirs, actors.pia())
        services.refuse_amendment(actors.otto(), found.grant_id, own, words="The parent grant ends too early.")
        send_draft(found, theirs, actors.pia())
        with pytest.raises(Refused, match="is open"):
            drafted(found, LONGER)
    assert (state_of(found, own), state_of(found, theirs)) == (AmendmentState.REFUSED, AmendmentState.SENT)


def test_the_database_keeps_one_draft_of_a_side_and_one_that_was_sent(found: Amended) -> None:
    with clock.at(NOW):
        drafted(found, LONGER)
        with arranging():
            db.session.add(_another(found, 2, "programme", "drafted"))
    with pytest.raises(IntegrityError, match="one_draft"), arranging():
        db.session.add(_another(found, 3, "city", "drafted"))


def _another(found: Amended, number: int, side: str, state: str) -> Amendment:
    first = db.session.query(Amendment).filter_by(grant_id=found.grant_id, number=1).one()
    return Amendment(
        grant_id=found.grant_id,
        number=number,
        reference=f"{found.reference}-A{number}",
        kind=first.kind,
        by_letter=False,
        side=side,
        state=state,
        reason="The roofs.",
        change=first.change,
        drafted_by=first.drafted_by,
        drafted_at=NOW,
    )


def test_who_signs_for_the_city_declines_what_was_offered(found: Amended) -> None:
    with clock.at(NOW):
        number = accepted(found, LONGER)
        with pytest.raises(Invalid, match="Say why"):
            services.decline_amendment(mayor(), found.grant_id, number, reason=" ")
        with pytest.raises(NotAllowed):
            services.decline_amendment(actors.otto(), found.grant_id, number, reason="No.")
        services.decline_amendment(mayor(), found.grant_id, number, reason="The council says no.")
        kept = queries.amendment(found.grant_id, number)
        assert (kept.state, kept.end_words) == (AmendmentState.REFUSED, "The council says no.")
        assert kept.ended is not None and kept.ended.name == "Maya Mayor"
        assert view_of(found).offers[-1].ended_why is OfferEnd.DECLINED
        assert any(each["template"] == "amendment_ended" for each in queued("jobs.mail.send"))
        with pytest.raises(Refused):
            signed(found, number)
        assert drafted(found, SCHOOLS) == number + 1


def test_the_city_declines_what_the_programme_proposes_and_not_its_own(found: Amended) -> None:
    with clock.at(NOW):
        letter = sent(found, SCHOOLS, by=actors.pia, letter=True)
        services.decline_amendment(mayor(), found.grant_id, letter, reason="No schools.")
        proposal = sent(found, LONGER, by=actors.pia)
        services.decline_amendment(mayor(), found.grant_id, proposal, reason="No time.")
        own = sent(found, LONGER)
        with pytest.raises(Refused, match="Your own side"):
            services.decline_amendment(mayor(), found.grant_id, own, reason="No.")
    states = [each.state for each in queries.amendments(found.grant_id)]
    assert states == [AmendmentState.REFUSED, AmendmentState.REFUSED, AmendmentState.SENT]


def test_the_page_has_the_button_and_nobody_of_the_city_sees_a_draft_of_the_programme(
    app: Flask, found: Amended
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    place = f"/grants/{found.reference}/amendments"
    with clock.at(NOW):
        maya, ana = (actors.client_of(app, each()) for each in (mayor, actors.ana))
        drafted(found, SCHOOLS, by=actors.pia, letter=True)
        assert {each.get(f"{place}/1").status_code for each in (maya, ana)} == {404}
        assert "-A1" not in text_of(maya.get(place)) and "Propose an amendment" in text_of(ana.get(place))
        send_draft(found, 1, actors.pia())
        assert "One is open at a time" in text_of(ana.get(place))
        assert "Decline it for the city" in text_of(maya.get(f"{place}/1"))
        assert "Decline it for the city" not in text_of(ana.get(f"{place}/1"))
        assert send(maya, f"{place}/1", to=f"{place}/1/decline", reason="").status_code == 422
        assert send(maya, f"{place}/1", to=f"{place}/1/decline", reason="No schools.").status_code == 303
        assert "No schools." in text_of(maya.get(f"{place}/1"))


def test_what_was_sent_is_not_rewritten_in_the_database_either(found: Amended) -> None:
    with clock.at(NOW):
        sent(found, LONGER)
    for column, value in (("reason", "Other."), ("kind", "scope"), ("by_letter", True), ("change", {})):
        with pytest.raises(IntegrityError, match="was sent"), arranging():
            setattr(db.session.query(Amendment).one(), column, value)
        db.session.rollback()


def test_a_termination_ends_what_is_open_with_words_that_say_so(found: Amended) -> None:
    over = date(2024, 4, 15)
    with clock.at(NOW):
        own = drafted(found, SCHOOLS, by=actors.pia)
        number = accepted(found, LONGER)
        given = TerminationInput(TerminationReason.NOT_CARRIED_OUT, "Nobody was hired.", over, date(2024, 4, 5))
        ending = services.propose_termination(actors.pia(), found.grant_id, given, document())
    with clock.at(datetime(2024, 4, 8, 9, tzinfo=UTC)):
        services.confirm_termination(
            actors.otto(), found.grant_id, ending, effective_on=over, answer="Nobody objected."
        )
    with clock.at(datetime(2024, 4, 15, 9, tzinfo=UTC)):
        program = system_actor("the program", [Permission.TERMINATION_CARRY_OUT])
        assert reporting.end_grant(program, found.grant_id)
    kept, draft = queries.amendment(found.grant_id, number), queries.amendment(found.grant_id, own)
    assert (kept.state, draft.state) == (AmendmentState.WITHDRAWN, AmendmentState.WITHDRAWN)
    assert (
        kept.end_words == "The grant is terminated from 15 April 2024 on, so nothing of its agreement changes any more."
    )
    assert view_of(found).offers[-1].ended_why is OfferEnd.WITHDRAWN
    told = [each for each in queued("jobs.mail.send") if each["template"] == "amendment_ended"]
    by_number = {each["context"]["reference"][-2:]: set() for each in told}
    for each in told:
        by_number[each["context"]["reference"][-2:]].add(each["user_id"])
    assert str(mayor().user_id) in by_number["A2"] and str(actors.otto().user_id) in by_number["A2"]
    # Of a draft only who drafted it knew.
    assert by_number["A1"] == {str(actors.pia().user_id)}


def test_a_closure_ends_what_is_open(found: Amended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "problems_of", lambda lines: ())
    with clock.at(NOW):
        number = sent(found, LONGER)
        payments.close_grant(actors.otto(), found.grant_id, note="Looked at.")
    kept = queries.amendment(found.grant_id, number)
    assert (kept.state, kept.end_words) == (
        AmendmentState.WITHDRAWN,
        "The grant is closed, so nothing of its agreement changes any more.",
    )
    assert kept.ended is not None and kept.ended.by == actors.otto().user_id
