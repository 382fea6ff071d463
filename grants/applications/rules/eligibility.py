"""Conditions of eligibility: the evidence for each, the answers, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.applications.rules.arrival import exactly, said
from grants.applications.rules.inputs import ConditionAnswer
from grants.applications.rules.values import Member
from grants.applications.states import PartnerRole, Verdict
from grants.calls.rules import Condition
from grants.core import clock
from grants.core.errors import Invalid, Refused
from grants.core.text import grouped
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
    # Why it looks not met, as the applicant would read it.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One condition with its evidence, for those who may read it, and the answer so far."""

    condition: Condition
    evidence: Evidence | None
    answer: ConditionAnswer
    # The number of the answer that is shown, 0 where there is none; who gave it and when.
    version: int = 0
    by: str = ""
    at: datetime | None = None

    @property
    def clean(self) -> bool:
        """Whether it is met by the facts and nobody said otherwise, or by a person where the facts say nothing."""
        suggests = self.evidence.suggests if self.evidence else None
        if suggests is None:
            return self.answer.verdict is Verdict.PASS
        return suggests is Verdict.PASS and self.answer.verdict is not Verdict.FAIL

    @property
    def title(self) -> str:
        """The rule as a sentence begins; abbreviations in it stay as they are."""
        return self.condition.rule[:1].upper() + self.condition.rule[1:]


@dataclass(frozen=True, slots=True)
class Proposal:
    """“Not eligible” in the eyes of one person; another confirms it or gives it back."""

    by_id: UUID
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """References of the applications to the same call beside this one, and of the next that waits for a verdict."""

    previous: str | None = None
    next: str | None = None
    unchecked: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What the eligibility desk sees of one application."""

    conditions: tuple[ConditionView, ...]
    verdict: Verdict | None
    reason: str | None
    decided_at: datetime | None
    decided_by: UUID | None
    version: int
    check_id: UUID | None = None
    decider: str = ""
    confirmer: str = ""
    proposal: Proposal | None = None
    # Who gave the last proposal back, and why.
    returner: str = ""
    return_reason: str = ""
    neighbours: Neighbours = Neighbours()

    @property
    def failed(self) -> tuple[ConditionView, ...]:
        """The conditions that are not met."""
        return tuple(view for view in self.conditions if view.answer.verdict is Verdict.FAIL)

    @property
    def remark(self) -> str:
        """What the desk wrote beside its answers; empty where only the reasons of the failed conditions stand there."""
        reason = self.reason or ""
        return (
            "" if reason == reasons_of((v.condition for v in self.failed), (v.answer for v in self.failed)) else reason
        )

    @property
    def answered(self) -> int:
        """How many conditions have an answer."""
        return sum(1 for view in self.conditions if view.answer.verdict is not None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How an application came in: when, against which deadline, in which language it had to be, with which files."""

    submitted_at: datetime
    closes_at: datetime
    zone: str
    language: str
    files: tuple[str, ...]
    # The labels of required files that are not there.
    missing: tuple[str, ...] = ()


def evidence(
    condition: Condition,
    consortium: Sequence[Member],
    cities: Sequence[CityFact],
    elsewhere: Sequence[tuple[str, str]],
    *,
    sees_all: bool = True,
    arrival: Arrival | None = None,
) -> Evidence:
    """What is known about one condition. ``elsewhere`` holds (organisation, reference) of other applications to the call.

    Whoever does not see every application is told so, and never that there is no other.
    """
    if condition.threshold is not None or condition.together is not None:
        return _inhabitants(condition, consortium, cities)
    if "PIC" in condition.rule:
        return participant_codes(consortium)
    rule = condition.rule.lower()
    if "overlap" in rule or "double funding" in rule:
        return overlap(consortium, cities, elsewhere, sees_all)
    if "one application" in rule:
        return one_application([m for m in consortium if m.kind in MUNICIPAL], elsewhere, sees_all)
    if "another eu grant" in rule or "another grant" in rule:
        return _paid_elsewhere(consortium, cities)
    if arrival is not None and ("in time" in rule or "complete" in rule or "language" in rule):
        return arrived(arrival)
    if rule.startswith("the lead "):
        return Evidence(tuple(_who(member) for member in consortium if member.role is PartnerRole.COORDINATOR))
    return Evidence(tuple(_who(member) for member in consortium))


MUNICIPAL = (OrganisationKind.MUNICIPALITY, OrganisationKind.METROPOLE)
_NOT_ALL_OPEN = "Not every application to this call is open to you. Ask a colleague of the desk to look for others."


def one_application(asked: Sequence[Member], elsewhere: Sequence[tuple[str, str]], sees_all: bool) -> Evidence:
    """How many other applications to the call each of these organisations stands in."""
    lines, many = [], 0
    for member in asked:
        others = [reference for name, reference in elsewhere if name == member.name]
        many += len(others)
        found = f"{len(others)} other {'application' if len(others) == 1 else 'applications'} to this call found"
        lines.append(f"{member.name}: {found}" + (f" ({', '.join(others)})" if others else ""))
    if not sees_all:
        return Evidence((*lines, _NOT_ALL_OPEN))
    return Evidence(tuple(lines), Verdict.PASS if lines and not many else None)


