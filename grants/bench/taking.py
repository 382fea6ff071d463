"""The list of applications as a file, as a worker writes it: how many rows a second, and whether all of them are there."""

from __future__ import annotations

import time

from grants.applications import services
from grants.applications.rules.exporting import ListForm
from grants.applications.rules.listing import Listing
from grants.bench.browsing import Wrong
from grants.bench.ours import MANAGER
from grants.bench.stencils import Connection
from grants.core.db import db
from grants.identity import queries as identity

TIMES = 3


def measured(connection: Connection) -> dict[str, float]:
    """Rows a second of the quickest of three; raises :class:`Wrong` where a row or a cent is missing."""
    manager = connection.execute("SELECT id FROM user_account WHERE handle = %s", [MANAGER]).fetchone()
    expected = connection.execute(
        "SELECT count(*), coalesce(sum(requested), 0) FROM (SELECT requested FROM application "
        "WHERE submission_id IS NOT NULL ORDER BY reference DESC LIMIT %s) x",
        [ListForm.CSV.rows_max],
    ).fetchone()
    assert manager is not None and expected is not None, "the bench made both"
    actor, spent = identity.actor_for(manager[0]), []
    for _ in range(TIMES):
        began = time.perf_counter()
        _, cover = services.csv_file(actor, Listing(), bare=True)
        spent.append(time.perf_counter() - began)
        db.session.rollback()
        if (cover.rows, cover.asked.cents) != tuple(map(int, expected)):
            raise Wrong(f"The list as a file has {cover.rows} rows and {cover.asked}, SQL says {expected}.")
    return {"rows": cover.rows, "rows_per_second": round(cover.rows / min(spent), 1)}
