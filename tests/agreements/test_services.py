"""Preparation, accounts, offer and signature through acts on the demo's data, refusals included."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.agreements import queries, rules, services
from grants.agreements.rules import ContactInput, DismissInput, PlannedMilestone, Share, Terms
from grants.agreements.states import BankAccountState, ContactRole, GrantState, Side
from grants.applications import queries as applications
from grants.applications.models import Application, ApplicationPartner
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.faults import Fault
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.core.paging import Page
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.demo.preparing import meet_conditions
from grants.documents import services as documents
from grants.identity import queries as identity
from grants.identity.models import Organisation, User
from grants.identity.policy import Role
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.payments import queries as payments
from grants.payments.rules import close_refusal, payment_notes
from grants.reporting import queries as reports
from tests import actors
from tests.agreements.accounts import called_back, enter
from tests.agreements.conftest import CLOSED, IN_FORCE, IN_PREPARATION, Find, actor, by_mail, colleague, hold, sides_of
from tests.awards.at_once import at_once

IBAN, OTHER = "GR1601101250000000012300695", "BE68539007547034"


def finished(grant: Find) -> rules.GrantView:
    """The grant in preparation with every condition met."""
    found = grant(IN_PREPARATION)
    meet_conditions(found.id, sides_of(found))
    proposed = queries.proposed_account(found.coordinator_id)
    assert proposed is not None
    services.confirm_account(actor("accountant"), found.id, proposed.id, called_back())
    return grant(IN_PREPARATION)


def offered(grant: Find) -> rules.GrantView:
    found = finished(grant)
    services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    return grant(IN_PREPARATION)


def test_only_who_holds_an_accepted_power_to_sign_signs_for_the_city(grant: Find) -> None:
    found = offered(grant)
    colleague(found.coordinator_id, "Nina New", "nina@neochora.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Nina New", "nina@neochora.example", ContactRole.SIGNATORY)
    )
    nina = replace(by_mail("nina@neochora.example"), fresh=True)

    with pytest.raises(Refused, match="No accepted power to sign"):
        services.sign_city(nina, found.id, capacity="Deputy", document_sha256=hash_of(found))
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))


def hash_of(found: rules.GrantView) -> str:
    return rules.text_hash(queries.text_of(found))


def test_a_grant_begins_with_terms_that_follow_from_application_and_call(grant: Find) -> None:
    found = grant(IN_PREPARATION)

    assert found.state is GrantState.PREPARATION
    assert found.maximum == euros(400_000)
    assert found.limits.prefinancing == euros(160_000)
    assert next(line.planned for line in found.schedule) == found.limits.prefinancing - found.limits.retention
    assert len(found.checks) == len(rules.DUE_DILIGENCE)


def test_an_application_is_prepared_once(grant: Find) -> None:
    found = grant(IN_PREPARATION)

    with pytest.raises(Refused, match="in preparation"):
        services.prepare(actor("officer"), found.application_id, starts_on=date(2027, 1, 1))


def test_maxima_above_the_reserve_are_refused_and_nothing_changes(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    shares = tuple(Share(each.organisation_id, each.maximum + Money(1)) for each in found.beneficiaries)
    terms = Terms(found.starts_on, 24, shares, (PlannedMilestone("Begin", "It began", found.starts_on),))

    with pytest.raises(Invalid, match="cannot stand"):
        services.set_terms(actor("officer"), found.id, terms)
    assert grant(IN_PREPARATION) == found


def test_lower_maxima_lower_every_limit_and_the_schedule(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    shares = (Share(found.coordinator_id, euros(100_000)),)
    terms = Terms(found.starts_on, 12, shares, (PlannedMilestone("Begin", "It began", found.starts_on),))

    services.set_terms(actor("officer"), found.id, terms, version=found.version)

    now = grant(IN_PREPARATION)
    assert (now.maximum, now.limits.prefinancing) == (euros(100_000), euros(40_000))
    assert sum(line.planned.cents for line in now.schedule) == euros(100_000).cents
    assert [each.title for each in now.milestones] == ["Begin"]


def test_a_stale_form_of_terms_is_a_conflict(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    terms = Terms(
        found.starts_on, 24, (Share(found.coordinator_id, euros(1)),), (PlannedMilestone("A", "B", found.starts_on),)
    )
    services.set_terms(actor("officer"), found.id, terms, version=found.version)

    with pytest.raises(Conflict):
        services.set_terms(actor("officer"), found.id, terms, version=found.version)


def test_the_person_who_entered_an_account_cannot_confirm_it(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    enter(actor("initiator"), found.id, OTHER)
    hold("initiator", Role.FINANCE_VERIFIER)
    proposed = queries.proposed_account(found.coordinator_id)
    assert proposed is not None

    with pytest.raises(Refused, match="another person"):
        services.confirm_account(actor("initiator"), found.id, proposed.id, called_back())


def test_a_new_account_waits_while_the_confirmed_one_stands(grant: Find) -> None:
    found = finished(grant)

    enter(actor("initiator"), found.id, OTHER)

    assert found.account is not None
    assert [row.state for row in queries.accounts(found.coordinator_id)][:2] == [
        BankAccountState.PROPOSED,
        BankAccountState.CONFIRMED,
    ]
    proposed = queries.proposed_account(found.coordinator_id)
    assert proposed is not None
    services.confirm_account(actor("accountant"), found.id, proposed.id, called_back())
    assert [row.iban for row in queries.accounts(found.coordinator_id, states=(BankAccountState.CONFIRMED,))] == [OTHER]


def test_a_fault_in_the_check_of_two_people_confirms_nothing(grant: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    found = grant(IN_PREPARATION)
    proposed = queries.proposed_account(found.coordinator_id)
    assert proposed is not None
    monkeypatch.setenv("GRANTS_FAULT", "four_eyes")

    with pytest.raises(Fault):
        services.confirm_account(actor("accountant"), found.id, proposed.id, called_back())
    assert queries.proposed_account(found.coordinator_id) == proposed


def test_an_agreement_is_not_offered_while_something_is_open(grant: Find) -> None:
    found = grant(IN_PREPARATION)

    with pytest.raises(Problems) as refusal:
        services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    assert {problem.place for problem in refusal.value.found} == {
        "Conditions",
        "Bank account",
        "Budget and description",
    }


def test_nobody_signs_what_is_not_offered(grant: Find) -> None:
    found = finished(grant)

    with pytest.raises(Refused, match="not offered"):
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))


def test_both_signatures_award_the_grant_and_commit_its_maximum(grant: Find) -> None:
    found = offered(grant)
    before = ledger.of(call_id=found.call_id)

    services.sign_city(actor("eleni_mayor"), found.id, capacity="Deputy mayor", document_sha256=hash_of(found))
    assert ledger.of(call_id=found.call_id)[Account.RESERVED] == before[Account.RESERVED]
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))

    now, after = grant(IN_PREPARATION), ledger.of(call_id=found.call_id)
    assert now.state is GrantState.IN_FORCE
    assert now.signed == frozenset(Side)
    assert get(Application, found.application_id).state == "awarded"
    assert before[Account.RESERVED] - after[Account.RESERVED] == found.maximum
    assert ledger.balance(Account.LEGALLY_COMMITTED, grant_id=found.id) == found.maximum
    assert after[Account.COMMITTED] == ZERO


def test_a_text_that_changed_after_it_was_shown_is_not_signed(grant: Find) -> None:
    found = offered(grant)
    other = rules.text_hash(replace(queries.text_of(found), maximum=found.maximum + Money(1)))

    with pytest.raises(Refused, match="not the text that was offered"):
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=other)


def test_one_side_signs_once(grant: Find) -> None:
    found = offered(grant)
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))

    with pytest.raises(Refused, match="already signed"):
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))

    # The city thinks again while the programme signs: one of the two stands, and the money went one way.
    mayor, director = actor("eleni_mayor"), actor("signatory")
    reserve = ledger.of(call_id=found.call_id)[Account.RESERVED]
    told = at_once(
        lambda: services.decline(mayor, found.id, reason="The council said no"),
        lambda: services.sign_programme(director, found.id, capacity="Director", document_sha256=hash_of(found)),
    )
    assert told in (["Refused", "done"], ["Conflict", "done"])
    assert reserve - ledger.of(call_id=found.call_id)[Account.RESERVED] == found.maximum
    ended = (
        grant(IN_PREPARATION).state,
        get(Application, found.application_id).state,
        ledger.balance(Account.LEGALLY_COMMITTED, grant_id=found.id),
    )
    assert ended in ((GrantState.IN_FORCE, "awarded", found.maximum), (GrantState.DROPPED, "declined", ZERO))


def test_a_signature_of_an_offer_taken_back_counts_no_more_and_stays_on_record(grant: Find) -> None:
    found = offered(grant)
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))

    services.take_back(actor("officer"), found.id, offer_no=1, reason="A milestone is wrong")

    now = grant(IN_PREPARATION)
    assert (now.state, now.signatures) == (GrantState.PREPARATION, ())
    assert [each.document_sha256 for each in now.earlier_signatures] == [hash_of(found)]

    services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    again = grant(IN_PREPARATION)
    assert (again.signed, len(again.earlier_signatures)) == (frozenset(), 1)
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(again))
    assert grant(IN_PREPARATION).state is GrantState.READY_TO_SIGN
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(again))
    assert grant(IN_PREPARATION).state is GrantState.IN_FORCE


def test_a_dropped_preparation_gives_its_reserve_back(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    free = ledger.balance(Account.AVAILABLE, call_id=found.call_id)

    services.drop(actor("officer"), found.id, reason="The council said no")

    assert ledger.balance(Account.AVAILABLE, call_id=found.call_id) - free == found.maximum
    assert get(Application, found.application_id).state == "dropped"


def signatory_of(found: rules.GrantView) -> Actor:
    person = identity.users_with(Permission.AGREEMENT_SIGN_CITY, queries.scope_of_view(found))[0]
    return identity.actor_for(person.id, fresh=True)


def test_whoever_signs_for_the_city_declines_with_a_reason_and_the_reserve_goes_back(
    grant: Find, demo_app: Flask
) -> None:
    found = grant(IN_PREPARATION)
    free = ledger.balance(Account.AVAILABLE, call_id=found.call_id)
    mayor = signatory_of(found)
    for stranger in (actor("officer"), actor("signatory")):
        with pytest.raises(NotAllowed):
            services.decline(stranger, found.id, reason="Not ours to say")
    with pytest.raises(Invalid, match="Give the reason"):
        services.decline(mayor, found.id, reason=" ")
    page = actors.client_of(demo_app, mayor).get(f"/grants/{found.reference}/agreement").text
    assert f'href="/grants/{found.reference}/decline"' in page
    assert "Decline the grant" in actors.client_of(demo_app, mayor).get(f"/grants/{found.reference}/decline").text

    services.decline(mayor, found.id, reason="The council said no")

    assert ledger.balance(Account.AVAILABLE, call_id=found.call_id) - free == found.maximum
    assert get(Application, found.application_id).state == "declined"
    assert grant(IN_PREPARATION).state is GrantState.DROPPED
    # One word for it everywhere: the programme drops, the city declines.
    page = actors.client_of(demo_app, mayor).get(f"/grants/{found.reference}").text
    assert "Declined before its agreement was signed" in page and "Dropped" not in page
    listed = queries.grants(actor("auditor"), Page(size=200)).items
    assert [row.declined for row in listed if row.reference == found.reference] == [True]
    assert "was declined before" in str(close_refusal(GrantState.DROPPED, declined=True))
    assert "was declined before" in payment_notes(GrantState.DROPPED, None, ZERO, declined=True).no_requests
    page = actors.client_of(demo_app, mayor).get(f"/applications/{found.application_reference}").text
    assert "The grant was declined" in page and "dropped" not in page
    told = {identity.person(each.user_id).email for each in (actor("officer"), mayor) if each.user_id}
    assert len(told) == 2 and told <= set(mailed("agreement_declined"))
    for again in (
        lambda: services.decline(mayor, found.id, reason="Twice"),
        lambda: services.drop(actor("officer"), found.id, reason="Too"),
    ):
        with pytest.raises(Refused):
            again()


def test_a_grant_in_force_is_not_declined(grant: Find) -> None:
    found = grant(IN_FORCE)

    with pytest.raises(Refused):
        services.decline(signatory_of(found), found.id, reason="Too late")


def test_a_reserve_is_given_back_once(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    services.drop(actor("officer"), found.id, reason="The council said no")

    with pytest.raises(Refused):
        services.drop(actor("officer"), found.id, reason="Again")


@pytest.mark.parametrize("name", [IN_FORCE, CLOSED])
def test_terms_of_a_signed_grant_are_fixed(grant: Find, name: str) -> None:
    found = grant(name)
    terms = Terms(found.starts_on, 24, (Share(found.coordinator_id, euros(1)),), ())

    with pytest.raises(Refused, match="already offered"):
        services.set_terms(actor("officer"), found.id, terms)


def test_a_person_named_as_signatory_may_sign_this_grant_only(grant: Find) -> None:
    found, other = grant(IN_PREPARATION), grant(IN_FORCE)
    colleague(found.coordinator_id, "Nikos Vlachos", "nikos@neochora.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Nikos Vlachos", "nikos@neochora.example", ContactRole.SIGNATORY)
    )
    signer = by_mail("nikos@neochora.example")

    with pytest.raises(NotFound):
        services.sign_city(signer, other.id, capacity="Mayor", document_sha256=hash_of(other))
    with pytest.raises(Refused, match="not offered"):
        services.sign_city(signer, found.id, capacity="Mayor", document_sha256=hash_of(found))


@pytest.mark.parametrize("key", ["irina", "elena", "administrator"])
def test_outsiders_do_not_learn_that_a_grant_exists(grant: Find, key: str) -> None:
    found = grant(IN_PREPARATION)
    person = actor(key)

    assert found.reference not in {row.reference for row in queries.grants(person, Page()).items}
    with pytest.raises(NotFound):
        queries.grant(person, found.reference)
    with pytest.raises((NotAllowed, NotFound)):
        services.offer(person, found.id, document_sha256=hash_of(found))


def test_nobody_names_themselves_as_somebody_of_the_city(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    given = ContactInput("Leonor Duarte", "officer@demo.example", ContactRole.SIGNATORY)

    with pytest.raises(Invalid, match="cannot name yourself"):
        services.appoint(actor("officer"), found.id, given)


@pytest.mark.parametrize("email", ["puppet@private.example", "marek@demo.example"])
def test_who_is_not_of_the_city_already_is_not_named_for_it_and_nothing_is_left_of_the_try(
    grant: Find, email: str
) -> None:
    found = grant(IN_PREPARATION)
    known = identity.person_by_email(email)

    for role in ContactRole:
        with pytest.raises(Invalid) as refusal:
            services.appoint(actor("officer"), found.id, ContactInput("Petra Puppet", email, role))
        assert (
            "Somebody of" in refusal.value.problems["email"]
            and "adds the person first" in refusal.value.problems["email"]
        )

    assert identity.person_by_email(email) == known
    assert grant(IN_PREPARATION).contacts == found.contacts


def test_everybody_of_the_city_is_told_whom_the_programme_names(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    before = mailed("agreement_appointed")
    new = colleague(found.coordinator_id, "Nikos Vlachos", "nikos@neochora.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Whoever", "Nikos@Neochora.example", ContactRole.SIGNATORY)
    )

    there = {each.email for each in identity.members(found.coordinator_id)}
    assert "nikos@neochora.example" in there and len(there) > 1
    assert sorted([*before, *there]) == mailed("agreement_appointed")
    assert mailed("organisation_joined") == sorted(there)
    assert new.user_id in {each.user_id for each in grant(IN_PREPARATION).contacts}


@pytest.mark.parametrize("email", ["authoriser@demo.example", "elena@demo.example"])
def test_staff_and_evaluators_are_not_named_for_a_city(grant: Find, email: str) -> None:
    found = grant(IN_PREPARATION)

    with pytest.raises((Invalid, Refused)):
        services.appoint(actor("officer"), found.id, ContactInput("Somebody", email, ContactRole.LEAD))
    named = [each.email for each in grant(IN_PREPARATION).contacts]
    assert named and email not in named


def test_who_acts_for_the_programme_signs_for_no_city(grant: Find) -> None:
    found = offered(grant)
    hold("eleni_mayor", Role.PROJECT_OFFICER)

    # The role for the city rests beside one of the programme.
    with pytest.raises(NotAllowed):
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))


def test_an_account_other_than_the_one_shown_is_not_confirmed(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    shown = queries.proposed_account(found.coordinator_id)
    assert shown is not None
    enter(actor("initiator"), found.id, OTHER)

    with pytest.raises(Refused, match="no longer the account"):
        services.confirm_account(actor("accountant"), found.id, shown.id, called_back())
    stands = queries.proposed_account(found.coordinator_id)
    assert stands is not None
    assert stands.iban == OTHER


def test_both_sides_sign_the_text_as_it_was_offered_whatever_is_renamed_between(grant: Find) -> None:
    found = offered(grant)
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Deputy mayor", document_sha256=hash_of(found))
    with arranging():
        get(Organisation, found.coordinator_id).name = "Renamed"

    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))

    now = grant(IN_PREPARATION)
    assert now.coordinator == "Renamed"
    assert queries.text_of(now) == queries.text_of(found)
    assert {each.document_sha256 for each in now.signatures} == {hash_of(now)}


def test_what_follows_a_signature_happens_also_when_the_signer_is_gone(grant: Find) -> None:
    found = offered(grant)
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Deputy mayor", document_sha256=hash_of(found))
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))
    with arranging():
        get(User, actor("signatory").user_id).disabled_at = clock.now()

    jobs.work_off(actor_of=identity.actor_for)

    assert len(reports.of_grant(actor("officer"), found.id)) == 2
    assert len(payments.grant_payments(actor("authoriser"), found.reference).requests) == 1


def mailed(template: str) -> list[str]:
    """To whom a mail went, by address."""
    jobs = db.session.scalars(
        select(Job.args).where(Job.name == "jobs.mail.send", Job.args["template"].astext == template)
    )
    return sorted(identity.person(UUID(each["user_id"])).email for each in jobs)


def test_a_mistaken_signatory_is_dismissed_at_once_with_the_membership_and_told_why(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    colleague(found.coordinator_id, "Nikos Vlachos", "niko@elsewhere.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Nikos Vlachos", "niko@elsewhere.example", ContactRole.SIGNATORY)
    )
    wrong = by_mail("niko@elsewhere.example")
    assert wrong.can(Permission.AGREEMENT_SIGN_CITY) and found.coordinator_id in wrong.organisation_ids
    handle = next(each.handle for each in grant(IN_PREPARATION).contacts if each.user_id == wrong.user_id)
    given = DismissInput(handle, ContactRole.SIGNATORY, "", leaves=True)

    with pytest.raises(Invalid):
        services.dismiss(actor("officer"), found.id, given)
    services.dismiss(actor("officer"), found.id, replace(given, reason="The address was mistyped"))

    with clock.at(clock.now() + timedelta(seconds=1)):
        now = by_mail("niko@elsewhere.example")
        assert not now.can(Permission.AGREEMENT_SIGN_CITY) and not now.organisation_ids
    assert mailed("agreement_dismissed") == ["niko@elsewhere.example"]
    with pytest.raises(Refused, match="no more"):
        services.dismiss(actor("officer"), found.id, replace(given, reason="Again"))


def test_the_last_signatory_of_a_signed_agreement_stays(grant: Find) -> None:
    found = grant(IN_FORCE)
    signatories = [each for each in found.contacts if each.role is ContactRole.SIGNATORY]
    assert len(signatories) == 1
    given = DismissInput(signatories[0].handle, ContactRole.SIGNATORY, "Left the city")

    with pytest.raises(Refused, match="Name another person first"):
        services.dismiss(actor("officer"), found.id, given)

    colleague(found.coordinator_id, "Nea Deputy", "nea.deputy@city.example")
    services.appoint(
        actor("officer"), found.id, ContactInput("Nea Deputy", "nea.deputy@city.example", ContactRole.SIGNATORY)
    )
    services.dismiss(actor("officer"), found.id, given)
    assert [e.name for e in grant(IN_FORCE).contacts if e.role is ContactRole.SIGNATORY] == ["Nea Deputy"]


def test_a_text_that_changed_after_it_was_shown_is_not_offered(grant: Find) -> None:
    found = finished(grant)
    shares = tuple(Share(each.organisation_id, each.maximum) for each in found.beneficiaries)
    milestones = tuple(PlannedMilestone(m.title, f"{m.criterion}, as agreed", m.due_on) for m in found.milestones)
    services.set_terms(actor("officer"), found.id, Terms(found.starts_on, 24, shares, milestones))

    with pytest.raises(Conflict, match="not offered"):
        services.offer(actor("officer"), found.id, document_sha256=hash_of(found))
    assert grant(IN_PREPARATION).state is GrantState.PREPARATION


def test_both_sides_are_asked_to_sign(grant: Find) -> None:
    offered(grant)

    asked = mailed("agreement_offered")
    assert "eleni_mayor@demo.example".replace("_", ".") in asked and "signatory@demo.example" in asked


def test_the_people_of_a_dropped_application_are_told_why(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    team = sorted({each.email for each in found.contacts})

    services.drop(actor("officer"), found.id, reason="The council said no")

    assert set(team) <= set(mailed("agreement_dropped"))
    application = applications.view_by_id(found.application_id)
    assert applications.reason_of_end(by_mail(team[0]), application) == "The council said no"
    assert applications.reason_of_end(actor("auditor"), application) is None


def test_who_opens_the_signed_agreement_is_on_record(grant: Find) -> None:
    found = grant(IN_FORCE)
    kept = documents.print_agreement(actor("officer"), found.id)
    reader = actor("auditor")

    assert services.open_document(reader, found.id).sha256 == kept.sha256
    with pytest.raises(NotFound):
        services.open_document(reader, grant(IN_PREPARATION).id)

    events = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "agreement.open_document")).all()
    assert [(each.user_id, each.object_id) for each in events] == [(reader.user_id, found.id)]


def test_nobody_who_acts_for_the_programme_declines_for_the_city(grant: Find) -> None:
    found = grant(IN_PREPARATION)
    mayor = signatory_of(found)
    both = replace(mayor, granted=mayor.granted | {(str(Permission.AGREEMENT_PREPARE), EVERYWHERE)})

    with pytest.raises(Refused, match="cannot decline for a city"):
        services.decline(both, found.id, reason="The council said no")

    assert grant(IN_PREPARATION).state is GrantState.PREPARATION


def test_a_draft_saved_after_the_submission_changes_nothing_of_its_grant(grant: Find) -> None:
    officer = actor("officer")
    waiting = [applications.view(officer, each).id for each, _ in queries.selected_without_grant(officer)]
    application_id = next(each for each in waiting if get(Application, each).submission_id is not None)
    stands = applications.submitted_content(application_id)
    other = grant(IN_FORCE).coordinator_id
    with arranging():
        row = get(Application, application_id)
        row.title, row.acronym, row.coordinator_id = "Only a draft", "DRAFT", other
        db.session.add(
            ApplicationPartner(
                application_id=application_id, organisation_id=other, role="partner", state="accepted", position=9
            )
        )

    made = services.prepare(officer, application_id, starts_on=date(2027, 1, 1))

    found = queries.grant(officer, made.reference)
    members = [each.organisation_id for each in stands.consortium]
    assert (found.title, found.acronym) == (stands.title, stands.acronym)
    assert [each.organisation_id for each in found.beneficiaries] == members
    assert found.coordinator_id == members[0]