def _paid_elsewhere(consortium: Sequence[Member], cities: Sequence[CityFact]) -> Evidence:
    """Earlier pilots the register knows of; what other programmes pay is not known here."""
    lines = [
        f"{city.name} took part before: {', '.join(city.earlier)}"
        if city.earlier
        else f"{city.name}: no earlier pilot in the register"
        for city in cities
    ]
    return Evidence((*lines, *not_looked_up(consortium, cities), "Grants of other programmes are not known here."))


def arrived(arrival: Arrival) -> Evidence:
    """When it was received against the deadline, the files that are there, the language that was asked for."""
    in_time = clock.in_time(arrival.submitted_at, arrival.closes_at)
    count = len(arrival.files)
    lines = [
        f"Received {exactly(arrival.submitted_at, arrival.zone)}; the deadline was {said(arrival.closes_at, arrival.zone)}: "
        + ("in time" if in_time else "too late"),
        f"{count} {'file' if count == 1 else 'files'} attached" + (f": {', '.join(arrival.files)}" if count else ""),
        *(f"Missing: {label}" for label in arrival.missing),
    ]
    if arrival.language:
        lines.append(f"The call asks for {arrival.language}. Read below in which language the answers are.")
    late = () if in_time else ("It arrived after the deadline.",)
    why_not = " ".join((*late, *(f"{label} is missing." for label in arrival.missing)))
    return Evidence(tuple(lines), Verdict.FAIL if why_not else None, why_not)


def _who(member: Member) -> str:
    lead = ", lead" if member.role is PartnerRole.COORDINATOR else ""
    return f"{member.name}, {member.kind.value}, {member.country_code}{lead}"


def not_looked_up(consortium: Sequence[Member], cities: Sequence[CityFact]) -> tuple[str, ...]:
    """A sentence for each municipality of which the register was not asked: silence there is no answer."""
    linked = {city.organisation_id for city in cities}
    return tuple(
        f"{member.name} is not linked to the city register: nothing was looked up for it."
        for member in consortium
        if member.kind in MUNICIPAL and member.organisation_id not in linked
    )


def _inhabitants(condition: Condition, consortium: Sequence[Member], cities: Sequence[CityFact]) -> Evidence:
    if not cities:
        return Evidence(("No organisation of the consortium is linked to a city of the register. Look it up.",))
    lines = tuple(
        f"{city.name}, {city.country_code}: "
        + (f"{grouped(city.population)} inhabitants" if city.population else "inhabitants not in the register")
        for city in cities
    )
    known = [city.population for city in cities if city.population is not None]
    unasked = not_looked_up(consortium, cities)
    if unasked or len(known) < len(cities):
        return Evidence((*lines, *unasked))
    if condition.together is not None:
        each = condition.threshold or 0
        inside = not condition.countries or all(city.country_code in condition.countries for city in cities)
        met = inside and all(number >= each for number in known) and sum(known) >= condition.together
        return Evidence((*lines, f"Together {grouped(sum(known))}"), Verdict.PASS if met else None)
    assert condition.threshold is not None
    return Evidence(lines, Verdict.PASS if all(number >= condition.threshold for number in known) else Verdict.FAIL)


def participant_codes(consortium: Sequence[Member]) -> Evidence:
    lines = tuple(f"{member.name}: {member.pic or 'no PIC given'}" for member in consortium)
    without = [member.name for member in consortium if not member.pic]
    if not without:
        return Evidence(lines, Verdict.PASS)
    return Evidence(lines, Verdict.FAIL, f"No PIC was given for {', '.join(without)}.")


def overlap(
    consortium: Sequence[Member], cities: Sequence[CityFact], elsewhere: Sequence[tuple[str, str]], sees_all: bool
) -> Evidence:
    lines = [f"{city.name} took part before: {', '.join(city.earlier)}" for city in cities if city.earlier]
    lines += [f"{name} also stands in {reference}" for name, reference in elsewhere]
    lines += not_looked_up(consortium, cities)
    if not sees_all:
        lines.append(_NOT_ALL_OPEN)
    if lines:
        return Evidence(tuple(lines))
    return Evidence(
        ("No organisation of the consortium stands in another application to this call, none in an earlier pilot.",),
        Verdict.PASS,
    )


def is_looked_up(condition: Condition) -> bool:
    """Whether the facts may answer a condition by themselves: it is a rule over facts, not a sentence people judge."""
    return condition.test is not None or condition.key.startswith("adm_")


def proposed(view: ConditionView) -> ConditionAnswer:
    """The answer that stands, or what the facts suggest, for the desk to confirm or change; nothing where they are silent."""
    if view.answer.verdict is not None or not is_looked_up(view.condition) or view.evidence is None:
        return view.answer
    return ConditionAnswer(view.condition.key, view.evidence.suggests, view.evidence.reason)


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


def reasons_of(conditions: Iterable[Condition], answers: Iterable[ConditionAnswer]) -> str:
    """Every condition that is not met with its reason, in one text."""
    rule = {condition.key: condition.rule for condition in conditions}
    return " ".join(f"{rule[a.condition]}: {a.reason}" for a in answers if a.verdict is Verdict.FAIL)


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
