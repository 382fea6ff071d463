"""A complaint about a negative result: in time, by name, decided by two who had no part in the first decision, and carried out."""

from __future__ import annotations

import hashlib
import io
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.applications.models import Application
from grants.applications.rules import COMPLAIN
from grants.awards import queries, services
from grants.awards.models import Complaint, DecisionLetter, LetterMailing, Selection, SelectionItem
from grants.awards.queries import complaints_work
from grants.awards.rules.complaints import ComplaintInput, SecondDecision
from grants.awards.states import ComplaintState, Remedy
from grants.calls import queries as call_reads
from grants.calls import services as call_acts
from grants.calls.models import Call
from grants.calls.rules import BudgetInput, ComplaintRules, ResultsInput
from grants.calls.rules.complaints_to import ComplaintsTo
from grants.calls.states import ComplaintGround
from grants.core import clock, encoding, jobs
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, euros
from grants.core.permissions import Permission
from grants.documents.services import print_complaint
from grants.evaluation import services as evaluation
from grants.identity.models import User
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests.awards.publishing import publish
from tests.awards.test_services import decide, reserved, states
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.shut import shuts
from tests.worlds import World, Worlds

RULES = ComplaintRules(5, 15, working_days=True)
# The results become public on 1 March 2023, 9:00 in Brussels: complaints are taken until the end of 6 March.
LOCAL = datetime(2023, 3, 1, 9)
PUBLIC = datetime(2023, 3, 1, 8, tzinfo=UTC)
ENDS = datetime(2023, 3, 6, 23, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
GIVEN = ComplaintInput(("overlooked",), "The consensus says that we have no partner; section 3 names two.")
UPHOLD = SecondDecision(True, Remedy.REPEAT, "The consensus overlooked section 3.")
REJECT = SecondDecision(False, None, "The two organisations of section 3 are named in the consensus.")
# The application on the reserve list.
NUMBER = 1


def rule(scene: Scene, rules: ComplaintRules) -> None:
    """The call says how one complains."""
    with arranging():
        row = get(Call, scene.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.complaints"] = {
            **content["fields"]["evaluation.criteria"], "value": encoding.encode(rules),
        }  # fmt: skip
        row.content = content
    db.session.rollback()


@pytest.fixture(scope="session")
def told_world(worlds: Worlds, small_world: World[Scene], evaluated_world: World[None]) -> World[dict[str, UUID]]:
    """Selected: 0 and 2; on the reserve list: 1. The results are public; three of the office had no part in that."""

    def told_to_all() -> dict[str, UUID]:
        scene = small_world.told()
        rule(scene, RULES)
        services.confirm(scene.actor("officer"), decide(scene))
        return published(scene).people

    with clock.at(CLOSED):
        return worlds.of(told_to_all, like=evaluated_world)


@pytest.fixture
def told(scene: Scene, told_world: World[dict[str, UUID]]) -> Scene:
    scene.people.update(told_world.told())
    return scene


def published(scene: Scene) -> Scene:
    """The results of the confirmed list are public; three of the office had no part in that."""
    publish(scene, ResultsInput(LOCAL))
    with arranging():
        for name in ("petra", "piet", "pia"):
            scene.people[name] = people.user(f"{name.capitalize()} Officer", Role.PROJECT_OFFICER).id
    for number, person in enumerate(scene.leads):
        scene.people[f"lead{number}"] = person
    return scene


def draft(scene: Scene, given: ComplaintInput = GIVEN) -> UUID:
    services.complaints.save(scene.actor("lead1"), scene.application_ids[NUMBER], given)
    return db.session.scalars(select(Complaint.id)).one()


def sent(scene: Scene) -> UUID:
    with clock.at(PUBLIC + DAY):
        found = draft(scene)
        services.complaints.send(scene.actor("lead1"), found)
    return found


def reviewed(scene: Scene) -> UUID:
    found = sent(scene)
    with clock.at(PUBLIC + 2 * DAY):
        services.reviewing.admit(scene.actor("petra"), found)
        chosen = (scene.people["petra"], scene.people["piet"])
        services.reviewing.name_committee(scene.actor("petra"), found, chosen)
    return found


def decided(scene: Scene, given: SecondDecision) -> UUID:
    found = reviewed(scene)
    with clock.at(PUBLIC + 3 * DAY):
        services.reviewing.propose(scene.actor("petra"), found, given)
        services.reviewing.decide(scene.actor("piet"), found)
    db.session.rollback()
    return found


def state(found: UUID) -> str:
    db.session.rollback()
    return get(Complaint, found).state


def mails(template: str) -> list[Any]:
    db.session.rollback()
    return [job.args for job in db.session.scalars(select(Job)) if job.args.get("template") == template]


# --- the window ---------------------------------------------------------------------------------------------------


def test_the_window_is_that_of_the_call_and_ends_at_midnight_to_the_microsecond(told: Scene) -> None:
    with clock.at(PUBLIC - TICK), pytest.raises(Refused, match="this application has none"):
        # Its outcome is decided, and no letter told it.
        draft(told)
    with clock.at(ENDS - 2 * TICK):
        found = draft(told)
    late = r"until the end of 6 March 2023 \(24:00 CET\). It is 00:00:00 on 7 March 2023"
    with clock.at(ENDS), pytest.raises(Refused, match=late):
        services.complaints.send(told.actor("lead1"), found)
    assert state(found) == "draft"
    with clock.at(ENDS - TICK):
        services.complaints.send(told.actor("lead1"), found)
    assert state(found) == "received"


def test_a_draft_is_kept_late_and_found_and_none_is_begun_late(told: Scene, browser: Browser) -> None:
    with clock.at(ENDS + DAY), pytest.raises(Refused, match="too late"):
        draft(told)
    with clock.at(PUBLIC + DAY):
        found = draft(told)
    with clock.at(ENDS + DAY):
        services.complaints.save(told.actor("lead1"), told.application_ids[NUMBER], replace(GIVEN, text="More words"))
        # The way to it stands with the application; it is read, with why it cannot be sent.
        late, own = Browser(browser.app, told), f"/applications/{told.references[NUMBER]}"
        page = text_of(late.get("lead1", own))
        assert "Your complaint was begun and never sent; it could be sent until the end of 6 March 2023." in page
        assert f'href="{own}/complaint"' in page
        page = text_of(late.get("lead1", f"{own}/complaint"))
        assert "It cannot be sent any more" in page and "More words" in page and "<textarea" not in page
    db.session.rollback()
    assert get(Complaint, found).text == "More words"


def test_nobody_complains_about_a_good_result_or_where_the_call_takes_none(told: Scene) -> None:
    with clock.at(PUBLIC + DAY):
        with pytest.raises(Refused, match="One complains about a negative result"):
            services.complaints.save(told.actor("lead0"), told.application_ids[0], GIVEN)
        with pytest.raises(NotFound):
            services.complaints.save(told.actor("lead0"), told.application_ids[NUMBER], GIVEN)
        with arranging():
            content = deepcopy(get(Call, told.call_id).content)
            del content["fields"]["evaluation.complaints"]
            get(Call, told.call_id).content = content
        with pytest.raises(Refused, match=r"takes no complaints here\. One complains to the helpdesk"):
            draft(told)
        with arranging():
            content = deepcopy(get(Call, told.call_id).content)
            content["fields"]["evaluation.complaints_to"] = {
                **content["fields"]["evaluation.criteria"], "value": encoding.encode(ComplaintsTo("redress@pilots.example")),
            }  # fmt: skip
            get(Call, told.call_id).content = content
        with pytest.raises(Refused, match=r"takes no complaints here\. Write to redress@pilots\.example\.$"):
            draft(told)


def test_what_is_missing_is_said_and_nothing_typed_is_lost(told: Scene) -> None:
    with clock.at(PUBLIC + DAY):
        found = draft(told, ComplaintInput((), "word " * 2_001))
        with pytest.raises(Invalid) as error:
            services.complaints.send(told.actor("lead1"), found)
        assert set(error.value.problems) == {"grounds", "text"}
        assert "limit is 2000. Cut 1." in error.value.problems["text"]
        rule(told, replace(RULES, grounds=(ComplaintGround.CONFLICT,)))
        services.complaints.save(told.actor("lead1"), told.application_ids[NUMBER], GIVEN)
        with pytest.raises(Invalid):
            services.complaints.send(told.actor("lead1"), found)


def test_one_complaint_about_a_result_and_another_after_withdrawal_in_time(told: Scene) -> None:
    found = sent(told)
    with clock.at(PUBLIC + 2 * DAY):
        with pytest.raises(Refused, match="already"):
            services.complaints.save(told.actor("lead1"), told.application_ids[NUMBER], GIVEN)
        with pytest.raises(Invalid):
            services.complaints.withdraw(told.actor("lead1"), found, " ")
        services.complaints.withdraw(told.actor("lead1"), found, "We found the sentence.")
        services.complaints.save(told.actor("lead1"), told.application_ids[NUMBER], GIVEN)
    assert state(found) == "withdrawn"


def test_it_is_received_with_a_hash_a_day_and_letters(told: Scene) -> None:
    found = sent(told)

    row = get(Complaint, found)
    assert row.sha256 is not None and row.decide_at is not None
    # 15 working days after 2 March 2023.
    assert clock.in_zone(row.decide_at).date() == date(2023, 3, 23)
    (letter,) = mails("complaint_told")
    assert letter["user_id"] == str(told.people["lead1"])
    assert letter["context"]["sha256"] == row.sha256.hex()
    # Who decided the list is not asked to handle it.
    waiting = {each["user_id"] for each in mails("complaint_waits")}
    assert waiting == {str(told.people[name]) for name in ("petra", "piet", "pia")}


# --- who handles it -----------------------------------------------------------------------------------------------


def test_nobody_with_a_part_in_the_first_decision_handles_it(told: Scene) -> None:
    found = sent(told)
    involved = queries.involved_in(told.application_ids[NUMBER])

    assert {"manager", "officer", "chair"} <= {name for name, key in told.people.items() if key in involved}
    seated = {told.people[name] for name in told.seats(told.application_ids[NUMBER])}
    assert seated <= set(involved)
    with pytest.raises(NotAllowed, match="you decided the ranked list"):
        services.reviewing.admit(told.actor("manager"), found)
    with pytest.raises(NotAllowed):
        services.reviewing.admit(told.actor("auditor"), found)
    services.reviewing.admit(told.actor("petra"), found)
    with pytest.raises(Invalid, match="a committee of two"):
        services.reviewing.name_committee(told.actor("petra"), found, (told.people["petra"], told.people["manager"]))
    with pytest.raises(Invalid, match="a committee of two"):
        services.reviewing.name_committee(told.actor("petra"), found, (told.people["petra"], told.people["petra"]))


def test_who_prepared_its_letter_leaves_the_committee_and_what_they_proposed_falls(
    told: Scene, browser: Browser
) -> None:
    found, path = reviewed(told), f"/applications/{told.references[NUMBER]}/complaints/1"
    services.reviewing.propose(told.actor("petra"), found, REJECT)
    two = (told.people["petra"], told.people["pia"])
    with pytest.raises(Refused, match="A decision is proposed"):
        services.reviewing.name_committee(told.actor("petra"), found, two)
    # A letter that leaves because of the complaint is no part in the first decision; one of before it is.
    _a_letter(told, "petra", PUBLIC + 2 * DAY)
    _a_letter(told, "piet", PUBLIC)

    with pytest.raises(NotAllowed, match="you prepared its letter of decision"):
        services.reviewing.decide(told.actor("piet"), found)
    assert "Piet Officer may not decide it" in text_of(browser.get("petra", path))
    another = [f"Name another committee for the complaint on {told.references[NUMBER]}"]
    assert [_asked(told, name) for name in ("petra", "pia", "piet")] == [another, another, []]
    services.reviewing.name_committee(told.actor("petra"), found, two)
    with pytest.raises(Refused, match="Nothing is proposed yet"):
        services.reviewing.decide(told.actor("pia"), found)
    assert _asked(told, "petra") == [f"Decide the complaint on {told.references[NUMBER]}"]
    # Nor does anybody decide whose account was closed.
    for closed_at, expected in ((clock.now(), another), (None, _asked(told, "petra"))):
        with arranging():
            get(User, told.people["pia"]).disabled_at = closed_at
        db.session.rollback()
        assert _asked(told, "petra") == expected
    services.reviewing.propose(told.actor("pia"), found, REJECT)
    services.reviewing.decide(told.actor("petra"), found)
    assert state(found) == "rejected"


def _asked(scene: Scene, name: str) -> list[str]:
    """What the home page of somebody asks about complaints."""
    return [each.what for each in queries.duties(scene.actor(name), clock.now()) if "complaint" in each.what]


def _a_letter(scene: Scene, name: str, at: datetime) -> None:
    """A letter of decision this person prepared at a moment, and somebody returned."""
    with arranging():
        mailing = LetterMailing(
            call_id=scene.call_id, number=int(at.timestamp()) % 10**8, state="returned", prepared_by=scene.people[name],
            prepared_at=at, returned_by=scene.people["officer"], returned_at=at, return_reason="Not yet.",
        )  # fmt: skip
        db.session.add(mailing)
        db.session.flush()
        db.session.add(
            DecisionLetter(
                mailing_id=mailing.id, application_id=scene.application_ids[NUMBER], outcome="reserve", state="dropped",
                selection_id=db.session.scalars(select(Selection.id)).one(), content={}, sha256=bytes(32),
            )
        )  # fmt: skip
    db.session.rollback()


def test_who_has_a_conflict_reaches_nothing_of_it(told: Scene) -> None:
    found = sent(told)
    evaluation.declare_in_office(told.actor("pia"), told.application_ids[NUMBER], "My sister works there.")
    with clock.at(PUBLIC + 2 * DAY):
        with pytest.raises(NotFound):
            queries.complaints.case_page(told.actor("pia"), told.references[NUMBER], 1)
        with pytest.raises(NotFound):
            services.reviewing.admit(told.actor("pia"), found)
        shown = queries.complaints.list_page(told.actor("pia"), told.slug, queries.complaints.Page(), clock.now())
        assert (shown.rows.items, shown.counts) == ((), ())
        assert told.people["pia"] not in dict(
            queries.complaints.case_page(told.actor("petra"), told.references[NUMBER], 1).people
        )


def test_the_two_members_and_nobody_else_decide_and_not_one_alone(told: Scene) -> None:
    found = reviewed(told)

    with pytest.raises(NotAllowed, match="committee of two"):
        services.reviewing.propose(told.actor("pia"), found, REJECT)
    with pytest.raises(Refused, match="Nothing is proposed"):
        services.reviewing.decide(told.actor("piet"), found)
    services.reviewing.propose(told.actor("petra"), found, REJECT)
    with pytest.raises(Refused, match="another person"):
        services.reviewing.decide(told.actor("petra"), found)
    with pytest.raises(NotAllowed):
        services.reviewing.decide(told.actor("pia"), found)
    services.reviewing.return_decision(told.actor("piet"), found, "Say where.")
    with pytest.raises(Refused, match="Nothing is proposed"):
        services.reviewing.decide(told.actor("piet"), found)


def test_two_members_at_once_and_a_withdrawal_meanwhile(told: Scene) -> None:
    found = reviewed(told)
    version = get(Complaint, found).version
    services.reviewing.propose(told.actor("petra"), found, REJECT, version)

    with pytest.raises(Conflict):
        services.reviewing.propose(told.actor("piet"), found, UPHOLD, version)
    newer = get(Complaint, found).version
    services.complaints.withdraw(told.actor("lead1"), found, "Settled otherwise.")
    with pytest.raises(Conflict):
        services.reviewing.decide(told.actor("piet"), found, newer)
    with pytest.raises(Refused, match="withdrawn"):
        services.reviewing.decide(told.actor("piet"), found)


def test_inadmissible_needs_a_reason_and_ends_it(told: Scene) -> None:
    found = sent(told)
    with pytest.raises(Invalid):
        services.reviewing.turn_away(told.actor("petra"), found, "")
    services.reviewing.turn_away(told.actor("petra"), found, "It only asks for more points.")

    assert state(found) == "inadmissible"
    told_by_mail = mails("complaint_told")[-1]["context"]
    assert (told_by_mail["what"], told_by_mail["why"]) == ("inadmissible", "It only asks for more points.")
    with pytest.raises(Refused):
        services.reviewing.admit(told.actor("petra"), found)
    with pytest.raises(Refused):
        services.complaints.withdraw(told.actor("lead1"), found, "Too late")


def test_more_time_is_later_and_has_a_reason(told: Scene) -> None:
    found = sent(told)
    with pytest.raises(Invalid) as error:
        services.reviewing.extend(told.actor("petra"), found, date(2023, 3, 22), "")
    assert set(error.value.problems) == {"day", "reason"}
    services.reviewing.extend(told.actor("petra"), found, date(2023, 4, 1), "One of the committee is ill.")

    shown = queries.complaints.list_page(told.actor("petra"), told.slug, queries.complaints.Page(), PUBLIC + 60 * DAY)
    assert shown.late == 1
    assert get(Complaint, found).extension_reason == "One of the committee is ill."


# --- the second decision ------------------------------------------------------------------------------------------


def test_rejected_the_first_decision_stands_and_the_letter_leaves_in_the_same_act(told: Scene) -> None:
    found = decided(told, REJECT)

    assert (state(found), states(told)[NUMBER]) == ("rejected", "reserve")
    row = get(Complaint, found)
    assert row.letter is not None and "The first decision stands." in row.letter["paragraphs"]
    # It greets its reader and says who stands behind it, by number and role.
    assert row.letter["paragraphs"][0] == "Dear applicant,"
    assert any("one proposed the decision and the other confirmed it" in each for each in row.letter["paragraphs"])
    assert [each["context"]["what"] for each in mails("complaint_told")].count("rejected") == 1
    db.session.rollback()
    assert any(job.name == queries.complaints.JOB for job in db.session.scalars(select(Job)))


def test_upheld_the_evaluation_is_repeated_by_others_and_its_history_stays(told: Scene, browser: Browser) -> None:
    application_id = told.application_ids[NUMBER]
    before = told.seats(application_id)
    with arranging():
        for name in ("new1", "new2", "new3"):
            told.people[name] = people.user(f"Nora {name}", Role.EVALUATOR).id
    found = decided(told, UPHOLD)

    assert (states(told)[NUMBER], told.seats(application_id)) == ("under_evaluation", [])
    assert set(before) <= {name for name, key in told.people.items() if key in queries.involved_in(application_id)}
    with pytest.raises(Refused, match="is not scored yet"):
        services.settling.propose_outcome(told.actor("piet"), found)
    # Whoever chairs reads that seats are waited for, in place of being waited for.
    listed = text_of(browser.get("chair", "/consensus"))
    assert "Waits for seats" in listed and "Seats for 3 evaluators" in listed and "0 of 3" in listed
    inside = text_of(browser.get("chair", f"/consensus/{told.references[NUMBER]}"))
    assert "Nobody has a seat on it now; the call asks for 3 evaluators." in inside and "of 0" not in inside


def test_a_corrected_outcome_needs_its_money_and_reserves_it(told: Scene) -> None:
    found = reviewed(told)
    services.reviewing.propose(told.actor("petra"), found, replace(UPHOLD, remedy=Remedy.CORRECT))
    with pytest.raises(Refused, match=r"200.000\.00 free"):
        services.reviewing.decide(told.actor("piet"), found)
    assert (state(found), states(told)[NUMBER]) == ("under_review", "reserve")
    call_acts.authorise_budget(told.actor("officer"), told.call_id, BudgetInput(euros(1_200_000)))
    services.reviewing.decide(told.actor("piet"), found)

    assert (state(found), states(told)[NUMBER], reserved(told)) == ("upheld", "selected", euros(1_200_000))
    assert call_reads.free(told.call_id) == ZERO
    db.session.rollback()
    item = db.session.scalars(
        select(SelectionItem).where(SelectionItem.application_id == told.application_ids[NUMBER])
    ).one()
    assert item.entry_id == get(Complaint, found).entry_id


def test_a_remedy_must_fit_the_result(told: Scene) -> None:
    found = reviewed(told)
    for given in (replace(UPHOLD, remedy=Remedy.RESTORE), replace(UPHOLD, remedy=None), replace(UPHOLD, upholds=None)):
        with pytest.raises(Invalid):
            services.reviewing.propose(told.actor("petra"), found, given)
    with pytest.raises(Invalid, match="limit is 500"):
        services.reviewing.propose(told.actor("petra"), found, replace(REJECT, text="word " * 501))


def test_a_verdict_of_the_desk_falls_while_no_list_is_confirmed(evaluated: Scene) -> None:
    scene = evaluated
    rule(scene, RULES)
    with arranging():
        application = get(Application, scene.application_ids[NUMBER])
        application.state = "ineligible"
        scene.people["lead1"] = scene.leads[1]
        for name in ("petra", "piet"):
            scene.people[name] = people.user(name, Role.PROJECT_OFFICER).id
    db.session.rollback()
    services.complaints.save(scene.actor("lead1"), scene.application_ids[NUMBER], replace(GIVEN, grounds=("verdict",)))
    found = db.session.scalars(select(Complaint.id)).one()
    services.complaints.send(scene.actor("lead1"), found)
    services.reviewing.admit(scene.actor("petra"), found)
    services.reviewing.name_committee(scene.actor("petra"), found, (scene.people["petra"], scene.people["piet"]))
    services.reviewing.propose(scene.actor("petra"), found, replace(UPHOLD, remedy=Remedy.RESTORE))
    services.reviewing.decide(scene.actor("piet"), found)

    assert (state(found), states(scene)[NUMBER]) == ("upheld", "eligible")


def test_the_second_decision_is_printed_once_and_handed_to_team_and_office(told: Scene, browser: Browser) -> None:
    found = decided(told, REJECT)
    path = f"/applications/{told.references[NUMBER]}/complaints/1.pdf"
    with clock.at(PUBLIC + 4 * DAY):
        assert browser.get("lead1", path).status_code == 404
        made = print_complaint(told.actor("petra"), found)
        assert print_complaint(told.actor("petra"), found) == made
        for name in ("lead1", "auditor"):
            with browser.get(name, path) as answer:
                assert answer.data.startswith(b"%PDF")
        assert browser.get("lead0", path).status_code in (403, 404)


# --- pages --------------------------------------------------------------------------------------------------------


@shuts("awards.complaint", "awards.complaint_decision", "awards.complaint_file")
def test_the_applicant_writes_sends_and_reads_and_the_office_decides_by_pages(told: Scene, browser: Browser) -> None:
    own, case = (
        f"/applications/{told.references[NUMBER]}/complaint",
        f"/applications/{told.references[NUMBER]}/complaints/1",
    )
    with clock.at(PUBLIC + DAY):
        assert COMPLAIN in browser.get("lead1", f"/applications/{told.references[NUMBER]}/result").text
        assert "until the end of 6 March 2023 (24:00 CET)" in text_of(browser.get("lead1", own))
        empty = browser.post("lead1", own, version="0", text="Half a thought", go="send")
        assert empty.status_code == 422 and "Choose what you complain about" in empty.text
        assert "Half a thought" in browser.get("lead1", own).text
        second_tab = browser.post("lead1", own, version="0", text="Another tab", grounds="overlooked")
        assert second_tab.status_code == 409 and "Another tab" in second_tab.text
        # What is stored stands beside what was typed.
        assert "The draft as it is stored now" in second_tab.text and "Half a thought" in second_tab.text
        version = str(db.session.scalars(select(Complaint.version)).one())
        evidence = (io.BytesIO(PDF), "minutes.pdf")
        sent = browser.post("lead1", own, version=version, text=GIVEN.text, grounds="overlooked", file=evidence)
        assert sent.status_code == 303, sent.text
        version = str(db.session.scalars(select(Complaint.version)).one())
        done = browser.post("lead1", own, version=version, text=GIVEN.text, grounds="overlooked", go="send")
        assert done.status_code == 303
        late = browser.post("lead1", own, version=version, text="Words of an old tab", grounds="overlooked", go="send")
        assert late.status_code == 409 and "Words of an old tab" in late.text
        assert "What you typed stands below, to be copied." in late.text
        assert browser.get("petra", own).status_code == 404
        for name in ("petra", "manager", "auditor"):
            assert GIVEN.text in browser.get(name, case).text
        for name in ("lead0", "lead1", "eva1", "chair"):
            assert browser.get(name, case).status_code in (403, 404)
        assert "you decided the ranked list" in text_of(browser.get("manager", case))
        listed = text_of(browser.get("auditor", f"/calls/{told.slug}/complaints"))
        assert told.references[NUMBER] in listed and "Received" in listed
        csv = browser.get("petra", f"/calls/{told.slug}/complaints.csv").text
        assert told.references[NUMBER] in csv and GIVEN.text not in csv
        db.session.rollback()
        taken = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "complaint.export_list")).one()
        assert (taken.user_id, taken.reason) == (told.people["petra"], "1 rows as CSV.")

        def step(name: str, path: str, **data: str) -> Any:
            db.session.rollback()
            shown = str(db.session.scalars(select(Complaint.version)).one())
            return browser.post(name, f"{case}/{path}", **{"version": shown, **data})

        assert "Somebody else handles" in step("manager", "check", go="admit").text
        assert step("petra", "check", go="turn_away").status_code == 422
        step("petra", "check", go="admit")
        turned = step("petra", "check", go="turn_away", version="1", reason="It is about merits.")
        assert turned.status_code == 409 and "You had typed" in turned.text and "It is about merits." in turned.text
        gone = step("petra", "check", go="admit", version="1")
        assert gone.status_code == 409 and "What you typed" not in gone.text
        wrong = step("petra", "committee", member_one=str(told.people["petra"]), member_two=str(told.people["manager"]))
        assert wrong.status_code == 422
        step("petra", "committee", member_one=str(told.people["petra"]), member_two=str(told.people["piet"]))
        bad = step("petra", "proposal", text="Kept words")
        assert bad.status_code == 422 and "Kept words" in bad.text
        # Whichever form of the page was sent: what is wrong stands once, above everything else of the page, and in the title.
        assert "<title>Error: " in bad.text and bad.text.count("data-error-summary") == 1
        summary = bad.text.index('href="#upholds')
        assert bad.text.index("data-error-summary") < summary < bad.text.index("<h1")
        step("petra", "time", day="1 April 2023", reason="One of the committee is ill.")
        step("petra", "proposal", upholds="no", text=REJECT.text)
        assert REJECT.text not in browser.get("lead1", own).text
        assert step("petra", "decision", version="1").status_code == 409
        step("piet", "return", reason="Say where.")
        step("petra", "proposal", upholds="no", text=REJECT.text)
        step("piet", "decision")
        read = browser.get("lead1", own).text
        assert REJECT.text in read and "First decision" in read
        assert "Petra" not in read and "Piet" not in read
        assert REJECT.text in browser.get("auditor", case).text
        # Neither the page nor the evidence nor the decision is there for somebody in conflict.
        jobs.work_off(actor_of=actor_for, but_not=("mail",))
        evidence_of_it = f"{case}/files/{hashlib.sha256(PDF).hexdigest()}"

        def met(*papers: str) -> list[int]:
            found = []
            for paper in papers:
                with browser.get("pia", paper) as answer:
                    found.append(answer.status_code)
            return found

        assert met(case, f"{case}.pdf", evidence_of_it) == [200, 200, 200]
        evaluation.declare_in_office(told.actor("pia"), told.application_ids[NUMBER], "My sister works there.")
        assert met(case, f"{case}.pdf", evidence_of_it) == [404, 404, 404]


