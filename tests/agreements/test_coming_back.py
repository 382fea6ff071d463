"""A partner that left: its share is settled by an amendment, and an amendment lets it in again; then it accedes anew."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements import queries, rules, services
from grants.agreements.models import Accession, Beneficiary
from grants.agreements.rules import PartnerIn, PartnerOut, Share, TerminationInput
from grants.agreements.states import AccessionStanding, TerminationReason
from grants.applications.models import ApplicationPartner
from grants.calls.models import Call
from grants.calls.rules import Sourced, to_json
from grants.calls.states import Confidence
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import euros
from grants.core.permissions import Permission, system_actor
from grants.identity.policy import Role
from grants.reporting import services as reporting
from grants.reporting.models import PeriodicReport
from tests import actors
from tests.agreements.accounts import document
from tests.agreements.amending import NOW, TODAY, Amended, agreed, maxima, queued, shares, view_of
from tests.agreements.test_amendments import amended, drafted, effect_of, validated
from tests.payments.world import IN_FORCE

WANTED, UNTIL = date(2024, 2, 1), date(2024, 1, 5)
PROGRAM = system_actor("the program", (Permission.REPORT_OPEN, Permission.TERMINATION_CARRY_OUT))


@pytest.fixture
def found(app: Flask) -> Amended:
    return agreed()


def asks_for_accession(found: Amended) -> None:
    with arranging():
        call = db.session.get_one(Call, view_of(found).call_id)
        days = {"agreement.accession_days": Sourced(45, Confidence.STATED)}
        call.content = {**call.content, "fields": {**call.content["fields"], **to_json(days)["fields"]}}


def left(found: Amended) -> None:
    amended(found, PartnerOut(found.agency_id, TODAY, shares(found, 530_000, 0)[:1]))


def back(found: Amended, agency: int = 60_000) -> None:
    validated(found.agency_id)
    parts = (Share(found.city_id, euros(500_000)), Share(found.agency_id, euros(agency)))
    amended(found, PartnerIn(found.agency_id, TODAY, TODAY, parts))


def test_whoever_left_is_let_in_again_and_its_people_with_it(found: Amended) -> None:
    with clock.at(IN_FORCE):
        agnes = actors.person("Agnes Agency", Role.APPLICANT, organisation_name="Energy Agency of Northbridge")
        actors.give(agnes, Role.APPLICATION_PARTNER, "application", found.application_id)
    left(found)
    place = queries.scope_of_view(view_of(found))
    assert queries.gone(found.grant_id) == {found.agency_id}
    assert not actors.actor(agnes).may(Permission.REPORT_EDIT, place)
    assert actors.actor(agnes).may(Permission.AGREEMENT_READ, place)

    back(found)

    assert queries.gone(found.grant_id) == frozenset()
    assert maxima(found) == [500_000, 60_000]
    assert actors.actor(agnes).may(Permission.REPORT_EDIT, place)
    text = queries.text_of(view_of(found))
    assert text.amendments is not None
    assert "Energy Agency of Northbridge takes part again from now on." in text.amendments[-1].lines


def test_it_accedes_anew_and_what_was_before_stays(found: Amended) -> None:
    asks_for_accession(found)
    left(found)
    pia = actors.pia().user_id
    with arranging():
        db.session.add(
            Accession(
                created_at=IN_FORCE, grant_id=found.grant_id, organisation_id=found.agency_id, opened_version=1, due_on=date(2023, 7, 1),
                acceded_at=IN_FORCE, acceded_version=1, left_at=NOW,
            )
        )  # fmt: skip
    assert pia is not None
    back(found)

    before, now = queries.accessions(found.grant_id)
    today = TODAY
    assert before.standing(today) is AccessionStanding.LEFT and now.standing(today) is AccessionStanding.WAITING
    assert rules.accession_at((before, now), found.agency_id) == now
    # None of its new costs counts until then.
    assert "has not acceded" in queries.bonds(found.grant_id)[found.agency_id].costs_problem(TODAY)
    assert found.agency_id not in queries.acceded(found.grant_id)


def test_whose_accession_was_ended_may_be_let_in_and_is_asked_again(found: Amended) -> None:
    asks_for_accession(found)
    pia = actors.pia().user_id
    with arranging():
        db.session.add(
            Accession(
                created_at=IN_FORCE, grant_id=found.grant_id, organisation_id=found.agency_id, opened_version=1, due_on=date(2023, 7, 1),
                ended_at=IN_FORCE, ended_by=pia, end_reason="It did not answer.",
            )
        )  # fmt: skip
    assert queries.gone(found.grant_id) == {found.agency_id}
    back(found, 210_000)
    ended, now = queries.accessions(found.grant_id)
    assert ended.end_reason == "It did not answer." and now.is_open
    assert queries.gone(found.grant_id) == frozenset()


def terminated(found: Amended) -> None:
    """The agency's part ends on 1 February 2024."""
    with clock.at(datetime(2023, 12, 4, 9, tzinfo=UTC)):
        given = TerminationInput(TerminationReason.BREACH, "Nobody was hired.", WANTED, UNTIL, found.agency_id)
        services.propose_termination(actors.pia(), found.grant_id, given, document())
    with clock.at(datetime(2024, 1, 8, 9, tzinfo=UTC)):
        services.confirm_termination(actors.otto(), found.grant_id, 1, effective_on=WANTED, answer="Nobody objected.")
    with clock.at(datetime(2024, 2, 1, 9, tzinfo=UTC)):
        assert services.end_part(PROGRAM, found.grant_id, found.agency_id)


