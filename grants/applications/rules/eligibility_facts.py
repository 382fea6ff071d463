"""Conditions of a call asked of the facts: form, consortium, city register and other applications; the desk decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never
from uuid import UUID

from grants.applications.rules.admissibility import PREFIX, Formal, FormFacts, formal_evidence
from grants.applications.rules.eligibility import (
    MUNICIPAL,
    Arrival,
    CityFact,
    Evidence,
    arrived,
    evidence,
    one_application,
    overlap,
    participant_codes,
)
from grants.applications.rules.values import Member
from grants.applications.states import PartnerRole, Verdict
from grants.budgets.rules import BudgetRules, EnvelopeRule
from grants.calls.rules import ORGANISATION_WORDS, Condition, FactRule
from grants.calls.states import FactKind, Whom
from grants.core.money import ZERO, Money, total
from grants.core.text import grouped
from grants.dossiers.rules import Answer


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one application. ``elsewhere`` holds (organisation, reference) of others to the call.

    ``requested`` is what each organisation asks for, ``lists`` the countries of each list by its name.
    """

    consortium: Sequence[Member]
    cities: Sequence[CityFact] = ()
    elsewhere: Sequence[tuple[str, str]] = ()
    sees_all: bool = True
    arrival: Arrival | None = None
    requested: Mapping[UUID, Money] = field(default_factory=dict)
    budget_rules: BudgetRules | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    form: FormFacts = field(default_factory=FormFacts)

    def city(self, member: Member) -> CityFact | None:
        """The entry of the register this organisation acts for, or None."""
        return next((city for city in self.cities if city.organisation_id == member.organisation_id), None)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of one organisation: in words, and whether it does; None where it is not known."""

    line: str
    met: bool | None
    why_not: str = ""


def evidence_of(condition: Condition, facts: Facts) -> Evidence:
    """What the facts say about one condition; one without a rule over facts shows what may help to decide it."""
    test = condition.test
    if condition.key.startswith(PREFIX):
        return formal_evidence(Formal(condition.key), facts.arrival, facts.form)
    if test is None:
        return evidence(
            condition,
            facts.consortium,
            facts.cities,
            facts.elsewhere,
            sees_all=facts.sees_all,
            arrival=facts.arrival,
        )
    if test.joint and sum(member.kind in MUNICIPAL for member in facts.consortium) < 2:
        return Evidence(("One city applies alone: this is asked only where several apply together.",), Verdict.PASS)
    match test.fact:
        case FactKind.ORGANISATION | FactKind.COUNTRY | FactKind.MISSION_CITY | FactKind.EARLIER | FactKind.MONEY:
            return _of_each(test, facts, _ASKED[test.fact])
        case FactKind.INHABITANTS:
            return _together(test, facts) if test.together is not None else _of_each(test, facts, _inhabitants)
        case FactKind.CITIES:
            return _cities(test, facts)
        case FactKind.TERRITORY:
            return overlap(facts.consortium, facts.cities, facts.elsewhere, facts.sees_all)
        case FactKind.PROPOSALS:
            return _proposals(test, facts)
        case FactKind.AWARD_AMOUNT:
            return _award_amount(facts)
        case FactKind.PARTICIPANT_CODE:
            return participant_codes(facts.consortium)
        case FactKind.ANSWER:
            return _answer(test, facts)
        case FactKind.ARRIVAL:
            return arrived(facts.arrival) if facts.arrival is not None else Evidence(())
        case never:
            assert_never(never)


def members_asked(test: FactRule, facts: Facts) -> tuple[Member, ...]:
    """The organisations of the consortium a rule asks about."""
    match test.of:
        case Whom.LEAD:
            return tuple(m for m in facts.consortium if m.role is PartnerRole.COORDINATOR)
        case Whom.ADMINISTRATIONS:
            return tuple(m for m in facts.consortium if m.kind in MUNICIPAL)
        case Whom.OTHERS:
            return tuple(m for m in facts.consortium if m.kind not in MUNICIPAL)
        case Whom.NOT_MISSION:
            # One the register does not know is asked too: it is not known to be a city of the Mission.
            return tuple(
                m
                for m in facts.consortium
                if m.kind in MUNICIPAL and not ((city := facts.city(m)) and city.mission_city)
            )
        case Whom.EVERYBODY:
            return tuple(facts.consortium)
        case never:
            assert_never(never)


def _of_each(test: FactRule, facts: Facts, ask: Callable[[FactRule, Facts, Member], _Found]) -> Evidence:
    """All of those asked must do; one that does not decides, one that is not known leaves it open."""
    asked = members_asked(test, facts)
    if not asked:
        if test.of is Whom.ADMINISTRATIONS:
            return Evidence(("No city administration is in the consortium.",))
        return Evidence(("Nobody in the consortium is asked this.",), Verdict.PASS)
    found = [ask(test, facts, member) for member in asked]
    failed = [each for each in found if each.met is False]
    suggests = Verdict.FAIL if failed else Verdict.PASS if all(each.met for each in found) else None
    return Evidence(tuple(each.line for each in found), suggests, " ".join(each.why_not for each in failed))


def _countries(test: FactRule, facts: Facts) -> frozenset[str]:
    return frozenset(test.countries).union(*(facts.lists.get(name, ()) for name in test.lists))


def _organisation(test: FactRule, facts: Facts, member: Member) -> _Found:
    del facts
    kind = ORGANISATION_WORDS.get(member.kind.value, member.kind.value)
    met = member.kind.value in test.words
    allowed = " or ".join(ORGANISATION_WORDS.get(word, word) for word in test.words)
    return _Found(f"{member.name}: {kind}", met, f"{member.name} is a {kind}; the call asks for a {allowed}.")


def _country(test: FactRule, facts: Facts, member: Member) -> _Found:
    allowed = _countries(test, facts)
    line = f"{member.name}: established in {member.country_code}"
    if not allowed:
        return _Found(f"{line}; the list of countries is empty, so nothing was looked up", None)
    why_not = f"{member.name} is established in {member.country_code}, which is not on the list of countries."
    return _Found(line, member.country_code in allowed, why_not)


def _unknown(member: Member) -> _Found:
    return _Found(f"{member.name} is not linked to the city register: nothing was looked up for it.", None)


def _mission_city(test: FactRule, facts: Facts, member: Member) -> _Found:
    city, wanted = facts.city(member), test.words != ("no",)
    if city is None:
        return _unknown(member)
    says = "is a city of the Mission" if city.mission_city else "is not a city of the Mission"
    why_not = f"{city.name} {says}; the call is for {'cities of the Mission only' if wanted else 'other cities'}."
    return _Found(f"{city.name} {says}", city.mission_city is wanted, why_not)


def _earlier(test: FactRule, facts: Facts, member: Member) -> _Found:
    city = facts.city(member)
    if city is None:
        return _unknown(member)
    wanted = [word.casefold() for word in test.words]
    took_part = [label for label in city.earlier if not wanted or any(word in label.casefold() for word in wanted)]
    if not took_part:
        return _Found(f"{city.name}: no such earlier participation in the register", True)
    line = f"{city.name} took part before: {', '.join(took_part)}"
    return _Found(line, False, f"{line}; the call is for cities that did not.")


def _money(test: FactRule, facts: Facts, member: Member) -> _Found:
    asked, most = facts.requested.get(member.organisation_id), test.money or ZERO
    if asked is None:
        return _Found(f"{member.name}: no budget was found", None)
    limit = f"may ask for at most {most}" if most else "may help in kind, but may ask for no money"
    return _Found(
        f"{member.name} asks for {asked}", asked <= most, f"{member.name} asks for {asked}; it {limit} in this call."
    )


def _limits(test: FactRule) -> str:
    parts = [f"at least {grouped(test.at_least)}"] if test.at_least is not None else []
    parts += [f"at most {grouped(test.at_most)}"] if test.at_most is not None else []
    return " and ".join(parts)


def _within(test: FactRule, number: int) -> bool:
    return (test.at_least is None or number >= test.at_least) and (test.at_most is None or number <= test.at_most)


def _inhabitants(test: FactRule, facts: Facts, member: Member) -> _Found:
    city, allowed = facts.city(member), _countries(test, facts)
    if city is None:
        return _unknown(member)
    if city.population is None:
        return _Found(f"{city.name}, {city.country_code}: inhabitants not in the register", None)
    has = f"{grouped(city.population)} inhabitants"
    line = f"{city.name}, {city.country_code}: {has}"
    if (test.countries or test.lists) and city.country_code not in allowed:
        return _Found(line, False, f"{city.name} lies in {city.country_code}, for which this does not hold.")
    return _Found(line, _within(test, city.population), f"{city.name} has {has}; the call asks for {_limits(test)}.")


def _together(test: FactRule, facts: Facts) -> Evidence:
    """Several cities that reach the number together, each within its own limits, all in the countries named."""
    assert test.together is not None
    each = _of_each(test, facts, _inhabitants)
    asked = [facts.city(member) for member in members_asked(test, facts)]
    known = [city.population for city in asked if city is not None and city.population is not None]
    lines = (*each.lines, f"Together {grouped(sum(known))}")
    if each.suggests is not Verdict.PASS:
        return Evidence(lines, each.suggests, each.reason)
    if len(known) < 2:
        return Evidence(
            lines, Verdict.FAIL, f"One city applies alone; only several together may reach {grouped(test.together)}."
        )
    if sum(known) >= test.together:
        return Evidence(lines, Verdict.PASS)
    why_not = f"Together the cities have {grouped(sum(known))} inhabitants; the call asks for {grouped(test.together)}."
    return Evidence(lines, Verdict.FAIL, why_not)


def _cities(test: FactRule, facts: Facts) -> Evidence:
    names = [member.name for member in facts.consortium if member.kind in MUNICIPAL]
    lines = (f"{len(names)} city {'administration' if len(names) == 1 else 'administrations'}: {', '.join(names)}",)
    if _within(test, len(names)):
        return Evidence(lines, Verdict.PASS)
    return Evidence(lines, Verdict.FAIL, f"The consortium has {len(names)} cities; the call asks for {_limits(test)}.")


def _proposals(test: FactRule, facts: Facts) -> Evidence:
    """Counted by organisation: an agency of a city may stand in several where only its administration may not."""
    assert test.at_most is not None
    asked = members_asked(test, facts)
    base = one_application(asked, facts.elsewhere, facts.sees_all)
    why = []
    for member in asked:
        others = [reference for name, reference in facts.elsewhere if name == member.name]
        if len(others) + 1 > test.at_most:
            allowed = "one application" if test.at_most == 1 else f"{test.at_most} applications"
            why.append(f"{member.name} also stands in {', '.join(others)}; the call allows {allowed}.")
    if why:
        return Evidence(base.lines, Verdict.FAIL, " ".join(why))
    return Evidence(base.lines, Verdict.PASS if facts.sees_all else None)


def _award_amount(facts: Facts) -> Evidence:
    rules, asked = facts.budget_rules, total(facts.requested.values())
    if rules is None or not rules.envelopes:
        return Evidence((f"Asked for: {asked}; the call names no award amount.",))
    amounts = [envelope.amount for envelope in rules.envelopes]
    match rules.envelope_rule:
        case EnvelopeRule.EXACT:
            met, says = asked in amounts, "must equal one of"
        case EnvelopeRule.CEILING:
            met, says = ZERO < asked <= max(amounts), "may go up to"
        case never:
            assert_never(never)
    offered = ", ".join(
        str(each) for each in (amounts if rules.envelope_rule is EnvelopeRule.EXACT else [max(amounts)])
    )
    line = f"Asked for: {asked}; it {says} {offered}"
    return Evidence((line,), Verdict.PASS if met else Verdict.FAIL, "" if met else f"{line}.")


def _answer(test: FactRule, facts: Facts) -> Evidence:
    assert test.question is not None
    given = facts.answers.get(test.question, Answer(test.question))
    if given.empty:
        return Evidence(("This question is not answered.",), Verdict.FAIL, "The question it rests on is not answered.")
    shown = ", ".join(given.picked) or given.text
    if not test.words:
        return Evidence((f"Answered: {shown}",), Verdict.PASS)
    met = any(picked in test.words for picked in given.picked)
    return Evidence(
        (f"Answered: {shown}",), Verdict.PASS if met else Verdict.FAIL, "" if met else f"The answer is: {shown}."
    )


_ASKED: Mapping[FactKind, Callable[[FactRule, Facts, Member], _Found]] = {
    FactKind.ORGANISATION: _organisation,
    FactKind.COUNTRY: _country,
    FactKind.MISSION_CITY: _mission_city,
    FactKind.EARLIER: _earlier,
    FactKind.MONEY: _money,
}
