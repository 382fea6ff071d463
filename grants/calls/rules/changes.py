"""What differs between two versions of a call, in words people can read; and which differences are only wording."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.calls.rules.content import NOT_FOUND, Sourced
from grants.calls.rules.schema import ELSEWHERE, FIELDS, Field
from grants.calls.rules.words import words_of
from grants.calls.rules.writing import tree_of
from grants.core.errors import Problem
from grants.core.money import parse_money

FORM_PATHS = ("application_form.sections", "application_form.own_sections")
# What a call is, as long as it lives: another one of these is another call.
FIXED = frozenset({"call.id", "call.year", "call.invented", "call.kind", "call.parent_grant"})
OPENING = frozenset({"dates.opens", "dates.opens_time"})
# Who is drawn by lot nobody decides who may know who applies.
DRAWING = "evaluation.draw"


class VersionKind(StrEnum):
    """How a version of a call came to be."""

    PUBLISHED = "published"
    CORRIGENDUM = "corrigendum"
    CORRECTION = "correction"


class DeadlineDecision(StrEnum):
    """What was decided about the deadline when a corrigendum was published."""

    KEPT = "kept"
    MOVED = "moved"


class ChangeKind(StrEnum):
    """What happened to a value or an entry of a list."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change table. ``path`` is the schema's, ``leaf`` the name of what changed inside an entry.

    ``section`` and ``question`` are keys of the form, where the change is about one of them.
    """

    path: str
    what: str
    kind: ChangeKind
    before: str = ""
    after: str = ""
    leaf: str = ""
    section: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class CallVersionView:
    """One published version of a call, without its content; ``correction`` counts wording corrected within it."""

    id: UUID
    number: int
    correction: int
    kind: VersionKind
    published_at: datetime
    reason: str
    changes: tuple[Change, ...]
    deadline: DeadlineDecision | None = None
    deadline_reason: str = ""

    @property
    def is_correction(self) -> bool:
        """Whether only wording was corrected."""
        return self.kind is VersionKind.CORRECTION


@dataclass(frozen=True, slots=True)
class OneExtension:
    """What everybody may know of an extension for one applicant: when it was given and why, never to whom."""

    given_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """What happened to a call since it was published: its versions, newest first, and extensions for one applicant."""

    versions: tuple[CallVersionView, ...] = ()
    extensions: tuple[OneExtension, ...] = ()

    @property
    def changed(self) -> tuple[CallVersionView, ...]:
        """The versions after the first."""
        return tuple(each for each in self.versions if each.kind is not VersionKind.PUBLISHED)


# --- the table ------------------------------------------------------------------------------------------------------

# By what an entry of a list is known, the first that it has.
_NAMED = ("key", "code", "name", "work_package", "category", "language", "value")
_TITLED = ("label", "title", "name", "rule", "code", "work_package", "category", "language", "key")

# What a name inside an entry is called for people who read a change table.
_WORDS: Mapping[str, str] = {
    "words_max": "most words",
    "characters_max": "most characters",
    "picks_max": "most choices",
    "rows_max": "most rows",
    "file_types": "types of file",
    "megabytes_max": "most megabytes",
    "pages_max": "most pages",
    "kind": "how it is answered",
    "required": "has to be answered",
    "choices": "choices",
    "criterion": "criterion it feeds",
    "asked_if": "asked only if",
    "published": "is published if selected",
    "intro": "introduction",
    "label": "wording",
    "title": "title",
    "in_flat_rate_base": "counts for indirect costs",
    "entered": "is entered",
    "at_most_eur": "at most, EUR",
    "due_month": "due in month",
    "share_percent": "share in percent",
    "step": "heading it stands under",
    "evaluation.scale.max": "highest mark",
    "evaluation.scale.step": "step between marks",
    "anchors": "words for marks",
    "max": "highest mark",
    "total_threshold_on": "threshold in all is tested on",
    "board_shift_max": "panel may move a score by",
    "comment": "comment demanded",
    "comment_words": "least words of a comment",
    "evaluators_least": "least assessments for a score",
    "within": "within points of the line",
    "address": "address",
    "decided_by": "who decides",
}


def name_words(name: str, path: str = "") -> str:
    """A name of the schema as people say it, within ``path`` where it means something else there.

    >>> name_words("words_max"), name_words("at_least")
    ('most words', 'at least')
    """
    return _WORDS.get(f"{path}.{name}") or _WORDS.get(name, name.replace("_", " "))


def changes(before: Mapping[str, Sourced], after: Mapping[str, Sourced]) -> tuple[Change, ...]:
    """Everything that differs, in the order of the schema; lists are compared entry by entry.

    How sure a value is and where it was seen is no change of the call.
    """
    numbers = _numbers(before) | _numbers(after)
    found: list[Change] = []
    for path, entry in FIELDS.items():
        old, new = before.get(path, NOT_FOUND).value, after.get(path, NOT_FOUND).value
        if path in ELSEWHERE or old == new:
            continue
        if path in FORM_PATHS:
            found += _sections(path, tree_of(entry, old) or [], tree_of(entry, new) or [], numbers)
        else:
            found += _value(entry, old, new)
    return tuple(found)


def _value(entry: Field, old: Any, new: Any) -> Iterator[Change]:
    before, after = tree_of(entry, old), tree_of(entry, new)
    if _is_entries(before) and _is_entries(after) and (before or after):
        yield from _entries(entry.path, entry.label, before or [], after or [])
    elif isinstance(before, dict) and isinstance(after, dict):
        yield from _leaves(entry.path, entry.label, before, after)
    else:
        kind = _kind(old, new)
        said = ["" if each is None else words_of(entry, each) for each in (old, new)]
        if said[0] == said[1]:
            said = [_said(each) for each in (before, after)]
        yield Change(entry.path, entry.label, kind, *said)


def _kind(old: Any, new: Any) -> ChangeKind:
    if old in (None, "", ()):
        return ChangeKind.ADDED
    return ChangeKind.REMOVED if new in (None, "", ()) else ChangeKind.CHANGED


def _is_entries(tree: Any) -> bool:
    return tree is None or (isinstance(tree, list) and all(isinstance(each, dict) for each in tree))


def _name_of(entry: Mapping[str, Any], place: int) -> str:
    return next((str(entry[name]) for name in _NAMED if name in entry), f"at {place}")


def _title_of(entry: Mapping[str, Any]) -> str:
    return next((str(entry[name]) for name in _TITLED if name in entry), "an entry")


def _by_name(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {_name_of(entry, place): entry for place, entry in enumerate(entries)}


def _entries(
    path: str, label: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], **about: str
) -> Iterator[Change]:
    """A list of groups, entry by entry: known by their key, whatever their place."""
    old, new = _by_name(before), _by_name(after)
    for name, entry in old.items():
        if name not in new:
            yield Change(path, f"{label}: “{_title_of(entry)}”", ChangeKind.REMOVED, _said(entry), **about)
    for name, entry in new.items():
        if name not in old:
            yield Change(path, f"{label}: “{_title_of(entry)}”", ChangeKind.ADDED, "", _said(entry), **about)
        elif old[name] != entry:
            yield from _leaves(path, f"{label}: “{_title_of(entry)}”", old[name], entry, **about)
    stayed = [[name for name in each if name in old and name in new] for each in (old, new)]
    if stayed[0] != stayed[1]:
        orders = [", ".join(_title_of(new[name]) for name in each) for each in stayed]
        yield Change(path, f"{label}: order", ChangeKind.MOVED, orders[0], orders[1], leaf="order", **about)


def _leaves(
    path: str, label: str, before: Mapping[str, Any], after: Mapping[str, Any], under: str = "", **about: str
) -> Iterator[Change]:
    """A group, value by value."""
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        leaf, what = f"{under}{name}", f"{label}, {name_words(name, path)}"
        if name == "translations":
            yield from _translated(path, what, old or [], new or [], **about)
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from _leaves(path, what, old, new, f"{leaf}.", **about)
        else:
            yield Change(path, what, _kind(old, new), _said(old, name), _said(new, name), leaf=leaf, **about)


def _translated(path: str, label: str, before: list[Any], after: list[Any], **about: str) -> Iterator[Change]:
    old, new = _by_name(before), _by_name(after)
    for language in dict.fromkeys((*old, *new)):
        if language in old and language in new:
            yield from _leaves(path, f"{label} ({language})", old[language], new[language], "translations.", **about)
        else:
            kind = ChangeKind.ADDED if language in new else ChangeKind.REMOVED
            said = _said(old.get(language)), _said(new.get(language))
            yield Change(path, f"{label} ({language})", kind, *said, leaf="translations", **about)


_AMOUNTS = frozenset({"amount", "at_most_eur"})
_CLOSED = frozenset({"method", "weights_count_for", "total_threshold_on", "comment"})


def _said(tree: Any, name: str = "") -> str:
    """A value as a file writes it, in words on one line."""
    if tree is None:
        return ""
    if name in _AMOUNTS:
        return str(parse_money(str(tree)))
    if isinstance(tree, bool):
        return "yes" if tree else "no"
    if isinstance(tree, dict):
        if set(tree) == {"value", "label"}:
            return str(tree["label"])
        kept = [(name, value) for name, value in tree.items() if name not in ("key", "confidence", "source")]
        return "; ".join(f"{name_words(name)}: {_said(value, name)}" for name, value in kept)
    if isinstance(tree, list):
        return ", ".join(_said(each) for each in tree)
    # A word of a closed list as people read it.
    return str(tree).replace("_", " ") if name in _CLOSED else str(tree)


# --- sections and questions -----------------------------------------------------------------------------------------


def _numbers(fields: Mapping[str, Sourced]) -> dict[str, str]:
    """By the key of a question or ``section <key>``, its number as people count: section 2, question 2.1."""
    found: dict[str, str] = {}
    trees = [tree_of(FIELDS[path], fields.get(path, NOT_FOUND).value) or [] for path in FORM_PATHS]
    for place, section in enumerate((each for tree in trees for each in tree), 1):
        found[f"section {section['key']}"] = str(place)
        for number, question in enumerate(section.get("questions") or (), 1):
            found[question["key"]] = f"{place}.{number}"
    return found


def _sections(path: str, before: list[Any], after: list[Any], numbers: Mapping[str, str]) -> Iterator[Change]:
    old, new = ({section["key"]: section for section in each} for each in (before, after))
    homes = [{q["key"]: s["key"] for s in each for q in s.get("questions") or ()} for each in (before, after)]
    for key, section in old.items():
        if key not in new:
            said = f"{len(section.get('questions') or ())} questions"
            yield Change(path, _section_words(section, numbers), ChangeKind.REMOVED, said, section=key)
    for key, section in new.items():
        what = _section_words(section, numbers)
        if key not in old:
            said = f"{len(section.get('questions') or ())} questions"
            yield Change(path, what, ChangeKind.ADDED, "", said, section=key)
        else:
            plain = [{k: v for k, v in each[key].items() if k != "questions"} for each in (old, new)]
            yield from _leaves(path, what, plain[0], plain[1], section=key)
    yield from _questions(path, before, after, homes, numbers)
    stayed = [key for key in old if key in new], [key for key in new if key in old]
    if stayed[0] != stayed[1]:
        orders = [", ".join(new[key]["title"] for key in each) for each in stayed]
        yield Change(path, "Sections of the form: order", ChangeKind.MOVED, orders[0], orders[1], leaf="order")


def _questions(
    path: str, before: list[Any], after: list[Any], homes: list[dict[str, str]], numbers: Mapping[str, str]
) -> Iterator[Change]:
    old, new = ({q["key"]: q for section in each for q in section.get("questions") or ()} for each in (before, after))
    titles = {section["key"]: section["title"] for each in (before, after) for section in each}
    for key, question in old.items():
        if key not in new:
            what = _question_words(question, numbers)
            yield Change(path, what, ChangeKind.REMOVED, _asked(question), section=homes[0][key], question=key)
    for key, question in new.items():
        what, about = _question_words(question, numbers), {"section": homes[1][key], "question": key}
        if key not in old:
            yield Change(path, what, ChangeKind.ADDED, "", _asked(question), **about)
            continue
        yield from _leaves(path, what, old[key], question, **about)
        if homes[0][key] != homes[1][key]:
            where = titles[homes[0][key]], titles[homes[1][key]]
            yield Change(path, f"{what}, section", ChangeKind.MOVED, *where, leaf="section", **about)
    for section in dict.fromkeys((*homes[0].values(), *homes[1].values())):
        orders = [[key for key in each if homes[0].get(key) == homes[1].get(key) == section] for each in (old, new)]
        if orders[0] != orders[1]:
            said = [", ".join(str(new[key]["label"]) for key in each) for each in orders]
            what = f"Questions of “{titles[section]}”: order"
            yield Change(path, what, ChangeKind.MOVED, said[0], said[1], leaf="order", section=section)


def _section_words(section: Mapping[str, Any], numbers: Mapping[str, str]) -> str:
    return f"Section {numbers.get('section ' + section['key'], '')} “{section['title']}”"


def _question_words(question: Mapping[str, Any], numbers: Mapping[str, str]) -> str:
    return f"Question {numbers.get(question['key'], '')} “{question['label']}”"


def _asked(question: Mapping[str, Any]) -> str:
    """A whole question on one line: its wording, and what of it limits the answer."""
    limits = {name: value for name, value in question.items() if name in _LIMITS}
    return "; ".join(filter(None, (str(question["label"]), _said(limits))))


_LIMITS = (
    *("kind", "required", "words_max", "characters_max", "picks_max", "rows_max", "choices", "criterion"),
    *("file_types", "megabytes_max", "pages_max", "published"),
)


# --- wording only ---------------------------------------------------------------------------------------------------

# Which texts are help or titles: all else of a call binds somebody.
_WORDING: Mapping[str, frozenset[str]] = {
    "call.title": frozenset({""}),
    "submission.required_attachments": frozenset({"label", "hint"}),
    "budget_categories": frozenset({"hint"}),
} | dict.fromkeys(
    FORM_PATHS,
    frozenset(
        {"title", "intro", "step", "label", "hint", "guidance", "example", "translations.label", "translations.hint"}
    ),
)
# A word of this kind more or less, and the sentence asks for something else.
_BINDING = frozenset(
    [
        "all",
        "always",
        "and",
        "any",
        "at",
        "both",
        "each",
        "either",
        "every",
        "except",
        "few",
        "fewer",
        "first",
        "if",
        "least",
        "less",
        "maximum",
        "may",
        "minimum",
        "more",
        "most",
        "must",
        "neither",
        "never",
        "no",
        "none",
        "nor",
        "not",
        "one",
        "only",
        "optional",
        "or",
        "required",
        "shall",
        "should",
        "two",
        "three",
        "unless",
        "until",
        "without",
    ]
)
WORDS_CORRECTED_MAX = 8


def wording_problem(change: Change) -> str | None:
    """Why a change is more than a correction of wording; None where it is one.

    A correction leaves every number and every word that binds as it was, and changes few words of a text that stays.
    """
    if change.leaf not in _WORDING.get(change.path, frozenset()):
        return "is no title, guidance or help: whatever limits, binds, costs or counts is changed by a corrigendum."
    if change.kind is not ChangeKind.CHANGED:
        return "appears or goes away as a whole; a correction only mends words of a text that stays."
    old, new = (re.findall(r"[^\W_]+(?:[-’'][^\W_]+)*", text) for text in (change.before, change.after))
    if [word for word in old if _has_digit(word)] != [word for word in new if _has_digit(word)]:
        return "changes a number."
    if [word for word in map(str.lower, old) if word in _BINDING] != [
        word for word in map(str.lower, new) if word in _BINDING
    ]:
        return "changes a word that binds, such as “must”, “only” or “not”."
    over = _words_changed(old, new)
    most = min(WORDS_CORRECTED_MAX, max(2, len(old) // 3))
    if over > most:
        return f"changes {over} words; a correction changes at most {most} of this text."
    return None


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _words_changed(old: list[str], new: list[str]) -> int:
    """How many words were taken out or put in, whichever are more at each place."""
    matched = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matched if tag != "equal")


def correction_problems(found: Sequence[Change]) -> tuple[Problem, ...]:
    """Each change that keeps these from being published as a mere correction, with why."""
    judged = ((change, wording_problem(change)) for change in found)
    return tuple(Problem(change.what, sentence) for change, sentence in judged if sentence is not None)


def fixed_problems(found: Sequence[Change], *, opened: bool) -> tuple[Problem, ...]:
    """What no corrigendum changes: what the call is, and its opening once that is past."""
    problems = []
    for change in found:
        if change.path in FIXED:
            problems.append(Problem(change.what, "does not change once a call is published. Make a new call instead."))
        elif opened and change.path in OPENING:
            problems.append(Problem(change.what, "lies in the past. Put it back as it was."))
        elif opened and change.path.startswith(DRAWING):
            problems.append(Problem(change.what, "does not change once applications are taken. Put it back as it was."))
    return tuple(problems)


def correction_note(found: Sequence[Change]) -> str:
    """What the public reads of corrected wording.

    >>> correction_note([Change("call.title", "Title", ChangeKind.CHANGED)])
    'Wording corrected: title.'
    """
    named = []
    for change in found:
        head = change.what.partition(" “")[0] if change.question or change.section else change.what
        named.append(head[:1].lower() + head[1:])
    return f"Wording corrected: {', '.join(dict.fromkeys(named))}."
