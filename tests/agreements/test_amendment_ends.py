"""How amendments end without effect: nobody is blocked by the other side's draft or by a text nobody signs, and what ends the
grant ends them."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, services
from grants.agreements.models import Amendment
from grants.agreements.rules import Scope
from grants.agreements.states import AmendmentState, OfferEnd
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, Refused
from tests import actors
from tests.agreements.amending import NOW, Amended, mayor, queued, view_of
from tests.agreements.test_amendments import LONGER, accepted, drafted, effect_of, sent, signed, state_of
from tests.applications.pages import send, text_of

SCHOOLS = Scope("Schools too.", "")


def send_draft(found: Amended, number: int, by: object) -> None:
    services.send_amendment(by, found.grant_id, number, seen=effect_of(found, number).fingerprint)  # type: ignore[arg-type]


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
