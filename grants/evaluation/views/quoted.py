"""What comments quote of an application, each with the way to its passage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import url_for

from grants.applications import queries as applications
from grants.core.permissions import Permission
from grants.dossiers import rules as dossiers
from grants.evaluation import rules
from grants.evaluation.forms import SheetForm
from grants.evaluation.rules import ConsensusPage, Quote
from grants.web.routing import current_actor


def texts_of(content: Any, sections: Sequence[dossiers.AnsweredSection]) -> Iterator[tuple[str, str]]:
    """Every text of an application that can be quoted, by its place on the page."""
    for section in sections:
        for item in section.items:
            rows = (row for block in item.paragraphs for row in block.rows)
            yield f"answer-{item.question.key}", "\n".join("".join(run.text for run in row) for row in rows)
    yield "summary", content.summary or ""


def read_at(shown: ConsensusPage) -> str:
    """Where the reader of a consensus reads the application: beside their own sheet, or on its page; empty where nowhere."""
    ref = shown.head.reference
    if shown.seated:
        return url_for("evaluation.assessment", ref=ref)
    return url_for("applications.show", ref=ref) if current_actor().can(Permission.APPLICATION_READ) else ""


def quoted(shown: ConsensusPage, form: SheetForm) -> dict[str, tuple[Quote, ...]]:
    """What the texts of a consensus page quote: of each sheet by its place and the criterion, and of each field by its name.

    The application is read only where one of them quotes.
    """
    told = {f"comment_{one.key}": shown.mark(one.key).comment for one in shown.criteria} | {rules.REMARK: shown.text}
    if shown.may_write:
        told = {name: str(form[name].data or "") for name in told}
    for place, sheet in enumerate(shown.sheets):
        told |= {f"{place} {one.key}": sheet.mark(one.key).comment for one in shown.criteria}
        told[f"{place} {rules.REMARK}"] = sheet.remark
    if not any(map(rules.passages, told.values())):
        return {}
    content = applications.submitted_content(shown.head.id)
    return rules.quotes_in(told, texts_of(content, dossiers.answered(content.dossier)))
