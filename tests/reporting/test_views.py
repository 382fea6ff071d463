"""Pages of reports: who was faster is named, and no form opens whose deed is not possible any more."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from grants.core import clock
from grants.core.acts import arranging
from grants.core.errors import Conflict, Refused
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.dossiers.forms import field_name
from grants.reporting import services
from grants.reporting.rules import Decision
from grants.reporting.states import ReportState
from tests import actors
from tests.agreements.conftest import IN_FORCE, Find, actor, grant
from tests.factories import identity as identity_rows
from tests.reporting.test_services import after, all_of, cells, first_report, sent, written
from tests.shut import shuts

__all__ = ["grant"]


def get(app: Flask, person: Actor, address: str) -> str:
    answer = actors.client_of(app, person).get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def send(app: Flask, person: Actor, address: str, status: int, **fields: object) -> str:
    answer = actors.client_of(app, person).post(address, data=fields)
    assert answer.status_code == status, answer.text
    return plain(answer.text.split("<main", 1)[1]) if status != 303 else answer.headers["Location"]


def plain(shown: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).replace("\u00a0", " ").split())


def test_costs_a_partner_saves_meanwhile_are_not_sent_unseen(demo_app: Flask, grant: Find) -> None:
    report = written(grant(IN_FORCE))
    address = f"/reports/{report.reference}"
    with after(report.ends_before):
        seen = hidden(get(demo_app, actor("reka"), address), "seen")
        services.enter_costs(actor("reka"), report.id, cells(grant(IN_FORCE), euros(77_000)))

        shown = send(demo_app, actor("reka"), f"{address}/submit", 409, version=report.version, seen=seen)

        assert "The report was changed while you were looking at it" in shown
        assert first_report(grant(IN_FORCE)).state is ReportState.DRAFT
        again = hidden(actors.client_of(demo_app, actor("reka")).get(address).text, "seen")
        assert again != seen
        send(demo_app, actor("reka"), f"{address}/submit", 303, version=report.version, seen=again)
    assert first_report(grant(IN_FORCE)).state is ReportState.SUBMITTED


def test_the_form_after_a_clash_carries_what_is_shown_now(demo_app: Flask, grant: Find) -> None:
    report = written(grant(IN_FORCE))
    address = f"/reports/{report.reference}"
    with after(report.ends_before):
        clashed = actors.client_of(demo_app, actor("reka")).post(
            f"{address}/submit", data={"version": report.version, "seen": "0" * 64}
        )

        assert clashed.status_code == 409
        assert hidden(clashed.text, "seen") == hidden(get(demo_app, actor("reka"), address), "seen")


def hidden(shown: str, name: str) -> str:
    return shown.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def test_whoever_answers_a_report_second_is_told_who_did_what_and_when(demo_app: Flask, grant: Find) -> None:
    report = sent(grant(IN_FORCE))
    with after(report.ends_before, 9):
        services.accept(actor("officer"), report.id, Decision(all_of(grant(IN_FORCE))))

    shown = send(
        demo_app,
        actor("officer"),
        f"/reports/{report.reference}/return",
        409,
        version=report.version,
        answer="Name it.",
    )

    day = clock.long_date(clock.add_days(report.ends_before, 9))
    assert f"You accepted report {report.reference} on {day}" in shown
    assert (
        "Nothing of yours was done. It is accepted and no longer changes; its payment request is decided next." in shown
    )
    assert "You had typed for “Your words for the city”: Name it." in shown
    assert "Payments of this grant" in shown


def test_a_report_sent_by_one_partner_is_not_sent_again_by_the_other_who_is_told_who_did(
    demo_app: Flask, grant: Find
) -> None:
    report = written(grant(IN_FORCE))
    with after(report.ends_before):
        services.submit(actor("reka"), report.id, version=report.version)

    shown = send(demo_app, actor("reka"), f"/reports/{report.reference}/submit", 409, version=report.version)

    assert f"You submitted report {report.reference} on" in shown and "It is with the programme" in shown
    with pytest.raises(Conflict):
        services.submit(actor("reka"), report.id, version=report.version)
    with pytest.raises(Refused, match="sent this report on"):
        services.submit(actor("reka"), report.id)
    assert first_report(grant(IN_FORCE)).versions == 1


@pytest.mark.parametrize("form", ["sections/work", "costs"])
def test_no_form_of_a_sent_report_opens_for_the_city_and_the_page_says_why_and_what_is_next(
    demo_app: Flask, grant: Find, form: str
) -> None:
    report = sent(grant(IN_FORCE))

    shown = get(demo_app, actor("reka"), f"/reports/{report.reference}/{form}").split("<main", 1)[1]

    assert "This cannot be done now" in shown and "<textarea" not in shown and 'name="version"' not in shown
    assert "It is with the programme, which accepts it, in full or in part, or returns it to be changed." in shown


@shuts("reporting.accept", "reporting.show")
def test_the_form_of_acceptance_opens_only_while_the_report_is_with_the_programme(demo_app: Flask, grant: Find) -> None:
    report = written(grant(IN_FORCE))
    address = f"/reports/{report.reference}/accept"
    assert "The city writes it" in get(demo_app, actor("officer"), address)
    with after(report.ends_before):
        services.submit(actor("reka"), report.id)
    assert 'name="version"' in get(demo_app, actor("officer"), address)
    with after(report.ends_before, 9):
        services.accept(actor("officer"), report.id, Decision(all_of(grant(IN_FORCE))))

    shown = get(demo_app, actor("officer"), address).split("<main", 1)[1]

    assert "It is accepted and no longer changes" in shown and "<textarea" not in shown
    # To somebody in conflict with the pilot neither the report nor its acceptance is there.
    officer, whole = actor("officer"), f"/reports/{report.reference}"
    assert officer.user_id is not None and get(demo_app, officer, whole)
    with arranging():
        identity_rows.bar(officer.user_id, "application", grant(IN_FORCE).application_id)
    client = actors.client_of(demo_app, actor("officer"))
    assert [client.get(each).status_code for each in (whole, address)] == [404, 404]


def test_what_was_typed_into_a_report_that_left_meanwhile_is_kept_on_the_page(demo_app: Flask, grant: Find) -> None:
    report = sent(grant(IN_FORCE))

    shown = send(
        demo_app,
        actor("reka"),
        f"/reports/{report.reference}/sections/work",
        422,
        **{field_name("progress"): "A late thought"},
    )

    assert "A late thought" in shown and "sent this report on" in shown


def test_what_keeps_a_report_back_links_to_its_parts_by_their_titles(demo_app: Flask, grant: Find) -> None:
    report = first_report(grant(IN_FORCE))
    address = f"/reports/{report.reference}"
    with after(report.ends_before):
        answer = actors.client_of(demo_app, actor("reka")).post(f"{address}/submit", data={"version": report.version})

    assert answer.status_code == 422
    problems = answer.text.split("govuk-error-summary__list", 1)[1].split("</ul>", 1)[0]
    assert f'<a href="{address}/costs">Costs of the period</a>: no cost is declared.' in problems
    assert f'<a href="{address}/sections/' in problems
    assert not re.search(r"answer-[a-z_]+:", plain(problems))
