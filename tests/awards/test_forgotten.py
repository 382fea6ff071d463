"""No list is decided while an application of its call is forgotten, and a call has one ranked list."""

from __future__ import annotations

from uuid import UUID

import pytest

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import queries, rules, services
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.money import ZERO
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from tests.awards.test_services import decide, decision, reserved
from tests.awards.test_views import text_of
from tests.evaluation.scene import FOUR_HUNDRED_THOUSAND, Browser, Scene, declares, small_application


def a_fourth(scene: Scene, state: ApplicationState) -> UUID:
    """One more application of the call that nobody evaluated."""
    key, _, _ = small_application(scene.call_id, 3, FOUR_HUNDRED_THOUSAND)
    moved(key, state)
    return key


def moved(application_id: UUID, state: ApplicationState) -> None:
    with arranging():
        get(Application, application_id).state = state.value
    db.session.rollback()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            ApplicationState.SUBMITTED,
            r"1 application of this call waits for its eligibility check \(PCP-2022-A-0104\)\. "
            r"Declare it eligible or ineligible first\.",
        ),
        (
            ApplicationState.ELIGIBLE,
            r"1 eligible application of this call has no evaluators yet \(PCP-2022-A-0104\)\. Assign them, and have it assessed\.",
        ),
    ],
)
def test_no_list_is_decided_while_an_application_is_forgotten(
    evaluated: Scene, state: ApplicationState, words: str
) -> None:
    a_fourth(evaluated, state)

    with pytest.raises(Refused, match=words):
        decide(evaluated)


def test_no_list_is_confirmed_over_an_application_that_came_after_the_decision(evaluated: Scene) -> None:
    selection_id = decide(evaluated)
    a_fourth(evaluated, ApplicationState.SUBMITTED)

    with pytest.raises(Refused, match=r"waits for its eligibility check \(PCP-2022-A-0104\)"):
        services.confirm(evaluated.actor("officer"), selection_id)
    assert reserved(evaluated) == ZERO


def test_ineligible_and_withdrawn_applications_hold_up_no_list(evaluated: Scene) -> None:
    a_fourth(evaluated, ApplicationState.INELIGIBLE)

    services.confirm(evaluated.actor("officer"), decide(evaluated))

    assert reserved(evaluated) > ZERO


def test_the_pages_name_the_forgotten_and_offer_no_decision(evaluated: Scene, browser: Browser) -> None:
    a_fourth(evaluated, ApplicationState.ELIGIBLE)

    shown = queries.ranking_page(evaluated.actor("manager"), evaluated.slug)
    assert ([row.reference for row in shown.forgotten], shown.ready) == (["PCP-2022-A-0104"], False)
    for page in ("ranking", "decision"):
        text = text_of(browser.get("manager", f"/calls/{evaluated.slug}/{page}"))
        assert "1 eligible application of this call has no evaluators yet (PCP-2022-A-0104)." in text
    assert "Ready to decide" not in text_of(browser.get("manager", f"/calls/{evaluated.slug}/ranking"))
    assert not [duty for duty in queries.duties(evaluated.actor("manager"), _now()) if "Decide" in duty.what]


def _now():
    from grants.core import clock

    return clock.now()


def test_what_is_forgotten_while_the_call_is_open_is_told_with_that() -> None:
    words = rules.forgotten_words(["PCP-2022-A-0104"], [], still_open=True)

    assert words.endswith("The call is still open: more applications may come in until its deadline.")
    assert rules.forgotten_words([], [], still_open=True) == ""


def test_a_person_with_a_conflict_reads_nothing_of_the_forgotten(evaluated: Scene, browser: Browser) -> None:
    fourth = a_fourth(evaluated, ApplicationState.ELIGIBLE)
    declares(evaluated.actor("chair"), evaluated.call_id, (Answered(fourth, Declared.CONFLICT, "My town"),))

    shown = queries.ranking_page(evaluated.actor("chair"), evaluated.slug)

    assert (shown.forgotten, shown.partial, shown.ready) == ((), True, False)
    assert "PCP-2022-A-0104" not in text_of(browser.get("chair", f"/calls/{evaluated.slug}/decision"))
    with pytest.raises(Refused, match="You have a conflict of interest"):
        services.decide(evaluated.actor("chair"), evaluated.call_id, decision(evaluated))


def test_a_call_has_one_ranked_list_and_both_page_and_act_say_so(evaluated: Scene, browser: Browser) -> None:
    services.confirm(evaluated.actor("officer"), decide(evaluated))
    fourth = a_fourth(evaluated, ApplicationState.UNDER_EVALUATION)

    text = text_of(browser.get("manager", f"/calls/{evaluated.slug}/ranking"))
    assert "came after the list was decided" in text and "PCP-2022-A-0104" in text
    with pytest.raises(Refused, match=r"List 1 of this call is confirmed, and a call has one ranked list\."):
        services.decide(evaluated.actor("manager"), evaluated.call_id, decision(evaluated))
    assert get(Application, fourth).state == "under_evaluation"
