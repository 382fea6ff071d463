"""Reads of dry runs: one person's own, of one call. Nothing else in the program reads this table."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from grants.applications import rules
from grants.applications.models import CallTrial
from grants.applications.queries.writing import PUBLIC_KINDS, warnings_of
from grants.applications.rules import Issue, TrialContent
from grants.applications.states import Verdict
from grants.budgets import queries as budgets
from grants.budgets.queries import BudgetView
from grants.calls.rules import CallView, Condition
from grants.core import encoding
from grants.core.db import db
from grants.core.permissions import Actor
from grants.dossiers import queries as dossiers
from grants.dossiers.queries import DossierView


@dataclass(frozen=True, slots=True)
class TrialView:
    """A dry run as its pages show it, by the rules that hold for applications and the call as it stands now."""

    call: CallView
    content: TrialContent
    dossier: DossierView
    budget: BudgetView
    issues: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    evidence: tuple[tuple[Condition, rules.Evidence], ...]
    verdict: Verdict | None
    fingerprint: str

    @property
    def changed(self) -> bool:
        """Whether what stands is not what was sent: the writer, or the call, changed since."""
        return self.content.sent is not None and self.content.sent.sha256 != self.fingerprint


def trial_row(actor: Actor, call_id: UUID) -> CallTrial | None:
    """The row of this person's dry run of a call, for an act that holds the call's lock."""
    return db.session.scalars(
        select(CallTrial).where(CallTrial.call_id == call_id, CallTrial.user_id == actor.user_id)
    ).one_or_none()


def content_of_trial(row: CallTrial) -> TrialContent:
    """What was written in a dry run."""
    content: TrialContent = encoding.decode({"value": row.content}, TrialContent)
    return content


def trial(actor: Actor, call: CallView) -> TrialView | None:
    """This person's dry run of a call, None where there is none; one statement."""
    row = trial_row(actor, call.id)
    return None if row is None else trial_view(call, content_of_trial(row))


def trial_view(call: CallView, content: TrialContent) -> TrialView:
    """What the rules say about a dry run."""
    public = [who for who, each in zip(content.ids, content.applicants, strict=True) if each.kind in PUBLIC_KINDS]
    dossier = dossiers.unstored(rules.dossier_of(content, call.content.definition), content.finished)
    budget = budgets.unstored(rules.budget_of(content, call.content.budget_rules), content.names, public)
    evidence = rules.trial_evidence(content, call)
    return TrialView(
        call=call,
        content=content,
        dossier=dossier,
        budget=budget,
        issues=(
            *rules.section_issues(dossier.problems, {each.key: each.section.title for each in dossier.sections}),
            *rules.budget_issues(budget.problems),
            *rules.attachment_issues(call.content.attachments, frozenset(file.role for file in content.files)),
        ),
        warnings=warnings_of(dossier, budget),
        evidence=evidence,
        verdict=rules.trial_verdict(evidence),
        fingerprint=rules.fingerprint(content, call),
    )
