"""The part of a partner is to end by a termination and by an amendment at once: one of them ends it, the other says so and ends."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements import queries, services
from grants.agreements.models import Beneficiary
from grants.agreements.rules import PartnerOut, TerminationInput
from grants.agreements.states import AmendmentState, TerminationReason, TerminationState
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Conflict, Problems, Refused
from grants.core.permissions import Permission, system_actor
from grants.identity.policy import Role
from tests import actors
from tests.agreements.accounts import document
from tests.agreements.amending import NOW, TODAY, Amended, queued, shares
from tests.agreements.test_amendments import accepted, amended, sent, signed, text_hash
from tests.applications.pages import text_of

UNTIL = date(2024, 4, 5)
OVER = date(2024, 5, 1)
CONFIRMED = datetime(2024, 4, 8, 9, tzinfo=UTC)
CARRIED_OUT = datetime(2024, 5, 1, 1, tzinfo=UTC)
PROGRAM = system_actor("the program", [Permission.TERMINATION_CARRY_OUT])


def out(found: Amended) -> PartnerOut:
    return PartnerOut(found.agency_id, TODAY, shares(found, 530_000, 0)[:1])


def proposed(found: Amended) -> int:
    given = TerminationInput(TerminationReason.BREACH, "It hired nobody.", OVER, UNTIL, found.agency_id)
    with clock.at(NOW):
        return services.propose_termination(actors.pia(), found.grant_id, given, document())


def confirm(found: Amended, number: int) -> None:
    with clock.at(CONFIRMED):
        services.confirm_termination(
            actors.otto(), found.grant_id, number, effective_on=OVER, answer="Nobody objected."
        )


def left_on(found: Amended) -> date | None:
    db.session.expire_all()
    of_agency = select(Beneficiary.left_on).where(
        Beneficiary.grant_id == found.grant_id, Beneficiary.organisation_id == found.agency_id
    )
    return db.session.scalar(of_agency)


def test_who_leaves_by_an_amendment_is_terminated_no_more(found: Amended) -> None:
    number = proposed(found)
    with clock.at(NOW):
        # Nothing keeps the two from being open at once: whichever is agreed first ends the part.
        amended(found, out(found))
    (termination,) = queries.terminations(found.grant_id)
    assert termination.state is TerminationState.WITHDRAWN
    assert "It leaves by PCP-2022-G-0002-A1, so nothing of its part is left" in termination.withdraw_words
    assert any(
        each["context"].get("left") for each in queued("jobs.mail.send") if each["template"] == "termination_withdrawn"
    )
    # The page of the confirmation was open in another tab.
    with pytest.raises(Conflict, match="withdrawn this termination after you opened the page"):
        confirm(found, number)
    with clock.at(CONFIRMED):
        assert not [each for each in queries.duties(actors.otto(), CONFIRMED) if "terminat" in each.what]
    assert left_on(found) == TODAY


def test_what_is_confirmed_ends_the_part_and_an_amendment_settles_the_share_after_it(found: Amended) -> None:
    with clock.at(NOW):
        number = sent(found, out(found))
    confirm(found, proposed(found))
    with clock.at(CONFIRMED):
        with pytest.raises(Problems, match="takes no part from 1 May 2024 on by its termination, which is confirmed"):
            services.accept_amendment(actors.otto(), found.grant_id, number, document_sha256=text_hash(found, number))
        services.withdraw_amendment(actors.ana(), found.grant_id, number, reason="Its part is terminated.")
        with pytest.raises(Problems, match="What becomes of its share is proposed after that day"):
            sent(found, out(found))
    with clock.at(CARRIED_OUT):
        assert services.end_part(PROGRAM, found.grant_id, found.agency_id)
    assert left_on(found) == OVER


def test_an_amendment_on_offer_is_not_signed_once_a_termination_is_confirmed(found: Amended) -> None:
    with clock.at(NOW):
        number = accepted(found, out(found))
    confirm(found, proposed(found))
    with clock.at(CONFIRMED):
        with pytest.raises(Problems, match="by its termination, which is confirmed"):
            signed(found, number)
        services.take_back_amendment(actors.otto(), found.grant_id, number, reason="Its part is terminated.")
    assert queries.amendment(found.grant_id, number).state is AmendmentState.WITHDRAWN
    with clock.at(CARRIED_OUT):
        assert services.end_part(PROGRAM, found.grant_id, found.agency_id)
    assert left_on(found) == OVER


def test_who_leaves_by_an_amendment_is_not_proposed_to_be_terminated(found: Amended) -> None:
    with clock.at(NOW):
        amended(found, out(found))
    with pytest.raises(Refused, match="takes no part from 4 March 2024 on already"):
        proposed(found)


def test_its_people_who_are_signed_in_while_its_part_ends_read_on_and_enter_nothing(app: Flask, found: Amended) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(NOW):
        agnes = actors.person("Agnes Agency", Role.APPLICANT, organisation_name="Energy Agency of Northbridge")
        actors.give(agnes, Role.APPLICATION_PARTNER, "application", found.application_id)
    number = proposed(found)
    page = f"/grants/{found.reference}/termination"
    confirm(found, number)
    with clock.at(CARRIED_OUT):
        theirs = actors.client_of(app, actors.actor(agnes))
        assert "its day has come" in text_of(theirs.get(page)).lower()
        assert services.end_part(PROGRAM, found.grant_id, found.agency_id)
        # The same browser, and what it had open.
        assert "takes part no more" in text_of(theirs.get(page))
        assert theirs.get(f"/grants/{found.reference}/reports").status_code == 200
        assert theirs.post(f"{page}/1/object", data={"words": "Two people began."}).status_code == 403
        assert theirs.get("/home").status_code == 200
