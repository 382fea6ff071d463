"""Calls in words for people: the timeline, the budget rules as sentences, every value with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, assert_never

from grants.budgets.rules import (
    BudgetRules,
    Category,
    CategoryLimit,
    Envelope,
    EnvelopeRule,
    LumpSum,
    UnitCost,
    percent,
)
from grants.calls.rules.additional import AdditionalPrefinancing
from grants.calls.rules.assigning import AssignmentRules
from grants.calls.rules.complaints import ComplaintRules
from grants.calls.rules.complaints_to import ComplaintsTo
from grants.calls.rules.conflict_rules import ConflictRules
from grants.calls.rules.content import (
    NOT_FOUND,
    TEMPLATE_LABEL,
    Attachment,
    CallContent,
    Condition,
    Consortium,
    CountryList,
    Instalment,
    LooseDate,
    Opening,
    ParentGrant,
    PlannedMilestone,
    ReportDuty,
    Sourced,
    TimeLimits,
)
from grants.calls.rules.declarations import Declaration
from grants.calls.rules.drawing import DrawRules
from grants.calls.rules.expert_terms import ExpertTerms
from grants.calls.rules.funding import Funding
from grants.calls.rules.kinds import LANGUAGES
from grants.calls.rules.passing_on import PassingOn
from grants.calls.rules.payment_clock import PaymentClock
from grants.calls.rules.plain_words import EVIDENCE_WORDS
from grants.calls.rules.privacy import PrivacyText
from grants.calls.rules.questions import questions_close_at
from grants.calls.rules.schema import ELSEWHERE, FIELDS, Field
from grants.calls.rules.scoring import Criterion, Scale, Scoring, Thresholds, points
from grants.calls.rules.selection import SelectionRules
from grants.calls.rules.signing import Signing
from grants.calls.rules.values import CallView, Deadline, Fact
from grants.calls.states import CallKind, CallStage, EvidenceLevel
from grants.core import clock
from grants.core.money import Money
from grants.dossiers.rules import Definition, Section

# --- words for people ---------------------------------------------------------------------------------------------


KIND_WORDS: Mapping[CallKind, str] = {
    CallKind.SUPPORT: "Grants paid to those selected",
    CallKind.INTEREST: "An expression of interest; nothing is paid",
    CallKind.LEARNING: "Learning together; nothing is paid",
}


STAGE_WORDS: Mapping[CallStage, str] = {
    CallStage.CONCEPT: "First of two stages: a concept",
    CallStage.FULL: "Second of two stages: the full proposal, by invitation",
}


def percent_words(value: Fraction) -> str:
    """``40 %`` for a percentage as a plan keeps it (``Fraction(40)``)."""
    return percent(value / 100)


def steps(content: CallContent) -> tuple[tuple[str, tuple[Section, ...]], ...]:
    """The sections of the form under the headings of its steps, in order."""
    found: dict[str, list[Section]] = {}
    for section in content.definition.sections:
        found.setdefault(section.step or section.title, []).append(section)
    return tuple((step, tuple(sections)) for step, sections in found.items())


def timeline(call: CallView, at: datetime) -> tuple[tuple[str, str, str, str], ...]:
    """Opening, every deadline and the results as steps: state, title, when, text."""
    lines = []
    if call.opens_at is not None:
        lines.append((_stands(call.opens_at, at), "Opens", _printed(call.opens_at, call.zone), ""))
    until = questions_close_at(call)
    if until is not None:
        lines.append((_stands(until, at), "Questions are taken until", _printed(until, call.zone), ""))
    for deadline in call.deadlines:
        counts = deadline.number == len(call.deadlines)
        title = "Deadline" if deadline.number == 1 else "Extended deadline"
        state = _stands(deadline.closes_at, at) if counts else "done"
        lines.append(
            (
                state,
                title if counts else f"{title}, no longer valid",
                _printed(deadline.closes_at, call.zone),
                _about(deadline),
            )
        )
    if call.results_public_at is not None:
        lines.append(
            (_stands(call.results_public_at, at), "Results are public", _printed(call.results_public_at, call.zone), "")
        )
    else:
        known, planned = call.fact("dates.results_actual"), call.fact("dates.results_planned")
        if not known.absent:
            lines.append((_loosely(known.text, at), "Results made public", known.text, known.note or ""))
        elif not planned.absent:
            lines.append((_loosely(planned.text, at), "Results planned", planned.text, planned.note or ""))
    for key, title in (("dates.pilots_start", "Pilots start"), ("dates.pilots_end", "Pilots end")):
        fact = call.fact(key)
        if not fact.absent:
            lines.append((_loosely(fact.text, at), title, fact.text, fact.note or ""))
    return tuple(lines)


def _printed(moment: datetime, zone: str) -> str:
    """An instant without its zone, for a list that names the zone once."""
    local = clock.in_zone(moment, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M}"


def _stands(moment: datetime, at: datetime) -> str:
    return "done" if moment <= at else "next"


def _loosely(words: str, at: datetime) -> str:
    """Where a date printed in words stands: behind us once the last year it names is over."""
    years = [int(year) for year in re.findall(r"\b20[0-9]{2}\b", words)]
    return "done" if years and at.year > max(years) else "next"


def _about(deadline: Deadline) -> str:
    """What people should know of a deadline: the printed words, why it moved, what was said about it."""
    parts = [f"Printed as “{deadline.literal}”."]
    if deadline.announced_at is not None:
        parts.append(f"Announced on {clock.long_date(clock.in_zone(deadline.announced_at, deadline.zone).date())}.")
    if deadline.reason:
        parts.append(f"Why: {deadline.reason.rstrip('.')}.")
    if deadline.public_note:
        parts.append(deadline.public_note)
    return " ".join(parts)


def grouped(facts: Sequence[Fact]) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """Facts under the headings of their groups, in order."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.group, []).append(fact)
    return tuple((name, tuple(values)) for name, values in found.items())


