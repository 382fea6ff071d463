"""An amendment signed by uploaded documents: through the same code as the agreement itself, applied at the last accepted signature."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from grants.agreements import queries, rules, services
from grants.agreements.rules import BudgetShift, Move, UploadedSigner, UploadInput, UploadView
from grants.agreements.states import (
    AmendmentState,
    OfferedPages,
    OfferEnd,
    Side,
    SignatureMethod,
    UploadKind,
    UploadState,
)
from grants.core import clock, files
from grants.core.errors import Invalid, Problems, Refused
from grants.core.money import euros
from grants.core.permissions import Permission, system_actor
from grants.documents import services as documents
from grants.oversight.queries import verify_ledger
from tests import actors
from tests.agreements.amending import GOODS, NOW, STAFF, TODAY, Amended, maxima, mayor, shares, view_of
from tests.agreements.conftest import tie
from tests.agreements.test_amendments import LONGER, accepted, open_commitment, signed, state_of
from tests.applications.pages import text_of
from tests.awards.test_uploading import incoming
from tests.documents.certificates import signed as with_signature
from tests.factories.applications import PDF

READER = system_actor("the program", (Permission.AGREEMENT_READ,))


def scan(actor: object, day: date = TODAY) -> UploadInput:
    user_id = getattr(actor, "user_id", None)
    assert user_id is not None
    return UploadInput(UploadKind.SCAN, (UploadedSigner(user_id, "", "Mayor", day),), "Archive, room 12")


def of_city(found: Amended, given: UploadInput | None = None, data: bytes = PDF) -> UploadView:
    """By the mayor, and read by the job."""
    services.upload_signed_city(mayor(), found.grant_id, given or scan(mayor()), incoming(data))
    return read(found)


def of_programme(found: Amended) -> UploadView:
    services.upload_signed(actors.ingrid(), found.grant_id, Side.PROGRAMME, scan(actors.greta()), incoming(PDF))
    return read(found)


def read(found: Amended) -> UploadView:
    view = queries.signed_uploads(found.grant_id)[-1]
    documents.print_agreement_offer(READER, found.grant_id, view.offer_no)
    documents.read_signatures(READER, view.id)
    return queries.signed_uploads(found.grant_id)[-1]


def accept(found: Amended, number: int) -> bool:
    return services.accept_signed(actors.pia(), found.grant_id, number, words="Every page compared by eye.")


def test_two_accepted_documents_bring_an_amendment_into_force_with_its_money(found: Amended) -> None:
    with clock.at(NOW):
        moved = Move(euros(40_000), found.city_id, STAFF, found.agency_id, GOODS)
        number = accepted(found, BudgetShift(shares(found, 350_000, 250_000), (moved,)))
        electronic = UploadInput(UploadKind.QUALIFIED, scan(mayor()).signers)
        offered = files.path(documents.print_agreement_offer(READER, found.grant_id, 2)).read_bytes()
        city = of_city(found, electronic, with_signature(offered, "Maya Mayor"))
        assert city.findings is not None and city.findings.pages is OfferedPages.WHOLE and city.of == "offer 2"
        duties = [each.what for each in queries.duties(actors.pia(), clock.now())]
        assert any("Check the signed amendment" in each for each in duties)
        assert accept(found, city.number) is False
        assert state_of(found, number) is AmendmentState.OFFERED and maxima(found) == [400_000, 200_000]

        assert accept(found, of_programme(found).number) is True

    assert state_of(found, number) is AmendmentState.IN_FORCE and maxima(found) == [350_000, 250_000]
    assert open_commitment(found) == {found.city_id: 350_000, found.agency_id: 250_000}
    grant = view_of(found)
    assert [each.number for each in grant.versions] == [1, 2] and grant.stands == 2
    assert {(each.side, each.method) for each in grant.signatures} == {
        (side, SignatureMethod.UPLOADED) for side in Side
    }
    assert verify_ledger() == ()


def test_one_side_may_sign_here_and_the_other_outside(found: Amended) -> None:
    with clock.at(NOW):
        number = accepted(found, LONGER)
        spelled = rules.text_hash(queries.offered_text(found.grant_id, 2))
        services.sign_amendment_for_city(mayor(), found.grant_id, number, capacity="Mayor", document_sha256=spelled)
        with pytest.raises(Refused, match="already signed for the coordinator"):
            of_city(found)
        assert accept(found, of_programme(found).number) is True
    assert state_of(found, number) is AmendmentState.IN_FORCE


def test_who_stands_in_for_somebody_who_signed_a_document_does_not_check_it(found: Amended) -> None:
    with clock.at(NOW):
        amendment = accepted(found, LONGER)
        view = of_programme(found)
        tie(actors.pia().user_id, actors.greta().user_id)
        with pytest.raises(Refused, match="the two of you count as one person"):
            accept(found, view.number)
    assert state_of(found, amendment) is AmendmentState.OFFERED


def test_a_document_raced_by_signatures_here_is_accepted_no_more(found: Amended) -> None:
    with clock.at(NOW):
        number = accepted(found, LONGER)
        view = of_city(found)
        signed(found, number)
        assert not rules.stands(view, view_of(found))
        with pytest.raises(Refused, match="not offered for signature"):
            accept(found, view.number)
        services.withdraw_signed(mayor(), found.grant_id, view.number, words="Signed here meanwhile.")
    assert queries.signed_uploads(found.grant_id)[-1].state is UploadState.WITHDRAWN
    assert len(view_of(found).signatures) == 2


def test_one_that_was_withdrawn_meanwhile_or_is_another_offer_counts_for_nothing(found: Amended) -> None:
    with clock.at(NOW):
        number = accepted(found, LONGER)
        view = of_city(found)
        services.withdraw_amendment(actors.ana(), found.grant_id, number, reason="The site opened.")
        with pytest.raises(Refused, match="not offered for signature"):
            accept(found, view.number)
        accepted(found, LONGER)
        with pytest.raises(Refused, match="belongs to another offer"):
            accept(found, view.number)
        assert accept(found, of_city(found).number) is False
    ends = [each.ended_why for each in view_of(found).offers]
    assert ends == [OfferEnd.SIGNED, OfferEnd.WITHDRAWN, None]


def test_what_the_grant_can_bear_no_more_is_not_applied_by_a_document(found: Amended) -> None:
    with clock.at(NOW):
        accepted(found, LONGER)
        accept(found, of_city(found).number)
        last = of_programme(found)
    # The parent grant ends before the new end by then, seen from a day after it.
    with clock.at(NOW.replace(year=2026)), pytest.raises(Problems):
        accept(found, last.number)
    assert view_of(found).stands == 1


def test_a_day_before_the_offer_is_refused(found: Amended) -> None:
    with clock.at(NOW):
        accepted(found, LONGER)
        with pytest.raises(Invalid):
            of_city(found, scan(mayor(), clock.add_days(TODAY, -1)))
        assert not queries.signed_uploads(found.grant_id)


def test_the_page_of_an_amendment_leads_to_its_paper_and_to_the_upload(app: Flask, found: Amended) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(NOW):
        number = accepted(found, LONGER)
        maya = actors.client_of(app, mayor())
        place = f"/grants/{found.reference}/amendments/{number}"
        assert "is being made" in text_of(maya.get(place))
        documents.print_agreement_offer(READER, found.grant_id, 2)
        page = text_of(maya.get(place))
        assert "Read it on paper before you sign" in page and "Upload one signed for the coordinator" in page
        assert "Upload one signed for the programme" not in page
        assert "offer 2" in text_of(maya.get(f"/grants/{found.reference}/signed/new/city"))
        assert maya.get(f"/grants/{found.reference}/signed/new/programme").status_code == 403
        signed(found, number)
        assert "What was offered" in text_of(maya.get(place))
