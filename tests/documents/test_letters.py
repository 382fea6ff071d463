"""The receipt of a submission and the signed agreement as PDF, as jobs made them for the demo."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.applications.models import Submission
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.files import FileView
from grants.documents import services
from tests import actors
from tests.agreements.conftest import IN_FORCE, IN_PREPARATION, Find, actor, grant
from tests.html import check_page

__all__ = ["grant"]


def sent(title: str) -> Submission:
    rows = db.session.scalars(select(Submission)).all()
    return next(row for row in rows if row.content["application"]["title"] == title)


def pages(file: FileView) -> list[str]:
    reader = PdfReader(io.BytesIO(files.path(file).read_bytes()))
    return [page.extract_text() for page in reader.pages]


def words(file: FileView) -> str:
    return "\n".join(pages(file))


def test_a_receipt_states_reference_number_time_and_hash_and_holds_the_answers(demo_app: Flask) -> None:
    row = sent("Roof by Roof")
    (file,) = files.listed("submission", row.id, "receipt")
    text = words(file)

    assert f"Receipt number\n{row.receipt_number}" in text
    assert row.sha256.hex() in text.replace("\n", "")
    assert "Kővárhely" in text
    assert row.content["application"]["title"] in text


def test_a_receipt_holds_the_application_word_for_word_as_the_screen_shows_it(demo_app: Flask) -> None:
    row = sent("Roof by Roof")
    (file,) = files.listed("submission", row.id, "receipt")
    printed = bare(re.sub(r"\n[^\n]*Page \d+ of \d+\n?", "\n", words(file)))
    reference = row.content["application"]["reference"]

    page = check_page(actors.client_of(demo_app, actor("reka")).get(f"/applications/{reference}/print"))
    receipt = check_page(actors.client_of(demo_app, actor("reka")).get(f"/applications/{reference}/receipt"))

    # When it was sent last stands more exactly among the facts of the receipt.
    texts = [text for text in statements(page) if not text.startswith("Version ")]
    assert len(texts) > 40
    assert [text for text in texts if bare(text) not in printed] == []
    # The receipt’s own page: number, version, times, sender, hashes of the content and of each file.
    facts = [
        re.sub(", by the server’s clock$|, (not sealed yet|place .*)$", "", text)
        for text in statements(receipt, only="dd")
    ]
    assert [text for text in facts if bare(text) not in printed] == []
    assert all(each["sha256"] in printed for each in row.content["files"]) and row.content["files"]


# What the screen says of the moment it is looked at, of where one is, or of how much is written.
_OF_THE_SCREEN = ("pg-clock", "pg-head", "pg-crumbs", "govuk-breadcrumbs", "q", "pg-rail", "pg-hash", "pg-flash")


def statements(page: Element, only: str = "") -> Iterator[str]:
    """Each heading, paragraph, value and cell that a screen shows of an application."""
    (main,) = (each for each in page.iter() if each.get("id") == "main")
    yield from _within(main, only)


def _within(at: Element, only: str) -> Iterator[str]:
    tag = at.tag.rpartition("}")[2]
    if set((at.get("class") or "").split()) & set(_OF_THE_SCREEN) or tag in ("caption", "dt"):
        return
    if tag == only or (not only and tag in ("h2", "h3", "p", "li", "td", "th", "dd")):
        text = " ".join("".join(at.itertext()).split())
        if text and text != "Not provided":
            yield text
        return
    for part in at:
        yield from _within(part, only)


def bare(text: str) -> str:
    """Without spaces and line breaks, which a page of paper puts elsewhere."""
    return "".join(text.split())


def test_a_receipt_printed_again_is_the_same_file(demo_app: Flask) -> None:
    row = sent("Roof by Roof")
    (before,) = files.listed("submission", row.id, "receipt")

    again = services.print_receipt(actor("reka"), row.id)

    assert again.sha256 == before.sha256


def test_nobody_prints_the_receipt_of_another_city(demo_app: Flask) -> None:
    row = sent("Roof by Roof")

    with pytest.raises(NotFound):
        services.print_receipt(actor("jaro"), row.id)


def test_the_agreement_carries_both_signatures_and_the_hash_of_its_text(grant: Find) -> None:
    found = grant(IN_FORCE)
    (file,) = files.listed("grant", found.id, "agreement")
    text = words(file)

    assert found.reference in text
    assert "For the coordinator: Gábor Lantos" in text
    assert "For the programme: Ruth O’Connell" in text
    # It was amended since: its first version stays as it was signed.
    signed = {each.document_sha256 for each in found.earlier_signatures if each.offer_no == found.versions[0].offer_no}
    assert {each[:16] for each in signed} == {found.versions[0].sha256[:16]} and signed.pop()[:16] in text


def test_every_page_of_agreement_and_receipt_says_that_the_demo_is_invented(grant: Find) -> None:
    (agreement,) = files.listed("grant", grant(IN_FORCE).id, "agreement")
    (receipt,) = files.listed("submission", sent("Roof by Roof").id, "receipt")

    for page in pages(agreement) + pages(receipt):
        assert "holds synthetic data" in page
    signatures = next(page for page in pages(agreement) if "For the programme" in page)
    assert "Milestones" in signatures and "For the coordinator" in signatures


def test_an_agreement_is_printed_when_it_is_signed(grant: Find) -> None:
    found = grant(IN_PREPARATION)

    with pytest.raises(Refused, match="when it is signed"):
        services.print_agreement(actor("officer"), found.id)
    row = db.session.scalars(select(Grant).where(Grant.id == found.id)).one()
    assert agreements.view(row).signatures == ()
