"""What agreements and receipts of submissions state, read from what was frozen."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import Side
from grants.applications import queries as applications
from grants.applications.models import Submission
from grants.applications.rules import SubmittedContent, received_lines, sent_lines
from grants.applications.states import PartnerRole
from grants.budgets.rules import SOURCE_WORDS, BudgetContent, timeline
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import get
from grants.core.errors import NotFound
from grants.documents.queries.marks import holds_synthetic, marks
from grants.documents.rules import AccessionSheet, AgreementSheet, Column, ColumnKind, Receipt, Table, TerminationLetter
from grants.dossiers import rules as dossiers
from grants.identity import queries as identity
from grants.programmes.models import Programme

MONEY = ColumnKind.MONEY


def agreement_version(grant_id: UUID, number: int) -> AgreementSheet | None:
    """One version of an agreement as it goes on paper; None before it is signed."""
    grant = agreements.view(get(Grant, grant_id))
    version = next((each for each in grant.versions if each.number == number), None)
    if version is None:
        return None
    given = (*grant.signatures, *grant.earlier_signatures)
    return AgreementSheet(
        agreements.offered_text(grant_id, version.offer_no),
        version.sha256,
        f"Version {number}",
        f"Version {number}, in force from {clock.long_date(version.in_force_on)}",
        tuple(each for each in given if each.offer_no == version.offer_no),
        version=number,
        letters=agreements.letters(grant).get(version.offer_no),
    )


def agreement_offer(grant_id: UUID, number: int) -> AgreementSheet:
    """What was offered, as it goes on paper before anybody signs it; raises NotFound."""
    grant = agreements.view(get(Grant, grant_id))
    text = agreements.offered_text(grant_id, number)
    offer = next(each for each in grant.offers if each.number == number)
    day = clock.long_date(clock.in_zone(offer.offered_at).date())
    return AgreementSheet(
        text,
        offer.sha256,
        f"Offer {number}, without signatures",
        f"Offer {number} of {day}, to be read before it is signed",
        places=tuple((side, offer.needs(side)) for side in Side),
    )


def accession(grant_id: UUID, accession_id: UUID, version_no: int | None = None) -> AccessionSheet:
    """The accession of a partner as it goes on paper: of the version it acceded to, or a form of another; raises NotFound."""
    grant = agreements.view(get(Grant, grant_id))
    view = next((each for each in agreements.accessions(grant_id) if each.id == accession_id), None)
    number = version_no or (view.acceded_version if view is not None else None)
    version = next((each for each in grant.versions if each.number == number), None)
    if view is None or version is None:
        raise NotFound
    text = agreements.offered_text(grant_id, version.offer_no)
    return AccessionSheet(text, version.sha256, version.number, version.in_force_on, view)


def termination_letter(grant_id: UUID, number: int) -> TerminationLetter:
    """What the letter of a confirmed termination says; raises NotFound where it is not confirmed."""
    row = get(Grant, grant_id)
    grant = agreements.view(row)
    found = next((each for each in grant.terminations if each.number == number and each.effective_on), None)
    if found is None:
        raise NotFound
    return TerminationLetter(
        reference=grant.reference,
        title=grant.title,
        programme=get(Programme, get(Call, grant.call_id).programme_id).name,
        coordinator=grant.coordinator,
        report_days=row.report_days,
        found=found,
    )


def agreement_is_synthetic(grant_id: UUID) -> bool:
    """Whether an agreement holds something invented: its call, its amount, an organisation, or all of the installation."""
    grant = get(Grant, grant_id)
    return bool(marks([get(Call, grant.call_id)], [grant_id]).words)


def submission_row(submission_id: UUID) -> Submission:
    """The submission a receipt is for."""
    return get(Submission, submission_id)


def receipt(submission_id: UUID) -> Receipt:
    """Everything the receipt of a submission states, read from what was frozen and hashed."""
    row = submission_row(submission_id)
    known = applications.registered(row.id)
    return _stated(row, str(known.event_id) if known else "")


def reading_copy(submission_id: UUID) -> Receipt:
    """The same for who only reads it: an application that came in from elsewhere has no event of its own."""
    return _stated(submission_row(submission_id), "")


def _stated(row: Submission, event_id: str) -> Receipt:
    application = applications.view_by_id(row.application_id)
    call = application.call
    sent = applications.content_of(row)
    costs = sent.budget.totals
    names = sent.organisation_names
    file_names = {str(file.file_id): file.name for file in sent.files}
    sender = identity.person(row.submitted_by)
    lead = next(each for each in sent.consortium if each.role is PartnerRole.COORDINATOR)
    return Receipt(
        programme=call.programme.name,
        call=call.title if row.call_version == 1 else f"{call.title} (version {row.call_version} of the call)",
        reference=sent.reference,
        title=sent.title,
        receipt_number=row.receipt_number,
        version=row.number,
        submitted_at=row.submitted_at,
        submitted_by=", ".join(filter(None, (sender.name, sender.organisation))),
        closes_at=row.closes_at,
        zone=call.zone,
        received=received_lines(row.submitted_at, call.zone, lead.country_code),
        summary=sent.summary or "",
        coordinator=lead.name,
        partners=tuple(each.name for each in sent.consortium if each.role is not PartnerRole.COORDINATOR),
        requested=str(row.requested),
        sha256=row.sha256.hex(),
        event_id=event_id,
        answers=(
            ("Organisations as the register held them", sent_lines(sent)),
            *((("Actions and barriers it serves", _served(sent)),) if sent.serves else ()),
            *(
                (
                    each.section.title,
                    tuple((item.question.label, dossiers.answer_words(item, file_names)) for item in each.items),
                )
                for each in dossiers.answered(sent.dossier)
            ),
            *_beside(sent.budget, names),
        ),
        costs=Table(
            "Budget, EUR",
            (
                Column("Partner", share=3),
                *(Column(category.label, MONEY) for category in sent.budget.rules.categories),
                Column("Total", MONEY),
                Column("Asked for", MONEY),
            ),
            tuple((names[line.organisation_id], *line.amounts, line.total, line.requested) for line in costs.rows),
            ("All partners", *costs.by_category, costs.total, costs.requested),
        ),
        files=Table(
            "Files",
            (Column("File", share=3), Column("Bytes", ColumnKind.NUMBER), Column("SHA-256", share=5)),
            tuple((file.name, file.size_bytes, file.sha256) for file in sent.files),
        )
        if sent.files
        else None,
        synthetic=holds_synthetic(
            get(Call, call.id), organisation_ids=[each.organisation_id for each in sent.consortium]
        ),
    )


def _served(sent: SubmittedContent) -> tuple[tuple[str, str], ...]:
    return tuple((f"{each.name} ({each.about})", each.sentence) for each in sent.serves)


def _beside(budget: BudgetContent, names: Mapping[UUID, str]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """What stands beside the amounts, as sections of their own; none where there is nothing."""
    sources = tuple(
        (each.name, f"{each.amount}, {SOURCE_WORDS[each.kind].lower()}{'' if each.confirmed else ', not confirmed'}")
        for each in budget.sources
    )
    notes = tuple((f"{names[each.organisation_id]}, {each.kind.value}", each.text) for each in budget.notes)
    bars, _ = timeline(budget.plan, names)
    plan = tuple(
        (
            f"{bar.code} {bar.title}",
            ", ".join(part for part in (bar.owner, bar.months.words if bar.months else "") if part),
        )
        for bar in bars
    )
    parts = (("Who else pays", sources), ("Costs explained", notes), ("Work plan", plan))
    return tuple((title, found) for title, found in parts if found)
