"""Values of a call as a call file writes them: a whole file, or one value for a form; the way back of reading.

A value that came from the template is left out of a file, so that it stays labelled when the template is applied again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from typing import Any

import yaml

from grants.calls.rules.conditions import fact_rule_of
from grants.calls.rules.content import (
    NOT_FOUND,
    Condition,
    CountryList,
    FactRule,
    LooseDate,
    NamedSource,
    Opening,
    Sourced,
)
from grants.calls.rules.schema import ELSEWHERE, FIELDS, SCHEMA_VERSION, Field
from grants.calls.rules.scoring import Criterion, Scale, Scoring, Thresholds, points
from grants.calls.rules.values import Deadline, DocumentVersion
from grants.calls.states import Confidence, FactKind, Whom
from grants.core import clock
from grants.core.errors import Problem, Problems
from grants.core.money import Money
from grants.core.yaml_schema import Reading, composed
from grants.dossiers.rules import Definition
from grants.programmes.rules import ParentRules

# Values a file writes as ``{rule: ...}``.
_RULES = frozenset({"eligibility.applicants", "payment.unlock_rule"})


class Number(str):
    """Digits a file holds without quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Plain YAML without references, in the order given."""

    def ignore_aliases(self, data: Any) -> bool:
        """A value is written out wherever it stands: a call file may not refer to itself."""
        del data
        return True


def _plain_number(dumper: yaml.SafeDumper, number: Number) -> yaml.Node:
    tag = "tag:yaml.org,2002:" + ("float" if "." in number else "int")
    return dumper.represent_scalar(tag, str(number))


_Dumper.add_representer(Number, _plain_number)


def to_yaml(tree: Any) -> str:
    """A tree of plain values as YAML text."""
    text: str = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


# --- a whole file -------------------------------------------------------------------------------------------------


def call_file(
    found: Mapping[str, Sourced], deadlines: Sequence[Deadline], documents: Sequence[DocumentVersion], zone: str
) -> str:
    """A call as a file that reads back as the same values, but for those of the template."""
    root: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
    if documents:
        root["document_versions"] = [_document(document) for document in documents]
    _put(root, "dates.timezone", zone)
    for path, deadline in zip(
        ("dates.deadline_original", "dates.deadline_extended"), _first_and_last(deadlines), strict=False
    ):
        _put(root, path, _deadline(deadline))
    for path, entry in FIELDS.items():
        sourced = found.get(path, NOT_FOUND)
        if path in ELSEWHERE or sourced.from_template:
            continue
        written = _sourced(entry, sourced)
        if written is not None:
            _put(root, path, written)
    return to_yaml(root)


def _first_and_last(deadlines: Sequence[Deadline]) -> tuple[Deadline, ...]:
    return (deadlines[0], deadlines[-1]) if len(deadlines) > 1 else tuple(deadlines)


def _put(root: dict[str, Any], path: str, value: Any) -> None:
    *groups, leaf = path.split(".")
    for group in groups:
        root = root.setdefault(group, {})
    root[leaf] = value


def _sourced(entry: Field, sourced: Sourced) -> dict[str, Any] | None:
    if sourced.value is None and not (sourced.source or sourced.note):
        return None
    about = {
        "confidence": sourced.confidence.value,
        **({"source": sourced.source} if sourced.source else {}),
        **({"note": sourced.note} if sourced.note else {}),
    }
    return {"value": tree_of(entry, sourced.value), **about}


def _deadline(deadline: Deadline) -> dict[str, Any]:
    return _given(
        literal=deadline.literal,
        iso=clock.in_zone(deadline.closes_at, deadline.zone).isoformat(),
        reason=deadline.reason,
        confidence=deadline.confidence.value,
        source=deadline.source,
        note=deadline.public_note,
    )


def _document(document: DocumentVersion) -> dict[str, Any]:
    return _given(
        version=document.label,
        date=document.published_on.isoformat(),
        kind=document.what,
        changes=list(document.changes) or None,
        source=document.source,
        confidence=document.confidence.value,
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


# --- one value ----------------------------------------------------------------------------------------------------


def tree_of(entry: Field, value: Any) -> Any:
    """One value as a file writes it: words, digits, lists and groups."""
    if value is None:
        return None
    if entry.path in _RULES:
        return {"rule": value}
    if entry.path == "evaluation.weights":
        return {key: _exact(weight) for key, weight in value} or "none"
    if isinstance(value, tuple) and value and isinstance(value[0], NamedSource):
        return {each.name: each.address for each in value}
    if isinstance(value, tuple) and value and isinstance(value[0], CountryList):
        return {each.name: list(each.countries) for each in value}
    return _plain(value)


def _plain(value: Any) -> Any:
    special: dict[type, Callable[[Any], Any]] = {
        Money: _euros,
        Fraction: _exact,
        Definition: lambda found: [_plain(section) for section in found.sections],
        Opening: lambda found: _given(local=found.day.isoformat(), time=found.time),
        LooseDate: lambda found: _given(literal=found.literal, local=found.day.isoformat() if found.day else None),
        Scale: _scale,
        Thresholds: _thresholds,
        Condition: _condition,
        FactRule: _fact_rule,
        Scoring: _scoring,
        Criterion: _criterion,
        ParentRules: _parent_rules,
    }
    if type(value) in special:
        return special[type(value)](value)
    match value:
        case bool() | None:
            return value
        case int():
            return Number(value)
        case Enum():
            return value.value
        case date():
            return value.isoformat()
        case tuple():
            return [_plain(each) for each in value]
        case str():
            return value
    assert is_dataclass(value), f"{type(value).__name__} has no form in a file"
    return _record(value)


def _record(value: Any) -> dict[str, Any]:
    """A group by the names of its values; what is as it would be without a word is left out."""
    found = {}
    for each in fields_of(value):
        inside = getattr(value, each.name)
        # A limit or a list that is not there, and what nothing was said about.
        if inside in (None, "", ()) or (inside == each.default and not isinstance(inside, str)):
            continue
        written = _plain(inside)
        if written not in ({}, []):
            found[each.name] = written
    return found


def _euros(amount: Money) -> Number:
    whole, cents = divmod(amount.cents, 100)
    return Number(f"{whole}.{cents:02d}" if cents else whole)


def _exact(number: Fraction) -> Number:
    """An exact number with its decimals; only such come out of a file."""
    decimals, denominator = 0, number.denominator
    while denominator > 1 and 10**decimals % denominator:
        decimals += 1
    digits = str(number.numerator * 10**decimals // denominator).rjust(decimals + 1, "0")
    return Number(f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def _scale(scale: Scale) -> dict[str, Any]:
    anchors: Any = list(scale.anchors) or {Number(points(half)): words for half, words in scale.named}
    return _given(
        max=None if scale.marks_half else Number(points(scale.max_half)),
        step=None if scale.marks_half else Number(points(scale.step_half)),
        marks=[Number(points(half)) for half in scale.marks_half] or None,
        anchors=anchors or None,
    )


def _scoring(scoring: Scoring) -> dict[str, Any]:
    return _given(
        method=scoring.method.value,
        weights_count_for=scoring.weights_count_for.value,
        total_threshold_on=scoring.total_threshold_on.value,
        board_shift_max=Number(points(scoring.board_shift_half)) if scoring.board_shift_half else None,
        comment=scoring.comment.value,
        comment_words=Number(scoring.comment_words),
        evaluators_least=Number(scoring.evaluators_least) if scoring.evaluators_least else None,
    )


def _criterion(criterion: Criterion) -> dict[str, Any]:
    return _given(
        key=criterion.key,
        name=criterion.name,
        question=criterion.question,
        max=None if criterion.max_half is None else Number(points(criterion.max_half)),
    )


def _thresholds(least: Thresholds) -> dict[str, Any]:
    def half(found: int | None) -> Number | None:
        return None if found is None else Number(points(found))

    return _given(
        each=half(least.each_half),
        total=half(least.total_half),
        criteria={key: half(found) for key, found in least.by_criterion} or None,
    )


def _condition(condition: Condition) -> dict[str, Any]:
    test = fact_rule_of(condition)
    return _given(
        key=condition.key,
        rule=condition.rule,
        kind=condition.kind.value,
        test=None if test is None else _fact_rule(test),
        confidence=condition.confidence.value,
        source=condition.source,
        note=condition.note,
    )


def _fact_rule(test: FactRule) -> dict[str, Any]:
    def number(found: int | None) -> Number | None:
        return None if found is None else Number(found)

    return _given(
        fact=test.fact.value,
        of=None if test.of is Whom.EVERYBODY else test.of.value,
        at_least=number(test.at_least),
        at_most=number(test.at_most),
        together=number(test.together),
        countries=list(test.countries) or None,
        lists=list(test.lists) or None,
        allowed=list(test.words) or None,
        question=test.question,
        # No amount means none at all.
        at_most_eur=_euros(test.money) if test.fact is FactKind.MONEY and test.money else None,
        joint=True if test.joint else None,
    )


def _parent_rules(rules: ParentRules) -> dict[str, Any]:
    renamed = {"funding_rate_max": "funding_rate_percent_max", "flat_rate_max": "flat_rate_percent_max"}
    return {renamed.get(name, name): value for name, value in _record(rules).items()}


# --- one value read back ------------------------------------------------------------------------------------------


def read_value(path: str, text: str) -> Any:
    """One value of a call from the YAML a form made of it, by the same rules as a file; None where it says nothing.

    Raises :class:`Problems`, each at the path of the field it is about.
    """
    entry, reading = FIELDS[path], Reading(in_form=True)
    pairs = reading.pairs(composed(text), "")
    value = reading.value(entry.kind, pairs["value"], "value") if "value" in pairs else None
    if reading.problems:
        found = [Problem(problem.place.partition(" (")[0], problem.message) for problem in reading.problems]
        raise Problems("Nothing was saved.", found)
    return entry.finish(value) if value is not None and entry.finish is not None else value


def edited(before: Sourced, value: Any) -> Sourced:
    """A value as a person set it: stated by the programme; the same value again keeps how sure it was."""
    if value == before.value:
        return before
    if value is None:
        return NOT_FOUND
    return Sourced(value, Confidence.STATED, None, None)
