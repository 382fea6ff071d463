"""A published file of rates from the upload to the moment it counts, in the browser without a script; and what it serves for."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.rates import queries, services
from grants.rates.states import RateKind, TableState
from tests import actors
from tests.applications.pages import send, text_of, values_of
from tests.servers import Cluster

DAILY, REFERENCE = RateKind.ECB_DAILY, RateKind.REFERENCE
SOURCE = "Euro foreign exchange reference rates, history"
TWO_DAYS = "Date,PLN,SEK\n2026-01-05,4.25,11.10\n2026-01-06,4.27,11.12\n"


@pytest.fixture
def carl(app: Flask) -> FlaskClient:
    return actors.client_of(app, actors.carl())


def upload(client: FlaskClient, content: str, kind: RateKind = DAILY, **typed: str) -> str:
    """Bring a file in by the page, let the job read it; the address of its page, or the page that came back."""
    page = "/finance/rates/new"
    values = {**values_of(client, page), "kind": kind.value, "source": SOURCE, **typed}
    answer = client.post(page, data={**values, "file": (io.BytesIO(content.encode()), "rates.csv")})
    if answer.status_code != 303:
        return text_of(answer)
    number = int(answer.headers["Location"].rpartition("/")[2])
    services.read(actors.carl(), queries.table(kind, number).id)
    return answer.headers["Location"]


def taken(client: FlaskClient, content: str, kind: RateKind = DAILY, words: str = "") -> str:
    page = upload(client, content, kind)
    answer = send(client, page, to=f"{page}/accept", words=words)
    assert answer.status_code == 303, text_of(answer)
    return page


def test_a_file_counts_once_somebody_took_it_over_and_every_rate_names_its_table(carl: FlaskClient) -> None:
    assert "Nothing yet" in text_of(carl.get("/finance/rates"))
    assert "No file was brought in yet" in text_of(carl.get("/finance/rates/ecb_daily"))
    page = upload(carl, TWO_DAYS)
    assert queries.rates_of(DAILY, "PLN") == {}
    assert "Waits for a look" in text_of(carl.get(page))

    send(carl, page, to=f"{page}/accept")

    assert queries.rates_of(DAILY, "PLN") == {date(2026, 1, 5): Decimal("4.25"), date(2026, 1, 6): Decimal("4.27")}
    assert queries.rates_of(DAILY, "SEK", first=date(2026, 1, 6)) == {date(2026, 1, 6): Decimal("11.12")}
    shown = text_of(carl.get("/finance/rates/ecb_daily?currency=sek"))
    assert "SEK for one euro" in shown and "11.12" in shown and "Table 1" in shown
    assert "No rate of XXX is known" in text_of(carl.get("/finance/rates/ecb_daily?currency=XXX"))
    with carl.get(f"{page}/file.csv") as answer:
        assert answer.get_data(as_text=True) == TWO_DAYS
    assert "6 January 2026" in text_of(carl.get("/finance/rates"))


def test_a_correction_needs_a_word_stands_beside_the_old_table_and_the_file_it_replaces_is_not_changed(
    carl: FlaskClient,
) -> None:
    taken(carl, TWO_DAYS)
    page = upload(carl, "Date,PLN,SEK\n2026-01-06,4.28,11.12\n2026-01-07,4.29,11.13\n")
    shown = text_of(carl.get(page))
    assert "4.28, and 4.27 stands" in shown

    refused = send(carl, page, to=f"{page}/accept", words=" ")
    assert refused.status_code == 422 and "Say why each rate named above is right" in text_of(refused)
    send(carl, page, to=f"{page}/accept", words="The bank corrected the day.")

    assert [(each.rate, each.table) for each in queries.rate_views(DAILY, "PLN")] == [
        (Decimal("4.25"), 1),
        (Decimal("4.28"), 2),
        (Decimal("4.29"), 2),
    ]
    view = queries.table(DAILY, 2)
    assert (view.added, view.changed, view.words) == (2, 1, "The bank corrected the day.")


def test_what_is_wrong_refuses_the_whole_file_with_its_lines_and_nothing_typed_is_lost(carl: FlaskClient) -> None:
    page = upload(carl, "Date,PLN\n2026-01-05,0\n2026-01-06,x\n")
    shown = text_of(carl.get(page))
    assert "Line 2: The rate of PLN is 0." in shown and "Line 3: “x” is no rate." in shown
    assert queries.table(DAILY, 1).state is TableState.REFUSED
    with pytest.raises(Refused):
        services.accept(actors.carl(), queries.table(DAILY, 1).id)

    assert "Say where the file was published." in upload(carl, TWO_DAYS, source="")
    again = upload(carl, TWO_DAYS, month="soon")
    assert "“soon” is no month" in again
    assert "Choose the file as it was published" in text_of(
        send(carl, "/finance/rates/new", kind="ecb_daily", source="x")
    )
    for content, sentence in (("%PDF-1.7\n", "PDF"), ("", "is empty")):
        assert sentence in upload(carl, content)


def test_a_file_that_is_here_already_or_says_nothing_new_is_not_brought_in_twice(carl: FlaskClient) -> None:
    taken(carl, TWO_DAYS)

    assert "This very file is here already, as table 1." in upload(carl, TWO_DAYS)
    page = upload(carl, "Date,PLN\n2026-01-05,4.25\n")
    assert "There is nothing to bring in" in text_of(carl.get(page))
    # A table left aside frees its file.
    third = upload(carl, "Date,PLN\n2026-01-08,4.30\n")
    send(carl, third, to=f"{third}/discard", words="Of the wrong year.")
    assert "Of the wrong year." in text_of(carl.get(third))
    assert queries.table(DAILY, 3).state is TableState.DISCARDED
    assert upload(carl, "Date,PLN\n2026-01-08,4.30\n").startswith("/finance/rates/")


def test_two_files_read_against_the_same_rates_are_not_both_taken_over(carl: FlaskClient) -> None:
    upload(carl, TWO_DAYS)
    upload(carl, "Date,PLN\n2026-01-06,4.30\n")
    first, second = queries.table(DAILY, 1), queries.table(DAILY, 2)
    services.accept(actors.carl(), first.id, version=first.version)
    with pytest.raises(Conflict):
        services.accept(actors.carl(), first.id, version=first.version)
    with pytest.raises(Refused, match="Table 1 was taken over since"):
        services.accept(actors.carl(), second.id)
    with pytest.raises(Invalid):
        services.discard(actors.carl(), second.id, words="")


def test_only_the_accounting_officer_brings_in_and_no_rate_is_rewritten_even_by_hand(
    app: Flask, postgres: Cluster, carl: FlaskClient
) -> None:
    page = taken(carl, TWO_DAYS)
    with pytest.raises(NotAllowed):
        services.discard(actors.fin(), queries.table(DAILY, 1).id, words="x")
    auditor = actors.client_of(app, actors.nuria())
    assert "Counts" in text_of(auditor.get(page)) and auditor.get("/finance/rates/new").status_code in {403, 404}
    # Neither by the program's role nor by whoever owns the database.
    for statement in (
        "UPDATE rate_series SET rates = '{}'",
        "DELETE FROM rate_table",
        "UPDATE rate_table SET source = 'y'",
        "UPDATE rate_table SET words = 'x', first_on = '2020-01-01'",
    ):
        for role in ("grants_program", "grants_owner"):
            with (
                pytest.raises(psycopg.Error, match=r"denied|refused"),
                psycopg.connect(postgres.dsn(str(db.engine.url.database), role)) as connection,
            ):
                connection.execute(statement)


def test_an_amount_is_converted_with_every_rate_that_went_in(carl: FlaskClient) -> None:
    taken(carl, TWO_DAYS)
    asked = "/finance/rates/convert?amount=10 000,00&currency=PLN&kind=ecb_daily&first=2026-01-05&last=2026-01-06"

    shown = text_of(carl.get(asked))

    assert "EUR 2 347.42" in shown.replace("\u00a0", " ") and "4.26000000" in shown and "2 rates" in shown
    early = carl.get(asked.replace("2026-01-05", "2025-12-01"))
    assert early.status_code == 422 and "no rate from 2025-11-30 to 2026-01-05" in text_of(early)
    wrong = carl.get(asked.replace("10 000,00", "1e5"))
    assert "“1e5” is no number that can be taken" in text_of(wrong)
    assert "The last day is before the first." in text_of(carl.get(asked.replace("2026-01-06", "2026-01-04")))
    assert carl.get("/finance/rates/convert").status_code == 200


def test_interest_is_worked_out_with_the_rate_that_held(carl: FlaskClient) -> None:
    asked = "/finance/rates/interest?principal=100000&due_on=2026-06-30&paid_on=2026-07-30&margin=3.5&day_count=365"
    missing = carl.get(asked)
    assert missing.status_code == 422 and "No reference rate that held on 1 June 2026 is known" in text_of(missing)

    taken(carl, "Date,Rate\n2025-06-11,2.15\n", REFERENCE)

    shown = text_of(carl.get(asked)).replace("\u00a0", " ")
    assert "EUR 464.38" in shown and "30 days" in shown and "5.65 % a year" in shown
    assert "no interest is owed" in text_of(carl.get(asked.replace("2026-07-30", "2026-06-30")))
