"""Balances for two moments: as of a day and as known then, beside what was recorded later."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from grants.core import clock
from grants.core.errors import Invalid
from tests import actors
from tests.html import check_page
from tests.oversight.conftest import Scene, scene, verified_world
from tests.statements import statements

__all__ = ["scene", "verified_world"]

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def auditor(client: FlaskClient, scene: Scene) -> FlaskClient:
    person = actors.nuria().user_id
    assert person is not None
    actors.sign_in(client, person)
    return client


def shown(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    check_page(answer)
    return re.sub(r"[ \n]+", " ", answer.text)


def test_balances_as_known_then_stand_beside_what_was_recorded_later(auditor: FlaskClient) -> None:
    text = shown(auditor, "/finance/balances?on=3+May+2023&known=2023-05-03T09:00:00%2B02:00")

    assert "1100 Pre-financing granted, not yet cleared" in text
    assert text.count("240\u00a0000.00") == 2, "as known now, and recorded later"
    assert "as known before" in text


def test_a_day_as_known_means_until_its_end(auditor: FlaskClient) -> None:
    assert "1100 Pre-financing" in shown(auditor, "/finance/balances?known=3+May+2023")
    assert "Recorded later" in shown(auditor, "/finance/balances?known=2+May+2023")
    # Figures of four columns are told apart by their labels, on a phone too.
    assert "pg-brief" not in auditor.get("/finance/balances?known=2+May+2023").text
    assert "pg-brief" in auditor.get("/finance/balances").text
    assert "240\u00a0000.00" not in shown(auditor, "/finance/balances?on=2+May+2023")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("on=someday", "someday"),
        ("known=2023-05-03T09:00", "has no zone. Add one, for example +01:00."),
        ("known=2023-05-03T99:00%2B01:00", "is not a moment. Write it like 2027-03-01T12:00:00+01:00."),
        ("grant=PCP-2022-G-9999", "There is no grant “PCP-2022-G-9999” here."),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(auditor: FlaskClient, query: str, sentence: str) -> None:
    assert sentence in shown(auditor, f"/finance/balances?{query}")


def test_one_grant_alone_and_the_page_has_few_statements(auditor: FlaskClient) -> None:
    with statements() as seen:
        text = shown(auditor, "/finance/balances?grant=PCP-2022-G-0001&known=3+May+2023")

    assert "2200 Retention" in text
    assert "B000" not in text, "the budget belongs to the call"
    assert len(seen) <= 8
    assert 'href="/finance/balances"' in shown(auditor, "/finance/ledger")


def test_who_may_not_read_the_ledger_does_not_read_its_balances(client: FlaskClient, scene: Scene) -> None:
    person = actors.eva().user_id
    assert person is not None
    actors.sign_in(client, person)

    assert client.get("/finance/balances").status_code in {403, 404}


def test_a_moment_is_read_with_its_zone_only() -> None:
    assert clock.read_moment("2027-03-01T12:00:00+01:00") == datetime(2027, 3, 1, 11, tzinfo=UTC)
    with pytest.raises(Invalid, match="has no zone"):
        clock.read_moment("2027-03-01T12:00:00")
