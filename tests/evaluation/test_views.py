"""Pages of evaluation by person: what each may open, that a conflict hides everything, that text typed is kept."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.jobs import Job
from grants.evaluation import queries, rules, services
from grants.evaluation.models import ConflictDeclaration
from grants.evaluation.rules import Answered
from grants.evaluation.states import AssessmentState, ConsensusState, Declared
from grants.identity.models import User
from grants.identity.policy import Role
from tests.awards.test_publication import statements
from tests.evaluation.scene import WORDS, Browser, Scene, declares
from tests.factories import identity as people
from tests.html import check_page


def text_of(answer: TestResponse, status: int = 200) -> str:
    """The page's text; fails unless the page has this status, is well-formed and has one heading."""
    assert answer.status_code == status, answer.text
    check_page(answer)
    return unescape(answer.text)


def handle(scene: Scene, name: str) -> str:
    return get(User, scene.people[name]).handle


def test_conflicts_are_declared_on_one_page(browser: Browser, scene: Scene) -> None:
    first, second, third = scene.application_ids
    text = text_of(browser.get("eva1", "/assessments/conflicts"))
    assert "Cool Courtyards" in text and "0 answered, 3 open" in text

    sent = browser.post(
        "eva1", f"/assessments/conflicts/{scene.slug}",
        **{f"declared_{first}": "conflict", f"reason_{first}": "My sister works there", f"declared_{second}": "none"},
    )  # fmt: skip

    assert sent.status_code == 303
    text = text_of(browser.get("eva1", "/assessments/conflicts"))
    assert "Cool Courtyards" not in text
    assert "1 answered, 1 open" in text
    assert str(third) in text


def test_a_doubt_without_a_reason_comes_back_with_what_was_chosen(browser: Browser, scene: Scene) -> None:
    first, second, _ = scene.application_ids

    sent = browser.post(
        "eva1", f"/assessments/conflicts/{scene.slug}", **{f"declared_{first}": "unsure", f"declared_{second}": "none"}
    )

    text = text_of(sent, 422)
    assert "What makes you unsure? One sentence is enough." in text
    assert f'name="declared_{first}" value="unsure" checked' in text
    assert db.session.scalars(select(ConflictDeclaration)).all() == []


def test_none_is_answered_for_every_row_where_nothing_was_noticed(browser: Browser, scene: Scene) -> None:
    address = f"/assessments/conflicts/{scene.slug}"
    rows = dict(re.findall(r'name="(was_[^"]+)" value="([^"]*)"', browser.get("eva1", "/assessments/conflicts").text))

    # Of rows that no longer stand, as those of another window may not, nothing was seen: nothing is answered.
    assert browser.post("eva1", address, go="rest", was_gone="").status_code == 422
    assert db.session.scalars(select(ConflictDeclaration)).all() == []
    browser.post("eva1", address, go="rest", **rows)

    text = text_of(browser.get("eva1", "/assessments/conflicts"))
    assert "You have answered for everything" in text and "3 applications" in text and " left" not in text


@pytest.mark.usefixtures("short_pages")
def test_a_long_list_of_conflicts_is_answered_page_by_page(browser: Browser, scene: Scene) -> None:
    first, second, third = map(str, scene.application_ids)
    text = text_of(browser.get("eva1", "/assessments/conflicts?size=2"))
    assert f"declared_{second}" in text and f"declared_{third}" not in text
    (sends_to,) = set(re.findall(r'<form class="pg-stack" method="post" action="([^"]+)"', text))
    assert sends_to.endswith(f"next=0+{scene.references[1]}&size=2")
    page = {f"was_{each}": rules.answer_mark("") for each in (first, second)}

    partners = dict.fromkeys(set(re.findall(r'name="(entity_[^"]+)"', text)), "none")

    gone_on = browser.post("eva1", sends_to, **page, **partners, **{f"declared_{first}": "none"}, go="next")

    # What came next stands there, what is answered at the end of the list, and what was left out comes first again.
    assert gone_on.location == f"/assessments/conflicts?after=0+{scene.references[1]}&size=2"
    text = text_of(browser.get("eva1", gone_on.location.replace("size=2", "size=1")))
    assert f"declared_{third}" in text and f"declared_{second}" not in text
    assert f"declared_{second}" in text_of(browser.get("eva1", "/assessments/conflicts?size=1"))
    assert "Nothing more stands here" in text_of(browser.get("eva1", "/assessments/conflicts?after=2"))

    # The page as it was before knows nothing of that: what it says against it comes back, wherever the row stands now.
    typed = {f"declared_{first}": "unsure", f"reason_{first}": "A cousin", f"declared_{second}": "none"}
    text = text_of(browser.post("eva1", sends_to, **page, **typed, go="next"), 422)
    assert "You answered this in another window" in text and 'value="A cousin"' in text
    assert f"declared_{third}" not in text and sends_to in text


