"""The form of one part of a call, made from the schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from grants.calls.forms.deeds import DeedForm
from grants.calls.rules import Number, key_from, missing_words, option_words, said
from grants.calls.states import Confidence
from grants.core.errors import Problem, Problems, quoted
from grants.core.yaml_schema import (
    MISSING,
    Items,
    Kind,
    OneOf,
    Record,
    Table,
    amount,
    clock_time,
    day,
    flag,
    one_of,
    plain_text,
    without_signs,
    zone,
)

_LONG = frozenset(
    {"rule", "hint", "intro", "label", "question", "guidance", "example", "condition", "evidence", "note", "value",
     "recipients", "procedure", "amount_rule", "title", "timing", "contract", "confidentiality"}
)  # fmt: skip

# The short name of a question is no long text, though a question is.
_SHORT_NAMES = (".test.question", ".asked_if.question")

_SURE = one_of(Confidence, Confidence.TEMPLATE)

# A number below nought is one too: its field then says what it may be.
_DIGITS = re.compile(r"^-?[0-9]+([.][0-9]+)?$")
_DECIMAL_COMMA = re.compile(r"^-?[0-9]+,[0-9]+$")

_TAKE_OUT = "-take-out"

# The field that says where an entry stands in its list.
PLACE = "place"

_IS_FLAG = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Node:
    """One field or group of a part's form; ``kind`` is text, long, choice, group or list."""

    name: str
    label: str
    kind: str
    value: str = ""
    hint: str = ""
    optional: bool = False
    options: tuple[tuple[str, str], ...] = ()
    children: tuple[Node, ...] = ()
    problem: str = ""

    @property
    def id(self) -> str:
        """The id of its field."""
        return self.name.replace(".", "-")

    @property
    def inside(self) -> dict[str, Node]:
        """Its fields, each by the last word of its name."""
        return {child.name.rpartition(".")[2]: child for child in self.children}

    @property
    def new(self) -> bool:
        """Whether an entry of a list is the empty one to fill in."""
        return self.value == "new"


