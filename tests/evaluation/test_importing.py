"""Evaluators from a file: what every line would do, nothing written before that is confirmed, and nothing twice."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from grants.core import clock, jobs
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Permission, system_actor
from grants.core.text import csv_table, decoded
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Evaluator, EvaluatorImport, EvaluatorInvitation
from grants.evaluation.rules import (
    AskInput,
    Employer,
    EvaluatorInput,
    ImportPlan,
    ImportRules,
    Known,
    LineDeed,
)
from grants.identity.models import User
from grants.identity.queries import actor_for
from tests.evaluation.scene import Browser, Scene
from tests.statements import statements

ASKED = ImportRules({"mobility": "Mobility", "warm": "Warm homes, and more"}, ("finance", "Technical"))
USER = UUID(int=7)
HEAD = ",".join(rules.IMPORT_COLUMNS)
NEW = 'nora@example.org,Nora New,Finland,en native | fr reading,,finance,1,4,2023-01-10,,"Acme (2019 to now)"'


def plan(*lines: str, known: dict[str, Known] | None = None, asked: ImportRules = ASKED) -> ImportPlan:
    return rules.plan(csv_table("\n".join((HEAD, *lines))), known or {}, asked)


# --- what a line says -----------------------------------------------------------------------------------------------


def test_a_line_is_read_as_it_is_meant() -> None:
    (line,) = plan(
        "Nora@Example.org,Nora New,uk,en | fr reading,mobility 2 | Warm homes, and more,technical,1,4,2023-01-10,,"
        "Acme (2019 to 2020) | City of Turku".replace(
            "mobility 2 | Warm homes, and more", '"mobility 2 | Warm homes, and more"'
        )
    ).lines

    assert (line.deed, line.email, line.problems) == (LineDeed.INVITED, "nora@example.org", ())
    values = line.values
    assert values is not None
    assert (values.country_code, values.roles, values.load_min, values.load_max) == ("GB", ("Technical",), 1, 4)
    assert values.topic_levels == (("mobility", 2), ("warm", 3))
    assert values.language_levels == (("en", "fluent"), ("fr", "reading"))
    assert [each.name for each in values.employers or ()] == ["Acme", "City of Turku"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no address,Nora,FI,,,,,,,,", "A2: "),
        ("n@example.org,,FI,,,,,,,,", "B2: "),
        ("n@example.org,Nora,Atlantis,,,,,,,,", "C2: “Atlantis” is no country code"),
        ("n@example.org,Nora,,,,,,,,,", "C2: The country is missing. Write its two letters, for example PL."),
        ("n@example.org,Nora,FI,english,,,,,,,", "D2: Write languages as two letters"),
        ("n@example.org,Nora,FI,en well,,,,,,,", "D2: “well” is no level"),
        ("n@example.org,Nora,FI,,physics,,,,,,", "E2: "),
        ("n@example.org,Nora,FI,,mobility 7,,,,,,", "E2: “mobility 7”: how well it is known is 1, 2 or 3."),
        ("n@example.org,Nora,FI,,,king,,,,,", "F2: "),
        ("n@example.org,Nora,FI,,,,many,,,,", "G2: “many” is no whole number from 0 to 500."),
        (
            "n@example.org,Nora,FI,,,,,501,,,",
            "H2: The largest number of applications lies between 1 and 500; this is 501.",
        ),
        ("n@example.org,Nora,FI,,,,5,3,,,", "G2: The least number"),
        ("n@example.org,Nora,FI,,,,,,soon,,", "I2: “soon” is no day."),
        (
            "n@example.org,Nora,FI,,,,,,1/2/2026,,",
            "I2: “1/2/2026” can be read as 1 February 2026 or as 2 January 2026. Write the one you mean, 2026-02-01 or",
        ),
        ("n@example.org,Nora,FI,,,,,,,,Acme (1/2/2026 to now)", "K2: “1/2/2026” can be read as 1 February 2026 or as"),
        ("n@example.org,Nora,FI,,,,,,2023-02-01,2023-01-01,", "J2: The last day lies before the first"),
        ("n@example.org,Nora,FI,,,,,,,,Acme (2020 to 2019)", "K2: "),
        ("n@example.org,=HYPERLINK(1),FI,,,,,,,,", "B2: “=HYPERLINK(1)” looks like a formula"),
        ("n@example.org,Nora,FI,,,,,,,,@acme", "K2: “@acme” looks like a formula"),
        ("n@example.org,Nora,FI,,,,,,,,,many", "L2: “many” is no whole number from 0 to 500. Leave it empty for none."),
        ("n@example.org,Nora,FI,,,,2,4,,,,5", "L2: The number of applications aimed at lies between the least and the"),
        ("n@example.org,Nora,FI,,,,,,,,,,,more", "Line 2 has 14 cells; the file has 13 columns."),
    ],
)
def test_what_is_wrong_is_told_by_its_cell(line: str, said: str) -> None:
    (found,) = plan(line).lines

    assert found.deed is LineDeed.REFUSED
    assert any(sentence.startswith(said) for sentence in found.problems), found.problems


def test_the_second_line_of_one_address_is_refused() -> None:
    first, second = plan("n@example.org,Nora,FI,,,,,,,,", "N@example.org,Nora,SE,,,,,,,,").lines

    assert (first.deed, second.deed) == (LineDeed.INVITED, LineDeed.REFUSED)
    assert second.problems == ("A3: n@example.org stands in line 2 already.",)


@pytest.mark.parametrize(
    "text", ["", "email,name", "email,name,country,shoe size\n", "email,name,country,email\na@b.eu,A,FI,", f"{HEAD}\n"]
)
def test_a_file_that_is_no_table_of_evaluators_is_refused_whole(text: str) -> None:
    with pytest.raises(Invalid):
        rules.plan(csv_table(text), {}, ASKED)


def test_encodings_and_separators() -> None:
    line = "email;name;country\nn@example.org;Nora Öst;FI\n"
    for data in (line.encode(), line.encode("utf-8-sig"), line.encode("utf-16"), line.replace(";", "\t").encode()):
        (found,) = rules.plan(csv_table(decoded(data)), {}, ASKED).lines
        assert (found.name, found.deed) == ("Nora Öst", LineDeed.INVITED)
    with pytest.raises(Invalid, match=r"not in UTF-8 \(line 2\)"):
        decoded(line.encode("cp1252"))
    with pytest.raises(Invalid, match=r"^The file is a PDF\. Save the list as CSV UTF-8"):
        decoded(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3")
    with pytest.raises(Invalid, match="no text"):
        decoded(b"PDF\0")


def test_a_column_the_file_does_not_have_keeps_what_stands() -> None:
    standing = EvaluatorInput(
        USER, "FI", ("en",), ("mobility",), 1, 4, topic_levels=(("mobility", 2),), language_levels=(("en", "native"),),
        roles=("finance",), employers=(Employer("Acme"),),
    )  # fmt: skip
    table = csv_table("email,name,country\nn@example.org,Nora,SE")

    (line,) = rules.plan(table, {"n@example.org": Known(USER, offered=standing)}, ASKED).lines

    assert line.deed is LineDeed.CHANGED
    assert line.changes == ("country: FI → SE",)


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


@given(st.lists(st.lists(CELLS, max_size=13), max_size=6))
def test_no_file_breaks_the_reading(rows: list[list[str]]) -> None:
    text = rules.table_text([list(rules.IMPORT_COLUMNS), *rows])
    try:
        found = rules.plan(csv_table(text), {}, ASKED)
    except Invalid:
        return
    assert all((line.deed is LineDeed.REFUSED) == bool(line.problems) for line in found.lines)


# --- the pages ------------------------------------------------------------------------------------------------------


def look(browser: Browser, scene: Scene, data: bytes, name: str = "pool.csv") -> TestResponse:
    return browser.post("manager", f"/calls/{scene.slug}/evaluators/import/look", file=(io.BytesIO(data), name))


def sealed(shown: TestResponse) -> dict[str, str]:
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', shown.text, re.DOTALL) for name in ("text", "seal")}
    return {name: html.unescape(each[1]) for name, each in found.items() if each is not None}


def counts(call_id: Any) -> tuple[int, int]:
    db.session.rollback()
    return (
        db.session.scalar(select(func.count()).select_from(Evaluator).where(Evaluator.call_id == call_id)) or 0,
        db.session.scalar(select(func.count()).select_from(EvaluatorInvitation)) or 0,
    )


def lines_of(scene: Scene) -> str:
    email = db.session.get_one(User, scene.people["eva1"]).email
    same = db.session.get_one(User, scene.people["eva2"]).email
    return "\n".join(
        (
            HEAD,
            NEW,
            f"{email},Eva Evaluator 1,FI,en,,technical,0,3,,,Acme (2019 to now)",
            f"{same},Eva Evaluator 2,FI,en,,,0,3,,,",
            "wrong,Nobody,FI,,,,,,,,",
        )
    )


def test_nothing_is_written_before_it_is_confirmed_and_nothing_twice(scene: Scene, browser: Browser) -> None:
    data = lines_of(scene).encode()
    shown = look(browser, scene, data)
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.status_code == 200
    for words in ("Is invited by mail", "Is changed", "Stays as it is", "Is left out", "roles: nothing → technical"):
        assert words in shown.text
    assert counts(scene.call_id) == (5, 0)

    taken = browser.post("manager", f"/calls/{scene.slug}/evaluators/import/take", **sealed(shown))

    assert taken.status_code == 303
    assert counts(scene.call_id) == (5, 1)
    member = next(one for one in queries.pool(scene.call_id) if one.user_id == scene.people["eva1"])
    assert (member.roles, member.employer_text) == (("technical",), "Acme (2019-01-01 to now)")
    offered = db.session.scalars(select(EvaluatorInvitation)).one()
    assert (offered.entry["country_code"], offered.entry["load_max"]) == ("FI", 4)

    again = look(browser, scene, data)

    assert "Nothing would be written." in again.text
    assert sealed(again) == {}


def test_a_long_file_is_taken_over_piece_by_piece_and_nobody_is_invited_twice(
    scene: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grants.evaluation.rules.importing.IMPORT_AT_ONCE", 2)
    monkeypatch.setattr("grants.evaluation.rules.IMPORT_AT_ONCE", 2)
    address, pool = f"/calls/{scene.slug}/evaluators/import/take", f"/calls/{scene.slug}/evaluators"
    people = [f"n{number}@example.org,Nora New {'I' * (number + 1)},FI,en,,,0,4,,," for number in range(4)]
    data = "\n".join((lines_of(scene), *people)).encode()
    fields = sealed(look(browser, scene, data))
    assert browser.post("manager", address, **fields).status_code == 303
    # Nothing is done in the request, and a second window asks for nothing again.
    assert counts(scene.call_id) == (5, 0)
    waits = browser.get("manager", pool).text
    assert "0 of 6 lines done" in waits and "Look again now" in waits
    again = browser.post("manager", address, **fields)
    assert again.status_code == 422 and "Another file is being taken over" in again.text
    # What somebody else did meanwhile is left out, in whichever piece it comes.
    services.invite(scene.actor("manager"), scene.call_id, AskInput("n3@example.org", "Nora New IIII"))

    jobs.work_off(actor_of=actor_for)

    assert counts(scene.call_id) == (5, 5)
    db.session.rollback()
    pieces = db.session.scalars(
        select(jobs.Job.args).where(jobs.Job.name.endswith("import_pool")).order_by(jobs.Job.number)
    ).all()
    # No job holds a name or an address, and what the file held is gone with its last piece.
    assert [(sorted(args), args["done"]) for args in pieces] == [
        (["call_id", "done", "import_id"], n) for n in (0, 2, 4)
    ]
    kept = db.session.scalars(select(EvaluatorImport)).one()
    assert (kept.lines, kept.shown, kept.done, kept.total, kept.left_out) == (None, None, 6, 6, 1)
    asked = db.session.scalars(select(jobs.Job.args).where(jobs.Job.name == "jobs.mail.send")).all()
    assert len([each for each in asked if each["template"] == "evaluator_invited"]) == 5
    told = browser.get("manager", pool).text
    assert "5 of 6 lines were taken over. 1 was left out" in told
    # A piece that is done once more does nothing.
    assert services.import_piece(scene.actor("manager"), scene.call_id, kept.id, 4) == 0
    assert counts(scene.call_id) == (5, 5)
    # The file again changes nothing but what was left out, which is as it was offered by hand.
    assert look(browser, scene, data).text.count("Is changed") == 2


def test_a_file_whose_job_failed_is_not_kept(scene: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grants.evaluation.rules.importing.IMPORT_AT_ONCE", 1)
    monkeypatch.setattr("grants.evaluation.rules.IMPORT_AT_ONCE", 1)
    address, pool = f"/calls/{scene.slug}/evaluators/import/take", f"/calls/{scene.slug}/evaluators"
    fields = sealed(look(browser, scene, lines_of(scene).encode()))
    assert browser.post("manager", address, **fields).status_code == 303
    program = system_actor("the program", (Permission.ASSIGNMENT_DECIDE, Permission.JOB_CANCEL))
    # What still waits is left alone, and the database keeps a second file out whoever asks.
    assert services.empty_imports(program) == 0
    held = db.session.scalars(select(EvaluatorImport)).one()
    first, job_id = held.id, held.job_id
    db.session.rollback()
    jobs.cancel(program, job_id, "A mistake")

    # The next file empties it; its own ends when who asked holds the right no more.
    with clock.at(clock.now() + timedelta(minutes=1)):
        assert browser.post("manager", address, **fields).status_code == 303
    with pytest.raises(Refused, match="not kept any more"):
        services.import_piece(scene.actor("manager"), scene.call_id, first, 0)
    # Conflicts are looked for after each piece, whatever becomes of the next.
    held = db.session.scalars(select(EvaluatorImport).where(EvaluatorImport.lines.is_not(None))).one()
    looks = select(func.count()).select_from(jobs.Job).where(jobs.Job.name == "jobs.conflicts.look")
    before = db.session.scalar(looks) or 0
    services.import_piece(scene.actor("manager"), scene.call_id, held.id, 0)
    assert db.session.scalar(looks) == before + 1
    jobs.work_off(actor_of=lambda _: scene.actor("eva1"))

    assert counts(scene.call_id) == (5, 1)
    assert "1 of 2 lines were taken over." in browser.get("manager", pool).text
    assert services.empty_imports(program) == 1
    rows = db.session.execute(select(EvaluatorImport.lines, EvaluatorImport.shown)).all()
    assert [tuple(row) for row in rows] == [(None, None), (None, None)]


def test_a_text_that_was_not_shown_is_not_taken_over(scene: Scene, browser: Browser) -> None:
    fields = sealed(look(browser, scene, lines_of(scene).encode()))
    address = f"/calls/{scene.slug}/evaluators/import/take"

    other = browser.post("manager", address, **{**fields, "text": fields["text"].replace("nora@", "mallory@")})
    bare = browser.post("manager", address, text=fields["text"], seal="")

    assert (other.status_code, bare.status_code) == (422, 422)
    assert "not the file that was shown" in other.text
    assert counts(scene.call_id) == (5, 0)


def test_what_changed_since_it_was_shown_is_looked_at_again(scene: Scene, browser: Browser) -> None:
    fields = sealed(look(browser, scene, lines_of(scene).encode()))
    values = EvaluatorInput(scene.people["eva1"], "SE", ("en",), (), 0, 3)
    services.pool(scene.actor("manager"), scene.call_id, values)

    late = browser.post("manager", f"/calls/{scene.slug}/evaluators/import/take", **fields)

    assert late.status_code == 422
    assert "changed after this file was shown" in late.text
    assert counts(scene.call_id) == (5, 0)


def test_a_workbook_is_read_and_a_formula_in_it_refused(scene: Scene, browser: Browser) -> None:
    template = browser.get("manager", f"/calls/{scene.slug}/evaluators/import/template.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(template.data))
    sheet = book.worksheets[0]
    sheet["B2"] = "=1+1"
    sheet.append(["nora@example.org", "Nora New", "FI", "en", None, None, 0, 4])
    target = io.BytesIO()
    book.save(target)

    shown = look(browser, scene, target.getvalue(), "pool.xlsx")

    assert shown.status_code == 200
    assert "looks like a formula" in shown.text
    assert "Is invited by mail" in shown.text


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "empty"), (b"email,name,country\nn@example.org,Nora \xd6st,FI", "UTF-8"), (b"PK\x03\x04nothing", "upload .xlsx, .csv"), (b"PK junk", "not a workbook that can be read"), (b"x" * 500_001, "500 kB")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told(scene: Scene, browser: Browser, data: bytes, said: str) -> None:
    shown = look(browser, scene, data)

    assert shown.status_code == 422
    assert said in shown.text


def test_a_look_at_five_hundred_lines_asks_as_much_as_one_at_two(scene: Scene, browser: Browser) -> None:
    def data(count: int) -> bytes:
        return "\n".join((HEAD, *(f"n{each}@example.org,Nora,FI,en,,,,,,," for each in range(count)))).encode()

    look(browser, scene, data(1))
    with statements() as few:
        look(browser, scene, data(2))
    with statements() as many:
        shown = look(browser, scene, data(500))

    assert shown.status_code == 200
    assert len(many) == len(few) <= 8


def test_the_export_is_read_back_and_changes_nothing(scene: Scene, browser: Browser) -> None:
    made = browser.get("manager", f"/calls/{scene.slug}/evaluators.csv")

    shown = look(browser, scene, made.data)

    assert shown.status_code == 200
    assert f"not read: {', '.join(rules.TOLD_COLUMNS)}." in shown.text
    assert "Nothing would be written." in shown.text


def test_a_file_that_cannot_be_read_as_a_whole_is_refused_beside_its_field(scene: Scene, browser: Browser) -> None:
    answer = look(browser, scene, b"who,what\nnora@example.org,Nora\n")

    assert answer.status_code == 422
    beside = answer.text[answer.text.index('id="file-error"') :]
    assert "“who” is none of them" in beside[: beside.index("</p>")]
    assert answer.text.count("“who” is none of them") == 2
    seats = browser.post(
        "manager", f"/calls/{scene.slug}/assignments/file/look", file=(io.BytesIO(b"who\nme\n"), "seats.csv")
    )
    assert seats.status_code == 422 and 'id="file-error"' in seats.text
