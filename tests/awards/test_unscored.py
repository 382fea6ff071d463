"""One criterion nobody scored, in every file that is handed out and on the pages beside: missing, never zero, and in no mean."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select, update

from grants.awards import queries
from grants.core import jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Refused
from grants.documents import services as documents
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Consensus, ConsensusScore
from grants.identity.queries import actor_for
from tests.awards.meeting import Meeting
from tests.awards.test_minutes import freeze, hold, meeting, panel_world, paper
from tests.awards.test_services import decide
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene

__all__ = ["meeting", "panel_world"]

PACK = "/assessments/pack/download"
# Files in which no line at all may read as zero; in others, none that names an application.
WHOLE = ("/assessments/", "/panels/")
FILES = re.compile(r"\.(csv|xlsx|docx|pdf|zip)$")
ZERO = re.compile(r"^[0+-]?0(\.0+)?$")


def unscored(scene: Scene) -> str:
    """Of the first application a sheet lacks a score, of the second the consensus, of the third a draft; whose draft it is."""
    key = scene.sheet(9, 8, 8).marks[0].criterion
    first, second, third = scene.application_ids
    seat = db.session.scalars(
        select(Assignment.id).where(Assignment.application_id == third).order_by(Assignment.id)
    ).first()
    name = next(each for each in scene.seats(third) if seat_of(scene, each, third) == seat)
    evaluation.reopen_agreed(scene.actor("chair"), third, "A criterion was mistaken.")
    evaluation.reopen(scene.actor("manager"), seat, "A criterion was mistaken.")
    evaluation.save(scene.actor(name), third, scene.sheet(None, 8, 8))
    agreed = select(Consensus.id).where(Consensus.application_id == second)
    blank(AssessmentScore, AssessmentScore.assessment_id.in_(a_sheet_of(first)), key)
    blank(ConsensusScore, ConsensusScore.consensus_id.in_(agreed), key)
    return name


def a_sheet_of(application_id: UUID) -> Any:
    """The first submitted sheet of an application, as a question."""
    seats = select(Assignment.id).where(Assignment.application_id == application_id)
    return select(Assessment.id).where(Assessment.assignment_id.in_(seats)).order_by(Assessment.id).limit(1)


def blank(table: type[AssessmentScore] | type[ConsensusScore], where: Any, key: str) -> None:
    """A score that stood goes missing, as where a corrigendum asks for a criterion more after the sheets were in."""
    with arranging():
        db.session.execute(
            update(table).where(where, table.criterion == key).values(half=None),
            execution_options={"core_write": True},
        )
    db.session.rollback()


def seat_of(scene: Scene, name: str, application_id: object) -> object:
    return db.session.scalar(
        select(Assignment.id).where(
            Assignment.application_id == application_id, Assignment.evaluator_id == scene.evaluator_id(name)
        )
    )


def files_of(app: Flask, scene: Scene, panel: str) -> Iterator[str]:
    """The address of every file that hangs on this call, its panel, one of its applications, or nothing; the first of a number."""
    yield PACK
    for rule in app.url_map.iter_rules():
        # The record of who did what has figures of other kinds in its columns, and no score in any.
        if rule.endpoint == "oversight.audit_csv":
            continue
        if (
            "GET" not in (rule.methods or ())
            or not FILES.search(rule.rule)
            or not rule.arguments <= {"slug", "ref", "number"}
        ):
            continue
        slug = panel if rule.rule.startswith("/panels/") else scene.slug
        path = re.sub(r"<[^>]*slug>", slug, re.sub(r"<[^>]*number>", "1", rule.rule))
        for ref in scene.references if "ref" in rule.arguments else ("",):
            yield re.sub(r"<[^>]*ref>", ref, path)


def lines_of(data: bytes, path: str) -> tuple[list[str], ...]:
    """The rows of a file as texts."""
    return _read(data, "zip" if path == PACK else path.rsplit(".", 1)[1])


@functools.cache
def _read(data: bytes, kind: str) -> tuple[list[str], ...]:
    """Read once: several people are handed the same file, and a PDF is read slowly."""
    return tuple(_lines(data, kind))


def _lines(data: bytes, kind: str) -> Iterator[list[str]]:
    match kind:
        case "xlsx":
            for sheet in openpyxl.load_workbook(io.BytesIO(data), data_only=True):
                yield from (
                    [str(cell) for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)
                )
        case "pdf":
            for page in PdfReader(io.BytesIO(data)).pages:
                yield from ([line] for line in page.extract_text().splitlines())
        case "docx":
            body = ZipFile(io.BytesIO(data)).read("word/document.xml").decode()
            yield from ([re.sub("<[^>]+>", "", part)] for part in body.split("</w:p>"))
        case "zip":
            with ZipFile(io.BytesIO(data)) as packed:
                for name in packed.namelist():
                    if FILES.search(name):
                        yield from lines_of(packed.read(name), name)
        case _:
            yield from (line.split(",") for line in data.decode("utf-8-sig").splitlines())


def filed(meeting: Meeting, name: str) -> None:
    """What a job makes before it is handed out: the minutes of the panel, and what an evaluator has to read."""
    scene = meeting.scene
    hold(meeting)
    # Minutes wait for what is logged of scores.
    jobs.work_off(actor_of=actor_for, but_not=("mail",))
    freeze(meeting)
    paper(meeting, "manager")
    evaluation.ask_pack(scene.actor(name))
    asked = evaluation_reads.pack(scene.actor(name))
    assert asked is not None and documents.make_reading_pack(scene.actor(name), asked.id)


def test_what_nobody_scored_is_zero_in_no_file_and_on_no_page(app: Flask, meeting: Meeting, browser: Browser) -> None:
    evaluated = meeting.scene
    name = unscored(evaluated)
    filed(meeting, name)
    seen: dict[str, int] = {}
    for who in ("manager", "chair", "auditor", name):
        client: FlaskClient = browser._client(who)
        for path in files_of(app, evaluated, meeting.slug):
            with client.get(path) as answer:
                data = answer.data
            if answer.status_code != 200:
                continue
            seen[path] = seen.get(path, 0) + 1
            for line in lines_of(data, path):
                if any(ref in cell for ref in evaluated.references for cell in line) or path.startswith(WHOLE):
                    assert not any(ZERO.match(cell.strip()) for cell in line), (who, path, line)
                if "ranking" in path or "advice" in path:
                    assert not any(evaluated.references[1] in cell for cell in line), (who, path, line)
    slug, third = evaluated.slug, evaluated.references[2]
    assert {f"/calls/{slug}/ranking.csv", f"/calls/{slug}/ranking.xlsx", f"/calls/{slug}/evaluators.csv"} <= set(seen)
    assert {f"/assessments/{third}/form.xlsx", f"/assessments/{third}/form.docx"} <= set(seen)
    assert {PACK, f"/panels/{meeting.slug}/minutes/1.pdf"} <= set(seen)
    # No list is decided while a score is missing, so there is no minute of a selection that could tell one.
    with pytest.raises(Refused, match=evaluated.references[1]):
        decide(evaluated)

    # In the list: whose consensus has a gap waits, and a sheet with a gap gives no total to be shown beside.
    shown = queries.ranking_page(evaluated.actor("chair"), slug)
    assert [row.reference for row in shown.waiting if "no score for" in row.missing] == [evaluated.references[1]]
    (first,) = [row for row in shown.rows if row.reference == evaluated.references[0]]
    assert first.totals_half == (25, 25)
    for who, path, words in (
        ("chair", f"/calls/{slug}/ranking", "The consensus has no score for"),
        # While one waits nobody is selected for good.
        ("chair", f"/calls/{slug}/decision", "Above the line so far"),
        ("chair", f"/consensus/{evaluated.references[0]}", "<strong>–</strong>"),
        ("chair", f"/consensus/{evaluated.references[1]}", "not scored"),
        (name, f"/assessments/{third}", "<b data-total>–</b>"),
        (name, "/assessments", "2 of 3"),
    ):
        text = text_of(browser.get(who, path))
        assert words in text, (path, words)
        assert not re.search(r"<(strong|b)>0(\.0)?</\1>| 0 of 5\b", text), path
