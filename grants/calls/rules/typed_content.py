"""What later stages read of a call: its values as one typed content, when it opens, what it leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from grants.budgets.rules import BudgetRules, EnvelopeRule
from grants.calls.rules.assigning import PLAIN as ASSIGNMENT_PLAIN
from grants.calls.rules.complaints_to import HELPDESK
from grants.calls.rules.conflict_rules import USUAL_CONFLICT_RULES
from grants.calls.rules.content import (
    DE_MINIMIS_CEILING,
    NOT_FOUND,
    CallContent,
    Opening,
    PaymentPlan,
    Sourced,
)
from grants.calls.rules.declarations import sections_of
from grants.calls.rules.funding import PLAIN_FUNDING
from grants.calls.rules.passing_on import PLAIN_PASSING_ON
from grants.calls.rules.payment_clock import PLAIN_CLOCK
from grants.calls.rules.scoring import Criterion, Scale, Scoring, Thresholds
from grants.calls.rules.selection import PLAIN_SELECTION
from grants.calls.rules.signing import PROGRAMME_SIGNS
from grants.calls.states import CallKind, EvidenceLevel
from grants.core import clock
from grants.core.clock import Fold
from grants.dossiers.rules import Definition


def content_of(fields: Mapping[str, Sourced]) -> CallContent:
    """The typed content of a call; parts of a draft that were not found are empty."""

    def value(path: str, otherwise: Any) -> Any:
        found = fields.get(path, NOT_FOUND).value
        return otherwise if found is None else found

    flat_rate = fields.get("indirect_costs.flat_rate_percent", NOT_FOUND).value
    thresholds: Thresholds = value("evaluation.thresholds", Thresholds())
    return CallContent(
        budget_rules=BudgetRules(
            categories=value("budget_categories", ()),
            flat_rate=flat_rate / 100 if flat_rate else None,
            funding_rate=value("funding_rate_percent", Fraction(100)) / 100,
            envelopes=value("grant_bands_eur", ()),
            envelope_rule=value("grant_bands_rule", EnvelopeRule.CEILING),
            limits=value("budget_limits", ()),
            by_work_package=value("budget_grid.by_work_package", False),
            period_months=value("budget_grid.period_months", 0),
            duration_months=value("duration_months", 0) if value("budget_grid.period_months", 0) else 0,
            lump_sums=value("lump_sums", ()),
            unit_costs=value("unit_costs", ()),
            organisation_max=value("grant_cap_per_legal_entity", None),
        ),
        definition=Definition(
            (
                *value("application_form.sections", Definition()).sections,
                *value("application_form.own_sections", ()),
                *sections_of(value("declarations.asked", ()), other_grants=value("declarations.other_grants", False)),
            )
        ),
        conditions=value("eligibility.criteria", ()),
        criteria=_weighed(value("evaluation.criteria", ()), value("evaluation.weights", ()), thresholds),
        scale=value("evaluation.scale", Scale()),
        total_threshold_half=thresholds.total_half,
        tie_order=value("evaluation.tie_break", ()),
        evaluators_per_application=value("evaluation.evaluators_per_application", 0),
        assignment=value("evaluation.assignment", ASSIGNMENT_PLAIN),
        payment_plan=PaymentPlan(
            value("payment.prefinancing_percent", Fraction(0)),
            value("payment.interim_ceiling_percent", Fraction(100)),
            value("payment.retention_percent", Fraction(0)),
            value("payment.tranches", ()),
            value("payment.time_limits", None),
            value("payment.clock", PLAIN_CLOCK),
            value("payment.passing_on", PLAIN_PASSING_ON),
            evidence=value("payment.evidence", EvidenceLevel.TOTALS),
            funding=value("payment.funding", PLAIN_FUNDING),
            transfer_free_percent=value("payment.transfer_free_percent", None),
            transfer_notify_percent=value("payment.transfer_notify_percent", None),
            additional=value("payment.additional", None),
        ),
        duration_months=value("duration_months", 0),
        milestones=value("milestones", ()),
        attachments=value("submission.required_attachments", ()),
        language=value("submission.language", ""),
        kind=kind_of(fields),
        country_lists=value("eligibility.country_lists", ()),
        sign_offs=value("submission.sign_offs", False),
        questions_until=value("dates.questions_until", None),
        stage=value("call.stage", None),
        declarations=value("declarations.asked", ()),
        clarification_days=value("submission.clarification_days", 10),
        conflict_rules=value("evaluation.conflict_rules", USUAL_CONFLICT_RULES),
        scoring=value("evaluation.scoring", Scoring()),
        selection=value("evaluation.selection", PLAIN_SELECTION),
        complaints=value("evaluation.complaints", None),
        complaints_to=value("evaluation.complaints_to", HELPDESK),
        withheld_days=value("evaluation.withheld_days", 5),
        preparation_days=value("agreement.preparation_days", None),
        accession_days=value("agreement.accession_days", None),
        amendment_reply_days=value("agreement.amendment_reply_days", 45),
        opened_after_days=value("agreement.opened_after_days", 10),
        de_minimis_ceiling=value("agreement.de_minimis_ceiling", DE_MINIMIS_CEILING),
        signing=value("evaluation.signing", PROGRAMME_SIGNS),
        draw=value("evaluation.draw", None),
        synthetic=frozenset(path for path, found in fields.items() if found.from_template),
    )


def _weighed(
    criteria: Sequence[Criterion], weights: Sequence[tuple[str, Fraction]], thresholds: Thresholds
) -> tuple[Criterion, ...]:
    """Criteria with the weights and thresholds that the file gives in places of their own."""
    weight, least = dict(weights), dict(thresholds.by_criterion)
    return tuple(
        replace(
            each,
            weight=weight.get(each.key, Fraction(1)),
            threshold_half=least.get(each.key, thresholds.each_half),
        )
        for each in criteria
    )


def opens_at(fields: Mapping[str, Sourced], zone_name: str) -> datetime | None:
    """The instant a call opens, once the day and the hour are known."""
    opening: Opening | None = fields.get("dates.opens", NOT_FOUND).value
    hour: str | None = fields.get("dates.opens_time", NOT_FOUND).value
    if opening is None or hour is None:
        return None
    return clock.local_to_utc(datetime.fromisoformat(f"{opening.day.isoformat()}T{hour}"), zone_name, fold=Fold.EARLIER)


def opening_of(fields: Mapping[str, Sourced]) -> Opening | None:
    """Day and hour of the opening as far as they are known, the hour never without its day."""
    opening: Opening | None = fields.get("dates.opens", NOT_FOUND).value
    hour: str | None = fields.get("dates.opens_time", NOT_FOUND).value
    return None if opening is None else Opening(opening.day, hour)


def kind_of(fields: Mapping[str, Sourced]) -> CallKind:
    """What the call leads to; one that does not say so pays support."""
    return fields.get("call.kind", NOT_FOUND).value or CallKind.SUPPORT
