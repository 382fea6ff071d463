"""Partners accede to an agreement in force: asked by its text, by an accepted power, to the version that holds, late where late."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, rules, services
from grants.agreements.models import Accession, AccessionSignature
from grants.agreements.queries.amending import footing
from grants.agreements.rules import VerdictInput
from grants.agreements.rules.changes import change_problems
from grants.agreements.states import AccessionStanding, ConditionKey
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import Sourced, to_json
from grants.calls.states import Confidence
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.jobs import Job
from grants.core.money import euros
from grants.core.permissions import Permission, system_actor
from grants.demo.preparing import evidence
from grants.identity.policy import Role
from jobs.checks import NIGHTLY
from tests import actors
from tests.applications.pages import forms, post, send, text_of
from tests.awards.agreeing import Offered, Prepared, power
from tests.factories import identity as people
from tests.html import check_page
from tests.shut import shuts
from tests.statements import statements

KEY = ConditionKey.POWER_TO_SIGN
PROGRAM = system_actor("the program", (Permission.AGREEMENT_LAPSE,))


def stated(signed: Offered, *others: tuple[UUID, str]) -> int:
    """Petra says that she may sign for her city, alone or with others."""
    given = power((signed.petra_id, "Petra Partner"), *others, organisation_id=signed.partner_id)
    number = signed.accession.part(clock.now().date()).number
    return services.state_power(signed.person("petra"), signed.grant_id, replace(given, number=number), evidence(KEY))


def accepted(signed: Offered, *others: tuple[UUID, str]) -> None:
    number = stated(signed, *others)
    services.accept_power(actors.pia(), signed.grant_id, VerdictInput(KEY, signed.partner_id, number))


def accede(signed: Offered, name: str = "petra", sha256: str = "", capacity: str = "Mayor") -> bool:
    shown = sha256 or signed.grant.versions[-1].sha256
    return services.accede(
        signed.person(name), signed.grant_id, signed.partner_id, capacity=capacity, document_sha256=shown
    )


def mails(template: str) -> list[dict[str, Any]]:
    rows = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
    return [each for each in rows if each["template"] == template]


def after(due_on: date, days: int) -> AbstractContextManager[None]:
    """So many days after a day, at noon."""
    return clock.at(clock.end_of_day(due_on) + timedelta(days=days - 1, hours=12))


def test_with_the_agreement_in_force_each_partner_is_asked_by_its_text(signed: Offered) -> None:
    grant, found = signed.grant, signed.accession

    assert found.organisation_id == signed.partner_id and found.is_open
    assert found.due_on == clock.add_days(grant.versions[0].in_force_on, 30)
    assert queries.text_of(grant).accession == rules.AccessionRule(30)
    assert "accedes to this agreement within 30 calendar days" in rules.AccessionRule(30).words
    assert queries.acceded(signed.grant_id) == {grant.coordinator_id}
    assert [each["user_id"] for each in mails("accession_asked")] == [str(signed.petra_id)]
    duties = [each for each in queries.duties(signed.person("petra"), clock.now()) if "Accede" in each.what]
    assert [each.endpoint for each in duties] == ["agreements.accessions"]


def test_a_text_that_says_nothing_of_it_asks_nobody_and_has_the_hash_it_had(offered: Offered) -> None:
    grant = offered.grant
    plain = rules.agreement_text(grant, rules.NO_ANNEXES)

    assert plain.accession is None and "accession" not in rules.stated(plain)
    assert rules.agreement_text(grant, rules.NO_ANNEXES, accession_days=30) != plain
    alone = replace(grant, beneficiaries=grant.beneficiaries[:1])
    assert rules.agreement_text(alone, rules.NO_ANNEXES, accession_days=30).accession is None


def test_the_text_that_would_be_offered_has_the_days_of_the_call(prepared: Prepared) -> None:
    assert queries.text_of(prepared.grant).accession is None
    with arranging():
        call = get(Call, prepared.grant.call_id)
        days = {
            "agreement.accession_days": Sourced(45, Confidence.STATED),
            "agreement.objection_days": Sourced(60, Confidence.STATED),
        }
        call.content = {**call.content, "fields": {**call.content["fields"], **to_json(days)["fields"]}}

    assert calls.call_by_id(prepared.grant.call_id).content.accession_days == 45
    text = queries.text_of(prepared.grant)
    assert text.accession == rules.AccessionRule(45)
    assert text.reply is not None and "at least 60 calendar days to object" in text.reply.words


def test_a_partner_accedes_by_its_accepted_power_to_the_version_that_was_shown(signed: Offered) -> None:
    with pytest.raises(Refused, match="No accepted power to sign for Second city"):
        accede(signed)
    number = stated(signed)
    with pytest.raises(Refused, match="No accepted power"):
        accede(signed)
    services.accept_power(actors.pia(), signed.grant_id, VerdictInput(KEY, signed.partner_id, number))
    with pytest.raises(Refused, match="not the version that is in force"):
        accede(signed, sha256="0" * 64)
    with pytest.raises(Invalid, match="capacity"):
        accede(signed, capacity=" ")
    with pytest.raises(NeedsFreshSignIn):
        services.accede(
            replace(signed.person("petra"), fresh=False), signed.grant_id, signed.partner_id, capacity="Mayor",
            document_sha256=signed.grant.versions[-1].sha256,
        )  # fmt: skip

    assert accede(signed) is True

    found = signed.accession
    assert found.acceded_version == 1 and not found.was_late
    assert found.standing(clock.now().date()) is AccessionStanding.ACCEDED
    (given,) = found.signatures
    assert given.document_sha256 == signed.grant.versions[0].sha256 and "Statute" in given.power
    assert signed.partner_id in queries.acceded(signed.grant_id)
    assert mails("accession_done")
    with pytest.raises(Refused, match="acceded on"):
        accede(signed)
    with pytest.raises(IntegrityError, match="uq_accession_signature"), arranging():
        row = db.session.scalars(select(AccessionSignature)).one()
        again = {each.key: getattr(row, each.key) for each in AccessionSignature.__table__.columns if each.key != "id"}
        db.session.add(AccessionSignature(**again))


def test_only_the_own_organisation_states_its_power_and_accedes(signed: Offered) -> None:
    accepted(signed)
    with arranging():
        other = people.organisation("A third city")
        otis = people.user("Otis Other", organisation_id=other.id)
        people.role(otis.id, Role.APPLICATION_PARTNER, kind="application", object_id=signed.grant.application_id)
        otis_id = otis.id
    stranger = actors.actor(otis_id)
    sha256 = signed.grant.versions[0].sha256
    given = power((otis_id, "Otis Other"), organisation_id=signed.partner_id, number=1)

    with pytest.raises(NotFound):
        services.accede(stranger, signed.grant_id, signed.partner_id, capacity="Mayor", document_sha256=sha256)
    with pytest.raises(NotFound):
        services.state_power(stranger, signed.grant_id, given, evidence(KEY))
    with pytest.raises(NotAllowed):
        services.accede(
            signed.person("maya"), signed.grant_id, signed.partner_id, capacity="Mayor", document_sha256=sha256
        )
    with pytest.raises(Invalid, match="does not belong"):
        services.record_power(
            actors.pia(), signed.grant_id, replace(given, number=signed_number(signed)), evidence(KEY)
        )
    assert signed.accession.is_open


def signed_number(signed: Offered) -> int:
    return signed.accession.part(clock.now().date()).number


def test_a_power_that_does_not_hold_today_gives_none(signed: Offered) -> None:
    accepted(signed)
    answer = signed.accession.answers[-1]
    assert answer.valid_until is not None

    with after(answer.valid_until, 0), pytest.raises(Refused, match="that holds today"):
        accede(signed)


def test_who_stated_a_power_does_not_accept_it(signed: Offered) -> None:
    given = power((signed.petra_id, "Petra Partner"), organisation_id=signed.partner_id)
    number = services.record_power(actors.pia(), signed.grant_id, given, evidence(KEY))
    verdict = VerdictInput(KEY, signed.partner_id, number, "Looked at the statute.")

    with pytest.raises(Refused, match="You stated this answer yourself"):
        services.accept_power(actors.pia(), signed.grant_id, verdict)
    with pytest.raises(Invalid, match="missing"):
        services.return_power(actors.ingrid(), signed.grant_id, replace(verdict, words=" "))
    services.return_power(actors.ingrid(), signed.grant_id, verdict)
    assert mails("accession_power_returned")
    with pytest.raises(Conflict):
        services.accept_power(actors.ingrid(), signed.grant_id, verdict)
    again = services.record_power(actors.pia(), signed.grant_id, replace(given, number=number))
    services.accept_power(actors.ingrid(), signed.grant_id, VerdictInput(KEY, signed.partner_id, again))
    assert mails("accession_power_accepted")


def test_two_who_sign_only_together_accede_together_and_the_second_is_let_in(app: Flask, signed: Offered) -> None:
    with arranging():
        egon_id = people.user("Egon Treasurer", organisation_id=signed.partner_id).id
    with pytest.raises(NotAllowed):
        services.state_power(
            actors.actor(egon_id), signed.grant_id, power((egon_id, "Egon"), organisation_id=signed.partner_id)
        )
    accepted(signed, (egon_id, "Egon Treasurer"))

    assert accede(signed) is False
    with pytest.raises(Refused, match="You have signed already"):
        accede(signed)
    assert signed.accession.is_open and signed.accession.missing(1, clock.now().date()) == 1
    sha256 = signed.grant.versions[0].sha256
    assert services.accede(
        actors.actor(egon_id), signed.grant_id, signed.partner_id, capacity="Treasurer", document_sha256=sha256
    )
    assert signed.accession.acceded_version == 1


def test_what_is_overdue_is_told_once_and_may_still_be_done(signed: Offered) -> None:
    accepted(signed)
    due_on = signed.accession.due_on
    lead_id = next(each.user_id for each in signed.grant.contacts if each.role.value == "lead")
    assert "jobs.agreements.plan_accessions" in NIGHTLY
    with after(due_on, 0):
        assert services.plan_accessions(PROGRAM) == 0
        assert services.tell_late_accession(PROGRAM, signed.grant_id, signed.partner_id) is False
    with after(due_on, 1):
        assert services.plan_accessions(PROGRAM) == 1
        assert services.tell_late_accession(PROGRAM, signed.grant_id, signed.partner_id) is True
        assert services.tell_late_accession(PROGRAM, signed.grant_id, signed.partner_id) is False
        assert services.plan_accessions(PROGRAM) == 0
        told = {str(each["user_id"]) for each in mails("accession_overdue")}
        assert {str(signed.petra_id), str(lead_id), str(actors.pia().user_id)} <= told
        duties = queries.duties(actors.actor(lead_id), clock.now())
        assert [each.what for each in duties if "acceded" in each.what] == [
            "Second city of the grant has not acceded to the grant agreement"
        ]

        assert accede(signed) is True

    assert signed.accession.was_late
    assert {bool(each["context"]["late"]) for each in mails("accession_done")} == {True}


def test_one_that_is_not_waited_for_is_ended_with_a_reason_and_cannot_accede(signed: Offered) -> None:
    accepted(signed)
    with pytest.raises(NotAllowed):
        services.end_accession(signed.person("petra"), signed.grant_id, signed.partner_id, reason="No")
    with pytest.raises(Invalid, match="why"):
        services.end_accession(actors.pia(), signed.grant_id, signed.partner_id, reason=" ")
    services.end_accession(actors.pia(), signed.grant_id, signed.partner_id, reason="It leaves the consortium.")

    with pytest.raises(Refused, match="not waited for any more: It leaves"):
        accede(signed)
    assert signed.partner_id not in queries.acceded(signed.grant_id)
    assert mails("accession_ended")
    with after(signed.accession.due_on, 1):
        assert services.plan_accessions(PROGRAM) == 0
    with pytest.raises(IntegrityError, match="one_end"), arranging():
        row = db.session.scalars(select(Accession)).one()
        row.acceded_at, row.acceded_version = clock.now(), 1


def test_whose_accession_was_ended_is_bound_no_more_and_gets_no_more_money(signed: Offered) -> None:
    assert queries.gone(signed.grant_id) == frozenset()
    services.end_accession(actors.pia(), signed.grant_id, signed.partner_id, reason="It leaves the consortium.")
    assert queries.gone(signed.grant_id) == {signed.partner_id}

    grant = signed.grant
    change = rules.BudgetShift(
        tuple(
            rules.Share(
                each.organisation_id,
                each.maximum + euros(1_000 if each.organisation_id == signed.partner_id else -1_000),
            )
            for each in grant.beneficiaries
        )
    )
    now, _ = queries.terms_now(grant)
    found = change_problems(now, change, footing(grant, change, clock.now().date()))
    assert [each for each in found if "its accession was ended, so the agreement binds it no more" in each.message]


def values_of(client: FlaskClient, page: str, to: str) -> dict[str, list[str]]:
    """What the form to an address on a page would send as it stands."""
    return next(values for action, values in forms(check_page(client.get(page))) if action == to)


@shuts("agreements.accessions", "agreements.accession")
def test_the_pages_take_a_partner_from_its_power_to_its_signature(app: Flask, signed: Offered) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    base = f"/grants/{signed.reference}/accession"
    petra, pia = (actors.client_of(app, each) for each in (signed.person("petra"), actors.pia()))
    with statements() as asked:
        page = text_of(pia.get(base))
    assert len(asked) <= 8 and "Second city of the grant" in page and "Waits" in page
    assert "Accession of partners" in text_of(pia.get(f"/grants/{signed.reference}"))
    today = clock.long_date(clock.now().date())
    typed = {
        "signer": str(signed.petra_id), "capacity": "Mayor", "basis": "Statute", "valid_from": today, "evidence_on": today,
        "how": "alone",
    }  # fmt: skip

    back = send(petra, f"{base}/1", **typed)
    assert back.status_code == 422 and "Choose the document that gives the power" in back.get_data(as_text=True)
    stated(signed)
    with statements() as asked:
        assert "Accept the power to sign" in text_of(pia.get(f"{base}/1"))
    assert len(asked) <= 8
    assert "Accept the power to sign" not in text_of(petra.get(f"{base}/1"))
    place = f"{base}/1"
    old = values_of(pia, place, f"{place}/accept")
    assert send(pia, place, to=f"{place}/return", words=" ").status_code == 422
    assert send(pia, place, to=f"{place}/accept", words="").status_code == 303
    assert post(pia, f"{place}/accept", old).status_code == 409
    assert post(petra, f"{place}/accept", {}).status_code == 403
    assert "Accede to the agreement" in text_of(petra.get(place))
    assert send(petra, place, to=f"{place}/sign", sign_as="").status_code == 422
    ends = values_of(pia, place, f"{place}/end")
    assert send(petra, place, to=f"{place}/sign", sign_as="Mayor").status_code == 303
    assert "Acceded to version 1 for Second city" in text_of(petra.get(place))
    assert post(pia, f"{place}/end", ends, reason="It left.").status_code == 422
    assert pia.get(f"{base}/2").status_code == 404
    officer = actors.pia()
    assert officer.user_id is not None
    with arranging():
        people.bar(officer.user_id, "application", signed.grant.application_id)
    again = actors.client_of(app, actors.pia())
    assert {again.get(base).status_code, again.get(f"{base}/1").status_code} == {404}