def test_duties_lead_to_it(told: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.at(PUBLIC + DAY):
        found = draft(told)
        asked = queries.duties(told.actor("lead1"), clock.now())
        # It ends at the midnight ENDS: people are told the day that ends then.
        assert [each.due_at for each in asked if "Send the complaint" in each.what] == [ENDS - timedelta(seconds=1)]
        services.complaints.send(told.actor("lead1"), found)
        assert any("admissible" in each.what for each in queries.duties(told.actor("petra"), clock.now()))
        # Who had a part in the first decision is asked for nothing in the second, though the role would let them.
        assert told.actor("manager").can(Permission.COMPLAINT_DECIDE)
        assert not any("omplaint" in each.what for each in queries.duties(told.actor("manager"), clock.now()))
        services.reviewing.admit(told.actor("petra"), found)
        services.reviewing.name_committee(told.actor("petra"), found, (told.people["petra"], told.people["piet"]))
        assert any("Decide the complaint" in each.what for each in queries.duties(told.actor("piet"), clock.now()))
        assert not any("omplaint" in each.what for each in queries.duties(told.actor("pia"), clock.now()))
        # What is shut to them, or the duty of somebody else, takes no place of what is theirs.
        monkeypatch.setattr(complaints_work, "DUTIES_MAX", 1)
        with arranging():
            row = get(Complaint, found)
            every = {each.key: getattr(row, each.key) for each in Complaint.__table__.columns if each.key != "id"}
            sooner = {name: every[name] - DAY for name in ("decide_at", "first_decide_at")}
            shut = {"application_id": told.application_ids[0]} | sooner
            db.session.add(Complaint(**{name: each for name, each in (every | shut).items() if each is not None}))
        piet = replace(told.actor("piet"), bars=frozenset({("application", told.application_ids[0])}))
        duties = [each.what for each in queries.duties(piet, clock.now()) if "omplaint" in each.what]
        assert duties == [f"Decide the complaint on {told.references[NUMBER]}"]


def test_the_permission_is_the_offices_and_the_auditor_only_reads() -> None:
    from grants.identity.policy import PERMISSIONS

    decides = {role for role, held in PERMISSIONS.items() if Permission.COMPLAINT_DECIDE in held}
    reads = {role for role, held in PERMISSIONS.items() if Permission.COMPLAINT_READ in held}
    assert decides == {Role.PROGRAMME_MANAGER, Role.ELIGIBILITY_OFFICER, Role.PROJECT_OFFICER}
    assert reads - decides == {Role.AUDITOR, Role.AUTHORISING_OFFICER}
    assert ComplaintState.DRAFT.value == "draft" and CLOSED < PUBLIC


def test_nothing_is_proposed_while_the_other_of_the_committee_may_not_decide(told: Scene, browser: Browser) -> None:
    found, path = reviewed(told), f"/applications/{told.references[NUMBER]}/complaints/1"
    assert "Propose it to the other of the committee" in browser.get("petra", path).text
    evaluation.declare_in_office(told.actor("piet"), told.application_ids[NUMBER], "My sister works there.")

    text = text_of(browser.get("petra", path))
    assert "Propose it to the other of the committee" not in text
    assert (
        "Another committee must be named before anything is proposed. Who may name it: Petra Officer, Pia Officer."
        in text
    )
    with pytest.raises(Refused, match="Piet Officer may not decide this complaint any more"):
        services.reviewing.propose(told.actor("petra"), found, REJECT)
    late = browser.post("petra", f"{path}/proposal", upholds="no", text=REJECT.text)
    assert late.status_code == 422 and "Another committee is named first" in late.text

    services.reviewing.name_committee(told.actor("petra"), found, (told.people["petra"], told.people["pia"]))
    services.reviewing.propose(told.actor("petra"), found, REJECT)


def test_where_too_few_are_left_the_page_says_why_and_who_helps(told: Scene, browser: Browser) -> None:
    reviewed(told)
    path = f"/applications/{told.references[NUMBER]}/complaints/1"
    for name in ("piet", "pia"):
        evaluation.declare_in_office(told.actor(name), told.application_ids[NUMBER], "My sister works there.")
    with arranging():
        people.user("Ada Administrator", Role.ADMINISTRATOR)

    text = text_of(browser.get("petra", path))

    assert "Too few people" in text and "only Petra Officer is left" in text and "Ada Administrator" in text
    assert "Piet Officer may not decide it" in text and ": had a part in the first decision" in text
    assert "Ask for it by the helpdesk" in text and "Name them" not in text


def test_admitting_looks_at_no_reason(told: Scene, browser: Browser) -> None:
    found, path = sent(told), f"/applications/{told.references[NUMBER]}/complaints/1"
    with clock.at(PUBLIC + 2 * DAY):
        browser = Browser(browser.app, told)
        assert browser.post("petra", f"{path}/check", go="turn_away", reason="x" * 6_001).status_code == 422
        assert browser.post("petra", f"{path}/check", go="admit", reason="x" * 6_001).status_code == 303
    assert state(found) == "admissible"
