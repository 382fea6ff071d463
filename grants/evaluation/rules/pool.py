"""Evaluators: what they enter, how well they fit an application, and who may not be seated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import Definition, DossierContent, QuestionKind
from grants.evaluation.rules.conflicts import Consortium, Said, stands_clear
from grants.evaluation.rules.values import EvaluatorInput
from grants.evaluation.states import CountryRule

POOL_LOAD_MAX = 500


@dataclass(frozen=True, slots=True)
class PoolMember:
    """An evaluator of a call as pages show them."""

    id: UUID
    user_id: UUID
    name: str
    handle: str
    organisation: str
    organisation_id: UUID | None
    country_code: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    load_min: int
    load_max: int
    version: int
    load: int = 0
    submitted: int = 0
    undeclared: int = 0
    roles: tuple[str, ...] = ()
    # How well each language is known (native, fluent, reading); wishes by application, -2 to 2; organisations assessed before.
    levels: Mapping[str, str] = field(default_factory=dict)
    bids: Mapping[UUID, int] = field(default_factory=dict)
    met_before: frozenset[UUID] = frozenset()


def why_not(member: PoolMember, about: Consortium, said: Said, *, countries: CountryRule) -> str:
    """The rule that keeps an evaluator from an application, as a sentence; empty when none does.

    While something that was found waits for a decision nobody new is seated; who has a seat reads on meanwhile.
    """
    if said.is_conflict:
        return f"{member.name} has a conflict of interest with it."
    if member.user_id in about.user_ids:
        return f"{member.name} takes part in it."
    if member.organisation_id is not None and member.organisation_id in about.organisation_ids:
        return f"{member.name} belongs to an organisation of the consortium."
    if said.declared is None:
        return f"{member.name} has not declared yet whether there is a conflict."
    if not stands_clear(said.declared, said.ruling):
        return f"{member.name} is not sure about a conflict; the programme has not ruled yet."
    if said.waits:
        return (
            f"Something was found that may be a conflict of {member.name} with it; nobody has decided about it yet. "
            "It waits on the page “Conflicts found”."
        )
    if countries is CountryRule.KEPT_AWAY and member.country_code in about.country_codes:
        return f"{member.name} comes from a country of the consortium ({member.country_code})."
    return ""


def topics_of(content: DossierContent) -> frozenset[str]:
    """The topics an application picked: every choice of its questions with several choices."""
    kinds = {
        question.key
        for section in content.definition.sections
        for question in section.questions
        if question.kind is QuestionKind.MULTICHOICE
    }
    return frozenset(value for answer in content.answers if answer.question in kinds for value in answer.picked)


def digest(value: Any) -> bytes:
    """SHA-256 of plain data in one spelling: the hash of an input that can be recomputed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


def checked_member(values: EvaluatorInput) -> EvaluatorInput:
    """The pool entry in one spelling; raises :class:`Invalid`."""
    wrong: dict[str, str] = {}
    country = values.country_code.strip().upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        wrong["country_code"] = "Write the country as two letters, for example FI."
    if not 0 <= values.load_min <= values.load_max:
        wrong["load_min"] = "The least number of applications lies between 0 and the largest number."
    if not 1 <= values.load_max <= POOL_LOAD_MAX:
        wrong["load_max"] = f"The largest number of applications lies between 1 and {POOL_LOAD_MAX}."
    languages = tuple(dict.fromkeys(word.strip().lower() for word in values.languages if word.strip()))
    if any(len(word) != 2 or not word.isalpha() for word in languages):
        wrong["languages"] = "Write languages as two letters each, for example en, fr."
    if wrong:
        raise Invalid("The evaluator was not added.", wrong)
    topics = tuple(dict.fromkeys(word.strip() for word in values.topics if word.strip()))
    return EvaluatorInput(values.user_id, country, languages, topics, values.load_min, values.load_max)


def refuse_load(member: PoolMember) -> None:
    """Raise :class:`Refused` when an evaluator already has as many applications as they may take."""
    if member.load >= member.load_max:
        raise Refused(
            f"{member.name} already has {member.load} applications; the maximum is {member.load_max}. Raise it, or choose somebody else."
        )


def topic_choices(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Value and label of every topic an application can pick: what evaluators are asked to know."""
    return tuple(
        (choice.value, choice.label)
        for section in definition.sections
        for question in section.questions
        if question.kind is QuestionKind.MULTICHOICE
        for choice in question.choices
    )