def test_the_share_of_a_terminated_part_is_settled_once_its_last_period_is(found: Amended) -> None:
    with clock.at(NOW):
        reporting.open_reports(PROGRAM, found.grant_id)
    terminated(found)
    change = PartnerOut(found.agency_id, WANTED, shares(found, 600_000, 0)[:1])
    with clock.at(NOW):
        number = drafted(found, change)
        said = [each.message for each in effect_of(found, number).problems]
        assert [words for words in said if "costs of Energy Agency of Northbridge until 31 January 2024 count" in words]
        other = PartnerOut(found.agency_id, TODAY, shares(found, 600_000, 0)[:1])
        services.edit_amendment(actors.ana(), found.grant_id, number, rules.AmendmentInput(other, "Later."))
        said = [each.message for each in effect_of(found, number).problems]
        assert [words for words in said if "takes no part from 1 February 2024 on already" in words]
        services.withdraw_amendment(actors.ana(), found.grant_id, number, reason="Too early.")
    pia, ana = actors.pia().user_id, actors.ana().user_id
    with arranging():
        first = db.session.scalars(select(PeriodicReport).where(PeriodicReport.number == 1)).one()
        first.submitted_at, first.submitted_by = NOW, ana
        first.state, first.decided_by, first.decided_at = "rejected", pia, NOW

    amended(found, change)

    assert maxima(found) == [600_000, 0]
    assert view_of(found).beneficiaries[1].left_on == WANTED


def test_the_page_of_the_amendment_knows_the_termination_it_follows(app: Flask, found: Amended) -> None:
    terminated(found)
    with clock.at(NOW):
        pia = actors.client_of(app, actors.pia())
        page = pia.get(f"/grants/{found.reference}/amendments/new/partner_out?termination=1").text
        assert 'value="1 February 2024"' in page and "this settles its share" in page
        joining = pia.get(f"/grants/{found.reference}/amendments/new/partner_in").text
        assert "Energy Agency of Northbridge</option>" in joining


def test_whoever_leaves_on_a_later_day_does_its_part_until_then(found: Amended) -> None:
    later = date(2024, 4, 1)
    with clock.at(IN_FORCE):
        agnes = actors.person("Agnes Agency", Role.APPLICANT, organisation_name="Energy Agency of Northbridge")
        actors.give(agnes, Role.APPLICATION_PARTNER, "application", found.application_id)
    amended(found, PartnerOut(found.agency_id, later, shares(found, 530_000, 0)[:1]))
    place = queries.scope_of_view(view_of(found))
    (args,) = queued("jobs.agreements.let_partner_go")
    assert args["organisation_id"] == str(found.agency_id)

    with clock.at(NOW):
        assert not services.let_partner_go(PROGRAM, found.grant_id, found.agency_id)
    assert actors.actor(agnes).may(Permission.REPORT_EDIT, place)
    with clock.at(datetime(2024, 4, 1, 9, tzinfo=UTC)):
        assert services.let_partner_go(PROGRAM, found.grant_id, found.agency_id)
        assert not services.let_partner_go(PROGRAM, found.grant_id, found.agency_id)
    assert not actors.actor(agnes).may(Permission.REPORT_EDIT, place)


def test_whom_a_partner_named_acts_for_it_again_too(found: Amended) -> None:
    """Noor belongs to no organisation of the grant; the agency named her as its contact."""
    with clock.at(IN_FORCE):
        noor = actors.person("Noor Contact", Role.APPLICANT)
        actors.give(noor, Role.APPLICATION_PARTNER, "application", found.application_id)
    with arranging():
        db.session.add(
            ApplicationPartner(
                application_id=found.application_id, organisation_id=found.agency_id, role="partner", state="accepted",
                position=9, contact_user_id=noor,
            )
        )  # fmt: skip
    left(found)
    place = queries.scope_of_view(view_of(found))
    assert not actors.actor(noor).may(Permission.REPORT_EDIT, place)

    back(found)

    assert actors.actor(noor).may(Permission.REPORT_EDIT, place)


def test_a_termination_does_not_move_the_day_on_which_an_amendment_let_it_leave(found: Amended) -> None:
    """No amendment is signed beside a confirmed end any more; one that was before has set the day."""
    may = date(2024, 5, 1)
    with clock.at(datetime(2023, 12, 4, 9, tzinfo=UTC)):
        given = TerminationInput(TerminationReason.BREACH, "Nobody was hired.", may, UNTIL, found.agency_id)
        services.propose_termination(actors.pia(), found.grant_id, given, document())
    with clock.at(datetime(2024, 1, 8, 9, tzinfo=UTC)):
        services.confirm_termination(actors.otto(), found.grant_id, 1, effective_on=may, answer="Nobody objected.")
    with arranging():
        part = select(Beneficiary).where(
            Beneficiary.grant_id == found.grant_id, Beneficiary.organisation_id == found.agency_id
        )
        db.session.scalars(part).one().left_on = TODAY
    with clock.at(datetime(2024, 5, 1, 9, tzinfo=UTC)):
        assert not services.end_part(PROGRAM, found.grant_id, found.agency_id)
        assert not services.end_part(PROGRAM, found.grant_id, found.agency_id)

    assert view_of(found).beneficiaries[1].left_on == TODAY
    assert view_of(found).terminations[0].carried_out_at is not None