def test_a_conflicted_evaluator_meets_the_application_nowhere(browser: Browser, seated: Scene) -> None:
    first, reference = seated.application_ids[0], seated.references[0]
    name = seated.seats(first)[0]
    paths = ("/home", "/assessments", "/assessments/conflicts", "/consensus", "/applications")
    assert "Cool Courtyards" in text_of(browser.get(name, "/assessments"))
    assert browser.get(name, f"/assessments/{reference}").status_code == 200

    declares(seated.actor(name), seated.call_id, (Answered(first, Declared.CONFLICT, "A new job"),))

    for path in paths:
        answer = browser.get(name, path)
        assert answer.status_code in (200, 403)
        assert "Cool Courtyards" not in answer.text and reference not in answer.text
    for path in (f"/assessments/{reference}", f"/consensus/{reference}", f"/assessments/{reference}/files/00"):
        # Whoever held this seat alone has nothing to assess any more, and so no such page.
        assert browser.get(name, path).status_code in (403, 404)
    assert browser.post(name, f"/assessments/{reference}", go="save").status_code in (403, 404)
    actor = seated.actor(name)
    assert [row.application_id for row in queries.assessments(actor) if row.application_id == first] == []
    assert first not in {row.application_id for row in queries.consensus_list(actor).items}
    left = queries.assessments(actor)
    told = [duty.what for duty in queries.duties(actor, seated_at())]
    assert [words.startswith(f"Assess {len(left)} application") for words in told] == [True] * bool(left)


def seated_at():
    from tests.evaluation.scene import CLOSED

    return CLOSED


def test_an_undeclared_evaluator_opens_nothing(browser: Browser, scene: Scene) -> None:
    text_of(browser.get("eva1", "/assessments"))

    assert browser.get("eva1", f"/assessments/{scene.references[0]}").status_code in (403, 404)


def test_the_sheet_stands_beside_the_submitted_text(browser: Browser, seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]

    text = text_of(browser.get(name, f"/assessments/{seated.references[0]}"))

    assert "Cool Courtyards: what we answer to" in text
    assert text.count('type="radio"') == 33
    assert "Submit<span" in text