def checklist(call: CallView) -> tuple[tuple[str, None, str, str], ...]:
    """The set-up of a draft as a task list: each group with what is missing in it, or that it is complete."""
    labels = {problem.place for problem in call.missing}
    items = []
    for name, facts in grouped(call.facts):
        absent = [fact.label for fact in facts if fact.label in labels]
        if name == "Dates" and "Deadline" in labels:
            absent.append("Deadline")
        labels -= set(absent)
        template = sum(fact.from_template for fact in facts)
        hint = ", ".join(absent) or (f"{template} values from the template" if template else "")
        items.append((name, None, hint, f"{len(absent)} missing" if absent else "Complete"))
    if labels:
        items.append(("Fits together", None, ", ".join(sorted(labels)), f"{len(labels)} to mend"))
    return tuple(items)


@dataclass(frozen=True, slots=True)
class Explained:
    """One budget rule in words, with the keys of the values it rests on."""

    words: str
    keys: tuple[str, ...]


def _counted(amounts: Sequence[str]) -> str:
    return "1 award amount" if len(amounts) == 1 else f"{len(amounts)} award amounts"


def budget_words(call: CallView) -> tuple[Explained, ...]:
    """The budget rules of a call as sentences, for people who have never made such a budget."""
    rules, found = call.content.budget_rules, []
    if rules.envelopes:
        amounts = [str(each.amount) for each in sorted(rules.envelopes, key=lambda each: each.amount)]
        named = f"{', '.join(amounts[:-1])} and {amounts[-1]}" if len(amounts) > 1 else amounts[0]
        found.append(Explained(f"The call names {_counted(amounts)}: {named}.", ("grant_bands_eur",)))
        match rules.envelope_rule:
            case EnvelopeRule.CEILING:
                words = f"You may ask for any amount up to {amounts[-1]}."
            case EnvelopeRule.EXACT:
                words = "The request must equal one of these amounts."
            case never:
                assert_never(never)
        found.append(Explained(words, ("grant_bands_rule",)))
    if not call.fact("funding_rate_percent").absent:
        rate = percent(rules.funding_rate)
        words = f"The grant pays {rate} of the eligible costs."
        if rules.funding_rate < 1:
            words += " The rest comes from the city or others."
        found.append(Explained(words, ("funding_rate_percent",)))
    if rules.flat_rate is not None and rules.computed is not None:
        outside = [category.label.lower() for category in rules.entered if not category.in_flat_rate_base]
        without = f", not counting {' and '.join(outside)}" if outside else ""
        found.append(
            Explained(
                f"{rules.computed.label} are {percent(rules.flat_rate)} of direct costs{without}."
                " The form computes them; nobody types them.",
                ("indirect_costs.flat_rate_percent", "budget_categories"),
            )
        )
    return (*found, *_ceiling_words(rules), *_axes_words(rules))


