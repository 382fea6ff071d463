"""The database itself keeps what was decided on letters, results and names; nothing of it is rewritten or removed."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb
from pypdf import PdfReader
from sqlalchemy import select

from config import Config
from grants.awards.models import DecisionLetter
from grants.awards.rules.letters import DecisionText, Hashes
from grants.awards.services import leaving_out
from grants.calls.rules import ResultsInput
from grants.core import files
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.documents import services as documents
from grants.evaluation.models import DetectedConflict
from tests.awards.publishing import publish
from tests.awards.test_letters import decided, letters, prepare, sent
from tests.evaluation.scene import CLOSED, Scene

__all__ = ["decided"]


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
    leaving_out.leave_out(decided.actor("manager"), decided.application_ids[2], "Told by telephone.")
    sent(decided)
    publish(decided, ResultsInput())
    for url in (settings.DATABASE_OWNER_URL, settings.DATABASE_URL):
        with psycopg.connect(url.replace("+psycopg", "")) as connection, pytest.raises(psycopg.Error):
            connection.execute(statement.encode())


def test_what_is_printed_anew_bears_the_hash_of_its_record(settings: Config, decided: Scene) -> None:
    sent(decided)
    rows = db.session.scalars(select(DecisionLetter).order_by(DecisionLetter.id)).all()
    # One of a shape from before a field was there and before letters had a letterhead, and one that was damaged where nothing
    # guards it.
    new = {"complain_until", "frame"}
    old = {key: value for key, value in (rows[0].sent_content or {}).items() if key not in new}
    assert DecisionText.from_mapping(old).to_mapping() == old | {"complain_until": ""}
    assert DecisionText.from_mapping(rows[1].sent_content or {}).to_mapping() == rows[1].sent_content
    older, damaged, application_id = rows[0].id, rows[1].id, rows[0].application_id
    hashes = Hashes.of(old)
    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("ALTER TABLE decision_letter DISABLE TRIGGER USER")
        changed = "UPDATE decision_letter SET sent_content = %s, sent_sha256 = %s WHERE id = %s"
        connection.execute(changed, (Jsonb(old), bytes.fromhex(hashes.both), older))
        connection.execute(changed, (Jsonb(old), bytes(32), damaged))
        connection.execute("ALTER TABLE decision_letter ENABLE TRIGGER USER")
    db.session.rollback()
    made = documents.print_decision_letter_anew(decided.actor("officer"), older)
    letter, report = (PdfReader(files.path(file)).pages[0].extract_text().replace("\n", "") for file in made)
    assert hashes.letter in letter and hashes.letter in report and hashes.both in report
    # It is printed as it was then: under its title, as labels and values, without what letters got since.
    assert old["lead"] in letter and "Yours faithfully" not in letter and "Annex" not in letter
    assert letter.index("is selected" if rows[0].outcome == "selected" else "reserve list") < letter.index("SHA-256")
    with pytest.raises(Refused, match="is not what was sent"):
        letters.ask_print(decided.actor("officer"), damaged, "Torn.")
    # Whoever is kept from it since they asked has it made no more.
    with arranging():
        db.session.add(
            DetectedConflict(
                user_id=decided.people["officer"], application_id=application_id, kind="own_organisation",
                evidence="Works there", state="confirmed", found_at=CLOSED,
            )
        )  # fmt: skip
    with pytest.raises(NotFound):
        documents.print_decision_letter_anew(decided.actor("officer"), older)


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