def test_a_draft_is_saved_and_found_again(browser: Browser, seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    path = f"/assessments/{seated.references[0]}"

    sent = browser.post(name, path, go="save", half_excellence="7", comment_excellence="So far <good>", version="0")

    assert sent.status_code == 303
    text = browser.get(name, path).text
    assert 'name="half_excellence" value="7" checked' in text
    assert "So far &lt;good&gt;" in text
    assert "3.5: between good and very good" in text


def test_save_and_next_goes_to_the_next_unfinished_sheet(browser: Browser, seated: Scene) -> None:
    # Who has how many seats follows from the ids.
    name = next(each for each in seated.evaluators if len(queries.assessments(seated.actor(each))) > 1)
    mine = sorted(row.reference for row in queries.assessments(seated.actor(name)))

    sent = browser.post(name, f"/assessments/{mine[0]}", go="next", half_impact="7", version="0")

    assert sent.location.endswith(mine[1])


def test_an_unfinished_sheet_comes_back_with_its_text_and_each_problem(browser: Browser, seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]

    sent = browser.post(
        name, f"/assessments/{seated.references[0]}", go="submit", half_excellence="4", comment_excellence="too short",
        half_impact="8", version="0",
    )  # fmt: skip

    text = text_of(sent, 422)
    assert "below the threshold of 3: say why in at least 30 words; there are 2." in text
    assert "Choose a score for Quality of the implementation." in text
    assert ">too short</textarea>" in text


def test_a_submitted_sheet_shows_the_others_and_no_form(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    one, two, _ = seated.seats(first)
    services.submit(seated.actor(one), first, seated.sheet(9, 9, 9, words="Their words"))
    marks = {f"half_{key}": "8" for key in ("excellence", "impact", "implementation")}

    sent = browser.post(two, f"/assessments/{seated.references[0]}", go="submit", version="0", **marks)

    assert sent.status_code == 303
    text = text_of(browser.get(two, f"/assessments/{seated.references[0]}"))
    assert "Their words" in text and "Submit<span" not in text
    assert "Their words" not in browser.get(seated.seats(first)[2], f"/assessments/{seated.references[0]}").text


def test_the_consensus_is_written_proposed_and_agreed_on_one_page(browser: Browser, seated: Scene) -> None:
    first, path = seated.application_ids[0], f"/consensus/{seated.references[0]}"
    seated.assess(first, 8, 5, 8)
    text = text_of(browser.get("chair", path))
    assert text.count("Eva Evaluator") >= 9 and "Put it to the evaluators" in text
    marks = {f"half_{key}": "8" for key in ("excellence", "impact", "implementation")}

    assert browser.post("chair", path, go="propose", remark="We agree.", version="0", **marks).status_code == 303
    for name in seated.seats(first):
        assert "I agree to these scores and words" in text_of(browser.get(name, path))
        assert browser.post(name, f"{path}/agree").status_code == 303

    assert "All have agreed." in text_of(browser.get("chair", path))
    assert queries.consensus_page(seated.actor("chair"), seated.references[0]).state is ConsensusState.AGREED


@pytest.mark.usefixtures("declared_world")
def test_the_manager_sees_the_matrix_and_asks_for_a_run(browser: Browser, scene: Scene) -> None:
    path = f"/calls/{scene.slug}/assignments"
    assert "3 empty" in text_of(browser.get("manager", path))

    assert browser.post("manager", path, seed="2022", keep_countries_apart="yes").status_code == 303

    text = text_of(browser.get("manager", path))
    assert "The assignment is being made" in text
    job = db.session.scalars(select(Job).where(Job.name == "jobs.evaluation.assign")).one()
    assert job.args["seed"] == "2022"


def test_the_result_of_a_run_and_its_proof_are_shown(browser: Browser, seated: Scene) -> None:
    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments"))

    assert "Run 1: the best assignment, proved" in text
    assert "No assignment can be worth more than" in text


def test_the_manager_voids_fills_and_reopens_by_pages(browser: Browser, seated: Scene) -> None:
    first, base = seated.application_ids[0], f"/calls/{seated.slug}/assignments/{seated.references[0]}"
    leaver, stayer, _ = seated.seats(first)
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))
    services.submit(seated.actor(stayer), first, seated.sheet(8, 8, 8))

    text_of(browser.get("manager", f"{base}/{handle(seated, stayer)}/reopen"))
    sent = browser.post("manager", f"{base}/{handle(seated, stayer)}/reopen", reason="A slip of the pen")
    assert sent.status_code == 303
    key = handle(seated, leaver)
    form = browser.get("manager", f"{base}/adjust?leaving={key}&deed=release")
    assert re.search(r'value="release"[^>]*checked', text_of(form))
    (version,) = re.findall(r'name="version" value="(\d+)"', form.text)
    gone = {"deed": "release", "leaving": key, "version": version}
    assert browser.post("manager", f"{base}/adjust", **gone, reason=" ").status_code == 422
    assert browser.post("manager", f"{base}/adjust", **gone, reason="Ill").status_code == 303
    # A second tab that showed other seats does nothing and keeps what was typed.
    lock = {"deed": "lock", "leaving": handle(seated, stayer), "version": version, "reason": "Knows it"}
    late = browser.post("manager", f"{base}/adjust", **lock)
    assert late.status_code == 409 and "Knows it" in late.text
    give = {"deed": "give", "taking": handle(seated, spare), "due_on": "31 January 2023"}
    sent = browser.post("manager", f"{base}/adjust", **give, reason="Next best")

    assert sent.status_code == 303
    assert seated.seats(first) == sorted([spare, *(n for n in seated.seats(first) if n != spare)])
    page = queries.assessment_page(seated.actor(stayer), seated.references[0])
    assert page.sheet.state is AssessmentState.DRAFT


def twice(browser: Browser, name: str, path: str, **data: str) -> None:
    """The second of two clicks is led where the first one went."""
    first, second = (browser.post(name, path, act_key=f"form of {path}", **data) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303), second.text
    assert first.location == second.location


