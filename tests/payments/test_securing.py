"""Certificates that the balance waits for, and guarantees that pre-financing waits for: brought, judged, done without, recorded, ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.agreements.models import Grant
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.payments import queries, services
from grants.payments.models import FinancialCertificate, PaymentGuarantee, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.rules.securing import GuaranteeInput, GuaranteeView, guarantee_problems, refuse_without_guarantee
from tests import actors
from tests.factories import identity as people
from tests.html import check_page
from tests.payments.test_circuit import stands_in
from tests.payments.test_clock import PDF
from tests.payments.test_finals import balance_of, funded
from tests.payments.world import IN_FORCE, World, report
from tests.shut import shuts

NOW = datetime(2025, 8, 1, 12, tzinfo=UTC)
BROUGHT = {"issuer": "Audit Office of Northbridge", "issued_on": "1 July 2025"}


def certificate() -> FinancialCertificate:
    db.session.rollback()
    return db.session.query(FinancialCertificate).one()


def wanting(found: World, *, threshold: Money = euros(320_000)) -> PaymentRequest:
    """A balance over 500 000, of which the city's contribution of two thirds reaches the sum for a certificate."""
    funded(found, certificate_from=threshold)
    final = report(found, 1, euros(500_000), final=True)
    services.open_for_report(actors.program(), final)
    return balance_of(found)


def duties_of(actor: Actor, endpoint: str) -> list[str]:
    return [each.what for each in queries.duties(actor, NOW) if each.endpoint == endpoint]


