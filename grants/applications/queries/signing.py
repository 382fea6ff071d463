"""Sign-offs of an application: which parts there are, and what of each was signed last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import ApplicationSignOff
from grants.applications.rules import ApplicationView, SignedPart, SignOffView, TeamMember
from grants.applications.states import PartnerState
from grants.budgets import rules as budget_rules
from grants.budgets.queries import BudgetView
from grants.core.together import Asking, ask, reader
from grants.dossiers.queries import DossierView
from grants.identity.models import User
from grants.identity.states import Role


@reader
def signed(application_id: UUID) -> Asking[dict[UUID | None, SignOffView]]:
    """The last sign-off of each part, of the whole under None; one statement."""
    rows = yield from ask(
        select(
            ApplicationSignOff.organisation_id,
            ApplicationSignOff.user_id,
            User.name.label("person"),
            ApplicationSignOff.created_at,
            ApplicationSignOff.sha256,
        )
        .join(User, User.id == ApplicationSignOff.user_id)
        .where(ApplicationSignOff.application_id == application_id)
        .order_by(ApplicationSignOff.number)
    )
    return {
        row.organisation_id: SignOffView(row.organisation_id, row.user_id, row.person, row.created_at, row.sha256.hex())
        for row in rows
    }


def signed_parts(
    application: ApplicationView,
    dossier: DossierView,
    budget: BudgetView,
    team: Sequence[TeamMember],
    last: Mapping[UUID | None, SignOffView],
    fingerprint: str,
) -> tuple[SignedPart, ...]:
    """What there is to sign: the part of each partner that agreed, and the whole by a signatory."""
    found = []
    for partner in application.partners:
        if partner.leads or partner.state is not PartnerState.ACCEPTED:
            continue
        asked = [
            section for section in dossier.sections if partner.contact_id and section.asked_id == partner.contact_id
        ]
        content = rules.part_content(
            reference=application.reference,
            organisation_id=partner.organisation_id,
            answers=[(section.key, item.answer) for section in asked for item in section.questions],
            budget=_own_budget(budget, partner.organisation_id),
        )
        people = ((partner.contact_id, partner.contact_name or ""),) if partner.contact_id else ()
        found.append(
            SignedPart(
                partner.organisation_id,
                f"The part of {partner.name}",
                people,
                tuple(section.section.title for section in asked),
                rules.digest(content).hex(),
                last.get(partner.organisation_id),
            )
        )
    signatories = tuple(
        (each.user_id, each.name) for each in team if each.role is Role.APPLICATION_SIGNATORY and each.joined
    )
    found.append(SignedPart(None, "The whole application", signatories, (), fingerprint, last.get(None)))
    return tuple(found)


def _own_budget(budget: BudgetView, organisation_id: UUID) -> dict[str, Any]:
    """What an organisation answers for: its own amounts and sentences; sources and plan are the whole's."""
    content = budget.content
    own = replace(
        content,
        organisations=tuple(each for each in content.organisations if each == organisation_id),
        cells=tuple(cell for cell in content.cells if cell.organisation_id == organisation_id),
        notes=tuple(note for note in content.notes if note.organisation_id == organisation_id),
        sources=(),
        plan=(),
    )
    return dict(budget_rules.to_mapping(own))