def test_conflicts_declared_by_two_clicks_are_declared_once(browser: Browser, scene: Scene) -> None:
    first, second, _ = scene.application_ids
    answers = {f"declared_{first}": "conflict", f"reason_{first}": "My sister", f"declared_{second}": "none"}

    twice(browser, "eva1", f"/assessments/conflicts/{scene.slug}", **answers)

    assert scene.actor("eva1").barred("application") == {first}
    assert queries.declaration_of(scene.people["eva1"], second)[0] is Declared.NONE


def test_a_seat_emptied_and_one_filled_by_two_clicks_happen_once(browser: Browser, seated: Scene) -> None:
    first, base = seated.application_ids[0], f"/calls/{seated.slug}/assignments/{seated.references[0]}"
    leaver = seated.seats(first)[0]
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))

    twice(browser, "manager", f"{base}/adjust?1", deed="release", leaving=handle(seated, leaver), reason="Ill")
    twice(browser, "manager", f"{base}/adjust?2", deed="give", taking=handle(seated, spare), reason="Next best")

    assert spare in seated.seats(first) and leaver not in seated.seats(first)
    assert len(seated.seats(first)) == 3


def test_a_pool_entry_sent_twice_is_stored_once(browser: Browser, scene: Scene) -> None:
    path, person = f"/calls/{scene.slug}/evaluators/entry?person={handle(scene, 'eva1')}", str(scene.people["eva1"])

    twice(
        browser,
        "manager",
        path,
        person=person,
        country_code="se",
        languages="en",
        load_min="1",
        load_max="2",
        version="1",
    )

    assert len(queries.pool(scene.call_id)) == 5


def test_somebody_taken_from_the_pool_by_two_clicks_is_gone(browser: Browser, scene: Scene) -> None:
    twice(browser, "manager", f"/calls/{scene.slug}/evaluators/{handle(scene, 'eva5')}/remove")

    assert len(queries.pool(scene.call_id)) == 4


def test_the_manager_rules_on_a_doubt(browser: Browser, scene: Scene) -> None:
    scene.declare_all(but={("eva1", scene.application_ids[0]): Declared.UNSURE})
    path = f"/calls/{scene.slug}/conflicts/{scene.references[0]}/{handle(scene, 'eva1')}"
    assert "Not sure" in text_of(browser.get("manager", path))

    assert browser.post("manager", path, ruling="cleared", reason="Long ago", version="1").status_code == 303

    queries.refuse_conflict(scene.people["eva1"], scene.application_ids[0])


def test_the_pool_is_kept_by_the_manager(browser: Browser, scene: Scene) -> None:
    path = f"/calls/{scene.slug}/evaluators"
    assert "Eva Evaluator 5" in text_of(browser.get("manager", path))
    text = text_of(browser.get("manager", f"{path}/entry?person={handle(scene, 'eva1')}"))
    assert "Change the entry of Eva Evaluator 1" in text

    sent = browser.post(
        "manager", f"{path}/entry?person={handle(scene, 'eva1')}", person=str(scene.people["eva1"]), country_code="se",
        languages="en, sv", load_min="1", load_max="2", version="1",
    )  # fmt: skip

    assert sent.status_code == 303
    member = next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people["eva1"])
    assert (member.country_code, member.languages, member.load_min, member.load_max) == ("SE", ("en", "sv"), 1, 2)
    assert browser.post("manager", f"{path}/{handle(scene, 'eva5')}/remove").status_code == 303
    assert len(queries.pool(scene.call_id)) == 4


@pytest.mark.parametrize(
    "path",
    ["/calls/{slug}/assignments", "/calls/{slug}/evaluators", "/calls/{slug}/assignments/{ref}/adjust"],
)
def test_an_evaluator_opens_no_page_of_the_manager(browser: Browser, scene: Scene, path: str) -> None:
    found = browser.get("eva1", path.format(slug=scene.slug, ref=scene.references[0]))

    assert found.status_code == 403


def test_what_must_be_done_next_follows_the_work(seated: Scene) -> None:
    at = seated_at()
    name = seated.seats(seated.application_ids[0])[0]
    many = len(queries.assessments(seated.actor(name)))

    def said(person: str) -> list[str]:
        return [duty.what for duty in queries.duties(seated.actor(person), at)]

    assert said(name) == [f"Assess {many} application" + ("" if many == 1 else "s")]
    seated.assess(seated.application_ids[0], 8, 8, 8)
    assert said("chair") == ["Write the consensus of 1 application"]
    services.propose(seated.actor("chair"), seated.application_ids[0], seated.sheet(8, 8, 8, remark="Good."))
    assert "Read and agree the consensus of 1 application" in said(name)