class PartForm(DeedForm):
    """One value of a call, or one entry of its list: fields by the schema, read as YAML for the act.

    ``typed`` is the tree the browser sent; it goes back onto the page as it came.
    """

    def prepare(self, kind: Kind, tree: Any, label: str, *, path: str, taken: Collection[str] = ()) -> None:
        """Say what the form is of: the kind of value, the tree that stands, what people call it, and where it lies.

        ``taken`` are short names in use: what has none gets another one, made from its words.
        """
        self.kind, self.label, self.path = kind, label, path
        if request.method == "POST":
            self.tree = _built(kind, "value", request.form)
            _named(kind, self.tree, set(taken))
        else:
            self.tree = tree

    def node(self) -> Node:
        """The whole form, with the sentences of a refused act at their fields."""
        return _Drawing(self.path, dict(self._told())).node(self.kind, "value", self.label, self.tree)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Each sentence with the name and the id of its field; what has no field here keeps its place as words."""
        if not self.found:
            return super().what_is_wrong()
        wrong = _wrong(self.node())
        placed = [(_named_fault(self.path, node), node.id) for node in wrong]
        if self.place_problem:
            placed.append((f"Place: {self.place_problem}", PLACE))
        known = [node.problem for node in wrong]
        rest = [
            (place, said) for place, said in self._told() if place != PLACE and not any(said in each for each in known)
        ]
        return placed + [(f"{place}: {said}", "") for place, said in rest]

    def _told(self) -> list[tuple[str, str]]:
        """What is wrong, each with the dotted place of its field and its sentence.

        A short name is made of the words of an entry, so where the words are missing nothing is said about it.
        """
        found = [(_dotted(problem.place), problem.message) for problem in self.found]
        missing = {place for place, message in found if message == MISSING}
        wordless = {f"{place.rpartition('.')[0]}.key" for place in missing if place.rpartition(".")[2] in _CALLED}
        return [
            (place, (missing_words(self.path, place) if message == MISSING else "") or _sentence(message))
            for place, message in found
            if place not in missing & wordless
        ]

    # --- where an entry stands in its list ---

    def place_among(self, count: int, otherwise: int) -> int:
        """The place that was typed, counted from nought, ``otherwise`` where none was; raises :class:`Problems`."""
        typed = request.form.get(PLACE, "").strip()
        if not typed:
            return otherwise
        if typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= count:
            return int(typed) - 1
        there = (
            "there is only place 1. Write 1." if count == 1 else f"there are places 1 to {count}. Write one of them."
        )
        raise Problems("Nothing was saved.", [Problem(PLACE, f"is {quoted(typed)}; {there}")])

    def place_shown(self, number: int) -> str:
        """What stands in the field of the place: as it was typed, or where the entry stands."""
        return request.form.get(PLACE, str(number + 1))

    @property
    def place_problem(self) -> str:
        """What is wrong with the place that was typed."""
        return dict(self._told()).get(PLACE, "")


def _named_fault(path: str, node: Node) -> str:
    """A fault with the name of its field, where the sentence does not name it already."""
    return node.problem if node.problem == missing_words(path, node.name) else f"{node.label}: {node.problem}"


def _sentence(message: str) -> str:
    """What is said about a place of a file, as a sentence that stands alone beside its field."""
    return f"It {message}" if message[:1].islower() else message


def typed_words(node: Node, inside: str = "") -> list[tuple[str, str]]:
    """What was typed into a form, each with the words it stands under, as the page shows them."""
    if node.kind not in ("group", "list"):
        words = dict(node.options).get(node.value, node.value)
        return [(f"{inside}{node.label}", words)] if node.value.strip() else []
    if node.kind == "list" or node.name == "value":
        return [found for child in node.children for found in typed_words(child, inside)]
    return [found for child in node.children for found in typed_words(child, f"{inside}{node.label}, ")]


def _wrong(node: Node) -> list[Node]:
    """The fields of a form, from the top, at which something is wrong."""
    return [each for each in (node,) if each.problem] + [found for child in node.children for found in _wrong(child)]


def _dotted(place: str) -> str:
    return re.sub(r"\[([0-9]+)\]", r".\1", place)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The form of one part: where the part lies in the schema, and what was found wrong at which place."""

    path: str
    problems: Mapping[str, str]

    def node(self, kind: Kind, name: str, label: str, tree: Any) -> Node:
        problem = self.problems.get(name, "")
        hint = said(self.path, name)[1]
        if isinstance(kind, Record):
            inside = tree if isinstance(tree, dict) else {}
            children = tuple(
                replace(
                    self.node(child, f"{name}.{key}", said(self.path, f"{name}.{key}")[0], inside.get(key)),
                    optional=key not in kind.required or key == "key",
                )
                for key, child in kind.offered.items()
            )
            return Node(name, label, "group", children=children, problem=problem)
        if isinstance(kind, Items) and isinstance(kind.kind, Record):
            # A table without a column yet gets room for several at once.
            entries = [*(tree or ()), *[None] * (3 if name.endswith(".columns") and not tree else 1)]
            children = tuple(
                replace(self.node(kind.kind, f"{name}.{n}", f"{label} {n + 1}", entry), value="" if entry else "new")
                for n, entry in enumerate(entries)
            )
            return Node(name, label, "list", children=children, problem=problem)
        if isinstance(kind, Items | Table):
            return Node(
                name, label, "long", _lines(kind, tree), hint or "One a line.", problem=_first(self.problems, name)
            )
        if name.endswith(".confidence"):
            kind = _SURE
        if isinstance(kind, OneOf):
            options = (("", "Not said"), *((each, option_words(kind.choices, each)) for each in kind.allowed))
            return Node(name, label, "choice", str(tree or ""), hint, options=options, problem=problem)
        if kind is flag:
            stands = "" if tree is None else "true" if tree is True else "false" if tree is False else str(tree)
            answers = (("", "Not said"), ("true", "Yes"), ("false", "No"))
            return Node(name, label, "choice", stands, hint, options=answers, problem=problem)
        is_long = name.rpartition(".")[2] in _LONG and kind is plain_text and not name.endswith(_SHORT_NAMES)
        text = "" if tree is None else str(tree)
        return Node(name, label, "long" if is_long else "text", text, hint, problem=problem)


