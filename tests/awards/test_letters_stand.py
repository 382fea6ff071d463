"""The database itself keeps what was decided on letters, results and names; nothing of it is rewritten or removed."""

from __future__ import annotations

import psycopg
import pytest

from config import Config
from grants.calls.rules import ResultsInput
from tests.awards.publishing import publish
from tests.awards.test_letters import decided, decided_world, letters, prepare, sent
from tests.evaluation.scene import Scene

__all__ = ["decided", "decided_world"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision_letter SET content = '{}'",
        "UPDATE decision_letter SET sent_content = '{}'",
        "DELETE FROM decision_letter",
        "UPDATE letter_mailing SET prepared_by = confirmed_by",
        "DELETE FROM letter_mailing",
        "UPDATE results_publication SET without_letters = 'Another'",
        "UPDATE letter_left_out SET reason = 'Another'",
        "DELETE FROM letter_left_out",
    ],
)
def test_what_was_decided_on_letters_is_not_rewritten(settings: Config, decided: Scene, statement: str) -> None:
    letters.leave_out(decided.actor("manager"), decided.application_ids[2], "Told by telephone.")
    sent(decided)
    publish(decided, ResultsInput())
    for url in (settings.DATABASE_OWNER_URL, settings.DATABASE_URL):
        with psycopg.connect(url.replace("+psycopg", "")) as connection, pytest.raises(psycopg.Error):
            connection.execute(statement.encode())


def test_the_same_decision_is_never_told_by_two_letters(settings: Config, decided: Scene) -> None:
    prepare(decided)
    again = """
        INSERT INTO decision_letter SELECT gen_random_uuid(), created_at, version, mailing_id, selection_id, application_id,
        outcome, state, content, sha256, sent_content, sent_sha256, sent_at, failure, acknowledged_by, acknowledged_at
        FROM decision_letter
    """
    with (
        psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute(again)
