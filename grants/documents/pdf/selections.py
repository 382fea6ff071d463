"""The minute of a selection decision as PDF: by what, the list, and who decided and confirmed it."""

from __future__ import annotations

from grants.awards.rules import SelectionView, reserve_places
from grants.awards.rules.minute import DecisionMinute
from grants.awards.states import Outcome
from grants.documents.pdf.minutes import moment
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Column, ColumnKind, Table


def selection(told: DecisionMinute) -> bytes:
    """One confirmed list."""
    call, view = told.call, told.view
    paper = Paper(
        title=f"Selection decision, {call.title}",
        head=f"{call.title} · Selection decision {view.number} · {call.reference}",
        foot=f"List {view.number} · {view.list_hash[:16]}",
        synthetic=call.synthetic,
        wide=True,
    )
    taken = [row for row in told.rows if row.outcome is Outcome.SELECTED]
    paper.facts(
        [
            ("Call", f"{call.title} ({call.reference})"),
            ("Decided", f"{view.decided_by}, {moment(view.decided_at, call.zone)}"),
            (
                "Confirmed",
                f"{view.confirmed_by}, {moment(view.confirmed_at, call.zone)}" if view.confirmed_at else "No",
            ),
            ("Reason", view.reason),
            *([("Chosen from", f"Scenario {view.scenario}, “{view.scenario_name}”")] if view.scenario else []),
            *_despite(view),
            ("Free budget", str(view.budget)),
            ("Reserved", f"{view.used} for {len(taken)} of {len(told.rows)} applications"),
            ("SHA-256 of the list", view.list_hash),
            *([("SHA-256 of the list both signed, before its draw", view.signed_hash)] if view.signed_hash else []),
        ]
    )
    paper.heading("By which rules")
    for sentence in told.rules:
        paper.paragraph(sentence)
    if view.departures:
        paper.heading("What departs from the published rules or the panel’s minutes")
        paper.paragraph("Chosen when the scores were known.")
        for sentence in view.departures:
            paper.paragraph(sentence)
    paper.table(_ranked(told))
    if view.line_words:
        paper.gap(4)
        paper.paragraph(view.line_words)
    paper.table(_by_country(told))
    # One alone was compared with nothing.
    if len(told.compared) > 1:
        paper.table(_compared(told))
    paper.heading("How ties were decided")
    for sentence in told.ties or ("No two applications above the thresholds had the same score.",):
        paper.paragraph(sentence)
    if told.drawing:
        paper.heading("What was drawn by lot")
        for sentence in told.drawing:
            paper.paragraph(sentence)
    if told.refused:
        paper.heading("Draws by lot that were refused")
        for each in told.refused:
            assert each.draw_refused_at is not None, "only those come here"
            paper.paragraph(
                f"A draw of list {each.number} (SHA-256 {each.list_hash}) was refused on {moment(each.draw_refused_at, call.zone)}, "
                f"when {each.draw_refused_by} was to confirm it, because the drawn list does not keep every rule."
            )
        paper.paragraph(f"Why this list was decided by its rules after that: {view.redrawn}")
    paper.heading("Reserve list, in its order")
    reserve = [row for row in told.rows if row.outcome is Outcome.RESERVE]
    for place, row in zip(reserve_places([row.rank for row in reserve]), reserve, strict=True):
        paper.paragraph(f"{place}. {row.title} ({row.reference}), {row.amount}")
    if not reserve:
        paper.paragraph("Nobody is on it.")
    return paper.finished()


def _despite(view: SelectionView) -> list[tuple[str, str]]:
    """Why the list was decided, and confirmed, over open complaints about eligibility, where it was."""
    said = (
        ("Decided although complaints about eligibility were open", view.despite),
        ("Confirmed although complaints about eligibility were open", view.confirmed_despite),
    )
    return [(label, words) for label, words in said if words]


def _ranked(told: DecisionMinute) -> Table:
    columns = (
        Column("Rank", ColumnKind.NUMBER, share=1), Column("Application", share=6), Column("Country", share=1), Column("Score", ColumnKind.NUMBER, share=1),
        Column("Asked for, EUR", ColumnKind.MONEY, share=2, sums=False), Column("Recommended, EUR", ColumnKind.MONEY, share=2, sums=False),
        Column("Outcome", share=2), Column("Why, and on which condition", share=5),
    )  # fmt: skip
    rows = []
    for row in told.rows:
        why = [
            row.line_said,
            row.threshold_words,
            row.rule_words,
            f"Condition: {row.conditions}" if row.conditions else "",
        ]
        place = "" if row.rank is None else str(row.rank)
        about = f"{row.title} ({row.reference}), {row.cities}".rstrip(", ")
        rows.append(
            (
                place, about, row.country, row.score_words, row.requested, row.amount if row.outcome is Outcome.SELECTED else None, row.outcome.words,
                " ".join(filter(None, why)),
            )
        )  # fmt: skip
    return Table("The list", columns, tuple(rows))


def _by_country(told: DecisionMinute) -> Table:
    columns = (
        Column("Country of the lead", share=4), Column("On the list", ColumnKind.NUMBER, share=2),
        Column("Selected", ColumnKind.NUMBER, share=2), Column("Money, EUR", ColumnKind.MONEY, share=3),
    )  # fmt: skip
    rows = [
        (country or "Not known", str(listed), str(taken), money) for country, listed, taken, money in told.by_country
    ]
    return Table("By country", columns, tuple(rows))


def _compared(told: DecisionMinute) -> Table:
    columns = (
        Column("Scenario", share=5), Column("Applications", ColumnKind.NUMBER, share=2), Column("Cities", ColumnKind.NUMBER, share=1),
        Column("Countries", ColumnKind.NUMBER, share=2), Column("Used, EUR", ColumnKind.MONEY, share=2, sums=False),
        Column("Left, EUR", ColumnKind.MONEY, share=2, sums=False), Column("What it cannot keep", share=4),
    )  # fmt: skip
    rows = [
        (
            f"{one.name}: decided" if one.number == told.view.scenario else one.name, str(one.applications), str(one.cities),
            str(one.countries), one.used, one.left, " ".join(one.problems),
        )
        for one in told.compared
    ]  # fmt: skip
    return Table("What it was compared with", columns, tuple(rows))