# What an entry without a short name is called by.
_CALLED = ("title", "name", "label", "rule", "text")


def _named(kind: Kind, tree: Any, taken: set[str]) -> None:
    """Give every entry that has words and no short name one of its own, in the tree that was typed."""
    if isinstance(kind, Items) and isinstance(tree, list):
        for entry in tree:
            _named(kind.kind, entry, taken)
    if not isinstance(kind, Record) or not isinstance(tree, dict):
        return
    words = next((str(tree[name]) for name in _CALLED if tree.get(name)), "")
    if "key" in kind.kinds and words and not tree.get("key"):
        tree["key"] = key_from(words, taken)
        taken.add(tree["key"])
    for name, child in kind.kinds.items():
        _named(child, tree.get(name), taken)


def _first(problems: Mapping[str, str], name: str) -> str:
    """What is wrong in a list of lines stands at its one field, with the number of the line."""
    for place, sentence in problems.items():
        if place == name:
            return sentence
        if place.startswith(f"{name}."):
            number = place.removeprefix(f"{name}.").partition(".")[0]
            return f"{f'Line {int(number) + 1}' if number.isdecimal() else number}: {sentence}"
    return ""


def _lines(kind: Kind, tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    if isinstance(tree, dict) and not isinstance(kind, Table):
        return "\n".join(f"{mark} = {words}" for mark, words in tree.items())
    if isinstance(kind, Table):
        return "\n".join(f"{key}: {', '.join(v) if isinstance(v, list) else v}" for key, v in (tree or {}).items())
    return "\n".join(f"{e['value']} = {e['label']}" if isinstance(e, dict) else str(e) for e in tree or ())


def _built(kind: Kind, name: str, data: Mapping[str, str]) -> Any:
    """What the browser sent for one value, as the tree a file would hold; None where nothing was filled in."""
    if isinstance(kind, Record):
        found = {key: _built(child, f"{name}.{key}", data) for key, child in kind.offered.items()}
        return {key: value for key, value in found.items() if value is not None} or None
    if isinstance(kind, Items) and isinstance(kind.kind, Record):
        numbers = {int(m[1]) for key in data if (m := re.match(rf"{re.escape(name)}\.([0-9]{{1,3}})[.]", key))}
        kept = [n for n in sorted(numbers) if f"{name}.{n}{_TAKE_OUT}" not in data]
        entries = [_built(kind.kind, f"{name}.{n}", data) for n in kept]
        return [entry for entry in entries if entry is not None] or None
    text = without_signs(data.get(name, "").replace("\r\n", "\n")).strip()
    if not text:
        return None
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if isinstance(kind, Table) and ":" not in text:
        return text
    if isinstance(kind, Table):
        pairs = [line.partition(":") for line in lines]
        return {key.strip(): _of_line(kind.kind, value.strip()) for key, _, value in pairs}
    if isinstance(kind, Items):
        return [_of_line(kind.kind, line) for line in lines]
    if kind is flag:
        return _IS_FLAG.get(text)
    return _leaf(kind, text)


def _of_line(kind: Kind, line: str) -> Any:
    if isinstance(kind, Items):
        return [part.strip() for part in line.split(",") if part.strip()]
    value, equals, label = line.partition(" = ")
    if equals and kind not in (plain_text,):
        return {"value": value.strip(), "label": label.strip()}
    return _leaf(kind, line)


def _leaf(kind: Kind, text: str) -> Any:
    """Digits where a number is read, text anywhere else: what was typed decides nothing but its kind does."""
    is_words = isinstance(kind, OneOf) or kind in (plain_text, day, clock_time, zone)
    if not is_words and kind is not amount and _DECIMAL_COMMA.match(text):
        text = text.replace(",", ".")
    return Number(text) if not is_words and _DIGITS.match(text) else text
