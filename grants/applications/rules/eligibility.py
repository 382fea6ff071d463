"""Conditions of eligibility: the evidence for each, the answers, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.applications.rules.inputs import ConditionAnswer
from grants.applications.rules.values import Member
from grants.applications.states import PartnerRole, Verdict
from grants.calls.rules import Condition
from grants.core.errors import Invalid, Refused
from grants.dossiers import rules as dossier_rules
from grants.identity.states import OrganisationKind


@dataclass(frozen=True, slots=True)
class CityFact:
    """What the register knows about a city of the consortium."""

    organisation_id: UUID
    name: str
    country_code: str
    population: int | None
    mission_city: bool
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the form and the register say about one condition, and what that suggests; the desk decides."""

    lines: tuple[str, ...]
    suggests: Verdict | None = None


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One condition with its evidence, for those who may read it, and the answer so far."""

    condition: Condition
    evidence: Evidence | None
    answer: ConditionAnswer

    @property
    def title(self) -> str:
        """The rule as a sentence begins; abbreviations in it stay as they are."""
        return self.condition.rule[:1].upper() + self.condition.rule[1:]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the eligibility desk sees of one application."""

    conditions: tuple[ConditionView, ...]
    verdict: Verdict | None
    reason: str | None
    decided_at: datetime | None
    decided_by: UUID | None
    version: int

    @property
    def answered(self) -> int:
        """How many conditions have an answer."""
        return sum(1 for view in self.conditions if view.answer.verdict is not None)


def evidence(
    condition: Condition,
    consortium: Sequence[Member],
    cities: Sequence[CityFact],
    elsewhere: Sequence[tuple[str, str]],
    *,
    sees_all: bool = True,
) -> Evidence:
    """What is known about one condition. ``elsewhere`` holds (organisation, reference) of other applications to the call.

    Whoever does not see every application is told so, and never that there is no other.
    """
    if condition.threshold is not None or condition.together is not None:
        return _inhabitants(condition, consortium, cities)
    if "PIC" in condition.rule:
        return _participant_codes(consortium)
    if "overlap" in condition.rule.lower() or "double funding" in condition.rule.lower():
        return _overlap(consortium, cities, elsewhere, sees_all)
    return Evidence(tuple(_who(member) for member in consortium))


def _who(member: Member) -> str:
    lead = ", lead" if member.role is PartnerRole.COORDINATOR else ""
    return f"{member.name}, {member.kind.value}, {member.country_code}{lead}"


def _not_looked_up(consortium: Sequence[Member], cities: Sequence[CityFact]) -> tuple[str, ...]:
    """A sentence for each municipality of which the register was not asked: silence there is no answer."""
    linked = {city.organisation_id for city in cities}
    return tuple(
        f"{member.name} is not linked to the city register: nothing was looked up for it."
        for member in consortium
        if member.kind in (OrganisationKind.MUNICIPALITY, OrganisationKind.METROPOLE)
        and member.organisation_id not in linked
    )


def _inhabitants(condition: Condition, consortium: Sequence[Member], cities: Sequence[CityFact]) -> Evidence:
    if not cities:
        return Evidence(("No organisation of the consortium is linked to a city of the register. Look it up.",))
    lines = tuple(
        f"{city.name}, {city.country_code}: "
        + (
            f"{city.population:,} inhabitants".replace(",", "\u00a0")
            if city.population
            else "inhabitants not in the register"
        )
        for city in cities
    )
    known = [city.population for city in cities if city.population is not None]
    unasked = _not_looked_up(consortium, cities)
    if unasked or len(known) < len(cities):
        return Evidence((*lines, *unasked))
    if condition.together is not None:
        each = condition.threshold or 0
        inside = not condition.countries or all(city.country_code in condition.countries for city in cities)
        met = inside and all(number >= each for number in known) and sum(known) >= condition.together
        return Evidence((*lines, f"Together {sum(known):,}".replace(",", "\u00a0")), Verdict.PASS if met else None)
    assert condition.threshold is not None
    return Evidence(lines, Verdict.PASS if all(number >= condition.threshold for number in known) else Verdict.FAIL)


def _participant_codes(consortium: Sequence[Member]) -> Evidence:
    lines = tuple(f"{member.name}: {member.pic or 'no PIC given'}" for member in consortium)
    complete = all(member.pic for member in consortium)
    return Evidence(lines, Verdict.PASS if complete else Verdict.FAIL)


def _overlap(
    consortium: Sequence[Member], cities: Sequence[CityFact], elsewhere: Sequence[tuple[str, str]], sees_all: bool
) -> Evidence:
    lines = [f"{city.name} took part before: {', '.join(city.earlier)}" for city in cities if city.earlier]
    lines += [f"{name} also stands in {reference}" for name, reference in elsewhere]
    lines += _not_looked_up(consortium, cities)
    if not sees_all:
        lines.append(
            "Not every application to this call is open to you. Ask a colleague of the desk to look for others."
        )
    if lines:
        return Evidence(tuple(lines))
    return Evidence(
        ("No organisation of the consortium stands in another application to this call, none in an earlier pilot.",),
        Verdict.PASS,
    )


def checked_answers(conditions: Sequence[Condition], given: Iterable[ConditionAnswer]) -> tuple[ConditionAnswer, ...]:
    """The desk's answers to known conditions; raises :class:`Invalid` where a fail has no reason."""
    known = {condition.key for condition in conditions}
    kept, problems = [], {}
    for answer in given:
        if answer.condition not in known or answer.verdict is None:
            continue
        reason = dossier_rules.clean_text(answer.reason)
        if answer.verdict is Verdict.FAIL and not reason:
            problems[f"reason_{answer.condition}"] = "Say why this condition is not met. The applicant reads it."
        kept.append(ConditionAnswer(answer.condition, answer.verdict, reason))
    if problems:
        raise Invalid("A condition that is not met needs a reason.", problems)
    return tuple(kept)


def verdict_of(conditions: Sequence[Condition], answers: Mapping[str, Verdict]) -> Verdict:
    """The verdict all answers lead to; raises :class:`Refused` while one that matters is missing.

    An exception widens the condition before it: the pair holds if either is passed, and once
    one is passed the other needs no answer.
    """
    open_groups = [group for group in groups(conditions) if not _met(group, answers)]
    missing = [condition for group in open_groups for condition in group if condition.key not in answers]
    if missing:
        raise Refused(
            f"{len(missing)} of {len(conditions)} conditions {'has' if len(missing) == 1 else 'have'} no answer yet. "
            f"The first: {missing[0].rule}. Answer it, save, then declare."
        )
    return Verdict.FAIL if open_groups else Verdict.PASS


def groups(conditions: Sequence[Condition]) -> tuple[tuple[Condition, ...], ...]:
    """Each pass-or-fail condition with the exceptions that widen it."""
    found: list[list[Condition]] = []
    for condition in conditions:
        if condition.kind.value == "exception" and found:
            found[-1].append(condition)
        else:
            found.append([condition])
    return tuple(tuple(group) for group in found)


def _met(group: Sequence[Condition], answers: Mapping[str, Verdict]) -> bool:
    return any(answers.get(condition.key) is Verdict.PASS for condition in group)