@shuts("payments.certificate", "payments.certificate_file")
def test_the_balance_waits_until_the_certificate_is_brought_and_accepted(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    with clock.at(NOW):
        balance = wanting(grant)
        row = certificate()
        assert (row.organisation_id, row.state, row.number) == (grant.city_id, "wanted", 1)
        assert duties_of(actors.ana(), "payments.certificate") and not duties_of(actors.pia(), "payments.certificate")
        with pytest.raises(Refused, match="waits for the certificate on the financial statements of"):
            services.decide(actors.otto(), balance.id, DecisionInput(balance.requested))
        ana, pia = actors.client_of(app, actors.ana()), actors.client_of(app, actors.pia())
        address = f"/grants/{grant.reference}/certificates/1"
        otto = actors.client_of(app, actors.otto())
        assert "The balance waits for certificates" in otto.get(f"/finance/requests/{balance.reference}").text
        assert address in ana.get(f"/grants/{grant.reference}/payments").text

        def post(who: FlaskClient, deed: str, **fields: Any) -> int:
            answer = who.post(f"{address}/{deed}", data={"version": certificate().version, **fields})
            return answer.status_code

        assert post(ana, "bring", **BROUGHT) == 422
        assert post(ana, "bring", **BROUGHT | {"issued_on": "2 August 2025"}, file=(BytesIO(PDF), "c.pdf")) == 422
        assert post(ana, "accept") == 403
        assert post(ana, "bring", **BROUGHT, file=(BytesIO(PDF), "c.pdf")) == 303
        assert not duties_of(actors.ana(), "payments.certificate") and duties_of(actors.pia(), "payments.certificate")
        with ana.get(f"{address}/files/{sha256(PDF).hexdigest()}") as taken:
            assert taken.data == PDF
        assert post(pia, "return", words="") == 422
        assert post(pia, "return", words="A page is missing.") == 303
        assert "A page is missing." in ana.get(address).text
        assert post(ana, "bring", **BROUGHT, file=(BytesIO(PDF), "c2.pdf")) == 303
        assert post(pia, "accept") == 303
        assert certificate().state == "accepted"

        services.decide(actors.otto(), balance.id, DecisionInput(balance.requested))
        assert post(pia, "without", words="Late.") == 422
        assert "decided; nothing changes here" in ana.get(address).text
        # A conflict declared shuts it.
        auditor, auditor_id = actors.client_of(app, actors.nuria()), actors.nuria().user_id
        assert auditor_id is not None
        with arranging():
            people.bar(auditor_id, "application", get(Grant, grant.grant_id).application_id)
        with auditor.get(f"{address}/files/{sha256(PDF).hexdigest()}") as refused:
            assert refused.status_code == 404
        assert auditor.get(address).status_code == 404
    assert queries.verify() == ()


def test_without_a_certificate_the_partner_counts_up_to_the_sum_that_needs_none(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        balance = wanting(grant)
        assert balance.requested == euros(500_000)
        services.do_without_certificate(actors.pia(), certificate().id, words="The auditor never came.")
        now = balance_of(grant)
        # Two thirds of 500 000 are 333 333.33: 13 333.33 above what needs none.
        assert now.requested == euros(500_000) - Money(13_333_33)
        services.decide(actors.otto(), balance.id, DecisionInput(now.requested))

    kept = queries.final_kept(balance.id)
    assert kept is not None and [each.words for each in kept.limits if each.binds] == [
        "With the certificates there are"
    ]
    lines, _ = queries.parts_decided(queries.request(actors.otto(), balance.reference))
    of_city = [line.part.approved for line in lines if line.part.organisation_id == grant.city_id]
    assert of_city == [euros(320_000)]
    assert queries.verify() == ()


@pytest.mark.parametrize(("threshold", "wanted"), [(33_333_333, True), (33_333_334, False), (None, False)])
def test_a_certificate_is_wanted_from_the_sum_itself_on_and_never_without_one(
    app: Flask, grant: World, threshold: int | None, wanted: bool
) -> None:
    with clock.at(NOW):
        funded(grant, certificate_from=Money(threshold) if threshold else None)
        final = report(grant, 1, euros(500_000), final=True)
        services.open_for_report(actors.program(), final)
        rows = db.session.query(FinancialCertificate).count()
        assert bool(rows) is wanted
        if not wanted:
            services.decide(actors.otto(), balance_of(grant).id, DecisionInput(euros(500_000)))


def test_nobody_of_the_city_judges_its_certificate(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        wanting(grant)
        pia = actors.pia()
        assert pia.user_id is not None
        actors.give(pia.user_id, Role.APPLICATION_LEAD, "application", grant.application_id)
        with pytest.raises(Refused, match="conflict of interest"):
            services.do_without_certificate(actors.pia(), certificate().id, words="Mine.")


# --- guarantees


@pytest.mark.parametrize(
    ("guarantor", "amount", "until", "paper", "wrong"),
    [
        ("Bank", 240_000, date(2025, 8, 1), True, set()),
        ("Bank", 239_999, date(2025, 8, 1), True, {"amount"}),
        ("Bank", 300_000, date(2025, 7, 31), True, {"valid_until"}),
        (" ", 240_000, date(2025, 8, 1), False, {"guarantor", "file"}),
    ],
)
def test_a_guarantee_covers_the_pre_financing_and_is_valid(
    guarantor: str, amount: int, until: date, paper: bool, wrong: set[str]
) -> None:
    given = GuaranteeInput(guarantor, euros(amount), until)

    assert set(guarantee_problems(given, euros(240_000), date(2025, 8, 1), has_file=paper)) == wrong


def test_pre_financing_is_decided_by_somebody_else_within_a_guarantee_that_is_valid() -> None:
    fin, otto = uuid4(), uuid4()
    standing = GuaranteeView(uuid4(), 1, 1, "Bank", euros(240_000), date(2025, 8, 1), NOW, fin, "Fin", None, None, None)
    today = date(2025, 8, 1)

    refuse_without_guarantee(standing, euros(240_000), today, otto)
    for found, approved, on, who, words in (
        (None, 240_000, today, otto, "none is recorded"),
        (standing, 240_001, today, otto, "EUR 1.00 more"),
        (standing, 240_000, date(2025, 8, 2), otto, "was valid until"),
        (standing, 240_000, today, fin, "somebody else decides"),
    ):
        with pytest.raises(Refused, match=words):
            refuse_without_guarantee(found, euros(approved), on, who)


@shuts("payments.guarantee", "payments.guarantee_file")
def test_pre_financing_waits_for_the_guarantee_which_holds_while_it_is_open(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    with clock.at(IN_FORCE):
        funded(grant, guarantee_asked=True)
        made = services.open_prefinancing(actors.program(), grant.grant_id)
        assert made is not None
        with pytest.raises(Refused, match="none is recorded"):
            services.decide(actors.otto(), made.id, DecisionInput(euros(240_000)))
        assert duties_of(actors.fin(), "payments.guarantee") and not duties_of(actors.otto(), "payments.guarantee")
        fin, ana = actors.client_of(app, actors.fin()), actors.client_of(app, actors.ana())
        address = f"/grants/{grant.reference}/guarantee"
        assert address in ana.get(f"/grants/{grant.reference}/payments").text
        assert address in fin.get(f"/finance/requests/{made.reference}").text
        typed = {"guarantor": "Bank of Northbridge", "amount": "240000", "valid_until": "1 June 2026"}

        def record(**fields: Any) -> int:
            version = get(Grant, grant.grant_id).version
            return fin.post(f"{address}/record", data={"version": version, **typed, **fields}).status_code

        check_page(fin.get(address))
        assert record() == 422
        assert record(file=(BytesIO(PDF), "g.pdf"), amount="239999.99") == 422
        assert record(file=(BytesIO(PDF), "g.pdf")) == 303
        assert record(file=(BytesIO(PDF), "g.pdf")) == 422
        assert not duties_of(actors.fin(), "payments.guarantee")
        with ana.get(f"{address}/1/files/{sha256(PDF).hexdigest()}") as taken:
            assert taken.data == PDF
        services.decide(actors.otto(), made.id, DecisionInput(euros(240_000)))

        def end(reason: str) -> int:
            db.session.rollback()
            version = db.session.query(PaymentGuarantee).one().version
            return fin.post(f"{address}/end", data={"version": version, "reason": reason}).status_code

        assert end("Given back") == 422
        assert "neither covered" in fin.post(f"{address}/end", data={"version": 1, "reason": "Given back"}).text
        auditor, auditor_id = actors.client_of(app, actors.nuria()), actors.nuria().user_id
        assert auditor_id is not None
        with arranging():
            people.bar(auditor_id, "application", get(Grant, grant.grant_id).application_id)
        with auditor.get(f"{address}/1/files/{sha256(PDF).hexdigest()}") as refused:
            assert refused.status_code == 404
        assert auditor.get(address).status_code == 404


def recorded(app: Flask, found: World, until: str = "1 June 2026") -> str:
    """The guarantee of a grant, recorded by Fin; returns the address of its page."""
    funded(found, guarantee_asked=True)
    address = f"/grants/{found.reference}/guarantee"
    fields = {"version": get(Grant, found.grant_id).version, "guarantor": "Bank", "amount": "240000"}
    paper = {"valid_until": until, "file": (BytesIO(PDF), "g.pdf")}
    answer = actors.client_of(app, actors.fin()).post(f"{address}/record", data={**fields, **paper})
    assert answer.status_code == 303, answer.text
    return address


def test_the_stand_in_of_who_recorded_the_guarantee_does_not_decide_its_pre_financing(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    with clock.at(IN_FORCE):
        sam_id = actors.person("Sam Deputy")
        stands_in(actors.actor(sam_id), actors.fin(), days=5)
        recorded(app, grant)
    with clock.at(IN_FORCE + timedelta(days=10)):
        made = services.open_prefinancing(actors.program(), grant.grant_id)
        assert made is not None
        with arranging():
            people.role(sam_id, Role.AUTHORISING_OFFICER)
        with pytest.raises(Refused, match="count as one person"):
            services.decide(actors.actor(sam_id), made.id, DecisionInput(euros(240_000)))
        services.decide(actors.otto(), made.id, DecisionInput(euros(240_000)))


def test_an_expired_guarantee_is_a_duty_and_its_page_says_how_it_is_renewed(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    with clock.at(IN_FORCE):
        address = recorded(app, grant, "1 July 2023")
        services.open_prefinancing(actors.program(), grant.grant_id)
        fin = actors.fin()
        assert "It ends while nothing of the pre-financing is open" in actors.client_of(app, fin).get(address).text
    for day, waits in ((1, []), (2, ["Renew the guarantee for the pre-financing of WARM"])):
        with clock.at(datetime(2023, 7, day, 12, tzinfo=UTC)):
            assert [each.what for each in queries.duties(fin, NOW) if each.endpoint == "payments.guarantee"] == waits
    with clock.at(datetime(2023, 7, 2, 12, tzinfo=UTC)):
        shown = actors.client_of(app, fin).get(address)
        assert "secures nothing any more" in shown.text
        check_page(shown)


def test_a_guarantee_recorded_in_error_ends_and_another_is_recorded(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    with clock.at(IN_FORCE):
        fin = actors.client_of(app, actors.fin())
        address = f"/grants/{grant.reference}/guarantee"
        assert fin.get(address).status_code == 404
        funded(grant, guarantee_asked=True)
        typed = {"guarantor": "Bank", "amount": "240000", "valid_until": "1 June 2026"}
        for name in ("a.pdf", "b.pdf"):
            version = get(Grant, grant.grant_id).version
            fields = {"version": version, **typed, "file": (BytesIO(PDF), name)}
            assert fin.post(f"{address}/record", data=fields).status_code == 303
            assert fin.post(f"{address}/end", data={"version": 1, "reason": "The wrong paper"}).status_code == 303
        assert fin.get(address).text.count("The wrong paper") == 2
