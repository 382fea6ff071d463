"""The text of an agreement: as it was offered, as a version has it, or as it would be offered now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements import rules
from grants.agreements.models import AgreementOffer
from grants.agreements.queries.conditions import answers_of
from grants.agreements.queries.revising import names_in, revised
from grants.agreements.rules import AgreementText, Annexes, GrantView
from grants.agreements.states import ConditionKey, Verdict
from grants.applications import queries as applications
from grants.applications.rules import SubmittedContent
from grants.calls.models import Call
from grants.core import encoding
from grants.core.errors import NotFound
from grants.core.together import Asking, ask, reader, side_by_side


@reader
def text_of(grant: GrantView) -> Asking[AgreementText]:
    """What the agreement says: as its offer that stands froze it, or as it would be offered now."""
    if grant.offer is not None:
        return (yield from offered_text.asking(grant.id, grant.offer.number))
    about: tuple[Asking[Any], ...] = (*(_annexes(grant), answers_of.asking([grant.id]), _days_of(grant.call_id)),)
    beside, answers, days = yield from side_by_side(about)
    powers = [
        answer for _, answer in answers if answer.key is ConditionKey.POWER_TO_SIGN and answer.organisation_id is None
    ]
    last = powers[-1] if powers else None
    accepted = last if last and last.verdict and last.verdict.verdict is Verdict.ACCEPTED else None
    return rules.agreement_text(grant, beside, rules.power_in(accepted), **days)


@reader
def offered_text(grant_id: UUID, offer_no: int) -> Asking[AgreementText]:
    """The text of one offer, whatever became of it; raises :class:`NotFound`."""
    rows = yield from ask(
        select(AgreementOffer.text).where(AgreementOffer.grant_id == grant_id, AgreementOffer.offer_no == offer_no)
    )
    if not rows:
        raise NotFound
    found: AgreementText = encoding.decode({"value": rows[0].text}, AgreementText)
    return found


def _annexes(grant: GrantView) -> Asking[Annexes]:
    """The annexes of what would be offered now: from the grant's own budget and description, or, for a grant from before it
    had them, from the application that was judged; none where none was sent here.
    """
    if grant.revision is None:
        before = yield from _sent(grant.application_id)
        return rules.annexes(before) if before is not None else rules.NO_ANNEXES
    assert grant.budget_id is not None, "a grant with a revision has a budget"
    about: tuple[Asking[Any], ...] = (
        *(_sent(grant.application_id), revised.asking(grant), names_in.asking(grant.budget_id)),
    )
    sent, own, names = yield from side_by_side(about)
    return rules.own_annexes(f"Grant {grant.reference}, as agreed in preparation", own, names, sent)


def _sent(application_id: UUID) -> Asking[SubmittedContent | None]:
    try:
        return (yield from applications.submitted_content.asking(application_id))
    except NotFound:
        return None


@reader
def accession_days(call_id: UUID) -> Asking[int | None]:
    """Within how many days the call has partners accede; None where it does not."""
    return (yield from _days_of(call_id)).get("accession_days")


def _days_of(call_id: UUID) -> Asking[dict[str, int]]:
    """What the call says of days that the text of its agreements states and grants do not take over; what it leaves open is left out."""
    keys = ("accession_days", "objection_days")
    said = (Call.content["fields"][f"agreement.{key}"]["value"].as_integer().label(key) for key in keys)
    rows = yield from ask(select(*said).where(Call.id == call_id))
    return {key: days for row in rows for key in keys if (days := getattr(row, key)) is not None}
