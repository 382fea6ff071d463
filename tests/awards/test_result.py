"""The result of an application: its team reads the agreed scores and words once the results are public, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.models import AwardWithheld
from grants.awards.states import WithheldGround
from grants.calls import queries as calls
from grants.calls.rules import ResultsInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, NotFound, Refused
from grants.core.jobs import Job
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared, Ruling
from grants.identity.models import Membership
from grants.identity.policy import Role
from tests.awards.publishing import publish as published
from tests.awards.publishing import tell_all
from tests.awards.test_late_rulings import declaration
from tests.awards.test_services import decide
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, SCORES, WORDS, Browser, Scene, declares, silent_chair
from tests.factories import identity as people
from tests.worlds import World, Worlds

# 1 March 2023, 9:00 in Brussels.
LOCAL = datetime(2023, 3, 1, 9)
MOMENT = datetime(2023, 3, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="session")
def told_world(worlds: Worlds, small_world: World[Scene], evaluated_world: World[None]) -> World[dict[str, UUID]]:
    """Two people decided the list and every team knows; each lead can sign in as “lead0” and so on."""

    def told_by_letter() -> dict[str, UUID]:
        scene = small_world.told()
        services.confirm(scene.actor("officer"), decide(scene))
        for number, person in enumerate(scene.leads):
            scene.people[f"lead{number}"] = person
        tell_all(scene)
        return scene.people

    with clock.at(CLOSED):
        return worlds.of(told_by_letter, like=evaluated_world)


@pytest.fixture
def told(scene: Scene, told_world: World[dict[str, UUID]]) -> Scene:
    scene.people.update(told_world.told())
    return scene


def publish(scene: Scene) -> None:
    published(scene, ResultsInput(LOCAL))


def test_before_the_moment_the_team_reads_when_and_at_the_moment_scores_and_words(
    told: Scene, browser: Browser
) -> None:
    path = f"/applications/{told.references[0]}/result"
    unset = browser.get("lead0", path)
    assert unset.status_code == 200
    assert "after publication" in unset.text and WORDS not in unset.text and "We agree." not in unset.text

    publish(told)
    with clock.at(MOMENT - SECOND):
        early = Browser(browser.app, told).get("lead0", path).text
    assert "1 March 2023" in early and WORDS not in early and "We agree." not in early
    with clock.at(MOMENT):
        shown = Browser(browser.app, told).get("lead0", path).text
        read = queries.result(told.actor("lead0"), told.references[0], clock.now())

    assert [score.half for score in read.scores] == list(SCORES[0])
    assert read.total_half == sum(SCORES[0])
    assert "The application is selected for a grant." in shown
    assert shown.count(WORDS) == 3 and "We agree." in shown
    assert "A complaint may concern the procedure, not the merits." in shown
    # Where one is to write stands with the way to do it.
    desk = f'<a class="govuk-link" href="/help/new?about=application:{told.references[0]}">Ask the helpdesk</a>'
    disagrees = shown.partition("If you do not agree")[2].partition("</section>")[0]
    assert "Write to the programme" in disagrees and desk in disagrees
    assert "Rank" not in shown and "Eva Evaluator" not in shown and "Carla Chair" not in shown


def test_only_the_team_of_an_application_reads_its_result(told: Scene, browser: Browser) -> None:
    publish(told)
    with clock.at(MOMENT):
        browser = Browser(browser.app, told)
        path = f"/applications/{told.references[0]}/result"
        assert browser.get("lead0", path).status_code == 200
        for stranger in ("lead1", "manager", "chair", "auditor"):
            assert browser.get(stranger, path).status_code == 404, stranger
        for nobody in ("eva1", "officer"):
            assert browser.get(nobody, path).status_code == 403, nobody
        assert browser.app.test_client().get(path).status_code == 303

        with arranging():
            partner = people.user("Petra Partner")
            people.role(partner.id, Role.APPLICATION_PARTNER, kind="application", object_id=told.application_ids[0])
        told.people["partner"] = partner.id
        assert browser.get("partner", path).status_code == 200
        with arranging():
            people.bar(told.people["partner"], "application", told.application_ids[0])
        assert browser.get("partner", path).status_code == 404


def test_an_application_without_a_confirmed_list_has_no_result(scene: Scene) -> None:
    scene.evaluate(SCORES)
    decide(scene)
    scene.people["lead0"] = scene.leads[0]
    with pytest.raises(NotFound):
        queries.result(scene.actor("lead0"), scene.references[0], clock.now())


def test_the_result_is_linked_from_the_application_once_it_has_one(told: Scene, browser: Browser) -> None:
    own = f"/applications/{told.references[0]}"
    early = browser.get("lead0", own).text
    assert "/result" not in early and "with the letter of decision, which follows." in early
    complaint = browser.get("lead0", f"{own}/complaint").text
    assert "About the result" not in complaint and "No complaint can be made now" in complaint
    publish(told)
    with clock.at(MOMENT):
        browser = Browser(browser.app, told)
        page = browser.get("lead0", own).text
        assert f'href="{own}/result"' in page and "which follows." not in page
        assert "/result" not in browser.get("manager", own).text


@pytest.mark.parametrize("outcome", ["selected", "reserve", "not_funded", "below_threshold"])
def test_every_result_mail_leads_to_the_result_and_names_who_writes(outcome: str) -> None:
    mails = Environment(loader=FileSystemLoader("templates/mail"), keep_trailing_newline=True)
    values = {"person": {"name": "Ana"}, "reference": "R", "title": "T", "call_title": "C", "amount": "1"}
    text = mails.get_template(f"repeated_{outcome}.txt").render(
        **values, threshold_words="", address=lambda name, **parts: f"{name} {parts['ref']}"
    )
    assert "awards.result R" in text
    assert text.rstrip().endswith("\n\nPilot Grants")


def test_a_list_is_not_decided_while_a_doubt_waits_for_a_ruling(scene: Scene) -> None:
    second = scene.application_ids[1]
    scene.declare_all(but={("eva2", second): Declared.UNSURE})
    scene.assign()
    for application_id, halves in zip(scene.application_ids, SCORES, strict=True):
        scene.assess(application_id, *halves)
        scene.agree(application_id, *halves)

    with pytest.raises(Refused, match=r"1 doubt .* waits for a ruling: Eva Evaluator 2 about PCP-2022-A-0102"):
        decide(scene)

    key = declaration(scene, "eva2", second)
    evaluation.rule(scene.actor("manager"), key, Ruling.CLEARED, "They met once.")
    services.confirm(scene.actor("officer"), decide(scene))


def test_a_doubt_stays_a_duty_and_on_the_page_until_somebody_rules_whatever_became_of_the_application(
    scene: Scene, browser: Browser
) -> None:
    scene.evaluate(SCORES)
    selection_id = decide(scene)
    # Said between the decision and its confirmation: too late for the list, and not to be forgotten.
    doubtful = scene.application_ids[1]
    declares(scene.actor("eva2"), scene.call_id, (Answered(doubtful, Declared.UNSURE, "A cousin"),))
    services.confirm(scene.actor("officer"), selection_id)

    def duty() -> list[str]:
        return [one.what for one in evaluation_reads.duties(scene.actor("manager"), clock.now()) if "doubt" in one.what]

    assert duty() == ["Rule on 1 doubt about conflicts of interest, Small neighbourhood pilots 2022"]
    page = browser.get("manager", f"/calls/{scene.slug}/assignments").text
    assert "A cousin" in page
    evaluation.rule(scene.actor("manager"), declaration(scene, "eva2", doubtful), Ruling.CLEARED, "Far cousin.")
    assert duty() == []


def test_at_once_publishes_whatever_stands_in_the_other_fields(told: Scene, browser: Browser) -> None:
    typed = {"day": "the 31st of Nonsense", "time": "25:99", "fold": "never", "without_letters": "By post."}
    version = calls.call_by_id(told.call_id).version

    answer = browser.post("manager", f"/calls/{told.slug}/results", when="now", version=str(version), **typed)

    assert answer.status_code == 303
    answer = browser.post("officer", f"/calls/{told.slug}/results/publish", version="1")
    assert answer.status_code == 303
    assert queries.result(told.actor("lead0"), told.references[0], clock.now()).public


def test_an_award_is_withheld_by_name_with_its_reason_and_named_again_by_another(told: Scene, browser: Browser) -> None:
    published(told, ResultsInput())
    base, public = f"/calls/{told.slug}/results", f"/calls/{told.slug}/awards"
    key, title = str(told.application_ids[0]), applications.view_by_id(told.application_ids[0]).title
    assert title in browser.get("eva1", public).text
    typed = {"award": key, "ground": "rights", "why": "The shelter it names has received threats."}
    refused = browser.post("manager", f"{base}/withhold", **typed | {"ground": ""})
    assert refused.status_code == 422 and typed["why"] in refused.text
    # One that is not selected is no choice, whatever the form sends.
    assert (
        browser.post("manager", f"{base}/withhold", **typed | {"award": str(told.application_ids[1])}).status_code
        == 422
    )
    assert browser.post("officer", f"{base}/withhold", **typed).status_code == 403
    assert browser.post("manager", f"{base}/withhold", **typed).status_code == 303
    # The second tab names it no more among what can be withheld.
    assert browser.post("manager", f"{base}/withhold", **typed).status_code == 422

    # Everybody reads that the list is not whole, wherever it stands, and nothing else.
    for path in (public, f"{public}.csv", f"/calls/{told.slug}"):
        read = browser.get("eva1", path).text
        assert title not in read and "1 selected application is not named here" in read, path
    shown = text_of(browser.get("officer", base))
    for said in ("the rights or the safety of people.", "The shelter it names has received threats.", "Ingrid Manager"):
        assert said in shown
    (entry,) = db.session.scalars(select(AwardWithheld.id))
    reasons = db.session.scalars(select(AuditEvent.reason).where(AuditEvent.verb == "award.withhold")).all()
    assert set(reasons) == {
        "It would threaten the rights or the safety of people. The shelter it names has received threats."
    }
    db.session.rollback()
    with pytest.raises(Refused, match="another person must name it again"):
        services.withholding.name_again(
            replace(told.actor("officer"), user_id=told.people["manager"]), entry, "They are safe."
        )
    assert browser.post("officer", f"{base}/name-again", entry=str(entry), end_reason="").status_code == 422
    assert (
        browser.post("officer", f"{base}/name-again", entry=str(entry), end_reason="They are safe.").status_code == 303
    )
    assert title in browser.get("eva1", public).text


def test_what_is_withheld_stays_closed_to_conflicts_and_listed_until_somebody_ends_it(
    told: Scene, browser: Browser
) -> None:
    first, _, third = told.application_ids
    manager, officer, acts = told.actor("manager"), told.actor("officer"), services.withholding
    # Before the results are public, and a second time.
    acts.name_again(officer, acts.withhold(manager, first, WithheldGround.LAW, "A court said so."), "It said no more.")
    entry = acts.withhold(manager, first, WithheldGround.LAW, "A court said so.")
    with pytest.raises(Conflict, match="Somebody withheld it meanwhile"):
        acts.withhold(manager, first, WithheldGround.LAW, "A court said so.")
    published(told, ResultsInput())
    acts.withhold(manager, third, WithheldGround.RIGHTS, "The shelter was threatened.")
    call, results = (
        browser.get("eva1", f"/calls/{told.slug}").text,
        browser.get("officer", f"/calls/{told.slug}/results"),
    )
    assert "2 selected applications are not named here" in call and f"/calls/{told.slug}/awards" in call
    assert "No application was selected" not in call and "No application is" not in text_of(results)

    # Declined: nothing of it is published, and the row can still be found and ended.
    with arranging():
        get(Application, first).state = ApplicationState.DECLINED.value
    assert {each.entry: each.selected for each in queries.publishing(officer, told.slug).withheld}[entry] is False
    assert queries.public.awards(officer, told.slug, clock.now())[2] == 1
    acts.name_again(officer, entry, "It declined.")
    history = f"/applications/{told.references[0]}/history"
    assert "withheld the award" in browser.get("manager", history).text
    assert "withheld the award" not in browser.get("lead0", history).text

    # In conflict: public results end the bars, and what is withheld is not among them.
    with arranging():
        city = get(Application, third).coordinator_id
        db.session.add(Membership(user_id=told.people["officer"], organisation_id=city, starts_at=clock.now()))
    officer = told.actor("officer")
    shown = queries.publishing(officer, told.slug)
    assert (shown.results, shown.named, shown.withheld, shown.none_selected) == ((), (), (), False)
    assert "The shelter was threatened." not in browser.get("officer", f"/calls/{told.slug}/results").text
    (other,) = queries.publishing(manager, told.slug).withheld
    assert other.entry is not None
    with pytest.raises(NotFound):
        acts.name_again(officer, other.entry, "They are safe.")
    history = history.replace(told.references[0], told.references[2])
    assert "withheld the award" not in browser.get("officer", history).text


def test_what_one_person_withholds_another_confirms_or_ends_and_the_others_are_told(
    told: Scene, browser: Browser
) -> None:
    published(told, ResultsInput())
    with arranging():
        told.people["second"] = people.user("Sanna Manager", Role.PROGRAMME_MANAGER).id
        told.people["kin"] = people.user("Kim Manager", Role.PROGRAMME_MANAGER).id
        city = get(Application, told.application_ids[0]).coordinator_id
        db.session.add(Membership(user_id=told.people["kin"], organisation_id=city, starts_at=clock.now()))
    page, reason = f"/calls/{told.slug}/results", "The shelter was threatened."
    entry = services.withholding.withhold(told.actor("manager"), told.application_ids[0], WithheldGround.RIGHTS, reason)
    db.session.rollback()

    # Everybody else who publishes or confirms is told at once, but nobody in conflict; what shows the ground is not mailed.
    letters = [job for job in db.session.scalars(select(Job)) if job.args.get("template") == "award_withheld"]
    assert {job.args["user_id"] for job in letters} == {
        str(told.people[name]) for name in ("second", "officer", "chair")
    }
    (text,) = {str(sorted(job.args["context"].items())) for job in letters}
    assert reason not in text and "Ingrid Manager" in text and told.references[0] in text
    last_day = clock.add_days(clock.in_zone(clock.now()).date(), 5)
    assert clock.long_date(last_day) in text

    # A duty for who confirms it, until somebody did; not for who withheld it.
    def asked(name: str) -> list[str]:
        found = queries.duties(told.actor(name), clock.now())
        return [each.why for each in found if each.what.startswith("Confirm or end that the award of")]

    why = "Ingrid Manager withheld it alone from the published results of Small neighbourhood pilots 2022."
    assert (asked("officer"), asked("chair"), asked("manager")) == ([why], [why], [])
    own, other = text_of(browser.get("manager", page)), text_of(browser.get("officer", page))
    for shown in (own, other):
        assert f"{told.references[0]} is withheld by one person alone" in shown and "To be confirmed" in shown
        assert "Ingrid Manager withheld it on" in shown and "That moment has passed" not in shown
    assert "Confirm that it is withheld" in other and "Confirm that it is withheld" not in own
    (waits,) = queries.publishing(told.actor("officer"), told.slug).withheld
    assert waits.confirm_by is not None and waits.confirm_by > clock.now()
    assert not waits.is_late(waits.confirm_by) and waits.is_late(waits.confirm_by + SECOND)

    with pytest.raises(Refused, match="another person must confirm or end it"):
        services.withholding.confirm(replace(told.actor("officer"), user_id=told.people["manager"]), entry)
    db.session.rollback()
    confirm = f"{page}/confirm-withheld"
    assert browser.post("officer", confirm, entry="nonsense").status_code == 409
    assert browser.post("second", confirm, entry=str(entry)).status_code == 403
    assert browser.post("officer", confirm, entry=str(entry)).status_code == 303
    with pytest.raises(Conflict, match="Somebody confirmed it meanwhile"):
        services.withholding.confirm(told.actor("chair"), entry)
    db.session.rollback()
    with pytest.raises(Conflict, match="You confirmed it meanwhile, in another tab"):
        services.withholding.confirm(told.actor("officer"), entry)
    db.session.rollback()

    assert (asked("officer"), asked("chair")) == ([], [])
    after = text_of(browser.get("officer", page))
    assert "one person alone" not in after and "Confirmed by " in after and "To be confirmed" not in after
    assert browser.post("chair", f"{page}/name-again", entry=str(entry), end_reason="They are safe.").status_code == 303
    with pytest.raises(Conflict, match="not withheld any more"):
        services.withholding.confirm(told.actor("chair"), entry)
    assert "confirmed that the award" in browser.get("manager", f"/applications/{told.references[0]}/history").text


def test_a_chair_who_has_not_declared_is_not_told_what_is_withheld_before_it_is_public(
    told: Scene, browser: Browser
) -> None:
    carl = silent_chair(told, told.application_ids[0])
    db.session.rollback()

    services.withholding.withhold(told.actor("manager"), told.application_ids[0], WithheldGround.RIGHTS, "A threat.")
    db.session.rollback()

    letters = [job for job in db.session.scalars(select(Job)) if job.args.get("template") == "award_withheld"]
    assert {job.args["user_id"] for job in letters} == {str(told.people[name]) for name in ("officer", "chair")}
    assert told.references[0] not in browser.get(carl, "/home").text
    duties = {name: str(queries.duties(told.actor(name), clock.now())) for name in (carl, "chair")}
    assert told.references[0] not in duties[carl] and f"of {told.references[0]} is withheld" in duties["chair"]


def test_a_stale_confirm_page_says_who_did_what_and_what_stands(scene: Scene, browser: Browser) -> None:
    scene.evaluate(SCORES)
    selection_id = decide(scene)
    version = queries.selections(scene.call_id)[0].version
    services.return_list(scene.actor("chair"), selection_id, "The panel wants another look.")
    base = f"/calls/{scene.slug}/selections/1"

    for deed, typed in (("confirm", {}), ("return", {"reason": "My own long reason"})):
        answer = browser.post("officer", f"{base}/{deed}", version=str(version), **typed)
        assert answer.status_code == 409, deed
        assert "Carla Chair returned the selection of list 1" in answer.text
        assert "It is returned: a new list can be decided." in answer.text
    assert "My own long reason" in answer.text


@pytest.mark.usefixtures("seated_world")
def test_everything_that_keeps_a_consensus_from_being_proposed_is_said_at_once(scene: Scene, browser: Browser) -> None:
    scene.assess(scene.application_ids[0], 8, 8, 8)
    keys = [one.key for one in evaluation_reads.consensus_page(scene.actor("chair"), scene.references[0]).criteria]

    answer = browser.post(
        "chair", f"/consensus/{scene.references[0]}", go="propose", version="0", **{f"half_{keys[0]}": "8"}
    )

    assert answer.status_code == 422
    assert answer.text.count("Choose a score for") >= 2
    assert "Write what the evaluators agreed on, for the applicant to read." in answer.text