def most_words(limit: CategoryLimit) -> str:
    """``at most 30 % of the total``, ``at most EUR 5 000.00``, or both."""
    parts = []
    if limit.share_max is not None:
        parts.append(f"at most {percent(limit.share_max)} of the total")
    if limit.amount_max is not None:
        parts.append(f"at most {limit.amount_max}")
    return " and ".join(parts)


def _ceiling_words(rules: BudgetRules) -> list[Explained]:
    found = []
    for limit in rules.limits:
        category = rules.category(limit.category)
        name = category.label if category else limit.category
        found.append(Explained(f"{name}: {most_words(limit)}.", ("budget_limits",)))
    if rules.organisation_max is not None:
        words = f"One organisation may ask for at most {rules.organisation_max}."
        found.append(Explained(words, ("grant_cap_per_legal_entity",)))
    return found


def _axes_words(rules: BudgetRules) -> list[Explained]:
    found = []
    if rules.by_work_package:
        found.append(Explained("Amounts are entered for each work package.", ("budget_grid.by_work_package",)))
    if rules.lump_sums:
        sums = ", ".join(f"{each.work_package} {each.title} {each.amount}" for each in rules.lump_sums)
        found.append(Explained(f"These work packages are paid as lump sums: {sums}.", ("lump_sums",)))
    for unit in rules.unit_costs:
        category = rules.category(unit.category)
        name = category.label if category else unit.category
        counted = "whole units" if not unit.decimals else f"units with at most {unit.decimals} decimals"
        words = f"{name} is paid at {unit.rate} per {unit.unit}, in {counted}, whatever it costs."
        found.append(Explained(words, ("unit_costs",)))
    if rules.period_months:
        words = f"Amounts are entered for each stretch of {rules.period_months} months."
        found.append(Explained(words, ("budget_grid.period_months",)))
    return found


# Values that serve others, or that the call's own columns show.
_NO_FACTS = frozenset(
    {"call.sources", "call.invented", "call.year", "application_form.profile_source", "application_form.word_limits"}
)


# --- words for people ---------------------------------------------------------------------------------------------


def facts_of(fields: Mapping[str, Sourced]) -> tuple[Fact, ...]:
    """Every value of a call as a page shows it, those not found included, in the order of the schema."""
    sources = {source.name: source.address for source in fields.get("call.sources", NOT_FOUND).value or ()}
    return tuple(
        Fact(
            key=path,
            label=entry.label,
            group=entry.group.value,
            text=words_of(entry, fields.get(path, NOT_FOUND).value),
            confidence=fields.get(path, NOT_FOUND).confidence,
            source=_source_of(fields.get(path, NOT_FOUND), sources),
            note=fields.get(path, NOT_FOUND).note,
        )
        for path, entry in FIELDS.items()
        if path not in ELSEWHERE and path not in _NO_FACTS
    )


def source_address(source: str | None, sources: Mapping[str, str]) -> str | None:
    """The address of a source a file calls by a short name; a plain description stays as it is."""
    return None if source is None else sources.get(source, source)


def _source_of(found: Sourced, sources: Mapping[str, str]) -> str | None:
    return TEMPLATE_LABEL if found.from_template else source_address(found.source, sources)


