"""A grant agreement on paper: its annexes, many beneficiaries, letters of every city, and what is not signed says so."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from time import perf_counter
from uuid import UUID, uuid4

from pypdf import PdfReader

from grants.agreements.rules import (
    AccessionSignatureView,
    AccessionView,
    AgreementText,
    BudgetLine,
    BudgetTable,
    Description,
    FlexibilityRule,
    Limits,
    PlanLine,
    PlannedMilestone,
    ReplyRule,
    ReplyTerms,
    ScheduleLine,
    SignatureView,
    SigningRule,
    text_hash,
)
from grants.agreements.rules.annexes import AnnexSection
from grants.agreements.rules.terms import NamedShare
from grants.agreements.states import PaymentKind, Side
from grants.core.money import Money, euros, total
from grants.documents.pdf import accessions
from grants.documents.pdf.agreements import agreement
from grants.documents.rules import AccessionSheet, AgreementSheet

CITY = "Αθήνα & <Łódź>"
CATEGORIES = ("Personnel", "Subcontracting", "Travel and subsistence", "Equipment", "Other goods", "Indirect costs")


def text_of(partners: int) -> AgreementText:
    """An agreement of so many beneficiaries with everything it can state."""
    share = euros(10_000)
    amounts = (euros(5_000), Money(100_001), euros(500), euros(999), euros(500), euros(2_000))
    lines = tuple(BudgetLine(f"{CITY} {number}", amounts, total(amounts), share) for number in range(1, partners + 1))
    sums = tuple(Money(amount.cents * partners) for amount in amounts)
    return AgreementText(
        agreement="PCP-2022-G-0017",
        application="PCP-2022-A-0017",
        call="Pilots of 2022",
        parent_grant="NZC, Horizon 2020 grant 101036519",
        title=f"Warm homes in {CITY}",
        coordinator=CITY,
        starts_on=date(2023, 6, 1),
        ends_before=date(2025, 6, 1),
        maximum=Money(share.cents * partners),
        amount_note=None,
        limits=Limits(euros(1), euros(3), euros(0)),
        beneficiaries=tuple(
            NamedShare(UUID(int=number), f"{CITY} {number}", "EL", number == 1, share)
            for number in range(1, partners + 1)
        ),
        milestones=(PlannedMilestone("Begin", "It began", date(2023, 7, 1)),),
        payments=(ScheduleLine(1, PaymentKind.PREFINANCING, None, euros(1), date(2023, 6, 1)),),
        version=1,
        signing=SigningRule(2, 1, ("Ana", "Bea")),
        special_conditions="Paid in two parts & no more.",
        description=Description(
            "Application PCP-2022-A-0017, version 2",
            "In short.",
            (AnnexSection("Impact", (("What changes?", "**Much**.\n\n- less <gas>\n- more light"),)),),
        ),
        work_plan=(PlanLine("WP1", "Heat", "package", CITY, "months 1 to 12"),),
        budget=BudgetTable(
            "Application PCP-2022-A-0017, version 2",
            CATEGORIES,
            lines,
            BudgetLine("All beneficiaries", sums, total(sums), Money(share.cents * partners)),
        ),
    )


def signed(text: AgreementText) -> AgreementSheet:
    at = datetime(2023, 5, 3, 9, tzinfo=UTC)
    given = tuple(
        SignatureView(side, uuid4(), name, "Mayor", at, text_hash(text), 1, power=f"Statute of {CITY}")
        for side, name in ((Side.CITY, "Ana"), (Side.CITY, "Bea"), (Side.PROGRAMME, "Ruth"))
    )
    return AgreementSheet(text, text_hash(text), "Version 1", "Version 1, in force from 3 May 2023", given)


def words(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]


def test_it_has_its_annexes_by_number_and_every_signature_with_its_power() -> None:
    found = "\n".join(words(agreement(signed(text_of(3)), synthetic=False)))

    for heading in ("Annex 1. Description", "Annex 2. Work plan", "Annex 3. Budget, EUR", "Annex 4. Payment schedule"):
        assert heading in found
    assert "Ana and Bea sign together" in found and "Paid in two parts & no more." in found
    assert " ".join(found.split()).count("By: Statute of Αθήνα & <Łódź>.") == 3
    assert "less <gas>" in found and "**" not in found
    # 3 x 1 000.01, to the cent.
    assert "3 000.03" in found


def test_what_is_not_signed_says_so_on_every_page() -> None:
    sheet = replace(signed(text_of(2)), standing="Offer 1, NOT SIGNED", signatures=())

    for page in words(agreement(sheet, synthetic=False)):
        assert "NOT SIGNED" in page


def test_the_same_text_gives_the_same_bytes_and_sixty_beneficiaries_take_no_two_seconds() -> None:
    sheet = signed(text_of(60))
    began = perf_counter()
    data = agreement(sheet, synthetic=True)
    took = perf_counter() - began

    assert data == agreement(sheet, synthetic=True)
    assert took < 2
    found = words(data)
    assert all(f"{CITY} {number}" in "\n".join(found) for number in (1, 31, 60))
    assert sum("Subcontracting" in page for page in found) > 1, "heads are repeated"


def test_a_text_of_before_annexes_has_its_schedule_without_a_number_and_keeps_its_hash() -> None:
    later = {name: None for name in ("version", "signing", "special_conditions", "description", "work_plan", "budget")}
    before = replace(text_of(2), **later)

    found = "\n".join(words(agreement(replace(signed(before), signatures=()), synthetic=False)))
    assert "Payment schedule" in found and "Annex" not in found
    # As this text was spelled and hashed before anything of the annexes was known.
    assert text_hash(before) == "3a6eed4eeb7096cdfc883205d04d8b34682393deb2980ec79c9ff2f6c953c66f"


def test_it_states_what_may_be_moved_and_until_when_requests_are_answered_and_breaks_no_day() -> None:
    milestone = PlannedMilestone("Heat pumps " * 30, "Every one of them is seen running. " * 20, date(2024, 12, 15))
    stated = replace(
        text_of(10),
        flexibility=FlexibilityRule(euros(10_000), euros(20_000), euros(100_000)),
        reply=ReplyTerms(ReplyRule(45, 10), 30),
        milestones=(milestone,),
    )
    given = "\n".join(words(agreement(signed(stated), synthetic=False)))

    found = " ".join(given.split())
    assert "EUR 10 000.00 (10 %) in all freely" in found and "answered within 45 calendar days" in found
    assert "15 Dec 2024" in given.replace("\N{NO-BREAK SPACE}", " ")


def test_an_offer_has_room_for_everybody_who_signs_it_by_hand() -> None:
    offer = replace(signed(text_of(3)), signatures=(), places=((Side.CITY, 2), (Side.PROGRAMME, 1)))
    given = " ".join(" ".join(words(agreement(offer, synthetic=False))).split())

    for place in ("For the coordinator, 1.", "For the coordinator, 2.", "For the programme, 1."):
        assert given.count(place) == 1, place
    assert "Nobody has signed this text of grant agreement PCP-2022-G-0017" in given


def test_a_partner_finds_a_form_and_afterwards_its_accession_with_its_signature() -> None:
    text, now = text_of(3), datetime(2023, 6, 2, 9, tzinfo=UTC)
    view = AccessionView(uuid4(), 1, UUID(int=2), f"{CITY} 2", date(2023, 7, 1))
    one = AccessionSheet(text, text_hash(text), 1, date(2023, 6, 1), view)
    form = " ".join(" ".join(words(accessions.form(one, synthetic=True))).split())
    assert f"Accession form of {CITY} 2" in form and "EUR 10 000.00" in form and form.count("Signature") >= 4
    assert form.count("holds synthetic data") == 1 and text_hash(text) in form.replace(" ", "")
    given = AccessionSignatureView(
        uuid4(), "Ελένη Δημάρχου", "Mayor", now, 1, text_hash(text), uuid4(), "Statute", date(2023, 6, 1), now
    )
    made = replace(view, acceded_at=now, acceded_version=1, signatures=(given,))
    done = " ".join(" ".join(words(accessions.accession(replace(one, accession=made), synthetic=False))).split())
    assert "Ελένη Δημάρχου, Mayor, 1 June 2023, on a signed document" in done and "acceded on 2 June 2023." in done
    assert accessions.form(one, synthetic=True) == accessions.form(one, synthetic=True)
