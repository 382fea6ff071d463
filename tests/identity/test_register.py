"""The register of organisations: facts stated, validated, changed; numbers read; entries that look alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.core import clock
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity import queries, services
from grants.identity.rules import (
    VAT_FORMS,
    Entry,
    Fact,
    OrganisationInput,
    ValidationInput,
    alike,
    name_key,
    pairs_alike,
    vat_number,
)
from grants.identity.states import DoubleVerdict, FactKind, FactStanding, OrganisationKind, Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.html import check_page
from tests.statements import statements

NOW = datetime(2027, 3, 3, 9, tzinfo=UTC)
TODAY = date(2027, 3, 3)
SEEN = ValidationInput("Extract of the national register", TODAY)
NORTH = OrganisationInput(
    actors.NORTHBRIDGE, OrganisationKind.MUNICIPALITY, "PL", town="Northbridge", street="Market 1", vat="PL 123-45-67-890",
    public_body=True, legal_form="Municipality", registration="REGON 000123456", synthetic=True,
)  # fmt: skip


# Numbers


@pytest.mark.parametrize(
    ("typed", "country", "read"),
    [
        ("atu 1234.5678", "AT", "ATU12345678"),
        ("0123456789", "BE", "BE0123456789"),
        ("EL123456789", "GR", "EL123456789"),
        ("GR123456789", "GR", "EL123456789"),
        ("X1234567Y", "ES", "ESX1234567Y"),
        ("NL001234567B01", "NL", "NL001234567B01"),
        ("123\u00a045\u202f67 890", "PL", "PL1234567890"),
        ("PL12", "PL", None),
        ("DE12345678", "DE", None),
        ("DE١٢٣٤٥٦٧٨٩", "DE", None),
        ("NO 123 456 789", "NO", "NO123456789"),
        ("=1+1", "NO", None),
    ],
)
def test_a_vat_number_has_the_form_of_its_country(typed: str, country: str, read: str | None) -> None:
    assert vat_number(typed, country) == read


@given(st.sampled_from(sorted(VAT_FORMS)), st.data())
def test_a_vat_number_read_once_reads_as_itself(country: str, data: st.DataObject) -> None:
    rest = data.draw(
        st.from_regex(VAT_FORMS[country].pattern, fullmatch=True, alphabet=st.characters(max_codepoint=127))
    )

    read = vat_number(rest, country)

    assert read is not None
    assert vat_number(read, country) == read


# Looking alike


def entry(name: str, country: str = "PL", number: int = 1, **more: str) -> Entry:
    return Entry(UUID(int=number), name, country, **more)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (entry("Gmina Miasto Łódź"), entry("City of Lodz"), "Nearly the same name"),
        (entry("Municipality of Northbridge"), entry("Northbrigde municipality"), "Nearly the same name"),
        (entry("City of Lyon", "FR"), entry("City of Lyon", "BE"), ""),
        (entry("Ana", "PL", pic="123456789"), entry("Otto", "DE", pic="123456789"), "The same PIC"),
        (entry("Ana", vat="PL1234567890"), entry("Otto", vat="PL1234567890"), "The same VAT number"),
        (entry("City of Gent", "BE"), entry("City of Genk", "BE"), ""),
        (entry("Municipality"), entry("Commune"), ""),
    ],
)
def test_entries_look_alike_by_number_or_by_the_telling_words_of_a_name(one: Entry, other: Entry, why: str) -> None:
    assert alike(one, other) == why
    assert alike(other, one) == why


@given(st.text(min_size=1, max_size=60))
def test_a_name_is_always_like_itself(name: str) -> None:
    assert alike(entry(name), entry(name, number=2)) == ("Nearly the same name" if name.strip() else "")
    assert name_key(name) == name_key(name.upper()) or name.upper().casefold() != name.casefold()


def test_pairs_are_named_once() -> None:
    three = [
        entry("City of Lyon", "FR", 1, pic="123456789"),
        entry("Lyon", "FR", 2, pic="123456789"),
        entry("X", "FR", 3),
    ]

    ((one, other, why),) = pairs_alike(three)

    assert (one.id.int, other.id.int, why) == (1, 2, "The same PIC")


# How far a fact stands


def test_a_ror_id_has_its_check_number_and_is_kept_in_one_spelling(north: UUID) -> None:
    values = OrganisationInput("Institute", OrganisationKind.RESEARCH, "FI", ror="https://ror.org/052gg0111")
    with pytest.raises(Invalid) as refused:
        values.checked()
    assert "This is no ROR iD." in refused.value.problems["ror"]

    services.edit_organisation(actors.ana(), north, replace(NORTH, ror="https://ror.org/052GG0110"))

    held = {fact.kind: fact.value for fact in queries.facts(north)}
    assert held[FactKind.ROR] == "052gg0110"


def test_a_fact_nobody_validated_says_so() -> None:
    assert Fact(FactKind.PIC, "123456789").standing(TODAY) is FactStanding.NOT_VALIDATED
    assert Fact(FactKind.PIC, "").standing(TODAY) is FactStanding.MISSING


@pytest.fixture
def north(app: Flask) -> UUID:
    """Northbridge after its own lead said what it is."""
    # Two people in one test: the secret against forged requests is of one browser at a time.
    app.config["WTF_CSRF_ENABLED"] = False
    ana = actors.ana()
    (organisation_id,) = ana.organisation_ids
    with clock.at(NOW):
        services.edit_organisation(ana, organisation_id, NORTH)
    return organisation_id


def fact(organisation_id: UUID, kind: FactKind) -> Fact:
    return next(each for each in queries.facts(organisation_id) if each.kind is kind)


def standing(organisation_id: UUID, kind: FactKind, on: date = TODAY) -> FactStanding:
    return fact(organisation_id, kind).standing(on)


def test_what_an_organisation_says_of_itself_is_not_validated(north: UUID) -> None:
    vat = fact(north, FactKind.VAT)

    assert (vat.value, vat.standing(TODAY)) == ("PL1234567890", FactStanding.NOT_VALIDATED)
    assert vat.last is not None
    assert (vat.last.source, vat.last.person) == ("Stated by the organisation", "Ana Kowalska")
    assert fact(north, FactKind.PUBLIC_BODY).shown == "Yes"
    assert fact(north, FactKind.REGISTERED_ADDRESS).value == "Market 1, Northbridge, PL"


def test_staff_validate_a_fact_with_evidence_day_and_end(north: UUID) -> None:
    until = date(2028, 3, 3)
    with clock.at(NOW):
        services.validate_fact(
            actors.pia(), north, FactKind.VAT, "PL1234567890", ValidationInput("VIES, printed", TODAY, until)
        )

    found = fact(north, FactKind.VAT).validated
    assert found is not None
    assert (found.person, found.validated_on, found.valid_until) == ("Pia Officer", TODAY, until)
    assert standing(north, FactKind.VAT) is FactStanding.VALIDATED
    assert standing(north, FactKind.VAT, until) is FactStanding.EXPIRED
    verbs = set(db.session.scalars(db.select(AuditEvent.verb).where(AuditEvent.object_kind == "organisation_fact")))
    assert "organisation.validate" in verbs


def test_a_validated_fact_that_is_changed_is_not_validated_and_the_earlier_one_stays(north: UUID) -> None:
    with clock.at(NOW):
        services.validate_fact(actors.pia(), north, FactKind.VAT, "PL1234567890", SEEN)
        services.validate_fact(actors.pia(), north, FactKind.LEGAL_FORM, "Municipality", SEEN)
        services.edit_organisation(actors.ana(), north, replace(NORTH, vat="PL1111111111"))

    changed = fact(north, FactKind.VAT)
    assert (changed.value, changed.standing(TODAY)) == ("PL1111111111", FactStanding.CHANGED)
    assert changed.validated is not None and changed.validated.value == "PL1234567890"
    assert standing(north, FactKind.LEGAL_FORM) is FactStanding.VALIDATED
    values = [line.value for line in queries.fact_history(north, Page()).items if line.kind is FactKind.VAT]
    assert values == ["PL1111111111", "PL1234567890", "PL1234567890"]


def test_what_stood_before_changes_were_kept_is_not_lost(app: Flask) -> None:
    ana = actors.ana()
    (organisation_id,) = ana.organisation_ids

    services.edit_organisation(ana, organisation_id, replace(NORTH, name="Northbridge on the Narew"))

    lines = [line for line in queries.fact_history(organisation_id, Page()).items if line.kind is FactKind.LEGAL_NAME]
    assert [(line.value, line.person) for line in lines] == [
        ("Northbridge on the Narew", "Ana Kowalska"),
        (actors.NORTHBRIDGE, ""),
    ]


@pytest.mark.parametrize("after", ["9" * 10, "9" * 5_000, "²"])
def test_a_history_asked_for_after_no_number_it_can_have_begins_anew(north: UUID, after: str) -> None:
    assert queries.fact_history(north, Page(after=after)).items == queries.fact_history(north, Page()).items != ()


def test_a_fact_that_goes_back_to_the_validated_value_still_waits_for_staff(north: UUID) -> None:
    with clock.at(NOW):
        services.validate_fact(actors.pia(), north, FactKind.VAT, "PL1234567890", SEEN)
        services.edit_organisation(actors.ana(), north, replace(NORTH, vat=None))
        assert standing(north, FactKind.VAT) is FactStanding.CHANGED
        services.edit_organisation(actors.ana(), north, NORTH)

    assert standing(north, FactKind.VAT) is FactStanding.NOT_VALIDATED


def test_nobody_validates_the_own_word(north: UUID) -> None:
    ingrid = actors.ingrid()
    with clock.at(NOW):
        services.edit_organisation(ingrid, north, replace(NORTH, website="https://north.example"))

        with pytest.raises(Refused, match="You entered this fact yourself"):
            services.validate_fact(ingrid, north, FactKind.WEBSITE, "https://north.example", SEEN)
        services.validate_fact(actors.pia(), north, FactKind.WEBSITE, "https://north.example", SEEN)


def test_an_own_word_stays_one_whatever_a_colleague_did_with_it(north: UUID) -> None:
    ingrid, pia, shown = actors.ingrid(), actors.pia(), "https://north.example"
    with clock.at(NOW):
        services.edit_organisation(ingrid, north, replace(NORTH, website=shown))
        services.validate_fact(pia, north, FactKind.WEBSITE, shown, SEEN)
        with pytest.raises(Refused, match="You entered this fact yourself"):
            services.validate_fact(ingrid, north, FactKind.WEBSITE, shown, SEEN)
        services.withdraw_validation(pia, north, FactKind.WEBSITE, "Another town has it.")

        with pytest.raises(Refused, match="You entered this fact yourself"):
            services.validate_fact(ingrid, north, FactKind.WEBSITE, shown, SEEN)
        services.validate_fact(pia, north, FactKind.WEBSITE, shown, SEEN)


def test_the_page_offers_no_validation_to_whoever_may_not_and_says_why(app: Flask, north: UUID) -> None:
    ingrid, shown = actors.ingrid(), "https://north.example"
    with clock.at(NOW):
        services.edit_organisation(ingrid, north, replace(NORTH, website=shown))
        services.validate_fact(actors.pia(), north, FactKind.WEBSITE, shown, SEEN)
        page = f"/organisations/{queries.slug_of(queries.organisation(north))}"
        link = f"{page}/facts/website"

        for reader, offered in ((ingrid, False), (actors.pia(), True)):
            browser = actors.client_of(app, reader)
            hub, fact = browser.get(page).text, browser.get(link).text
            assert (f'href="{link}"' in hub, "You entered this fact yourself" in hub) == (offered, not offered)
            assert ("Validate this fact" in fact, "You entered this fact yourself" in fact) == (offered, not offered)
        # One statement says of every fact what is said of one.
        stated = queries.statements_of(north)
        assert {kind: queries.stated_by(north, kind) for kind in stated} == stated and len(stated) > 3


def test_a_fact_another_one_stated_anew_is_not_the_own_word_any_more(north: UUID) -> None:
    ingrid = actors.ingrid()
    with clock.at(NOW):
        services.edit_organisation(ingrid, north, replace(NORTH, vat="PL1111111111"))
        services.edit_organisation(actors.ana(), north, NORTH)

        services.validate_fact(ingrid, north, FactKind.VAT, "PL1234567890", SEEN)

    assert standing(north, FactKind.VAT) is FactStanding.VALIDATED


def test_nobody_of_an_organisation_validates_its_facts(north: UUID) -> None:
    pam = actors.actor(actors.person("Pam Insider", Role.PROJECT_OFFICER, organisation_name=actors.NORTHBRIDGE))
    assert north in pam.organisation_ids

    with clock.at(NOW), pytest.raises(Refused, match="You belong to this organisation"):
        services.validate_fact(pam, north, FactKind.VAT, "PL1234567890", SEEN)


def test_only_what_was_looked_at_is_validated(north: UUID) -> None:
    with clock.at(NOW), pytest.raises(Conflict, match="It now says “PL1234567890”"):
        services.validate_fact(actors.pia(), north, FactKind.VAT, "PL1111111111", SEEN)
    with clock.at(NOW), pytest.raises(Refused, match="no PIC to validate"):
        services.validate_fact(actors.pia(), north, FactKind.PIC, "", SEEN)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (replace(SEEN, source="  "), "source"),
        (replace(SEEN, checked_on=date(2027, 3, 4)), "checked_on"),
        (replace(SEEN, valid_until=TODAY), "valid_until"),
    ],
)
def test_a_validation_needs_evidence_and_days_in_order(north: UUID, wrong: ValidationInput, field: str) -> None:
    with clock.at(NOW), pytest.raises(Invalid) as caught:
        services.validate_fact(actors.pia(), north, FactKind.VAT, "PL1234567890", wrong)
    assert set(caught.value.problems) == {field}


def test_a_validation_is_taken_back_with_a_reason(north: UUID) -> None:
    with clock.at(NOW):
        services.validate_fact(actors.pia(), north, FactKind.VAT, "PL1234567890", SEEN)
        with pytest.raises(Invalid, match="reason"):
            services.withdraw_validation(actors.pia(), north, FactKind.VAT, " ")
        services.withdraw_validation(actors.pia(), north, FactKind.VAT, "The extract was of another town.")
        with pytest.raises(Refused, match="not validated now"):
            services.withdraw_validation(actors.pia(), north, FactKind.VAT, "Again.")

    assert standing(north, FactKind.VAT) is FactStanding.NOT_VALIDATED


def test_the_organisation_itself_validates_nothing(north: UUID) -> None:
    with pytest.raises(NotAllowed):
        services.validate_fact(actors.ana(), north, FactKind.VAT, "PL1234567890", SEEN)
    with pytest.raises(NotAllowed):
        services.decide_double(actors.ana(), north, north, DoubleVerdict.SAME, "Mine.")


def test_a_vat_number_of_another_form_is_refused_with_the_form(app: Flask) -> None:
    ana = actors.ana()
    (organisation_id,) = ana.organisation_ids

    with pytest.raises(Invalid) as caught:
        services.edit_organisation(ana, organisation_id, replace(NORTH, vat="12"))

    assert caught.value.problems["vat"].startswith(
        "This is not how a VAT number is written there. In PL it is written PL and 10 digits."
    )


# Two entries


def pair(name: str = "Northbridge City") -> UUID:
    return services.add_organisation(
        actors.ada(), OrganisationInput(name, OrganisationKind.MUNICIPALITY, "PL", synthetic=True)
    ).id


def test_a_person_says_that_two_entries_are_one_and_nothing_is_merged(north: UUID) -> None:
    twin = pair()
    assert [(each.second.id, each.why) for each in queries.pairs_to_decide(actors.pia())] == [
        (twin, "Nearly the same name")
    ]

    services.decide_double(actors.pia(), twin, north, DoubleVerdict.SAME, "The same town hall.")

    assert queries.pairs_to_decide(actors.pia()) == ()
    assert queries.organisation(twin).same_as_id == north
    assert twin not in {each.id for each in queries.choosable_organisations(actors.marek())}
    assert not queries.may_choose_organisation(actors.marek(), twin)
    (found,) = queries.looking_alike(actors.pia(), queries.organisation(north))
    assert (found.view.id, found.verdict, found.reason) == (twin, DoubleVerdict.SAME, "The same town hall.")

    services.decide_double(actors.pia(), north, twin, DoubleVerdict.APART, "Two after all.")

    assert queries.organisation(twin).same_as_id is None
    assert queries.may_choose_organisation(actors.marek(), twin)


def test_entries_never_point_in_a_chain_or_between_real_and_invented(north: UUID) -> None:
    pia, twin = actors.pia(), pair()
    third = pair("Northbridge Town")
    real = services.add_organisation(
        actors.ada(), OrganisationInput("Northbridge, Municipality", OrganisationKind.MUNICIPALITY, "PL")
    ).id
    services.decide_double(pia, twin, north, DoubleVerdict.SAME, "One.")

    with pytest.raises(Refused, match="points to another entry itself"):
        services.decide_double(pia, third, twin, DoubleVerdict.SAME, "One.")
    with pytest.raises(Refused, match="points to another one already"):
        services.decide_double(pia, twin, third, DoubleVerdict.SAME, "One.")
    with pytest.raises(Refused, match="Other entries point to"):
        services.decide_double(pia, north, third, DoubleVerdict.SAME, "One.")
    with pytest.raises(Refused, match="invented for the demo"):
        services.decide_double(pia, real, north, DoubleVerdict.SAME, "One.")
    with pytest.raises(Refused, match="the same as itself"):
        services.decide_double(pia, north, north, DoubleVerdict.SAME, "One.")


# Pages


def slug(organisation_id: UUID) -> str:
    return queries.slug_of(queries.organisation(organisation_id))


def test_its_own_lead_changes_facts_and_staff_validate_them_without_a_script(app: Flask, north: UUID) -> None:
    own, office = actors.client_of(app, actors.ana()), actors.client_of(app, actors.pia())
    address = f"/organisations/{slug(north)}"

    refused = send(own, "/organisation", vat="PL12", pic="123456789")
    assert refused.status_code == 422
    assert "PL and 10 digits" in text_of(refused)
    assert 'value="PL12"' in refused.text
    assert send(own, "/organisation", vat="PL 12 34 56 78 90", pic="123456789").status_code == 303
    shown = text_of(own.get(address))
    assert "PL1234567890 Not validated" in shown
    assert "Validate the PIC" not in shown

    assert send(office, f"{address}/facts/pic", source="").status_code == 422
    overtaken = send(office, f"{address}/facts/pic", source="The participant register", shown="111111111")
    assert "It now says “123456789”. What you typed stands below" in text_of(overtaken)
    assert 'value="The participant register"' in overtaken.text and 'value="123456789"' in overtaken.text
    assert send(office, f"{address}/facts/pic", source="The participant register").status_code == 303
    assert "123456789 Validated by Pia Officer on" in text_of(office.get(address))
    assert "Changed, not validated" not in text_of(office.get(address))
    assert send(own, "/organisation", pic="987654321").status_code == 303
    assert "987654321 Changed, not validated" in text_of(office.get(address))
    assert "Earlier: “123456789”, validated by Pia Officer" in text_of(office.get(address))


def test_a_validation_is_taken_back_on_its_page(app: Flask, north: UUID) -> None:
    office = actors.client_of(app, actors.pia())
    address = f"/organisations/{slug(north)}/facts/vat"
    send(office, address, source="VIES")

    assert send(office, address, to=f"{address}/withdraw", reason="").status_code == 422
    assert send(office, address, to=f"{address}/withdraw", reason="Another town").status_code == 303
    assert standing(north, FactKind.VAT, date(2100, 1, 1)) is FactStanding.NOT_VALIDATED
    assert office.get(f"/organisations/{slug(north)}/facts/nonsense").status_code == 404


def test_two_entries_are_decided_about_on_a_page(app: Flask, north: UUID) -> None:
    office, twin = actors.client_of(app, actors.pia()), pair()
    assert "Northbridge City" in text_of(office.get("/admin/organisations/doubles"))
    address = f"/organisations/{slug(twin)}/same/{slug(north)}"
    with statements() as seen:
        office.get(address)

    assert len(seen) <= 8
    assert send(office, address, reason="").status_code == 422
    assert send(office, address, verdict="same", reason="The same town hall.").status_code == 303
    assert "This entry points to another one" in text_of(office.get(f"/organisations/{slug(twin)}"))
    assert "Nothing to decide" in text_of(office.get("/admin/organisations/doubles"))


def test_the_list_finds_by_any_spelling_and_by_number_and_goes_on_by_key(app: Flask, north: UUID) -> None:
    client = actors.client_of(app, actors.eli())
    for words in ("NORTHBRÍDGE", "PL 1234567890"):
        assert actors.NORTHBRIDGE in text_of(client.get("/admin/organisations", query_string={"q": words}))
    pair("Northbridge City")

    first = queries.organisation_rows(actors.eli(), Page(size=1))
    second = queries.organisation_rows(actors.eli(), Page(size=1, after=first.next_key))

    assert first.items[0].view.id != second.items[0].view.id


def who_may_not(app: Flask) -> list[Actor]:
    return [actors.marek(), actors.eva(), actors.emil()]


def test_others_do_not_read_an_organisation(app: Flask, north: UUID) -> None:
    address = f"/organisations/{slug(north)}"
    for person in who_may_not(app):
        assert actors.client_of(app, person).get(address).status_code in (403, 404)
        with pytest.raises(NotFound):
            queries.register_entry(person, slug(north))
    assert actors.client_of(app, actors.eli()).get(address).status_code == 200


def test_the_page_of_an_organisation_costs_as_much_with_a_long_history(app: Flask, north: UUID) -> None:
    client, address = actors.client_of(app, actors.pia()), f"/organisations/{slug(north)}"
    with statements() as few:
        check_page(client.get(address))
    for number in range(10):
        services.edit_organisation(actors.ana(), north, replace(NORTH, registration=f"REGON {number}"))
    with statements() as many:
        check_page(client.get(address))

    assert len(many) == len(few) <= 15
