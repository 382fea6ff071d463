"""Pages of the ranked list, and the list as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, request

from grants.awards.rules import (
    WAITING_NAMED_MAX,
    RankingPage,
    bar,
    part,
    points,
    strip,
)
from grants.awards.views.frame import READS, bp, ranked_list
from grants.core.text import inert
from grants.web.routing import page, requires


@bp.get("/calls/<slug>/ranking")
@requires(*READS)
def ranking(slug: str) -> Any:
    shown = ranked_list(slug)
    return page("awards/ranking.html", shown=shown, **listed(shown))


def listed(shown: RankingPage) -> dict[str, Any]:
    """What the table of a ranked list needs: the part that was asked for, and the marks of each of its rows.

    The marks are evaluators' totals with the consensus, and the running total against the budget.
    """
    most = shown.max_half * len(shown.criteria)
    found = part(shown.rows, request.values.get("place", default=1, type=int))
    drawn = {
        row.application_id: (
            strip(row.totals_half, row.consensus_half or 0, most),
            bar(row.running_total, shown.budget),
        )
        for row in found.rows
    }
    return {"part": found, "drawn": drawn, "half_words": points, "waiting_most": WAITING_NAMED_MAX}


@bp.get("/calls/<slug>/ranking.csv")
@requires(*READS)
def ranking_csv(slug: str) -> Any:
    shown = ranked_list(slug)
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel", lineterminator="\r\n")
    names = [criterion.name for criterion in shown.criteria]
    writer.writerow(
        ["Rank", "Reference", "Title", "Cities", "Country", *map(inert, names), "Score", "Asked for, EUR", "Running total, EUR", "Outcome", "Why", "Recommended, EUR", "Conditions", "Call"]
    )  # fmt: skip
    for row in shown.rows:
        halves = [points(row.halves[c.key]) if row.halves else "" for c in shown.criteria]
        totals = [
            _euros(row.requested.cents),
            _euros(row.amount.cents),
            "" if row.rank is None else _euros(row.running_total.cents),
        ]
        cells = [
            row.rank or "", row.reference, row.title, row.cities, row.country, *halves, row.score_words, *totals,
            row.outcome.words, " ".join(filter(None, (row.threshold_words or row.tie_words, row.rule_words))), _euros(row.amount.cents), row.conditions, shown.call_title,
        ]  # fmt: skip
        writer.writerow([inert(str(cell)) for cell in cells])
    # The byte-order mark lets spreadsheets read the letters of every city right.
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=ranking-{shown.call_slug}.csv"
    return answer


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
