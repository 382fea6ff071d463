"""The accession of a partner to a grant agreement as PDF: the form to sign, and the same with the signatures it was given."""

from __future__ import annotations

from grants.agreements.rules import AccessionSignatureView
from grants.core import clock
from grants.documents.pdf.paper import Paper
from grants.documents.rules import AccessionSheet

# So many people of a partner find a place to sign; a power names three at most.
PLACES = 3


def form(sheet: AccessionSheet, *, synthetic: bool) -> bytes:
    """The form, to be signed electronically or by hand."""
    paper = _begun(sheet, "Accession form", f"Form for version {sheet.version_no}, without signatures", synthetic)
    with paper.together():
        paper.paragraph(_accepts(sheet))
        paper.heading("Signatures")
        paper.paragraph(
            "Signed electronically with a qualified signature, or by hand below. Whoever signs together with others signs beside "
            "them; a place that is not needed stays empty.",
            style="quiet",
        )
        paper.gap()
        for number in range(1, PLACES + 1):
            paper.place_to_sign(f"{number}")
    return paper.finished()


def accession(sheet: AccessionSheet, *, synthetic: bool) -> bytes:
    """The accession that was made, with every signature."""
    view = sheet.accession
    assert view.acceded_on is not None, "only what was signed is printed so"
    standing = f"Acceded to version {sheet.version_no}"
    paper = _begun(sheet, "Accession", standing, synthetic)
    with paper.together():
        paper.paragraph(_accepts(sheet))
        paper.heading("Signatures")
        for each in sheet.given:
            paper.paragraph(_signature(each, view.name))
            paper.gap(3)
        late = ", after its last day" if view.was_late else ""
        paper.paragraph(f"{view.name} acceded on {clock.long_date(view.acceded_on)}{late}.")
    return paper.finished()


def _begun(sheet: AccessionSheet, title: str, standing: str, synthetic: bool) -> Paper:
    text, view = sheet.text, sheet.accession
    paper = Paper(
        title=f"{title} of {view.name}",
        head=f"{text.call} · {title} · {text.agreement}",
        foot=f"{standing} · Text {sheet.sha256[:16]}",
        synthetic=synthetic,
    )
    paper.paragraph(f"To grant agreement {text.agreement}, “{text.title}”")
    paper.gap()
    share = sheet.share
    paper.facts(
        [
            ("Accedes", f"{view.name}{f', {share.country_code}' if share else ''}"),
            ("Coordinator", text.coordinator),
            ("Parent grant", text.parent_grant),
            ("To version", f"{sheet.version_no}, in force from {clock.long_date(sheet.in_force_on)}"),
            *([("Its maximum", str(share.maximum))] if share else []),
            ("Accedes by", clock.long_date(view.due_on)),
            ("SHA-256 of the text", sheet.sha256),
        ]
    )
    paper.gap()
    return paper


def _accepts(sheet: AccessionSheet) -> str:
    """To what who signs binds itself."""
    return (
        f"{sheet.accession.name} has read version {sheet.version_no} of the grant agreement named above and accepts exactly that "
        "text, with its annexes, as if it had signed it beside the coordinator. It is bound by it as a beneficiary from the day "
        "of its accession. The coordinator receives every payment and passes on its share."
    )


def _signature(given: AccessionSignatureView, whose: str) -> str:
    local = clock.in_zone(given.signed_at)
    counted = f"{clock.long_date(local.date())}, {local:%H:%M} Brussels time"
    when = (
        f"{clock.long_date(given.signed_on)}, on a signed document that was uploaded and checked, {counted}"
        if given.signed_on
        else f"{counted}; recorded acceptance"
    )
    return f"For {whose}: {given.name}, {given.capacity}, {when}. By: {given.power}. Accepted text {given.document_sha256[:16]}."