def test_the_work_of_a_manager_costs_the_same_for_one_call_and_for_five(scene: Scene) -> None:
    with statements() as one:
        assert _fill_duties(scene) == 1
    with arranging():
        _more_calls(scene, 4)
    with statements() as five:
        assert _fill_duties(scene) == 5

    assert len(five) == len(one)

    def told() -> list[str]:
        return [duty.what for duty in queries.duties(scene.actor("manager"), seated_at())]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grants.evaluation.queries.work.DUTIES_MAX", 4)
        assert [what.startswith("Fill") for what in told()] == [True] * 4 + [False]
        assert told()[-1] == "Look at seats and doubts: 1 more call"
        # A call that asks for nothing takes the place of none that does, and is not counted.
        with arranging():
            call = get(Call, scene.call_id)
            fields = call.content["fields"]
            asked = {**fields["evaluation.evaluators_per_application"], "value": 0}
            call.content = {**call.content, "fields": {**fields, "evaluation.evaluators_per_application": asked}}
        assert [what.startswith("Fill") for what in told()] == [True] * 4


def _fill_duties(scene: Scene) -> int:
    actor = scene.actor("manager")
    return sum(duty.what.startswith("Fill") for duty in queries.duties(actor, seated_at()))


def _more_calls(scene: Scene, count: int) -> None:
    """Copies of the small call, each with one eligible application."""
    source, about = get(Call, scene.call_id), get(Application, scene.application_ids[0])
    columns = {one.key: getattr(source, one.key) for one in Call.__table__.columns if one.key not in MADE_ANEW}
    for number in range(2, count + 2):
        columns |= {"reference": f"PCP-2022-C-{number:04d}", "slug": f"call-{number}", "published_id": None}
        call = Call(**columns)
        db.session.add(call)
        kept = [one.key for one in Application.__table__.columns if one.key not in MADE_ANEW and one.computed is None]
        values = {key: getattr(about, key) for key in kept}
        values |= {"call_id": call.id, "reference": f"PCP-2022-A-9{number:03d}"}
        db.session.add(Application(**values))


MADE_ANEW = ("id", "created_at", "version")


def uuid_free(path: str) -> bool:
    return not any(len(part) == 36 and part.count("-") == 4 for part in path.split("/"))


def test_no_address_carries_an_id(browser: Browser, seated: Scene) -> None:
    import re

    for name, path in (
        ("manager", f"/calls/{seated.slug}/assignments"),
        (seated.seats(seated.application_ids[0])[0], "/assessments"),
    ):
        for href in re.findall(r'href="([^"]+)"', browser.get(name, path).text):
            assert uuid_free(href), href


def test_words_of_a_sheet_are_not_lost_to_a_second_browser(browser: Browser, seated: Scene) -> None:
    name, path = seated.seats(seated.application_ids[0])[0], f"/assessments/{seated.references[0]}"
    browser.post(name, path, go="save", comment_impact="first", version="0")
    shown = queries.assessment_page(seated.actor(name), seated.references[0]).sheet.version
    browser.post(name, path, go="save", comment_impact="second", version=str(shown))

    sent = browser.post(name, path, go="save", comment_impact=WORDS, version=str(shown))

    assert sent.status_code == 409
    assert queries.assessment_page(seated.actor(name), seated.references[0]).sheet.mark("impact").comment == "second"
    text = text_of(sent, 409)
    assert WORDS in text
    # Nobody else writes on it.
    assert "saved meanwhile, by you in another window" in text and "colleague" not in text
    again = re.search(r'name="version" value="(\d+)"', text)
    assert again is not None
    assert browser.post(name, path, go="save", comment_impact=WORDS, version=again[1]).status_code == 303


