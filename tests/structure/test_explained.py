"""Every amount of money on the pages of payments, grants, forecast, ageing, spending and ledger leads to what explains it.

An amount is explained where it is a link: to the parts it is made of, to the entries or the list that sum to it, or to
the document it stands in. What does not lead anywhere stands in the list below, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
SPENDING = ("call_spending", "grant_spending", "spending", "spending_lines")
LOOKED_AT = (
    *sorted((TEMPLATES / "payments").glob("*.html")),
    *sorted((TEMPLATES / "agreements").glob("*.html")),
    *(TEMPLATES / "oversight" / f"{name}.html" for name in SPENDING),
    TEMPLATES / "components" / "money_strip.html",
)

# Why an amount leads nowhere.
ITSELF = "the document itself says it: it is no sum of anything kept here"
PART = "a part of a sum that stands in the same table"
BESIDE = "the parts stand beside it on the same page"
ASKED = "what a deed is about to do, said beside its button; the same amount stands above it with its link"
TOLD = "a word of a notice; the figure itself stands on the page with its link"
SPENT = "what is left is what was granted less what was accepted, in the same row; the others lead on where they are not nothing"
TERMS = "what the agreement or a draft of it sets; nothing works it out"

UNEXPLAINED: dict[str, dict[str, str]] = {
    "agreements/amending.html": {
        "each.new": TERMS,
        "each.old": TERMS,
    },
    "agreements/decline.html": {
        "grant.maximum": ASKED,
    },
    "agreements/drop.html": {
        "grant.maximum": ASKED,
    },
    "agreements/grant.html": {
        "line.amount": PART,
    },
    "agreements/redline.html": {
        "money.requested.new": TERMS,
        "money.requested.old": TERMS,
        "reserved": TERMS,
    },
    "agreements/revision.html": {
        "amount": TERMS,
        "change.new": TERMS,
        "change.old": TERMS,
        "each.source.amount": TERMS,
        "line.amount.new": TERMS,
        "line.amount.old": TERMS,
    },
    "agreements/text.html": {
        "amount": TERMS,
        "each.maximum": TERMS,
        "line.planned": TERMS,
        "line.requested": TERMS,
        "line.total": TERMS,
        "text.limits.interim_ceiling": TERMS,
        "text.limits.prefinancing": TERMS,
        "text.limits.retention": TERMS,
        "text.maximum": TERMS,
    },
    "agreements/transfers.html": {
        "each.amount": ITSELF,
        "each.cumulative_after": ITSELF,
        "each.maximum_moved": ITSELF,
        "flexible.free": TERMS,
        "flexible.left": BESIDE,
        "flexible.maximum": TERMS,
        "flexible.notify": TERMS,
        "flexible.used": BESIDE,
    },
    "oversight/spending.html": {
        "value": SPENT,
    },
    "payments/ageing.html": {
        "ageing.in_ledger": BESIDE,
        "ageing.sum": BESIDE,
    },
    "payments/amount.html": {
        "each.amount": PART,
        "line.amount": PART,
        "told.amount": BESIDE,
    },
    "payments/approvals.html": {
        "inbox.total": BESIDE,
    },
    "payments/bank_line.html": {
        "line.amount": ITSELF,
    },
    "payments/bank_statement.html": {
        "proof.closing": ITSELF,
        "statement.closing": ITSELF,
        "statement.opening": ITSELF,
        "proof.difference": BESIDE,
        "proof.later": BESIDE,
        "proof.reached": BESIDE,
        "proof.set_aside": BESIDE,
        "proof.unexplained": BESIDE,
        "proof.untold": BESIDE,
    },
    "payments/batch.html": {
        "batch.total": BESIDE,
        "line.amount": PART,
    },
    "payments/build.html": {
        "row.amount": TOLD,
    },
    "payments/certificate.html": {
        "grant.funding.certificate_from": TERMS,
    },
    "payments/debt.html": {
        "each.above": PART,
        "each.amount": PART,
        "each.interest": PART,
        "each.principal": PART,
        "each.share.accepted": PART,
        "each.share.amount": PART,
        "each.share.received": PART,
        "recovery.amount": ASKED,
        "recovery.interest_open": ASKED,
        "recovery.owed": ASKED,
    },
    "payments/distribution.html": {
        "each.amount": TOLD,
        "each.waived": TOLD,
    },
    "payments/entry.html": {
        "entry.amount": BESIDE,
        "leg.amount": PART,
    },
    "payments/executions.html": {
        "each.execution.amount": ITSELF,
    },
    "payments/forecast.html": {
        "sums.ceiling": TOLD,
        "sums.given_back": BESIDE,
        "sums.parts": BESIDE,
    },
    "payments/forecast_kept.html": {
        "group.sum": BESIDE,
    },
    "payments/guarantee.html": {
        "each.amount": ITSELF,
        "grant.limits.in_advance": TERMS,
        "standing.amount": ITSELF,
    },
    "payments/additional.html": {
        "use.paid": ITSELF,
        "use.used": ITSELF,
    },
    "payments/late_interest.html": {
        "each.amount": BESIDE,
        "each.minimum": TERMS,
        "each.principal": PART,
        "each.reckoned": BESIDE,
    },
    "payments/ledger.html": {
        "row.balance": PART,
    },
    "payments/order.html": {
        "each.amount": ASKED,
        "order.amount": ASKED,
    },
    "payments/passed_on.html": {
        "line.amount": ITSELF,
    },
    "payments/recipients.html": {
        "found.total": BESIDE,
    },
    "payments/request.html": {
        "cancelled.amount": TOLD,
        "cancelled.retained": TOLD,
        "each.amount": PART,
        "line.part.approved": PART,
        "line.part.cleared": PART,
        "line.part.deferred": PART,
        "line.part.payable": PART,
        "line.part.recoverable": PART,
        "line.part.refused": PART,
        "line.part.requested": PART,
        "line.part.retained": PART,
    },
    "payments/sent_elsewhere.html": {
        "each.total": ITSELF,
    },
    "payments/sent_elsewhere_file.html": {
        "found.total": BESIDE,
        "line.amount": ITSELF,
    },
}


def amounts(path: Path) -> Iterator[tuple[str, bool]]:
    """Every amount a template writes, and whether it leads anywhere."""
    for line in path.read_text().splitlines():
        if "import money" in line or "{% macro money(" in line:
            continue
        yield from _filtered(line)
        yield from _called(line)


def _filtered(line: str) -> Iterator[tuple[str, bool]]:
    """``amount|money``, in a link or in a fact with an address."""
    for found in re.finditer(r"(\(?-?[\w.\[\]\"]+\)?)\s*\|\s*money\b", line):
        before, after = line[: found.start()], line[found.end() :]
        opened = before.rfind("<a ") > before.rfind("</a>")
        fact = re.match(r"(?:(?: if [^,]*?)? else [^,]*)?,\s*(?!none\b|None\b)(?=[\w\"])", after)
        yield found[1].strip("(-)"), opened or (fact is not None and before.count('("') > 0)


def _called(line: str) -> Iterator[tuple[str, bool]]:
    """``money(amount, address)``."""
    for found in re.finditer(r"(?<![\w.])money\(", line):
        given = _arguments(line[found.end() :])
        yield given[0].strip("-"), len(given) > 1 and given[1].strip() not in ("none", "None")


def _arguments(text: str) -> list[str]:
    """What stands between the brackets of a call, cut at the commas of its own level."""
    depth, found = 0, [""]
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            break
        if char == "," and not depth:
            found.append("")
        else:
            found[-1] += char
    return [each.strip() for each in found]


def unexplained(path: Path) -> set[str]:
    return {amount for amount, leads in amounts(path) if not leads}


@pytest.mark.parametrize("path", LOOKED_AT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_amount_leads_to_its_explanation_or_says_why_not(path: Path) -> None:
    assert unexplained(path) == UNEXPLAINED.get(f"{path.parent.name}/{path.name}", {}).keys()


def test_an_amount_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<td>{{ row.paid|money }}</td>{{ money(row.held) }}{{ money(row.left, none) }}\n"
        '  ("Sum, EUR", found.sum|money, None),\n'
        '<a href="/x">{{ row.open|money }}</a>{{ money(row.next, url_for("x", a=1)) }}\n'
        '  ("Due, EUR", found.due|money if found.due else "–", url_for("x")),\n'
    )

    assert unexplained(page) == {"row.paid", "row.held", "row.left", "found.sum"}
