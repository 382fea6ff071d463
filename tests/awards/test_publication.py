"""Results become public by one act: before its moment conflicts bar everywhere, from it on everybody reads the selected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from config import Config
from grants.applications.models import Application
from grants.applications.services import tell_outcome
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.models import Selection
from grants.awards.rules import DecisionInput, PublishedOutcome, PublishedPilot
from grants.awards.states import AmountBasis
from grants.calls import queries as calls
from grants.calls.rules import PublicResult, PublicResults, ResultsInput
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.money import euros
from grants.core.permissions import Permission, Scope
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.models import ConflictDeclaration, EntityDeclaration
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared, DetectedState, Ruling
from grants.identity.models import AccessBar, Membership
from grants.identity.policy import PERMISSIONS, Role
from grants.identity.queries import users_with
from tests.awards.publishing import NO_LETTERS
from tests.awards.publishing import publish as published
from tests.evaluation.scene import CLOSED, SCORES, TITLES, Browser, Scene, declares, silent_chair
from tests.factories import identity as people
from tests.html import check_page
from tests.soak import awarding
from tests.soak.racing import DONE, Racers
from tests.worlds import World, Worlds

# 1 March 2023, 9:00 in Brussels.
LOCAL = datetime(2023, 3, 1, 9)
MOMENT = datetime(2023, 3, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PROCESSES = 4


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    check_page(answer)
    return unescape(re.sub(r"</?(time|span|small|b)\b[^>]*>", "", answer.text))


def decide(scene: Scene) -> UUID:
    shown = queries.ranking_page(scene.actor("manager"), scene.slug)
    services.decide(scene.actor("manager"), scene.call_id, DecisionInput(shown.list_hash, "As ranked."))
    found = db.session.scalars(select(Selection.id)).one()
    db.session.rollback()
    return found


def publish(scene: Scene, given: ResultsInput | None = None) -> datetime:
    return published(scene, given or ResultsInput(LOCAL))


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent in the block."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def bars(scene: Scene) -> list[tuple[UUID, UUID, datetime | None]]:
    db.session.rollback()
    rows = db.session.execute(
        select(AccessBar.user_id, AccessBar.object_id, AccessBar.ends_before).order_by(AccessBar.created_at)
    )
    return [tuple(row) for row in rows]


def audited(scene: Scene) -> list[str]:
    """What publications changed, by the record."""
    db.session.rollback()
    found = select(AuditEvent.object_kind).where(AuditEvent.verb == "selection.publish_results")
    return sorted(db.session.scalars(found))


def rows_of(scene: Scene) -> tuple[PublicResult, ...] | None:
    db.session.rollback()
    found = calls.public_results(calls.call_by_id(scene.call_id), clock.now())
    return found.rows if found else None


@pytest.fixture(scope="session")
def conflicted_world(worlds: Worlds, small_world: World[Scene]) -> World[None]:
    """The small call with all consensus agreed.

    ``eva1`` declared a conflict with the first application, ``eva2`` a doubt about the second, which was cleared.
    """

    def conflicted() -> None:
        scene = small_world.told()
        first, second, _ = scene.application_ids
        scene.declare_all(but={("eva1", first): Declared.CONFLICT, ("eva2", second): Declared.UNSURE})
        scene.assign()
        for application_id, halves in zip(scene.application_ids, SCORES, strict=True):
            scene.assess(application_id, *halves)
            scene.agree(application_id, *halves)
        rule_on_doubt(scene, Ruling.CLEARED)

    with clock.at(CLOSED):
        return worlds.of(conflicted, like=small_world)


@pytest.fixture(scope="session")
def decided_world(worlds: Worlds, small_world: World[Scene], conflicted_world: World[None]) -> World[None]:
    """The list is decided by one person and confirmed by another; the applicants are told."""

    def decided() -> None:
        scene = small_world.told()
        services.confirm(scene.actor("chair"), decide(scene))

    with clock.at(CLOSED):
        return worlds.of(decided, like=conflicted_world)


def rule_on_doubt(scene: Scene, ruling: Ruling) -> None:
    """The manager rules on what ``eva2`` was not sure about."""
    row_id = db.session.scalars(
        select(ConflictDeclaration.id).where(ConflictDeclaration.declared == Declared.UNSURE.value)
    ).one()
    evaluation.rule(scene.actor("manager"), row_id, ruling, "They met once at a conference.")


@pytest.fixture
def scene(scene: Scene, conflicted_world: World[None]) -> Scene:
    """Every consensus is agreed, nothing is decided."""
    return scene


@pytest.fixture
def conflicted(scene: Scene) -> Scene:
    """Every consensus is agreed, nothing is decided."""
    return scene


@pytest.fixture
def decided(scene: Scene, decided_world: World[None]) -> Scene:
    """The list is decided by one person and confirmed by another; the applicants are told."""
    return scene


# --- the act ----------------------------------------------------------------------------------------------------


def test_results_are_not_published_before_two_people_decided(conflicted: Scene) -> None:
    with pytest.raises(Refused, match="The selection of this call is not decided"):
        publish(conflicted)
    selection_id = decide(conflicted)
    with pytest.raises(Refused, match="List 1 of this call waits for a second person"):
        publish(conflicted)
    assert calls.call_by_id(conflicted.call_id).results_public_at is None
    assert [end for *_, end in bars(conflicted)] == [None]

    services.confirm(conflicted.actor("chair"), selection_id)
    assert publish(conflicted) == MOMENT


def test_results_wait_for_an_application_that_has_none(decided: Scene) -> None:
    with arranging():
        tell_outcome(decided.application_ids[1])
        get(Application, decided.application_ids[1]).state = ApplicationState.ELIGIBLE.value

    with pytest.raises(Refused, match="1 application of this call has no result yet"):
        publish(decided)


def test_every_bar_of_the_call_ends_at_the_moment_and_no_other_bar_does(decided: Scene) -> None:
    with arranging():
        elsewhere = people.bar(decided.people["eva2"], "application", UUID(int=7)).object_id

    publish(decided)

    assert {(person, thing): end for person, thing, end in bars(decided)} == {
        (decided.people["eva1"], decided.application_ids[0]): MOMENT,
        (decided.people["eva2"], elsewhere): None,
    }
    assert audited(decided) == ["access_bar", "call", "results_publication"]


def test_a_second_before_the_moment_the_conflict_bars_everywhere_and_at_the_moment_it_does_not(decided: Scene) -> None:
    application_id = decided.application_ids[0]
    scope = Scope.of(("application", application_id), ("call", decided.call_id))
    publish(decided)

    with clock.at(MOMENT - SECOND):
        assert decided.actor("eva1").barred("application") == {application_id}
        assert decided.people["eva1"] not in {one.id for one in users_with(Permission.CONFLICT_DECLARE, scope)}
        assert rows_of(decided) is None
    with clock.at(MOMENT):
        assert decided.actor("eva1").bars == frozenset()
        assert decided.people["eva1"] in {one.id for one in users_with(Permission.CONFLICT_DECLARE, scope)}
        assert rows_of(decided) == (
            PublicResult("Cool Courtyards", "Neochóra", euros(400_000), invented=True),
            PublicResult("Roof by Roof", "Kárpátliget", euros(400_000), invented=True),
        )


def belongs_to_first(scene: Scene, name: str) -> None:
    """This person belongs to whoever leads the first application; nobody set a bar."""
    with arranging():
        city = get(Application, scene.application_ids[0]).coordinator_id
        db.session.add(Membership(user_id=scene.people[name], organisation_id=city, starts_at=CLOSED))


@pytest.mark.parametrize("name", ["manager", "officer"])
def test_who_belongs_to_an_applicant_neither_proposes_nor_publishes_the_results(decided: Scene, name: str) -> None:
    belongs_to_first(decided, name)

    with pytest.raises(Refused, match="Somebody else must publish them"):
        publish(decided)


@pytest.mark.parametrize("name", ["officer", "auditor"])
def test_staff_in_conflict_learn_nothing_until_the_moment_and_decide_nothing_after_it(
    decided: Scene, name: str
) -> None:
    first = decided.application_ids[0]
    publish(decided)
    belongs_to_first(decided, name)

    with clock.at(MOMENT - SECOND):
        assert evaluation_reads.shut_to(decided.actor(name), decided.application_ids) == {first}
        assert queries.ranking_page(decided.actor(name), decided.slug).partial
        db.session.rollback()
    with clock.at(MOMENT):
        actor = decided.actor(name)
        assert evaluation_reads.shut_to(actor, decided.application_ids) == frozenset()
        assert evaluation_reads.undecidable(actor, decided.application_ids) == {first}
        shown = queries.ranking_page(actor, decided.slug)
        assert not shown.partial and {row.reference for row in shown.rows} == set(decided.references)


def test_who_came_into_conflict_since_their_request_began_publishes_nothing(decided: Scene) -> None:
    manager, officer = decided.actor("manager"), decided.actor("officer")
    made = services.propose_results(manager, decided.call_id, ResultsInput(LOCAL), without_letters=NO_LETTERS)
    for name in ("manager", "officer"):
        evaluation.declare_in_office(decided.actor(name), decided.application_ids[2], "My sister works there.")

    # Whoever acts is who they were when their request began.
    with pytest.raises(Refused, match="You have a conflict of interest with an application of this call"):
        services.publish_results(officer, made)
    with pytest.raises(Refused, match="You have a conflict of interest with an application of this call"):
        services.return_results(officer, made, "Not yet.")
    with pytest.raises(Refused, match="You have a conflict of interest with an application of this call"):
        services.propose_results(manager, decided.call_id, ResultsInput(LOCAL), without_letters=NO_LETTERS)
    assert calls.call_by_id(decided.call_id).results_public_at is None


def test_a_conflict_confirmed_after_the_publication_is_set_ends_at_the_same_moment(decided: Scene) -> None:
    doubtful, person = decided.application_ids[1], decided.people["eva2"]
    publish(decided)
    row_id = db.session.scalars(
        select(ConflictDeclaration.id).where(
            ConflictDeclaration.user_id == person, ConflictDeclaration.application_id == doubtful
        )
    ).one()

    evaluation.rule(decided.actor("manager"), row_id, Ruling.CONFIRMED, "They share a flat.")
    assert bars(decided)[1:] == [(person, doubtful, MOMENT)]
    with clock.at(MOMENT - SECOND):
        assert decided.actor("eva2").barred("application") == {doubtful}

    # Once the results are public there is nothing left to keep anybody from.
    with clock.at(MOMENT + SECOND):
        evaluation.rule(decided.actor("manager"), row_id, Ruling.CONFIRMED, "Still so.")
        assert decided.actor("eva2").bars == frozenset()


def test_the_moment_moves_with_every_bar_until_it_has_come_and_then_stays(decided: Scene) -> None:
    publish(decided)
    later = MOMENT + timedelta(days=30)

    publish(decided, ResultsInput(datetime(2023, 3, 31, 10)))
    assert [end for *_, end in bars(decided)] == [later]
    with clock.at(MOMENT):
        assert decided.actor("eva1").barred("application") == {decided.application_ids[0]}
    with clock.at(later), pytest.raises(Refused, match="The results are public since 31 March 2023, 10:00 CEST"):
        publish(decided, ResultsInput(datetime(2023, 6, 1, 9)))


def test_a_moment_in_the_past_or_that_does_not_exist_is_refused(decided: Scene) -> None:
    with pytest.raises(Invalid) as past:
        publish(decided, ResultsInput(datetime(2022, 11, 19, 9)))
    assert past.value.problems == {"local": "That moment has passed. Choose a later one, or “At once”."}
    with pytest.raises(Invalid) as skipped:
        publish(decided, ResultsInput(datetime(2023, 3, 26, 2, 30)))
    assert set(skipped.value.problems) == {"local"}
    assert calls.call_by_id(decided.call_id).results_public_at is None


def test_whoever_has_a_conflict_in_the_call_does_not_publish_its_results(decided: Scene) -> None:
    with arranging():
        people.bar(decided.people["manager"], "application", decided.application_ids[1])

    with pytest.raises(Refused, match="Somebody else must publish them"):
        publish(decided)


def test_a_chair_who_did_not_declare_neither_publishes_nor_returns_the_results(
    decided: Scene, browser: Browser
) -> None:
    made, about = proposed(decided), decided.application_ids[-1]
    late = silent_chair(decided, about)
    told = {"user_id": decided.people[late], "declared_at": clock.now()}
    for unsure in (False, True):
        if unsure:
            with arranging():
                lead = get(Application, about).coordinator_id
                row = ConflictDeclaration(
                    application_id=about, declared=Declared.UNSURE.value, reason="A cousin, perhaps", **told
                )
                entity = EntityDeclaration(
                    call_id=decided.call_id, organisation_id=lead, declared=Declared.NONE.value, **told
                )
                db.session.add_all((row, entity))
        for deed in (services.publish_results, lambda *given: services.return_results(*given, "Not yet")):
            with pytest.raises(Refused, match="somebody else must publish them"):
                deed(decided.actor(late), made)
    assert calls.call_by_id(decided.call_id).results_public_at is None
    refused = browser.post(late, f"/calls/{decided.slug}/results/publish")
    assert "have a doubt ruled on" in text_of(refused, 422)

    with arranging():
        db.session.scalars(
            select(ConflictDeclaration).filter_by(user_id=decided.people[late], application_id=about)
        ).one().declared = "none"
    services.publish_results(decided.actor(late), made)
    assert calls.call_by_id(decided.call_id).results_public_at is not None


@pytest.mark.parametrize(("name", "page"), [("chair", 200), ("officer", 200), ("auditor", 200), ("eva1", 403)])
def test_nobody_but_the_manager_proposes(decided: Scene, browser: Browser, name: str, page: int) -> None:
    with pytest.raises(NotAllowed):
        services.propose_results(decided.actor(name), decided.call_id, ResultsInput())

    path = f"/calls/{decided.slug}/results"
    assert browser.get(name, path).status_code == page
    assert browser.post(name, path, when="now").status_code == 403


def proposed(scene: Scene, given: ResultsInput | None = None, why: str = NO_LETTERS) -> UUID:
    return services.propose_results(scene.actor("manager"), scene.call_id, given or ResultsInput(), without_letters=why)


def test_results_are_published_after_everybody_has_a_letter_or_with_a_reason(decided: Scene) -> None:
    with pytest.raises(Refused, match="3 applications have no letter of decision that was sent"):
        proposed(decided, why="")
    for application_id in decided.application_ids:
        services.leaving_out.leave_out(decided.actor("manager"), application_id, "Told by telephone.")
    assert services.publish_results(decided.actor("officer"), proposed(decided, why="")) == CLOSED


def test_another_person_publishes_or_returns(decided: Scene) -> None:
    made = proposed(decided)
    with pytest.raises(Refused, match="waits for a second person"):
        proposed(decided)
    with pytest.raises(NotAllowed):
        services.publish_results(decided.actor("manager"), made)
    both = replace(decided.actor("officer"), user_id=decided.people["manager"])
    with pytest.raises(Refused, match="another person must publish or return"):
        services.publish_results(both, made)
    with pytest.raises(Invalid):
        services.return_results(decided.actor("officer"), made, " ")
    services.return_results(decided.actor("officer"), made, "On a Monday, please.")
    assert calls.call_by_id(decided.call_id).results_public_at is None
    services.publish_results(decided.actor("chair"), proposed(decided))
    assert calls.call_by_id(decided.call_id).results_public_at == CLOSED


def test_only_the_programme_manager_holds_the_permission() -> None:
    assert [role for role in Role if Permission.SELECTION_PUBLISH_RESULTS in PERMISSIONS[role]] == [
        Role.PROGRAMME_MANAGER
    ]


def test_several_at_once_publish_once(settings: Config, decided: Scene) -> None:
    words = (CLOSED, decided.actor("officer"), proposed(decided), 1)

    with Racers(settings, PROCESSES) as racers:
        answers = racers.race(awarding.publish, [words] * PROCESSES)

    assert answers.kinds == [Conflict.__name__] * (PROCESSES - 1) + [DONE]
    assert [end for *_, end in bars(decided)] == [CLOSED]
    assert audited(decided) == ["access_bar", "call", "results_publication"]


# --- what is seen -----------------------------------------------------------------------------------------------


def test_the_conflicted_chair_sees_after_the_moment_what_anybody_may_and_no_more(
    app: Flask, browser: Browser, conflicted: Scene
) -> None:
    hidden = conflicted.application_ids[0]
    declares(
        conflicted.actor("chair"), conflicted.call_id, (Answered(hidden, Declared.CONFLICT, "My brother leads it"),)
    )
    with arranging():
        conflicted.people["second"] = people.user("Sven Second", Role.PROGRAMME_MANAGER).id
    services.confirm(conflicted.actor("officer"), decide(conflicted))
    publish(conflicted)
    base, reference = f"/calls/{conflicted.slug}", conflicted.references[0]
    shut = (f"{base}/ranking", f"{base}/ranking.csv", f"{base}/decision", "/consensus", "/applications", "/home")

    for moment in (MOMENT - SECOND, MOMENT):
        with clock.at(moment):
            for path in shut:
                found = browser.get("chair", path)
                assert found.status_code == 200, path
                assert "Cool Courtyards" not in found.text, path
                # Once the bar has ended, the chair's own deeds of before stand on their own home page again.
                own_deeds = path == "/home" and moment == MOMENT
                assert own_deeds or reference not in found.text, path
            for path in (f"/applications/{reference}", f"/consensus/{reference}"):
                assert browser.get("chair", path).status_code == 404, path
            assert browser.get("eva1", f"/assessments/{reference}").status_code in (403, 404)
            actor = conflicted.actor("chair")
            with pytest.raises(NotFound):
                evaluation_reads.consensus_page(actor, reference)
            assert reference not in {row.reference for row in queries.ranking_page(actor, conflicted.slug).rows}
            partial = queries.ranking_page(actor, conflicted.slug)
            assert (partial.partial, partial.undeclared) == (True, 0)
            for name in ("chair", "eva1"):
                public = text_of(browser.get(name, base))
                assert ("Cool Courtyards" in public) == (moment == MOMENT)


def test_the_public_page_shows_the_selected_by_title_without_sign_in_and_nothing_else(
    app: Flask, decided: Scene
) -> None:
    nobody = app.test_client()
    page = f"/calls/{decided.slug}"
    before = text_of(nobody.get(page))
    assert "The results are not public yet" in before and "Cool Courtyards" not in before

    publish(decided)
    assert "They become public on 1 March 2023, 09:00" in text_of(nobody.get(page))
    with clock.at(MOMENT - SECOND):
        assert "Cool Courtyards" not in nobody.get(page).text
    with clock.at(MOMENT):
        after = text_of(nobody.get(page))

    assert after.index("Cool Courtyards") < after.index("Roof by Roof")
    assert "Neochóra" in after and "400\u00a0000.00" in after
    # Not the one on the reserve list, and no score of anybody.
    assert "Ferry to Zero" not in after and "Ærøsted" not in after and "12.5" not in after
    assert decided.references and not any(reference in after for reference in decided.references)


def test_a_selected_application_that_declined_leaves_the_public_list(decided: Scene) -> None:
    publish(decided)
    with arranging():
        tell_outcome(decided.application_ids[0])
        get(Application, decided.application_ids[0]).state = ApplicationState.DECLINED.value

    with clock.at(MOMENT):
        assert [row.title for row in rows_of(decided) or ()] == ["Roof by Roof"]


def test_where_all_that_was_selected_is_gone_everybody_reads_what_happened(decided: Scene, browser: Browser) -> None:
    """Selected, then declined or dropped: not that nothing was selected, on the pages and in the file."""
    publish(decided)
    first, _, third = decided.application_ids
    with arranging():
        for key, state in ((first, ApplicationState.DECLINED), (third, ApplicationState.DROPPED)):
            tell_outcome(key)
            get(Application, key).state = state.value
    titles = [get(Application, key).title for key in (first, third)]
    db.session.rollback()
    said = (
        "1 application was selected, and declined the grant. "
        "1 application was selected, and no agreement with it came about."
    )
    public = f"/calls/{decided.slug}/awards"

    with clock.at(MOMENT):
        for path in (public, f"{public}.csv", f"/calls/{decided.slug}", f"/calls/{decided.slug}/results"):
            read = browser.get("manager", path)
            shown = read.text if path.endswith("csv") else text_of(read)
            assert said in shown, path
            assert "No application was selected" not in shown and not any(title in shown for title in titles), path


def test_the_public_list_costs_the_same_however_long_it_is(decided: Scene, app: Flask) -> None:
    publish(decided)
    with clock.at(MOMENT):
        call = calls.call_by_id(decided.call_id)
        with statements() as two:
            assert len((calls.public_results(call, MOMENT) or PublicResults()).rows) == 2
        with arranging():
            tell_outcome(decided.application_ids[0])
            get(Application, decided.application_ids[0]).state = ApplicationState.DROPPED.value
        db.session.rollback()
        with statements() as one:
            assert len((calls.public_results(call, MOMENT) or PublicResults()).rows) == 1
    assert len(one) == len(two)


# --- the manager ------------------------------------------------------------------------------------------------


def test_the_manager_is_asked_to_publish_once_everybody_is_told(conflicted: Scene, browser: Browser) -> None:
    words = "Publish the results of Small neighbourhood pilots 2022"
    assert words not in [duty.what for duty in queries.duties(conflicted.actor("manager"), CLOSED)]
    services.confirm(conflicted.actor("chair"), decide(conflicted))
    assert words in text_of(browser.get("manager", "/home"))

    publish(conflicted)
    assert words not in [duty.what for duty in queries.duties(conflicted.actor("manager"), CLOSED)]


def test_results_are_published_on_a_page_that_shows_them_as_everybody_will_read_them(
    browser: Browser, decided: Scene
) -> None:
    path = f"/calls/{decided.slug}/results"
    page = text_of(browser.get("manager", path))
    assert "What everybody will read" in page and "Roof by Roof" in page and "Ferry to Zero" not in page

    assert "Choose from when the results are public." in text_of(browser.post("manager", path), 422)
    incomplete = text_of(browser.post("manager", path, when="later", day="1 March 2023", time=""), 422)
    assert "Enter the time on the 24-hour clock" in incomplete and 'value="1 March 2023"' in incomplete
    past = text_of(
        browser.post("manager", path, when="later", day="1 March 2022", time="9:00", without_letters="By post."), 422
    )
    assert "That moment has passed." in past and 'value="1 March 2022"' in past
    version = calls.call_by_id(decided.call_id).version
    sent = {
        "when": "later",
        "day": "1 March 2023",
        "time": "9:00",
        "version": str(version),
        "without_letters": "By post.",
    }
    without = text_of(browser.post("manager", path, **sent | {"without_letters": ""}), 422)
    assert "no letter of decision that was sent" in without and 'value="1 March 2023"' in without
    assert browser.post("manager", path, **sent).status_code == 303
    assert browser.post("manager", path, **sent | {"day": "2 March 2023"}).status_code == 422
    second = text_of(browser.get("officer", path))
    assert "public from 1 March 2023, 09:00" in second and "because: By post." in second
    assert browser.post("officer", f"{path}/return", version="1").status_code == 422
    assert browser.post("officer", f"{path}/publish", version="2").status_code == 409
    assert browser.post("officer", f"{path}/publish", version="1").status_code == 303
    assert browser.post("officer", f"{path}/publish", version="1").status_code == 409
    assert "They become public on 1 March 2023, 09:00" in text_of(browser.get("manager", path))

    with clock.at(MOMENT):
        public = text_of(Browser(browser.app, decided).get("manager", path))
    assert "What everybody reads" in public and 'name="when"' not in public


def says(scene: Scene, declared: Declared | None, ruling: Ruling | None = None) -> str:
    """A chair who said that of “Roof by Roof”, the second that is selected; None for one who said nothing."""
    if declared is None:
        return silent_chair(scene, scene.application_ids[2])
    with arranging():
        row = db.session.scalars(
            select(ConflictDeclaration).where(
                ConflictDeclaration.user_id == scene.people["chair"],
                ConflictDeclaration.application_id == scene.application_ids[2],
            )
        ).one()
        row.declared, row.reason = declared.value, None if declared is Declared.NONE else "A cousin"
        row.ruling, row.ruling_reason = (ruling.value, "Looked into.") if ruling else (None, None)
        row.ruled_by, row.ruled_at = (scene.people["manager"], clock.now()) if ruling else (None, None)
    return "chair"


@pytest.mark.parametrize(
    ("declared", "ruling", "found", "open_to_them", "asked"),
    [
        (Declared.NONE, None, None, True, False),
        (None, None, None, False, True),
        (None, None, DetectedState.PROPOSED, False, True),
        (Declared.UNSURE, None, None, False, True),
        (Declared.UNSURE, Ruling.CLEARED, None, True, False),
        # A proposal that waits for a person changes nothing of what was declared; what a person confirmed does.
        (Declared.NONE, None, DetectedState.PROPOSED, True, False),
        (Declared.NONE, None, DetectedState.CONFIRMED, False, False),
        (Declared.CONFLICT, None, None, False, False),
    ],
)
def test_before_they_are_public_the_chair_reads_the_results_of_what_is_open_to_them(
    browser: Browser,
    decided: Scene,
    declared: Declared | None,
    ruling: Ruling | None,
    found: DetectedState | None,
    open_to_them: bool,
    asked: bool,
) -> None:
    path = f"/calls/{decided.slug}/results"
    chair = says(decided, declared, ruling)
    if found is not None:
        decided.find(chair, 2, found)

    page = text_of(browser.get(chair, path))
    assert ("Roof by Roof" in page) is open_to_them and "Cool Courtyards" in page
    # The same is said whether what they did not declare about is selected or not.
    assert ("You see a part of these results" in page) is asked
    assert queries.publishing(decided.actor(chair), decided.slug).named == tuple(
        (key, f"{title} ({reference})")
        for key, title, reference in zip(decided.application_ids, TITLES, decided.references, strict=False)
        if title == "Cool Courtyards" or (title == "Roof by Roof" and open_to_them)
    )

    # What everybody reads they read as well.
    publish(decided, ResultsInput())
    assert "Roof by Roof" in text_of(browser.get(chair, path))


def test_before_the_decision_the_page_says_what_is_missing(browser: Browser, conflicted: Scene) -> None:
    page = text_of(browser.get("manager", f"/calls/{conflicted.slug}/results"))

    assert "The selection of this call is not decided." in page and 'name="when"' not in page
    refused = browser.post("manager", f"/calls/{conflicted.slug}/results", when="now")
    assert "The selection of this call is not decided." in text_of(refused, 422)


# --- outcomes published elsewhere -------------------------------------------------------------------------------


def outcome(scene: Scene) -> PublishedOutcome:
    with arranging():
        city = people.organisation("Municipality of Reka", country_code="HR").id
    pilots = (PublishedPilot("Sun for Reka", (city,), euros(100_000), AmountBasis.SYNTHETIC),)
    return PublishedOutcome("https://example.eu/results", "Results of 2022", "They were published.", pilots)


def record(scene: Scene) -> None:
    services.record_published_outcome(scene.actor("manager"), scene.call_id, outcome(scene))
    found = db.session.scalars(select(Selection.id).order_by(Selection.number.desc())).first()
    db.session.rollback()
    assert found is not None
    services.confirm(scene.actor("officer"), found)


def test_an_outcome_published_elsewhere_is_public_by_its_source(scene: Scene) -> None:
    with arranging():
        for key in scene.application_ids:
            row = get(Application, key)
            row.state, row.submission_id, row.submitted_at = ApplicationState.DRAFT.value, None, None

    record(scene)

    call = calls.call_by_id(scene.call_id)
    assert call.results_public_at == CLOSED
    assert rows_of(scene) == (PublicResult("Sun for Reka", "Reka", euros(100_000), invented=True),)
    assert queries.duties(scene.actor("manager"), CLOSED) == ()
    with pytest.raises(Refused, match="The results are public since"):
        publish(scene)


def test_an_outcome_published_elsewhere_publishes_nothing_of_what_is_evaluated_here(conflicted: Scene) -> None:
    record(conflicted)

    assert calls.call_by_id(conflicted.call_id).results_public_at is None
    assert [row.title for row in rows_of(conflicted) or ()] == ["Sun for Reka"]
    assert conflicted.actor("eva1").barred("application") == {conflicted.application_ids[0]}
    with pytest.raises(Refused, match="3 applications of this call have no result yet"):
        publish(conflicted)