def test_a_ruling_after_a_colleagues_keeps_its_words_and_shows_what_stands(browser: Browser, scene: Scene) -> None:
    scene.declare_all(but={("eva1", scene.application_ids[0]): Declared.UNSURE})
    path = f"/calls/{scene.slug}/conflicts/{scene.references[0]}/{handle(scene, 'eva1')}"
    assert browser.post("manager", path, ruling="cleared", reason="Long ago", version="1").status_code == 303

    sent = browser.post("manager", path, ruling="confirmed", reason="They share an office.", version="1")

    text = text_of(sent, 409)
    assert "Somebody changed this while you were working" in text
    assert "They share an office." in text
    assert "Ruled before: there is no conflict" in text and "Long ago" in text
    assert 'value="confirmed" checked' in text


def test_a_view_that_remains_is_kept_when_the_consensus_was_taken_back_meanwhile(
    browser: Browser, seated: Scene
) -> None:
    first, path = seated.application_ids[0], f"/consensus/{seated.references[0]}"
    seated.assess(first, 8, 5, 8)
    marks = {f"half_{key}": "8" for key in ("excellence", "impact", "implementation")}
    assert browser.post("chair", path, go="propose", remark="We agree.", version="0", **marks).status_code == 303
    shown = queries.consensus_page(seated.actor("chair"), seated.references[0]).version
    assert browser.post("chair", f"{path}/take-back", version=str(shown)).status_code == 303

    sent = browser.post("chair", f"{path}/settle", minority_view="The plan is too slow.", version=str(shown))

    text = text_of(sent, 409)
    assert "Somebody changed this while you were working" in text
    assert "The plan is too slow." in text
    # The scores of the draft stand in its own form, as they are stored.
    assert text.count('value="8" checked') == 3 and "We agree." in text


def test_a_pool_entry_changed_by_a_colleague_comes_back_with_what_was_typed(browser: Browser, scene: Scene) -> None:
    path = f"/calls/{scene.slug}/evaluators/entry"
    member = queries.pool(scene.call_id)[0]
    values = {"person": str(member.user_id), "country_code": "FI", "languages": "en", "load_min": "0"}

    sent = browser.post("manager", f"{path}?person={member.handle}", **values, load_max="7", version="99")

    text = text_of(sent, 409)
    assert "Somebody changed this while you were working" in text
    assert 'value="7"' in text and f'name="version" value="{member.version}"' in text


def test_a_receipt_without_an_event_in_the_record_says_so(scene: Scene, browser: Browser) -> None:
    answer = browser.get("manager", f"/applications/{scene.references[0]}/receipt")

    assert answer.status_code == 200
    assert "None: this version was not sent through the form" in answer.text


def test_who_leads_or_sits_on_the_panel_is_not_offered_for_the_pool(browser: Browser, scene: Scene) -> None:
    with arranging():
        others = {
            role: people.user(f"Held by {role.value}", role)
            for role in (Role.EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER)
        }

    text = text_of(browser.get("manager", f"/calls/{scene.slug}/evaluators/entry"))

    offered = {role for role, one in others.items() if f'value="{one.id}"' in text}
    assert offered == {Role.EVALUATOR}


def test_one_application_alone_is_declared_about_by_its_reference(browser: Browser, seated: Scene) -> None:
    evaluator = seated.seats(seated.application_ids[0])[0]
    first, second = (get(Application, one).reference for one in seated.application_ids[:2])

    alone = text_of(browser.get(evaluator, f"/assessments/conflicts?about={first}"))

    assert first in alone and second not in alone and "Show everything you declare about" in alone
    # It is open, with one button, and leads back to where one came from.
    form = alone.partition('<form class="pg-stack"')[2].partition("</form>")[0]
    assert form.count("<button") == 1 and "<details" not in form and "You have answered for everything" not in alone
    assert "Declare a conflict of interest about" in alone
    about, slug = f"?about={first}&meeting=day-one", seated.slug
    key = f"declared_{seated.application_ids[0]}"
    unsaid = browser.post(evaluator, f"/assessments/conflicts/{slug}{about}", **{key: "unsure"})
    again = text_of(unsaid, 422)
    assert "What makes you unsure? One sentence is enough." in again and second not in again
    assert f"about={first}" in again and "You have answered for everything" not in again
    sent = browser.post(evaluator, f"/assessments/conflicts/{slug}{about}", **{key: "none"})
    assert sent.location == "/panels/day-one/live"
    # Of what is not theirs to declare about nothing is told: the whole page comes.
    whole = text_of(browser.get(evaluator, "/assessments/conflicts?about=PCP-2099-A-0001"))
    assert first in whole and second in whole
