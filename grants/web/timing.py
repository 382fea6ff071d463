"""What an answer cost the database, in its Server-Timing header: only where a setting asks for it, to measure.

Statements of transactions (begin, commit, set) are not counted: they are of the driver and of the way acts are begun.
"""

from __future__ import annotations

import re
import time
from typing import Any

from flask import Flask, Response, g, has_request_context
from sqlalchemy import event

from grants.core.db import db

_OF_TRANSACTIONS = re.compile(r"\s*(set|begin|commit|rollback|savepoint|release)\b", re.IGNORECASE)


def init_app(app: Flask) -> None:
    """Count statements and their time, and say both in each answer."""
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    app.before_request(_forget)
    app.after_request(_say)


def _forget() -> None:
    g.sql_statements, g.sql_seconds = 0, 0.0


def _begin(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    if has_request_context():
        g.sql_began_at = time.perf_counter()


def _end(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    if has_request_context() and "sql_statements" in g and not _OF_TRANSACTIONS.match(statement):
        g.sql_statements += 1
        g.sql_seconds += time.perf_counter() - g.sql_began_at


def _say(answer: Response) -> Response:
    answer.headers["Server-Timing"] = (
        f'sql;dur={1_000 * g.get("sql_seconds", 0):.2f};desc="{g.get("sql_statements", 0)}"'
    )
    return answer
