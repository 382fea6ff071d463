"""What of a call is missing or contradicts itself, and so whether it may be published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.budgets.rules import rules_problems
from grants.calls.rules.conditions import condition_problems
from grants.calls.rules.content import NOT_FOUND, CallContent, PaymentPlan, Sourced
from grants.calls.rules.schema import FIELDS
from grants.calls.rules.scoring import TIE_WORDS, UNCOVERED_TOPIC
from grants.calls.rules.typed_content import content_of, kind_of, opens_at
from grants.calls.rules.values import SUPPORT_MAX_UNJUSTIFIED, Deadline, SupportPoint
from grants.calls.rules.words import words_of
from grants.calls.states import CallKind, CallStage, EvidenceLevel, FundingForm, InstalmentKind, ThresholdBasis
from grants.core import clock
from grants.core.errors import Problem
from grants.core.money import Money
from grants.dossiers.rules import Definition, QuestionKind, definition_problems
from grants.programmes.rules import (
    NO_PARENT_RULES,
    FundSourceView,
    ParentRules,
    capped,
    open_too_shortly,
    parent_problems,
)

# Lists a call may leave empty and mean it: no weights, no order for ties, nothing to attach, no milestone of its own.
_MAY_BE_EMPTY = frozenset(
    {"evaluation.weights", "evaluation.tie_break", "submission.required_attachments", "milestones"}
)

# Of the five points, those the parent grant can fix for all its calls: the path of the call's own, and the parent's.
_POINTS_OF_PARENT: Mapping[str, str] = {
    "financial_support.activities": "activities",
    "financial_support.amount_rule": "amount_rule",
    "financial_support.maximum_per_recipient": "maximum_per_recipient",
}


def missing(
    fields: Mapping[str, Sourced], deadlines: Sequence[Deadline], parent: ParentRules = NO_PARENT_RULES
) -> tuple[Problem, ...]:
    """What a call needs before it may be published and nobody has found yet; what pays nothing needs no money."""
    pays = kind_of(fields) is CallKind.SUPPORT
    found = [
        Problem(entry.label, "is not there yet. Fill it in, or apply the template.")
        for path, entry in FIELDS.items()
        if entry.needed
        and (pays or not entry.of_money)
        and _absent(path, fields.get(path, NOT_FOUND).value)
        and not (path in _POINTS_OF_PARENT and getattr(parent, _POINTS_OF_PARENT[path]))
    ]
    if not deadlines:
        found.append(Problem("Deadline", "was not found. A call needs one."))
    return tuple(found)


def _absent(path: str, value: Any) -> bool:
    return value is None or (value == () and path not in _MAY_BE_EMPTY)


def contradictions(
    fields: Mapping[str, Sourced],
    deadlines: Sequence[Deadline],
    zone_name: str,
    parent: ParentRules = NO_PARENT_RULES,
) -> tuple[Problem, ...]:
    """Where the values of a call do not fit together. Looked at once nothing is missing."""
    content = content_of(fields)
    return (
        *_dates_clash(fields, deadlines, zone_name, parent),
        *(_about_money(fields, content, parent) if content.pays else ()),
        *form_problems(content.definition),
        *condition_problems(content.conditions, content.country_lists, content.definition, content.kind),
        *_assessment_clashes(content),
    )


def form_problems(definition: Definition) -> tuple[Problem, ...]:
    """What is wrong with the form of a call, each at its question or section by the words people know it by."""
    return tuple(fault.told for fault in form_faults(definition))


@dataclass(frozen=True, slots=True)
class FormFault:
    """Something wrong with a form: the keys of its section and question, which part of it, and the sentence for people.

    The keys are empty where it is about more than one section.
    """

    section: str
    question: str
    part: str
    told: Problem

    @property
    def sentence(self) -> str:
        """The whole sentence, with the question or section it is about."""
        return f"{self.told.place} {self.told.message}"


def form_faults(definition: Definition) -> tuple[FormFault, ...]:
    """What is wrong with the form of a call, each with where it lies."""
    named = {
        f"sections.{section.key}": (section.key, "", "", f"The section “{section.title}”")
        for section in definition.sections
    }
    for section in definition.sections:
        for question in section.questions:
            place = f"sections.{section.key}.{question.key}"
            words = f"“{question.label}”"
            named[place] = (section.key, question.key, "", words)
            named |= {f"{place}.{part}": (section.key, question.key, part, words) for part in _PARTS_AT_FAULT}
    found = []
    for problem in definition_problems(definition):
        section_key, question_key, part, words = named.get(problem.place, ("", "", "", "Application form"))
        found.append(FormFault(section_key, question_key, part, Problem(words, problem.message)))
    return tuple(found)


# Which part of a question a fault may be about, where it is not about the question as a whole.
_PARTS_AT_FAULT = ("choices", "columns", "asked_if")


def _about_money(fields: Mapping[str, Sourced], content: CallContent, parent: ParentRules) -> tuple[Problem, ...]:
    return (
        *rules_problems(content.budget_rules),
        *_money_clashes(fields, content, parent),
        *_payment_clashes(content),
        *parent_problems(
            parent,
            maximum=fields.get("financial_support.maximum_per_recipient", NOT_FOUND).value,
            funding_rate=fields["funding_rate_percent"].value,
            flat_rate=fields["indirect_costs.flat_rate_percent"].value,
            activities=fields.get("financial_support.activities", NOT_FOUND).value or (),
        ),
    )


def publish_problems(
    fields: Mapping[str, Sourced],
    deadlines: Sequence[Deadline],
    zone_name: str,
    parent: ParentRules = NO_PARENT_RULES,
) -> tuple[Problem, ...]:
    """Everything that keeps a call from being published; empty when it may be."""
    return missing(fields, deadlines, parent) or contradictions(fields, deadlines, zone_name, parent)


def stage_problems(fields: Mapping[str, Sourced], follows_id: UUID | None) -> tuple[Problem, ...]:
    """What keeps half of a two-stage call from opening: a full proposal follows a call for concepts that is here."""
    stage, named = (fields.get(path, NOT_FOUND).value for path in ("call.stage", "call.follows"))
    label = FIELDS["call.follows"].label
    if stage is not CallStage.FULL:
        return (Problem(label, "names a call, but only a full proposal follows one. Say the stage."),) if named else ()
    if not named:
        return (Problem(label, "is empty: a full proposal follows a call for concepts. Write its reference."),)
    if follows_id is None:
        return (
            Problem(label, f"names “{named}”, which is no call for concepts here. Import or publish that one first."),
        )
    return ()


def against_parent(
    fields: Mapping[str, Sourced], deadlines: Sequence[Deadline], zone_name: str, source: FundSourceView
) -> tuple[Problem, ...]:
    """Where a draft, finished or not, does not fit what its parent grant lays down; a call that pays nothing fits."""
    parent = source.rules
    if kind_of(fields) is not CallKind.SUPPORT:
        return ()

    def value(path: str) -> Any:
        return fields.get(path, NOT_FOUND).value

    largest = max((envelope.amount for envelope in value("grant_bands_eur") or ()), default=None)
    most = parent.maximum_per_recipient
    found = [
        *_open_too_shortly(fields, opens_at(fields, zone_name), deadlines, zone_name, parent),
        *parent_problems(
            parent,
            maximum=value("financial_support.maximum_per_recipient"),
            funding_rate=value("funding_rate_percent"),
            flat_rate=value("indirect_costs.flat_rate_percent"),
            activities=value("financial_support.activities") or (),
        ),
    ]
    if largest is not None and most is not None and largest > most:
        found.append(Problem("Award amounts", f"go up to {largest}, but the parent grant allows {most}. Lower it."))
    ends = value("dates.pilots_end")
    if ends is not None and ends.day is not None and source.ends_on is not None and ends.day > source.ends_on:
        last, end = clock.long_date(ends.day), clock.long_date(source.ends_on)
        found.append(Problem("Pilots end", f"is {last}, but the parent grant ends on {end}. Check both dates."))
    return tuple(found)


def _dates_clash(
    fields: Mapping[str, Sourced], deadlines: Sequence[Deadline], zone_name: str, parent: ParentRules
) -> list[Problem]:
    opening = opens_at(fields, zone_name)
    if opening is None or not deadlines:
        return []
    if opening >= deadlines[0].closes_at:
        return [Problem("Deadline", "lies before the call opens. Check both dates.")]
    if kind_of(fields) is not CallKind.SUPPORT:
        return []  # The least time a call is open is a rule for support to third parties (domain.md F-09).
    return _open_too_shortly(fields, opening, deadlines, zone_name, parent)


def _open_too_shortly(
    fields: Mapping[str, Sourced],
    opening: datetime | None,
    deadlines: Sequence[Deadline],
    zone_name: str,
    parent: ParentRules,
) -> list[Problem]:
    if opening is None or not deadlines:
        return []
    days = [clock.in_zone(each, zone_name).date() for each in (opening, deadlines[-1].closes_at)]
    if open_too_shortly(parent, days[0], days[1]) and not fields.get("dates.short_opening_reason", NOT_FOUND).value:
        months = parent.opening_months_min
        return [
            Problem(
                "Why it is open for a short time",
                f"is empty: the call is open for {(days[1] - days[0]).days} days, and its parent grant asks for"
                f" {months} {'month' if months == 1 else 'months'}. Write the reason, or move the deadline.",
            )
        ]
    return []


def _money_clashes(fields: Mapping[str, Sourced], content: CallContent, parent: ParentRules) -> list[Problem]:
    found = []
    whole_call: Money = fields["budget.total"].value
    most_each = capped(fields["financial_support.maximum_per_recipient"].value, parent)
    assert most_each is not None, "the most for one recipient is fixed by the call or its parent grant"
    largest = max(content.envelopes, key=lambda envelope: envelope.amount)
    codes = [envelope.code for envelope in content.envelopes]
    if len(set(codes)) < len(codes):
        found.append(Problem("Award amounts", "use a code twice. Give each its own."))
    if largest.amount > whole_call:
        found.append(
            Problem("Award amounts", f"go up to {largest.amount}, but the whole call has {whole_call}. Lower one.")
        )
    if largest.amount > most_each:
        found.append(
            Problem(
                "Most for one recipient",
                f"is {most_each}, but an award goes up to {largest.amount}. Raise or lower one.",
            )
        )
    if most_each > SUPPORT_MAX_UNJUSTIFIED and not fields["financial_support.maximum_reason"].value:
        found.append(
            Problem(
                "Why more than EUR 60 000",
                f"is empty: {most_each} for one recipient needs a reason (Financial Regulation).",
            )
        )
    return found


def _assessment_clashes(content: CallContent) -> list[Problem]:
    found = []
    keys = [criterion.key for criterion in content.criteria]
    if len(set(keys)) < len(keys):
        found.append(Problem("Award criteria", "use a key twice. Give each its own."))
    for key in content.tie_order:
        if key not in (*keys, *TIE_WORDS):
            found.append(
                Problem(
                    "Order for ties",
                    f"names “{key}”, which is no criterion of this call. Beside those it takes {' and '.join(TIE_WORDS)}.",
                )
            )
    found += [
        Problem("Award criteria", f"use the key “{key}”, which the order for ties keeps for itself. Name it otherwise.")
        for key in TIE_WORDS
        if key in keys
    ]
    if UNCOVERED_TOPIC in content.tie_order and not any(
        question.kind is QuestionKind.MULTICHOICE
        for section in content.definition.sections
        for question in section.questions
    ):
        found.append(
            Problem(
                "Order for ties",
                f"names “{UNCOVERED_TOPIC}”, and no question of the form lets applicants choose topics.",
            )
        )
    for section in content.definition.sections:
        for question in section.questions:
            if question.criterion is not None and question.criterion not in keys:
                found.append(
                    Problem(
                        "Application form",
                        f"the question “{question.label}” feeds “{question.criterion}”, which is no criterion of this call.",
                    )
                )
    return found + _marking_clashes(content)


def _marking_clashes(content: CallContent) -> list[Problem]:
    found, marking, scale = [], content.marking, content.scale
    for criterion in content.criteria:
        if criterion.max_half is not None and criterion.max_half not in scale.marks[1:]:
            found.append(
                Problem("Award criteria", f"give “{criterion.name}” a highest mark that the scale does not have.")
            )
        if criterion.threshold_half is not None and criterion.threshold_half > marking.most_half(criterion):
            found.append(Problem("Thresholds", f"ask more of “{criterion.name}” than the scale can give."))
    on_score = content.scoring.total_threshold_on is ThresholdBasis.SCORE
    most = marking.score_max * 2 if on_score else marking.total_max_half
    if content.total_threshold_half is not None and content.total_threshold_half > most:
        found.append(Problem("Thresholds", "ask for a total that no application can reach."))
    if content.draw is not None and content.draw.intervals and content.draw.within:
        found.append(
            Problem("Drawing by lot at the line", "names both points and rank intervals. Set the points to 0.")
        )
    if len({strand.name for strand in content.selection.strands}) < len(content.selection.strands):
        found.append(Problem("Rules of selection", "use the name of a strand twice. Give each its own."))
    if scale.max_half < 1 or not 1 <= scale.step_half <= scale.max_half or scale.marks[-1] != scale.max_half:
        found.append(Problem("Scale", "needs a highest mark above zero and a step that fits into it."))
    if content.scoring.evaluators_least > content.evaluators_per_application:
        found.append(
            Problem(
                "How the score is made",
                f"asks for {content.scoring.evaluators_least} assessments, and an application has "
                f"{content.evaluators_per_application} evaluators. Lower the one or raise the other.",
            )
        )
    if content.assignment.balance and content.evaluators_per_application < 2:
        found.append(
            Problem(
                "Assigning evaluators",
                "asks for a woman and a man among the evaluators of each application, and an application has "
                f"{content.evaluators_per_application}. Ask for two or more evaluators, or leave the rule out.",
            )
        )
    return found


def _payment_clashes(content: CallContent) -> list[Problem]:
    found = []
    plan = content.payment_plan
    if plan.clock.contradicts:
        found.append(
            Problem(
                "Clock of a payment",
                "counts days from a registration that no request passes. Let requests be registered, or count from the receipt.",
            )
        )
    found += _funding_clashes(content)
    kinds = [instalment.kind for instalment in plan.instalments]
    if plan.prefinancing_percent > plan.interim_ceiling_percent:
        found.append(
            Problem("Pre-financing", "is above the most that is paid before the balance. Lower it or raise the other.")
        )
    found += _additional_clashes(plan, kinds)
    if kinds.count(InstalmentKind.BALANCE) != 1:
        found.append(Problem("Instalments", "need exactly one payment of the balance."))
    if kinds.count(InstalmentKind.PREFINANCING) != (1 if plan.prefinancing_percent else 0):
        found.append(Problem("Instalments", "need one pre-financing where there is a percentage for it, else none."))
    for instalment in plan.instalments:
        if instalment.kind is InstalmentKind.PREFINANCING and instalment.percent != plan.prefinancing_percent:
            found.append(Problem("Instalments", "give another percentage for pre-financing than the plan. Use one."))
        if instalment.due_month is not None and instalment.due_month > content.duration_months:
            found.append(Problem("Instalments", f"“{instalment.label}” lies after the end of the pilot."))
    for milestone in content.milestones:
        if milestone.month > content.duration_months:
            found.append(Problem("Milestones every pilot has", f"“{milestone.title}” lies after the end of the pilot."))
    return found


def _additional_clashes(plan: PaymentPlan, kinds: Sequence[InstalmentKind]) -> list[Problem]:
    """Additional pre-financing follows one, stays with it below the ceiling, and is one of the instalments."""
    found, label = [], "Additional pre-financing"
    if plan.additional is not None and not plan.prefinancing_percent:
        found.append(Problem(label, "follows a pre-financing, and this call has none. Leave it out, or pre-finance."))
    elif plan.prefinancing_percent + plan.additional_percent > plan.interim_ceiling_percent:
        found.append(
            Problem(
                label,
                "and the pre-financing, with what is held back of it, are above the most that is paid before the balance. "
                "Lower one of them, or raise the most.",
            )
        )
    if kinds.count(InstalmentKind.ADDITIONAL) != (1 if plan.additional is not None else 0):
        found.append(Problem("Instalments", "need one additional pre-financing where the call has one, else none."))
    for instalment in plan.instalments:
        if instalment.kind is InstalmentKind.ADDITIONAL and instalment.percent != plan.additional_percent:
            found.append(Problem("Instalments", "give another percentage for additional pre-financing than the plan."))
    return found


def _funding_clashes(content: CallContent) -> list[Problem]:
    found, plan, label = [], content.payment_plan, "Form of funding"
    if plan.funding.form is FundingForm.FLAT_RATE and not content.budget_rules.flat_rate:
        found.append(
            Problem(
                label, "is a flat rate, but the call has none. Give the flat rate for indirect costs, or pay costs."
            )
        )
    if plan.funding.form is FundingForm.LUMP_SUM and plan.evidence is not EvidenceLevel.TOTALS:
        found.append(
            Problem(label, "pays lump sums, and asks for costs line by line. Ask for totals, or pay actual costs.")
        )
    if plan.funding.form is FundingForm.LUMP_SUM:
        if not content.budget_rules.by_work_package:
            found.append(
                Problem(
                    label,
                    "pays lump sums for work packages, but the budget has none. Ask for a budget by work package.",
                )
            )
        if plan.funding.asks_receipts or plan.funding.certificate_from is not None:
            found.append(
                Problem(
                    label,
                    "pays lump sums, of which no costs are known: neither a profit nor a certificate can be looked at. Drop both.",
                )
            )
    if plan.funding.guarantee and not plan.prefinancing_percent:
        found.append(
            Problem(label, "asks for a guarantee, but nothing is paid in advance. Drop the guarantee, or pre-finance.")
        )
    return found


_SUPPORT_POINTS: Mapping[str, tuple[str, ...]] = {
    "A closed list of activities": ("financial_support.activities",),
    "Who may receive": ("eligibility.applicants", "eligibility.criteria"),
    "Award criteria and procedure": ("evaluation.criteria", "evaluation.thresholds"),
    "How the exact amount is found": ("financial_support.amount_rule",),
    "The most for one recipient": ("financial_support.maximum_per_recipient",),
}


def support_points(fields: Mapping[str, Sourced], parent: ParentRules = NO_PARENT_RULES) -> tuple[SupportPoint, ...]:
    """The five points of financial support to third parties, each with what the call or its parent grant says.

    A call that pays nothing has none of them to fix.
    """
    if kind_of(fields) is not CallKind.SUPPORT:
        return ()
    return tuple(_support_point(name, paths, fields, parent) for name, paths in _SUPPORT_POINTS.items())


def _support_point(name: str, paths: Sequence[str], fields: Mapping[str, Sourced], parent: ParentRules) -> SupportPoint:
    own = fields.get(paths[0], NOT_FOUND).value
    theirs = getattr(parent, _POINTS_OF_PARENT[paths[0]]) if paths[0] in _POINTS_OF_PARENT else None
    if paths[0] == "financial_support.maximum_per_recipient":
        own, theirs = capped(own, parent), None
    if own in (None, ()) and theirs:
        return SupportPoint(name, True, f"{words_of(FIELDS[paths[0]], theirs)} (by the parent grant)")
    fixed = own not in (None, ()) and all(fields.get(path, NOT_FOUND).value not in (None, ()) for path in paths[1:])
    return SupportPoint(name, fixed, words_of(FIELDS[paths[0]], own))
