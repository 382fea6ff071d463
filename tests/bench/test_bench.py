"""The benchmark measures what it says: pages whose statements do not grow, a seed that holds, a run that stops when wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from grants.bench import report
from grants.bench.browsing import Answer, Browser, Wrong, form_to, forms_of
from grants.bench.operations import Operation, at
from grants.bench.ours import Ours
from grants.bench.running import Load, Measured, Runner, done
from grants.bench.seeding import Seedbed, SeedError
from tests.conftest import cloned, settings_for
from tests.programs import running
from tests.servers import Cluster

SMALL, LARGE = 20, 60
STATEMENTS_MAX = 10


class InProcess(Browser):
    """The same browser, asking the program in this process."""

    def __init__(self, app: Flask) -> None:
        super().__init__("localhost", 80)
        self._client = app.test_client()

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        kind = "application/x-www-form-urlencoded" if body is not None else None
        found = self._client.open(path, method=method, data=body, content_type=kind)
        headers = {name.lower(): value for name, value in found.headers.items()}
        return Answer(path, found.status_code, headers, found.data, 0.001)


@dataclass(frozen=True)
class Grown:
    """A program on a database that grows, and how many statements each page took at each size."""

    app: Flask
    bed: Seedbed
    connection: psycopg.Connection[Any]
    statements: dict[str, list[int | None]]


@pytest.fixture(scope="module")
def grown(postgres: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    with cloned(postgres, template) as name, psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        settings = replace(settings_for(postgres, name, tmp_path_factory.mktemp("bench")), SERVER_TIMING=True)
        with running(settings) as app:
            # The tests' own context outlives a request, and with it the token of another browser.
            app.config["WTF_CSRF_ENABLED"] = False
            bed = Seedbed(connection, LARGE, lambda words: None)
            statements: dict[str, list[int | None]] = {}
            for size in (SMALL, LARGE):
                bed.grow(size)
                for op, count in counted(app, Ours(connection)):
                    statements.setdefault(op, []).append(count)
                do_every_deed(app, Ours(connection))
            yield Grown(app, bed, connection, statements)


def counted(app: Flask, product: Ours) -> Iterator[tuple[str, int | None]]:
    for operation in product.counted():
        browser = InProcess(app)
        product.sign_in(browser, operation.who)
        browser.get(operation.path(0))
        answer = browser.get(operation.path(0))
        assert operation.check(answer) is None, f"{operation.name}: {operation.check(answer)}"
        yield operation.name, answer.statements


def do_every_deed(app: Flask, product: Ours) -> None:
    for operation in product.operations():
        if operation.sends:
            browser = InProcess(app)
            product.sign_in(browser, operation.person(0) if operation.person else operation.who)
            wrong = operation.check(done(browser, operation, 0))
            assert wrong is None, f"{operation.name}: {wrong}"


def test_no_page_takes_more_statements_where_there_is_more(grown: Grown) -> None:
    assert [op for op, (small, large) in grown.statements.items() if small != large] == []


def test_lists_details_ranking_payments_and_every_home_take_ten_statements_at_most(grown: Grown) -> None:
    assert {op: found for op, found in grown.statements.items() if max(map(int, found)) > STATEMENTS_MAX} == {}  # type: ignore[arg-type]  # the setting is on, so they are told
    assert {
        "applications.first",
        "application.detail",
        "ranking",
        "payments",
        "home.manager",
    } <= grown.statements.keys()


def test_a_list_of_sixty_rows_is_light(grown: Grown) -> None:
    product, browser = Ours(grown.connection), InProcess(grown.app)
    product.sign_in(browser, "ingrid-aalto")

    answer = browser.get("/applications?size=60")

    rows = answer.text.count("<tr>")
    assert rows >= min(60, product.total)
    assert len(answer.body) <= 90_000


def test_what_is_seeded_is_looked_at_again(grown: Grown) -> None:
    with grown.connection.transaction():
        grown.connection.execute("SET LOCAL session_replication_role = replica")
        row = grown.connection.execute("DELETE FROM organisation WHERE name LIKE 'Tramford 0%' RETURNING id").fetchone()
    assert row is not None

    with pytest.raises(SeedError, match="point to nothing"):
        grown.bed.grow(LARGE)


def test_the_first_wrong_answer_ends_the_run() -> None:
    class Broken(Runner):
        def _browser(self, who: str) -> Browser:
            return Silent("localhost", 80)

    class Silent(Browser):
        def get(self, path: str) -> Answer:
            return Answer(path, 200, {}, b"two rows", 0.001)

    runner = Broken(None, 100, "localhost", 80)  # type: ignore[arg-type]  # nobody signs in
    wanted = Operation(
        "list", "ana", at("/list"), lambda answer: None if "three" in answer.text else "a row is missing."
    )

    with pytest.raises(Wrong, match="list, /list, answered 200: a row is missing"):
        runner.measure(wanted)


def test_a_form_is_sent_as_a_browser_would() -> None:
    page = (
        b'<form action="/x/save"><input type="hidden" name="act_key" value="k"><textarea name="t">\none</textarea>'
        b'<input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>'
        b'<select name="s"><option value="a"><option value="b" selected></select></form><form method="post"></form>'
    )
    answer = Answer("/x", 200, {}, page, 0.001)

    assert form_to(answer, "/save").fields == {"act_key": ["k"], "t": ["one"], "r": ["2"], "s": ["b"]}
    assert form_to(answer, ".") is not None
    assert [form.action for form in forms_of(answer)] == ["/x/save", "/x"]
    with pytest.raises(Wrong, match="no form"):
        form_to(answer, "/other")


def test_the_figures_are_a_table_and_a_list(tmp_path: Path) -> None:
    found = [Measured("list", 100, 10.0, 12.0, 5, 1.0, 900, 30), Measured("list", 1_000, 20.0, 25.0, 5, 1.5, 900, 30)]
    load = Load(1_000, 8, 10.0, 500, 50.0, 90.0, 200.0)

    lines = report.table(found, [load]).splitlines()
    report.write(tmp_path / "out.json", found, [load], {"worker.pss_mb": 99.0})

    assert lines[2].split() == ["list", "1,000", "20.0", "25.0", "5", "1.5", "900", "+0.30"]
    assert "8 clients for 10 s, 500 requests" in lines[3]
    written = json.loads((tmp_path / "out.json").read_text())
    assert all({"op", "n", "median_ms", "p95_ms", "sql", "bytes"} <= each.keys() for each in written)
    assert [each["op"] for each in written] == ["list", "list", "load.mixed", "worker.pss_mb"]
