"""Pages of the ranked list, and the list as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import Response, request, send_file

from grants.awards import services
from grants.awards.rules import (
    WAITING_NAMED_MAX,
    RankingPage,
    RankingRow,
    part,
    points,
)
from grants.awards.rules.narrowing import OFFICIAL, SORTINGS, Narrowed, narrowed
from grants.awards.states import Outcome
from grants.awards.views.frame import READS, bp, ranked_list, ways
from grants.awards.views.rows import drawer
from grants.awards.views.solving import solving_of
from grants.core.errors import Refused
from grants.core.file_types import MEDIA, FileType
from grants.core.money import Money
from grants.core.text import inert
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires


@bp.get("/calls/<slug>/ranking")
@requires(*READS)
def ranking(slug: str) -> Any:
    shown = ranked_list(slug)
    # Where nobody is ranked yet there is nothing to work out.
    lacks = shown.unsolved and shown.rows and not shown.partial
    solving = solving_of(shown.call_id, slug, "ranking") if lacks else None
    left, asked, problems = _looked_for(shown)
    return page(
        "awards/ranking.html", shown=shown, solving=solving, left=left, asked=asked, problems=problems,
        **listed(shown, left.rows),
    )  # fmt: skip


def _looked_for(shown: RankingPage) -> tuple[Narrowed, dict[str, Any], list[str]]:
    """What the address asks to see of the list, and what of it is understood by nobody."""
    problems: list[str] = []
    whole = narrowed(shown)
    looks = {each.value: each for each, _ in whole.looks}
    look = chosen("look", "part of the list", looks, problems, words={each: looks[each].words for each in looks})
    country = chosen("country", "country", {code: code for code, _ in whole.countries}, problems) or ""
    strand = chosen("strand", "strand", {name: name for name, _ in whole.strands}, problems) or ""
    asked = {"look": look, "country": country, "strand": strand}
    words = {
        key: f"{each.by.words}{', the other way round' if each.descending else ''}"
        for key, each in SORTINGS.items()
        if each.by
    }
    sorting = chosen("sort", "order of the list", SORTINGS, problems, words=words) or OFFICIAL
    left = whole if problems or not any(asked.values()) else narrowed(shown, look, country, strand)
    if problems or sorting is OFFICIAL:
        return left, asked, problems
    return replace(left, rows=sorting.ordered(left.rows), sorting=sorting), asked, problems


def listed(shown: RankingPage, rows: Sequence[RankingRow] | None = None) -> dict[str, Any]:
    """What the table of a ranked list needs: the part that was asked for, and what draws its rows."""
    found = part(shown.rows if rows is None else rows, request.values.get("place", default=1, type=int))
    return {"part": found, "drawn": drawer(shown), "waiting_most": WAITING_NAMED_MAX, **ways(shown.call_id)}


@bp.get("/calls/<slug>/ranking.csv")
@requires(*READS)
def ranking_csv(slug: str) -> Any:
    """The same rows as CSV; that they were taken is kept."""
    shown = _whole(slug)
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel", lineterminator="\r\n")
    for cells in _lines(shown):
        writer.writerow([inert(_euros(cell) if isinstance(cell, Money) else str(cell)) for cell in cells])
    services.export_ranking(current_actor(), shown.call_id, len(shown.rows), FileType.CSV)
    # The byte-order mark lets spreadsheets read the letters of every city right.
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=ranking-{shown.call_slug}.csv"
    return answer


@bp.get("/calls/<slug>/ranking.xlsx")
@requires(*READS)
def ranking_workbook(slug: str) -> Any:
    """The same as a workbook: amounts are numbers, text is never a formula."""
    import xlsxwriter  # only where somebody takes a list out

    shown, made = _whole(slug), io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(made, options) as book:
        sheet, money = book.add_worksheet("Ranking"), book.add_format({"num_format": "#,##0.00"})
        sheet.freeze_panes(1, 3)
        for number, cells in enumerate(_lines(shown)):
            for place, cell in enumerate(cells):
                match cell:
                    case Money():
                        sheet.write_number(number, place, Decimal(cell.cents).scaleb(-2), money)
                    case int():
                        sheet.write_number(number, place, cell)
                    case _:
                        sheet.write_string(number, place, cell)
    made.seek(0)
    services.export_ranking(current_actor(), shown.call_id, len(shown.rows), FileType.XLSX)
    name = f"ranking-{shown.call_slug}.xlsx"
    return send_file(made, MEDIA[FileType.XLSX], as_attachment=True, download_name=name)


def _whole(slug: str) -> RankingPage:
    """The list for a file: one without outcomes is none."""
    shown = ranked_list(slug)
    if shown.unsolved:
        raise Refused(
            "What the rules of this call select is not worked out yet. Open the ranking and ask for it there."
        )
    return shown


def _lines(shown: RankingPage) -> Iterator[list[str | int | Money]]:
    """Exactly what the table shows, row by row, its head first; both files are made of it."""
    names, tells = [criterion.name for criterion in shown.criteria], shown.tells_outcomes
    # While somebody waits for a score nobody is selected: the file goes where its page does not.
    so_far, many = shown.so_far_words, len(shown.waiting)
    provisional = (
        f"So far: {many} {'application waits' if many == 1 else 'applications wait'} for a score." if so_far else ""
    )
    yield [
        "Rank", "Reference", "Title", "Cities", "Country", *names, "Score", "Asked for, EUR",
        "Amount if it is selected, EUR" if so_far else "Recommended, EUR",
        f"{shown.running_words}, EUR", "Outcome", "Why", "Conditions", "Call", "Score of", "Made of", "Moved by the panel",
        *(["Provisional"] if so_far else []),
    ]  # fmt: skip
    for row in shown.rows:
        halves = [points(row.halves[c.key]) if row.halves else "" for c in shown.criteria]
        why = " ".join(filter(None, (row.threshold_words or row.tie_words, row.rule_words)))
        yield [
            row.rank or "", row.reference, row.title, row.cities, row.country, *halves, row.score_words, row.requested,
            row.amount, "" if row.rank is None else row.running_total, _outcome(row, so_far) if tells else "", why, row.conditions,
            shown.call_title, shown.score_most, row.basis, row.shift_words,
            *([provisional] if so_far else []),
        ]  # fmt: skip


def _outcome(row: RankingRow, so_far: str) -> str:
    return so_far if so_far and row.outcome is Outcome.SELECTED else row.outcome.words


def _euros(amount: Money) -> str:
    return f"{amount.cents // 100}.{amount.cents % 100:02d}"
