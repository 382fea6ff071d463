"""The pool: words that are accepted before anything opens, invitations, organisations with dates, the list."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.calls import queries as call_queries
from grants.calls import rules as call_rules
from grants.calls import services as calls
from grants.calls.rules.expert_terms import ExpertTerms
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.jobs import Job
from grants.core.paging import Page
from grants.core.permissions import Permission, system_actor
from grants.evaluation import queries, rules, services
from grants.evaluation.models import DetectedConflict, Evaluator, EvaluatorAcceptance, EvaluatorInvitation
from grants.evaluation.rules import AskInput, Employer, EvaluatorInput, PoolSearch
from grants.evaluation.states import CountryRule, Declared, DeclineKind, PoolState
from grants.identity.models import Organisation, User
from grants.identity.policy import Role
from tests.evaluation.scene import CALL, CLOSED, OPENED, Browser, Scene, build
from tests.factories import identity as people
from tests.statements import statements

WITH_TERMS = f"""{CALL}evaluation:
  expert_terms: {{contract: Paid by the day., confidentiality: You tell nobody.}}
"""
TERMS = ExpertTerms("You read what is assigned to you, and are paid by the day.", "You tell nobody what you read.")
BOTH = frozenset({"contract", "confidentiality"})
FILLED = {"country_code": "FI", "languages": "en native", "load_max": "5", "employers": "Acme (2019 to now)"}


def publish(scene: Scene, terms: ExpertTerms = TERMS, note: str = "", shown: int = 0) -> int:
    return calls.add_expert_terms(scene.actor("manager"), scene.call_id, terms, note, shown=shown)


def accept(scene: Scene, name: str, number: int = 1) -> None:
    services.accept_terms(scene.actor(name), scene.call_id, number, BOTH)


def letters(template: str) -> list[str]:
    """To whom mails of this kind went."""
    sent = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    return [str(mail["user_id"]) for mail in sent if mail["template"] == template]


# --- words that are accepted ----------------------------------------------------------------------------------------


def test_who_has_not_accepted_opens_nothing_and_declares_nothing(seated: Scene, browser: Browser) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    reference = seated.references[0]
    assert browser.get(name, f"/assessments/{reference}").status_code == 200

    publish(seated)

    assert browser.get(name, f"/assessments/{reference}").status_code == 404
    assert queries.may_declare(seated.actor(name), seated.call_id) == frozenset()
    listed = browser.get(name, "/assessments/conflicts").text
    assert "Accept the contract of Small neighbourhood pilots 2022 first" in listed
    assert reference not in listed
    assert "Accept the contract and the confidentiality" in browser.get(name, "/home").text

    accept(seated, name)

    assert browser.get(name, f"/assessments/{reference}").status_code == 200
    assert reference in browser.get(name, "/assessments/conflicts").text


def test_a_new_version_asks_again_and_a_form_of_the_old_one_is_refused(seated: Scene) -> None:
    name = seated.evaluators[0]
    publish(seated)
    accept(seated, name)
    publish(seated, replace(TERMS, contract="You are paid by the application."), "Another pay.", shown=1)

    assert queries.terms_page(seated.actor(name), seated.slug).is_demanded
    with pytest.raises(Invalid):
        accept(seated, name, 1)
    accept(seated, name, 2)

    rows = db.session.scalars(select(EvaluatorAcceptance).order_by(EvaluatorAcceptance.number)).all()
    assert [(row.number, len(row.sha256)) for row in rows] == [(1, 32), (2, 32)]
    assert rows[0].sha256 == TERMS.sha256 != rows[1].sha256


def test_one_part_alone_is_not_accepted(scene: Scene) -> None:
    publish(scene)

    with pytest.raises(Invalid) as refused:
        services.accept_terms(scene.actor("eva1"), scene.call_id, 1, frozenset({"contract"}))

    assert set(refused.value.problems) == {"confidentiality"}


def test_accepting_twice_is_accepting_once(scene: Scene) -> None:
    publish(scene)
    accept(scene, "eva1")
    accept(scene, "eva1")

    assert len(db.session.scalars(select(EvaluatorAcceptance)).all()) == 1


def test_words_published_in_sight_of_older_ones_are_refused(scene: Scene) -> None:
    publish(scene)

    with pytest.raises(Refused, match="meanwhile"):
        publish(scene, replace(TERMS, contract="Other"), "Other words.", shown=0)
    with pytest.raises(Refused, match="which stands"):
        publish(scene, note="The same.", shown=1)
    with pytest.raises(Invalid):
        publish(scene, replace(TERMS, contract="Other"), "", shown=1)


def test_an_acceptance_is_never_rewritten(scene: Scene) -> None:
    publish(scene)
    accept(scene, "eva1")

    for statement in (
        "UPDATE evaluator_acceptance SET number = 7",
        "DELETE FROM evaluator_acceptance",
        "UPDATE call_expert_terms SET note = 'x'",
        "DELETE FROM call_expert_terms",
    ):
        with pytest.raises(DBAPIError), arranging():
            db.session.connection().exec_driver_sql(statement)
        db.session.rollback()


def test_who_takes_the_acceptance_back_gives_back_the_seats(seated: Scene) -> None:
    publish(seated)
    for name in seated.evaluators:
        accept(seated, name)
    name = seated.seats(seated.application_ids[0])[0]
    had = sum(name in seated.seats(each) for each in seated.application_ids)

    freed = services.step_down(seated.actor(name), seated.call_id, "A new job.")

    assert freed == had > 0
    assert all(name not in seated.seats(each) for each in seated.application_ids)
    assert queries.terms_page(seated.actor(name), seated.slug).is_demanded
    assert letters("evaluator_stepped_down") == [str(seated.people["manager"])]
    with pytest.raises(Refused):
        services.step_down(seated.actor(name), seated.call_id, "Once more.")


@pytest.mark.usefixtures("declared_world")
def test_nobody_gets_a_seat_who_has_not_accepted(scene: Scene) -> None:
    publish(scene)
    for name in scene.evaluators[1:]:
        accept(scene, name)
    left = scene.evaluators[0]

    member = next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people[left])

    assert member.must_accept
    assert "has not accepted" in rules.why_not(
        member,
        queries.consortia_of([scene.application_ids[0]])[0],
        rules.Said(Declared.NONE),
        countries=CountryRule.ALLOWED,
    )


def test_everybody_who_has_to_accept_is_told_once_and_of_the_newest_words_alone(scene: Scene) -> None:
    program = system_actor("the program", (Permission.ASSIGNMENT_DECIDE,))
    publish(scene)
    accept(scene, "eva1")

    assert services.tell_of_terms(program, scene.call_id, 1) == 4
    assert len(letters("evaluator_terms")) == 4
    publish(scene, replace(TERMS, contract="Other"), "Other words.", shown=1)
    assert services.tell_of_terms(program, scene.call_id, 1) == 0
    assert services.tell_of_terms(program, scene.call_id, 2) == 5


def test_the_words_of_a_call_are_read_from_its_file_and_written_to_it() -> None:
    file = call_rules.read_call_file(WITH_TERMS)
    again = call_rules.read_call_file(call_rules.call_file(file.fields, file.deadlines, file.documents, file.zone))

    assert file.value("evaluation.expert_terms") == ExpertTerms("Paid by the day.", "You tell nobody.")
    assert again.value("evaluation.expert_terms") == file.value("evaluation.expert_terms")


def test_a_call_is_published_with_the_words_of_its_file(app: Flask) -> None:
    with clock.at(OPENED):
        made = build(file=WITH_TERMS)

    (version,) = call_queries.expert_terms(made.call_id)
    assert (version.number, version.text) == (1, ExpertTerms("Paid by the day.", "You tell nobody."))


def test_a_call_without_words_demands_nothing(seated: Scene) -> None:
    assert queries.own_terms(seated.actor("eva1")) == ()
    with pytest.raises(Refused):
        services.accept_terms(seated.actor("eva1"), seated.call_id, None, BOTH)


def test_who_is_not_in_the_pool_has_no_page_of_words(scene: Scene, browser: Browser) -> None:
    publish(scene)

    assert browser.get("chair", f"/calls/{scene.slug}/expert-terms").status_code == 404


def test_the_page_of_the_words_is_accepted_by_ticking_both(scene: Scene, browser: Browser) -> None:
    publish(scene)
    address = f"/calls/{scene.slug}/expert-terms"
    assert TERMS.contract in browser.get("eva1", address).text

    half = browser.post("eva1", address, terms="1", contract="y")
    done = browser.post("eva1", address, terms="1", contract="y", confidentiality="y")

    assert (half.status_code, done.status_code) == (422, 303)
    assert "Tick this to accept the declaration of confidentiality. Without it nothing opens." in half.text
    assert "You accepted both on" in browser.get("eva1", address).text


# --- invitations ----------------------------------------------------------------------------------------------------


def invite(scene: Scene, email: str = "nora@example.org", **more: Any) -> UUID:
    given: AskInput = replace(AskInput(email, "Nora New", "We need you.", load_max=5, roles=("finance",)), **more)
    return services.invite(scene.actor("manager"), scene.call_id, given)


def test_who_has_no_account_is_invited_and_joins(scene: Scene, browser: Browser) -> None:
    publish(scene)
    user_id = invite(scene)
    scene.people["nora"] = user_id
    assert letters("invitation") == letters("evaluator_invited") == [str(user_id)]
    address = f"/calls/{scene.slug}/invitation"
    assert "Answer the invitation" in browser.get("nora", "/home").text
    shown = browser.get("nora", address)
    assert "We need you." in shown.text
    version = re.search(r'name="version" value="(\d+)"', shown.text)
    assert version is not None

    odd = {**FILLED, "employers": "Acme", "available_until": "1/2/2020"}
    without = browser.post("nora", address, version=version[1], terms="1", **odd)
    assert "“Acme”: no dates." in without.text and "1 February 2020 is over" in without.text
    too_many = browser.post(
        "nora", address, version=version[1], terms="1", contract="y", confidentiality="y", **{**FILLED, "load_max": "9"}
    )
    joined = browser.post("nora", address, version=version[1], terms="1", contract="y", confidentiality="y", **FILLED)

    assert (without.status_code, too_many.status_code, joined.status_code) == (422, 422, 303)
    assert "at most 5" in too_many.text
    member = next(one for one in queries.pool(scene.call_id) if one.user_id == user_id)
    assert (member.roles, member.load_max, member.accepted, member.must_accept) == (("finance",), 5, 1, False)
    assert [each.words for each in member.employers] == ["Acme (2019-01-01 to now)"]
    assert letters("evaluator_answered") == [str(scene.people["manager"])]
    assert scene.actor("nora").can(Permission.CONFLICT_DECLARE)
    assert browser.post("nora", address, version=version[1], terms="1", **FILLED).status_code in (409, 422)


def test_an_invitation_is_declined_with_a_reason_and_sent_again(scene: Scene, browser: Browser) -> None:
    scene.people["nora"] = invite(scene)
    address = f"/calls/{scene.slug}/invitation/decline"

    assert browser.post("nora", address, kind="other", words=" ").status_code == 422
    assert browser.post("nora", address, kind="no_time").status_code == 303

    invitation = queries.own_invitation(scene.actor("nora"), scene.slug)
    assert (invitation.standing(clock.now()), invitation.decline_words) == (PoolState.DECLINED, "No time")
    invite(scene, message="Please.")
    assert queries.own_invitation(scene.actor("nora"), scene.slug).standing(clock.now()) is PoolState.INVITED
    with pytest.raises(Invalid) as refused:
        invite(scene)
    assert "has not answered yet" in refused.value.problems["email"]
    email = db.session.get_one(User, scene.people["nora"]).email
    again = browser.post("manager", f"/calls/{scene.slug}/evaluators/invite", email=email, days="9", load_max="3")
    assert again.status_code == 422 and "Open Nora New in the pool" in again.text


def test_an_invitation_lapses_by_itself_and_is_reminded_once_before(scene: Scene) -> None:
    scene.people["nora"] = invite(scene)
    program = system_actor("the program", (Permission.ASSIGNMENT_DECIDE,))
    assert services.remind_late(program) == 0

    with clock.at(CLOSED + timedelta(days=12)):
        assert services.remind_late(program) == 1
        assert services.remind_late(program) == 0
        invitation = queries.own_invitation(scene.actor("nora"), scene.slug)
        with pytest.raises(Refused, match="within the last day"):
            services.remind(scene.actor("manager"), invitation.id)
    with clock.at(CLOSED + timedelta(days=20)):
        assert queries.own_invitation(scene.actor("nora"), scene.slug).standing(clock.now()) is PoolState.LAPSED
        with pytest.raises(Refused, match="lapsed"):
            services.accept_invitation(
                scene.actor("nora"), scene.call_id, EvaluatorInput(scene.people["nora"], "FI", ("en",), (), 0, 5)
            )
    assert letters("evaluator_reminded") == [str(scene.people["nora"])]


def test_a_withdrawn_invitation_is_gone_for_the_person(scene: Scene, browser: Browser) -> None:
    scene.people["nora"] = invite(scene)
    invitation = queries.own_invitation(scene.actor("nora"), scene.slug)

    with pytest.raises(Conflict):
        services.withdraw_invitation(scene.actor("manager"), invitation.id, "A mistake.", invitation.version + 1)
    services.withdraw_invitation(scene.actor("manager"), invitation.id, "A mistake.", invitation.version)

    assert browser.get("nora", f"/calls/{scene.slug}/invitation").status_code == 404
    assert letters("evaluator_uninvited") == [str(scene.people["nora"])]
    with pytest.raises(NotFound):
        services.decline_invitation(scene.actor("nora"), scene.call_id, DeclineKind.NO_TIME)


def test_who_must_not_evaluate_is_not_invited(scene: Scene) -> None:
    with arranging():
        finance = people.user("Fin Finance", Role.FINANCE_VERIFIER)
        lead = db.session.scalars(select(User).where(User.name.like("Lead of %")).order_by(User.name).limit(1)).one()
    for email, words in (
        (finance.email, "cannot be both"),
        (lead.email, "takes part in an application"),
        (db.session.get_one(User, scene.people["manager"]).email, "your own address"),
        (db.session.get_one(User, scene.people["eva1"]).email, "in the pool already"),
        ("no address", "address"),
    ):
        with pytest.raises(Invalid) as refused:
            invite(scene, email)
        assert words in refused.value.problems["email"]
        db.session.rollback()
    assert db.session.scalars(select(EvaluatorInvitation)).all() == []


def test_nobody_else_invites_or_reads_the_pool(scene: Scene, browser: Browser) -> None:
    for path in ("evaluators", "evaluators/invite", "evaluators/import", "evaluators.csv"):
        # Who audits reads the pool, and takes no file of it along.
        for name in ("eva1", "chair", *(() if path == "evaluators" else ("auditor",))):
            assert browser.get(name, f"/calls/{scene.slug}/{path}").status_code in (403, 404), (name, path)
    assert browser.get("eva1", f"/calls/{scene.slug}/invitation").status_code == 404


# --- organisations with dates ---------------------------------------------------------------------------------------


@given(
    st.lists(
        st.builds(
            Employer,
            st.from_regex(r"[A-Z][a-z]{1,8}( [A-Z][a-z]{1,8})?", fullmatch=True),
            st.none() | st.dates(date(1950, 1, 1), date(2020, 1, 1)),
            st.none() | st.dates(date(2020, 1, 2), date(2060, 1, 1)),
        ),
        unique=True,
        max_size=8,
    )
)
def test_organisations_read_back_as_they_are_told(employers: list[Employer]) -> None:
    assert rules.read_employers(rules.employer_words(employers)) == tuple(employers)


@pytest.mark.parametrize("line", ["(2019 to now)", "Acme (2020 to 2019)", "Acme (2019-13 to now)", "Acme (99 to 2019)"])
def test_an_organisation_that_cannot_be_read_is_told(line: str) -> None:
    with pytest.raises(Invalid):
        rules.read_employers(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Acme (1/2/2026 to now)", "“1/2/2026” can be read as 1 February 2026 or as 2 January 2026. Write the one you mean, 2026-02-01 or 2026-01-02."),
        ("Acme (2020 to 3.4.2026)", "“3.4.2026” can be read as 3 April 2026 or as 4 March 2026."),
        ("Acme, 1/2/2026", "“1/2/2026” can be read as"),
        ("Acme (5-6-2026 to now)", "2026-06-05 or 2026-05-06."),
        ("Acme (15/11/2026 to now)", "Write it as 2026-11-15."),
        ("Acme (11/15/2026 to now)", "Write it as 2026-11-15."),
        ("Acme (7/7/2026 to now)", "Write it as 2026-07-07."),
        ("Acme (31/31/2026 to now)", "“31/31/2026” is no day. Write it like 2027-01-31."),
    ],
)  # fmt: skip
def test_a_day_in_figures_with_the_year_last_is_refused_with_both_readings(line: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.read_employers(line)
    assert said in str(refused.value)


def test_an_organisation_of_two_years_ago_keeps_away_and_one_of_four_does_not(scene: Scene) -> None:
    application_id = scene.application_ids[0]
    (lead_id,) = queries.consortia_of([application_id])[0].organisation_ids
    lead = db.session.get_one(Organisation, lead_id).name
    for years, found in ((2, True), (4, False)):
        end = clock.add_months(clock.in_zone(CLOSED).date(), -12 * years)
        values = EvaluatorInput(
            scene.people["eva1"], "FI", ("en",), (), 0, 3, employers=(Employer(lead, date(2010, 1, 1), end),)
        )
        services.pool(scene.actor("manager"), scene.call_id, values)
        member = next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people["eva1"])
        assert member.employers[0].organisation_id is not None
        why = rules.why_not(
            member, queries.consortia_of([application_id])[0], rules.Said(Declared.NONE), countries=CountryRule.ALLOWED
        )
        assert ("or did within the last three years" in why) is found
        looked = queries.look(scene.call_id)
        pairs = {(each.user_id, each.application_id) for each in looked.found if each.kind.value == "own_organisation"}
        assert ((scene.people["eva1"], application_id) in pairs) is found


def test_an_organisation_that_is_in_no_register_is_compared_by_its_name(scene: Scene) -> None:
    application_id = scene.application_ids[0]
    about = queries.consortia_of([application_id])[0]
    values = EvaluatorInput(
        scene.people["eva1"], about.country_codes[0], ("en",), (), 0, 3, employers=(Employer(about.coordinator + "s"),)
    )
    services.pool(scene.actor("manager"), scene.call_id, values)

    kinds = {
        each.kind.value
        for each in queries.look(scene.call_id).found
        if (each.user_id, each.application_id) == (scene.people["eva1"], application_id)
    }

    assert "similar_organisation" in kinds


def test_an_evaluator_changes_their_own_profile_and_not_what_they_take(scene: Scene, browser: Browser) -> None:
    address = f"/calls/{scene.slug}/own-profile"
    shown = browser.get("eva1", address)
    version = re.search(r'name="version" value="(\d+)"', shown.text)
    assert version is not None
    typed = {"country_code": "SE", "languages": "sv native", "employers": "Acme (2019 to now)", "load_max": "99"}

    wrong = browser.post("eva1", address, version=version[1], **{**typed, "employers": "Acme (2020 to 2019)"})
    done = browser.post("eva1", address, version=version[1], **typed)
    late = browser.post("eva1", address, version=version[1], **typed)

    assert (wrong.status_code, done.status_code, late.status_code) == (422, 303, 409)
    assert "Acme (2020 to 2019)" in wrong.text
    member = next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people["eva1"])
    assert (member.country_code, member.languages, member.load_max) == ("SE", ("sv",), 3)
    assert browser.get("chair", address).status_code == 404


def test_what_waits_for_a_person_is_not_undone_by_whom_it_is_about(scene: Scene, browser: Browser) -> None:
    address = f"/calls/{scene.slug}/own-profile"

    def sent(employers: str) -> tuple[int, str]:
        version = re.search(r'name="version" value="([0-9]+)"', browser.get("eva1", address).text)
        assert version is not None
        answer = browser.post(
            "eva1", address, version=version[1], country_code="SE", languages="sv native", employers=employers
        )
        return answer.status_code, answer.text

    assert sent("Acme (2019 to now)\nOther (2019 to now)")[0] == 303
    with arranging():
        db.session.add(
            DetectedConflict(
                user_id=scene.people["eva1"], application_id=scene.application_ids[0], organisation_id=None,
                kind="similar_organisation", evidence="Acme and Acma have nearly the same name", state="proposed",
                found_at=clock.now(), decided_by=None, decided_at=None, decision_reason=None,
            )
        )  # fmt: skip

    for shorter in ("", "Acme (2019 to 2020)", "Acme (2021 to now)"):
        status, text = sent(shorter)
        assert status == 422 and "waits for the programme manager" in text, shorter
    assert sent("Acme (2018 to now)")[0] == 303


# --- the list -------------------------------------------------------------------------------------------------------


def crowd(scene: Scene, count: int) -> None:
    with arranging():
        for number in range(count):
            user = people.user(f"Crowd {number:03d}", Role.EVALUATOR)
            db.session.add(
                Evaluator(
                    call_id=scene.call_id, user_id=user.id, country_code="FR", languages=["fr"], topics=["x"],
                    topic_levels={}, language_levels={}, roles=["technical"], load_min=0, load_max=3,
                )
            )  # fmt: skip


def test_the_list_goes_on_by_key_and_asks_as_much_for_a_hundred_as_for_five(scene: Scene, browser: Browser) -> None:
    address = f"/calls/{scene.slug}/evaluators"
    browser.get("manager", address)
    with statements() as few:
        browser.get("manager", address)
    crowd(scene, 100)
    with statements() as many:
        first = browser.get("manager", address)

    assert len(many) == len(few) <= 8
    assert "50 of 105 shown" in first.text
    seen, page = [], Page()
    while True:
        rows, _ = queries.pool_list(scene.actor("manager"), scene.call_id, PoolSearch(), page)
        seen += [line.name for line in rows.items]
        if rows.next_key is None:
            break
        page = Page(after=rows.next_key)
    assert len(seen) == len(set(seen)) == 105
    assert seen == sorted(seen)


def test_the_list_is_narrowed_by_what_people_know_and_how_they_stand(scene: Scene, browser: Browser) -> None:
    crowd(scene, 2)
    invite(scene)
    publish(scene)
    accept(scene, "eva1")

    def found(**search: object) -> list[str]:
        rows, _ = queries.pool_list(scene.actor("manager"), scene.call_id, replace(PoolSearch(), **search), Page())
        return [line.name for line in rows.items]

    assert found(language="fr") == found(country="FR") == found(role="technical") == ["Crowd 000", "Crowd 001"]
    assert found(topic="x") == ["Crowd 000", "Crowd 001"]
    assert found(role="finance") == found(state=PoolState.INVITED) == ["Nora New"]
    assert found(state=PoolState.MEMBER) == found(accepted=True) == ["Eva Evaluator 1"]
    assert len(found(state=PoolState.TO_ACCEPT)) == 6
    address = f"/calls/{scene.slug}/evaluators"
    assert "Nobody fits." in browser.get("manager", f"{address}?country=XX").text
    assert "This list cannot be shown" in browser.get("manager", f"{address}?state=odd").text
    csv = browser.get("manager", f"/calls/{scene.slug}/evaluators.csv?state=invited").text
    assert [line.split(",")[0] for line in csv.lstrip("\ufeff").splitlines()] == ["email", "nora@example.org"]
    db.session.rollback()
    taken = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "evaluator.export_list")).one()
    assert (taken.user_id, taken.reason) == (scene.people["manager"], "1 rows as CSV.")


def test_the_page_of_a_person_tells_what_was_accepted(scene: Scene, browser: Browser) -> None:
    publish(scene)
    accept(scene, "eva1")
    handle = db.session.get_one(User, scene.people["eva1"]).handle

    shown = browser.get("manager", f"/calls/{scene.slug}/evaluators/{handle}/profile")

    assert shown.status_code == 200
    assert TERMS.sha256.hex()[:16] in shown.text
    assert "It is accepted." in shown.text
