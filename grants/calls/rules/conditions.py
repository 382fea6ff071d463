"""Eligibility conditions as rules over facts: what each says in words, and whether it can be asked at all.

The rule is data of the call; the later stage that knows the consortium looks the facts up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import assert_never

from grants.calls.rules.content import Condition, CountryList, FactRule
from grants.calls.states import CallKind, ConditionKind, FactKind, Whom
from grants.core.errors import Problem
from grants.core.money import ZERO
from grants.core.text import grouped
from grants.dossiers.rules import Definition, QuestionKind

# The closed list of the parent grant, as conditions name it.
PARENT_LIST = "parent_grant"

# What an organisation may be, as files and forms write it, and as a sentence says it.
ORGANISATION_WORDS: Mapping[str, str] = {
    "municipality": "municipality",
    "metropole": "metropolitan authority",
    "agency": "agency",
    "research": "research organisation",
    "university": "university",
    "company": "company",
    "association": "association",
    "programme": "programme body",
}

_WHOM: Mapping[Whom, str] = {
    Whom.LEAD: "The lead",
    Whom.ADMINISTRATIONS: "Every city administration",
    Whom.OTHERS: "Every other organisation",
    Whom.NOT_MISSION: "A city administration outside the Mission",
    Whom.EVERYBODY: "Every organisation",
}

# What each fact needs to be asked: the names of the values of which one must be there.
_NEEDS: Mapping[FactKind, tuple[str, ...]] = {
    FactKind.ORGANISATION: ("words",),
    FactKind.COUNTRY: ("countries", "lists"),
    FactKind.INHABITANTS: ("at_least", "at_most", "together"),
    FactKind.CITIES: ("at_least", "at_most"),
    FactKind.PROPOSALS: ("at_most",),
    FactKind.MONEY: ("money",),
    FactKind.ANSWER: ("question",),
}

# How the values are called in a file.
_NAMES: Mapping[str, str] = {
    "words": "allowed",
    "countries": "countries",
    "lists": "lists",
    "at_least": "at_least",
    "at_most": "at_most",
    "together": "together",
    "question": "question",
    "money": "at_most_eur",
}


def fact_rule_of(condition: Condition) -> FactRule | None:
    """What the program looks at for a condition; a file may give only a number of inhabitants."""
    if condition.test is not None:
        return condition.test
    if condition.threshold is None and condition.together is None:
        return None
    return FactRule(
        FactKind.INHABITANTS,
        Whom.ADMINISTRATIONS,
        at_least=condition.threshold,
        together=condition.together,
        countries=condition.countries,
    )


def fact_rule_words(test: FactRule) -> str:
    """A rule over facts as one sentence, for the page of the call and for whoever builds it.

    >>> fact_rule_words(FactRule(FactKind.INHABITANTS, Whom.ADMINISTRATIONS, at_least=50000))
    'Every city administration: at least 50\xa0000 inhabitants'
    """
    words = f"{_WHOM[test.of]}: {_asked(test)}"
    if test.joint:
        words = f"Where several cities apply together. {words}"
    return words


def _asked(test: FactRule) -> str:
    match test.fact:
        case FactKind.ORGANISATION:
            return "is a " + _or(tuple(ORGANISATION_WORDS.get(word, word) for word in test.words))
        case FactKind.COUNTRY:
            return f"established in {_where(test)}"
        case FactKind.INHABITANTS:
            return _inhabitants(test)
        case FactKind.MISSION_CITY:
            return "a city of the Mission"
        case FactKind.CITIES:
            return f"{_between(test)} cities in the consortium"
        case FactKind.EARLIER:
            what = f" in {_or(test.words)}" if test.words else ""
            return f"no earlier participation{what}, by the register"
        case FactKind.TERRITORY:
            return "in no earlier pilot and in no other application to this call"
        case FactKind.PROPOSALS:
            return f"in at most {test.at_most} {'application' if test.at_most == 1 else 'applications'} to this call"
        case FactKind.MONEY:
            money = test.money if test.money is not None else ZERO
            return f"asks for at most {money}" if money else "asks for no money"
        case FactKind.AWARD_AMOUNT:
            return "the sum asked for is one the call offers"
        case FactKind.PARTICIPANT_CODE:
            return "has a PIC"
        case FactKind.ANSWER:
            wanted = f" with {_or(test.words)}" if test.words else ""
            return f"the question “{test.question}” is answered{wanted}"
        case FactKind.ARRIVAL:
            return "received in time with every file the call demands"
        case never:
            assert_never(never)


def _inhabitants(test: FactRule) -> str:
    where = f", in {_where(test)}" if test.countries or test.lists else ""
    if test.together is None:
        return f"{_between(test)} inhabitants{where}"
    each = f", each {_between(test)}" if test.at_least is not None or test.at_most is not None else ""
    return f"at least {grouped(test.together)} inhabitants together{each}{where}"


def _between(test: FactRule) -> str:
    parts = []
    if test.at_least is not None:
        parts.append(f"at least {grouped(test.at_least)}")
    if test.at_most is not None:
        parts.append(f"at most {grouped(test.at_most)}")
    return " and ".join(parts)


def _where(test: FactRule) -> str:
    names = [
        "a country of the parent grant" if name == PARENT_LIST else f"a country of the list “{name}”"
        for name in test.lists
    ]
    return _or((*names, *test.countries))


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


def condition_problems(
    conditions: Sequence[Condition], lists: Sequence[CountryList], definition: Definition, kind: CallKind
) -> tuple[Problem, ...]:
    """Where conditions cannot be asked: a repeated key, a value or a question that is missing, an unknown list."""
    found = []
    keys = [condition.key for condition in conditions]
    if len(set(keys)) < len(keys):
        found.append(Problem("Conditions", "use a key twice. Give each its own."))
    if conditions and conditions[0].kind is ConditionKind.EXCEPTION:
        found.append(
            Problem("Conditions", "begin with an exception. It widens the condition before it; put it second.")
        )
    names = {each.name for each in lists} | {PARENT_LIST}
    questions = {question.key: question for section in definition.sections for question in section.questions}
    for condition in conditions:
        test = condition.test
        if test is None:
            continue
        sentence = _fault(test, names, {key: tuple(c.value for c in q.choices) for key, q in questions.items()}, kind)
        if sentence:
            found.append(Problem("Conditions", f"“{condition.rule}” {sentence}"))
        if test.fact is FactKind.ANSWER and test.question in questions:
            asked = questions[test.question]
            if test.words and asked.kind not in (QuestionKind.CHOICE, QuestionKind.MULTICHOICE):
                found.append(
                    Problem("Conditions", f"“{condition.rule}” allows answers, but that question has no choices.")
                )
    return tuple(found)


def _fault(test: FactRule, lists: Collection[str], questions: Mapping[str, Collection[str]], kind: CallKind) -> str:
    """What keeps one rule from being asked; empty where it can be."""
    needs = _NEEDS.get(test.fact, ())
    if needs and all(getattr(test, name) in (None, ()) for name in needs):
        return f"needs a value: {_or([_NAMES[name] for name in needs])}."
    unknown = [name for name in test.lists if name not in lists]
    if unknown:
        return f"names the list “{unknown[0]}”, which the call does not have."
    if test.fact in (FactKind.MONEY, FactKind.AWARD_AMOUNT) and kind is not CallKind.SUPPORT:
        return "asks about money, and this call pays none."
    if test.fact is FactKind.ORGANISATION and (strange := [w for w in test.words if w not in ORGANISATION_WORDS]):
        return f"names “{strange[0]}”, which is no kind of organisation."
    if test.fact is FactKind.ANSWER:
        if test.question is None or test.question not in questions:
            return f"asks about the question “{test.question}”, which the form does not have."
        offered = questions[test.question]
        if offered and (strange := [word for word in test.words if word not in offered]):
            return f"allows the answer “{strange[0]}”, which the question does not offer."
    return ""