def words_of(entry: Field, value: Any) -> str:
    """A value in words for the table of facts; long lists are counted, their pages show them."""
    if value is None:
        return "Not found"
    percentage = entry.path.endswith("_percent")
    match value:
        case bool():
            return "Yes" if value else "No"
        case Fraction():
            return percent(value / 100) if percentage else str(value)
        case EnvelopeRule():
            return {
                EnvelopeRule.CEILING: "Each is the most that can be asked",
                EnvelopeRule.EXACT: "The request must equal one of them",
            }[value]
        case Money() | int():
            return str(value)
        case EvidenceLevel():
            return EVIDENCE_WORDS[value]
        case CallStage():
            return STAGE_WORDS[value]
        case str():
            return LANGUAGES[value] if entry.path == "submission.language" else value
        case ExpertTerms():
            return f"Contract of {len(value.contract.split())} words, confidentiality of {len(value.confidentiality.split())}, hash {value.sha256.hex()[:16]}"
        case PrivacyText():
            return f"Responsible: {value.controller}"
        case datetime():
            return f"{clock.long_date(value.date())}, {value:%H:%M}"
        case Opening():
            return clock.long_date(value.day) + (f", {value.time}" if value.time else "")
        case LooseDate():
            return value.literal
        case CallKind():
            return KIND_WORDS[value]
        case ParentGrant():
            return f"{value.acronym}, {value.framework} grant {value.number}"
        case Definition():
            questions = sum(len(section.questions) for section in value.sections)
            return f"{len(value.sections)} sections, {questions} questions"
        case Scale():
            return value.words
        case Scoring():
            return " ".join((*value.sentences, value.comment_sentence))
        case SelectionRules() | ComplaintRules() | DrawRules():
            return " ".join(value.sentences)
        case Thresholds():
            return _threshold_words(value)
        case (
            ConflictRules()
            | TimeLimits()
            | AssignmentRules()
            | ComplaintsTo()
            | Signing()
            | PassingOn()
            | PaymentClock()
            | Funding()
            | AdditionalPrefinancing()
        ):
            return value.words
        case ReportDuty():
            return ("Required" if value.required else "Not required") + (f", {value.timing}" if value.timing else "")
        case Consortium():
            return _consortium_words(value)
        case tuple():
            return _list_words(entry, value)
    raise TypeError(f"{type(value).__name__} of {entry.path} has no words")


def _threshold_words(value: Thresholds) -> str:
    parts = []
    if value.each_half is not None:
        parts.append(f"{points(value.each_half)} for each criterion")
    parts += [f"{points(half)} for {key}" for key, half in value.by_criterion]
    if value.total_half is not None:
        parts.append(f"{points(value.total_half)} in all")
    return ", ".join(parts) or "None"


def _consortium_words(value: Consortium) -> str:
    parts = []
    if value.single_city:
        parts.append("one city alone")
    if value.multi_city:
        parts.append("several cities together")
    words = " or ".join(parts)
    if value.lead:
        words += f"; {value.lead}"
    if value.other_organisations:
        words += f"; also {', '.join(value.other_organisations)}"
    return words[:1].upper() + words[1:]


def _list_words(entry: Field, value: tuple[Any, ...]) -> str:
    if not value:
        return "None"
    match value[0]:
        case Envelope():
            return ", ".join(f"{each.code}: {each.amount}" for each in value)
        case Category():
            return ", ".join(f"{each.code} {each.label}" for each in value)
        case CategoryLimit():
            return "; ".join(f"{each.category}: {most_words(each)}" for each in value)
        case LumpSum():
            return ", ".join(f"{each.work_package} {each.title}: {each.amount}" for each in value)
        case UnitCost():
            return ", ".join(f"{each.category}: {each.rate} per {each.unit}" for each in value)
        case Criterion() | Attachment() | Instalment() | PlannedMilestone():
            return ", ".join(
                getattr(each, "name", None) or getattr(each, "label", None) or each.title for each in value
            )
        case Declaration():
            return ", ".join(each.text for each in value)
        case CountryList():
            return "; ".join(f"{each.name}: {', '.join(each.countries)}" for each in value)
        case Section():
            return ", ".join(each.title for each in value)
        case Condition():
            return f"{len(value)} conditions" if len(value) > 1 else "1 condition"
        case str():
            return ", ".join(value)
        case (str(), Fraction()):
            return ", ".join(f"{key} × {weight}" for key, weight in value)
    raise TypeError(f"{type(value[0]).__name__} of {entry.path} has no words")
