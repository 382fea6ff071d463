"""Small YAML documents read against a declared schema: closed keys, exact values, every problem with its place.

Kinds are functions from a node to a value; nothing in a document is executed, and no number becomes a
float. What a document means is for the stage that owns its schema.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from grants.core import clock
from grants.core.errors import Invalid, Problem, Problems, quoted
from grants.core.money import Money, parse_money

FILE_BYTES_MAX = 200_000
EVENTS_MAX = 20_000
DEPTH_MAX = 20
TEXT_MAX = 4_000
# Python refuses to read numbers of thousands of digits; no value here comes near this.
DIGITS_MAX = 40

# What is said of a key that a group must have; a form says it in the words of its field.
MISSING = "is missing."

_TAG = "tag:yaml.org,2002:"
# What a text in quotes can spell ("\\0") and neither a database nor a page can hold.
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_WHOLE = re.compile(r"^(0|[1-9][0-9_]*)$")
_NUMBER = re.compile(r"^(0|[1-9][0-9]*)(\.[0-9]+)?$")
# A plain number with three decimals would be read as thousands by people and as a fraction by YAML.
_CENTS = re.compile(r"^[0-9]+\.[0-9]{1,2}$")
_CLOCK = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
_WHAT = {"int": "a number", "float": "a number", "bool": "yes or no", "null": "null", "timestamp": "a date"}


@dataclass(slots=True)
class Reading:
    """What goes wrong while a file is read, and what a kind wants to be known about the value it read.

    ``in_form``: the text was made of the fields of a form, so sentences speak of fields and not of the file format.
    """

    problems: list[Problem] = field(default_factory=list)
    noticed: list[Any] = field(default_factory=list)
    commas: set[int] = field(default_factory=set)
    in_form: bool = False

    def wrong(self, node: yaml.Node, place: str, message: str) -> None:
        """Note a problem with the path of keys that leads to it and its line."""
        self.problems.append(Problem(f"{place or 'the file'} ({_line(node.start_mark)})", message))

    def value(self, kind: Kind, node: yaml.Node, place: str) -> Any:
        """The value of a node, None for null or where a problem was noted."""
        return None if is_null(node) else kind(node, place, self)

    def pairs(self, node: yaml.Node, place: str) -> dict[str, yaml.Node]:
        """The entries of a mapping; a repeated key is a problem, never the last one wins."""
        found: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            said = f"must be a group of values, not {what(node)}."
            self.wrong(node, place, "needs a name, a colon and what it is on each line." if self.in_form else said)
            return found
        self._join_sentences(node)
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if not name:
                self.wrong(key, place, "has a key that is not a word.")
            elif name in found:
                self.wrong(key, under(place, name), "stands here twice. Keep one.")
            else:
                found[name] = value
        return found

    def _join_sentences(self, node: yaml.MappingNode) -> None:
        """Put a sentence with unquoted commas together again: ``{note: one, two}`` has no colon after “two”."""
        kept: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if kept and _continues(key, value, kept[-1][1]):
                kept[-1][1].value += f", {key.value}"
                self.commas.add(key.start_mark.line + 1)
            else:
                kept.append((key, value))
        node.value = kept

    def unknown(self, pairs: Mapping[str, yaml.Node], known: Iterable[str], place: str) -> None:
        """Refuse every key that is not known; the last sentence of a place says which are."""
        names = sorted(known)
        strange = [(name, node) for name, node in pairs.items() if name not in names]
        for number, (name, node) in enumerate(strange, 1):
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean “{near[0]}”?" if near else ""
            all_known = f" Known: {', '.join(names)}." if number == len(strange) else ""
            self.wrong(node, under(place, name), f"is not known here.{hint}{all_known}")


Kind = Callable[[yaml.Node, str, Reading], Any]


def without_signs(text: str) -> str:
    """Typed text without the signs that no text has, as a form takes it: nobody sees them, and no file could hold them."""
    return _NO_TEXT.sub("", text)


def under(place: str, name: str) -> str:
    """The path of a key inside a place."""
    return f"{place}.{name}" if place else name


def is_null(node: yaml.Node) -> bool:
    """Whether a value was left open."""
    return isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null"


def _continues(key: yaml.Node, value: yaml.Node, last: yaml.Node) -> bool:
    """Whether this “key” has no colon and follows a text without quotes."""
    bare = isinstance(key, yaml.ScalarNode) and is_null(value) and value.start_mark.index == key.end_mark.index
    return bare and isinstance(last, yaml.ScalarNode) and last.tag == _TAG + "str" and last.style is None


def what(node: yaml.Node) -> str:
    """What a node is, in a word for people."""
    if isinstance(node, yaml.MappingNode):
        return "a group of values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return _WHAT.get(node.tag.removeprefix(_TAG), "text")


def raw_of(node: yaml.Node, place: str, reading: Reading, wanted: str, *tags: str) -> str | None:
    """The characters of a scalar as typed, where its type is one of ``tags``."""
    if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_TAG) in tags:
        return node.value.strip()
    if reading.in_form and isinstance(node, yaml.ScalarNode):
        reading.wrong(node, place, f"is {quoted(node.value)}; it must be {wanted}.")
        return None
    shown = f" {quoted(node.value)}" if isinstance(node, yaml.ScalarNode) else ""
    quotes = " Write it in quotes." if "str" in tags and isinstance(node, yaml.ScalarNode) else ""
    reading.wrong(node, place, f"must be {wanted}, not {what(node)}{shown}.{quotes}")
    return None


def plain_text(node: yaml.Node, place: str, reading: Reading) -> str | None:
    """A text; a number or a date without quotes is refused, so that “010” and “NO” stay what was meant."""
    raw = raw_of(node, place, reading, "text", "str")
    if raw is not None and len(raw) > TEXT_MAX:
        reading.wrong(node, place, f"has {len(raw)} characters; the limit is {TEXT_MAX}. Shorten it.")
        return None
    if raw == "":
        reading.wrong(node, place, f"is empty. Write the text, or {_nothing(reading)}.")
    return raw or None


def _nothing(reading: Reading) -> str:
    """How one says that something is not known."""
    return "leave it out" if reading.in_form else "null where it was not found"


def flag(node: yaml.Node, place: str, reading: Reading) -> bool | None:
    """True or false."""
    raw = raw_of(node, place, reading, "true or false", "bool")
    return None if raw is None else raw.lower() in {"true", "yes", "on"}


def whole(least: int, most: int) -> Kind:
    """A whole number between two limits."""

    def read(node: yaml.Node, place: str, reading: Reading) -> int | None:
        raw = raw_of(node, place, reading, "a whole number", "int")
        if raw is None:
            return None
        if len(raw) > DIGITS_MAX or not _WHOLE.match(raw) or not least <= int(raw) <= most:
            reading.wrong(node, place, f"is {raw[:40]}; it must be a whole number from {least} to {most}.")
            return None
        return int(raw)

    return read


def exact(least: int, most: int) -> Kind:
    """A number with any decimals as an exact fraction, never a float."""

    def read(node: yaml.Node, place: str, reading: Reading) -> Fraction | None:
        raw = raw_of(node, place, reading, "a number", "int", "float")
        if raw is None:
            return None
        if len(raw) > DIGITS_MAX or not _NUMBER.match(raw) or not least <= Fraction(raw) <= most:
            reading.wrong(node, place, f"is {raw[:40]}; it must be a number from {least} to {most}.")
            return None
        return Fraction(raw)

    return read


def amount(node: yaml.Node, place: str, reading: Reading) -> Money | None:
    """An amount in euros above zero, plain or in any European way of writing."""
    raw = raw_of(node, place, reading, "an amount in euros", "int", "float", "str")
    if raw is None:
        return None
    plain_number = raw.replace("_", "") if node.tag == _TAG + "int" else raw
    if len(raw) > DIGITS_MAX:
        reading.wrong(node, place, f"has {len(raw)} characters; an amount has at most {DIGITS_MAX}.")
        return None
    if node.tag == _TAG + "float" and not _CENTS.match(raw):
        instead = "with at most two decimals" if reading.in_form else "with two decimals, or the amount in quotes"
        reading.wrong(node, place, f"is {raw[:40]}; write euros {instead}.")
        return None
    try:
        euros = parse_money(plain_number)
    except Invalid as error:
        reading.wrong(node, place, str(error))
        return None
    if not euros:
        reading.wrong(node, place, f"is zero. Write the amount, or {_nothing(reading)}.")
    return euros or None


def day(node: yaml.Node, place: str, reading: Reading) -> date | None:
    """A calendar day."""
    raw = raw_of(node, place, reading, "a day such as 2022-09-05", "str", "timestamp")
    try:
        if raw is not None and reading.in_form:
            return clock.read_date(raw)
        return None if raw is None else date.fromisoformat(raw)
    except (ValueError, Invalid):
        reading.wrong(node, place, f"{quoted(raw)} is not a day. Write year, month and day: 2022-09-05.")
        return None


def clock_time(node: yaml.Node, place: str, reading: Reading) -> str | None:
    """Hours and minutes as ``HH:MM``."""
    # YAML reads 12:00 as the number 720: the characters as typed are what was meant.
    raw = raw_of(node, place, reading, "a time such as 12:00", "str", "int")
    if raw is not None and not _CLOCK.match(raw):
        reading.wrong(node, place, f"{quoted(raw)} is not a time. Write hours and minutes: 12:00.")
        return None
    return raw


def moment(node: yaml.Node, place: str, reading: Reading) -> datetime | None:
    """An instant: a time that carries its offset."""
    raw = raw_of(node, place, reading, "a time with its zone", "str", "timestamp")
    try:
        instant = None if raw is None else datetime.fromisoformat(raw)
    except ValueError:
        instant = None
        reading.wrong(node, place, f"{quoted(raw)} is not a time. Write it as 2022-11-15T12:00:00+01:00.")
    if instant is not None and instant.tzinfo is None:
        local = "" if reading.in_form else ", or use “local”"
        reading.wrong(node, place, f"{quoted(raw)} has no zone. Write it as {raw}+01:00{local}.")
        return None
    return instant


def wall_time(node: yaml.Node, place: str, reading: Reading) -> datetime | None:
    """A local time without a zone."""
    raw = raw_of(node, place, reading, "a local time such as 2022-11-15 12:00", "str", "timestamp")
    try:
        local = None if raw is None else datetime.fromisoformat(raw)
    except ValueError:
        local = None
        reading.wrong(node, place, f"{quoted(raw)} is not a time. Write it as 2022-11-15 12:00.")
    if local is not None and local.tzinfo is not None:
        said = "carries a zone. Write an instant as “iso”, a local time without a zone."
        reading.wrong(node, place, "carries a zone. Leave it out." if reading.in_form else said)
        return None
    return local


def zone(node: yaml.Node, place: str, reading: Reading) -> str | None:
    """The IANA name of a time zone."""
    name = plain_text(node, place, reading)
    try:
        return None if name is None else clock.zone(name).key
    except Invalid as error:
        reading.wrong(node, place, str(error))
        return None


class OneOf:
    """A word of a closed list; ``allowed`` is what a form offers."""

    def __init__(self, choices: type[StrEnum], left_out: Sequence[StrEnum] = ()) -> None:
        self.choices = choices
        self.allowed = tuple(choice for choice in choices if choice not in left_out)

    def __call__(self, node: yaml.Node, place: str, reading: Reading) -> Any:
        raw = raw_of(node, place, reading, f"one of {', '.join(self.allowed)}", "str")
        if raw is None:
            return None
        if raw not in self.allowed:
            reading.wrong(node, place, f"is {quoted(raw)}; it may be {', '.join(self.allowed)}.")
            return None
        return self.choices(raw)


def one_of(choices: type[StrEnum], *left_out: StrEnum) -> OneOf:
    """A word of a closed list, but for those left out."""
    return OneOf(choices, left_out)


# --- lists and groups -----------------------------------------------------------------------------------------------


class Items:
    """A list of one kind of thing."""

    def __init__(self, kind: Kind, *, most: int = 200) -> None:
        self.kind = kind
        self.most = most

    def __call__(self, node: yaml.Node, place: str, reading: Reading) -> tuple[Any, ...] | None:
        if not isinstance(node, yaml.SequenceNode):
            reading.wrong(node, place, f"must be a list, not {what(node)}.")
            return None
        if len(node.value) > self.most:
            reading.wrong(node, place, f"has {len(node.value)} entries; the limit is {self.most}.")
            return None
        found = []
        for position, child in enumerate(node.value):
            inside = f"{place}[{position}]"
            if is_null(child):
                reading.wrong(child, inside, "is empty. Remove the entry or fill it.")
            else:
                found.append(self.kind(child, inside, reading))
        return tuple(value for value in found if value is not None)


class Record:
    """A group with a closed list of keys, built into one value once everything in it is right.

    ``older`` are keys that files may still use and no form offers any more.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        kinds: Mapping[str, Kind],
        required: Sequence[str] = (),
        older: Sequence[str] = (),
    ) -> None:
        self.build = build
        self.kinds = kinds
        self.required = required
        self.older = older

    @property
    def offered(self) -> dict[str, Kind]:
        """What a form asks for."""
        return {name: kind for name, kind in self.kinds.items() if name not in self.older}

    def __call__(self, node: yaml.Node, place: str, reading: Reading) -> Any:
        return self.built(reading.pairs(node, place), node, place, reading)

    def built(self, pairs: Mapping[str, yaml.Node], node: yaml.Node, place: str, reading: Reading) -> Any:
        before = len(reading.problems)
        reading.unknown(pairs, self.kinds, place)
        values = {
            name: reading.value(self.kinds[name], child, under(place, name))
            for name, child in pairs.items()
            if name in self.kinds
        }
        for name in self.required:
            if name not in pairs or is_null(pairs[name]):
                reading.wrong(node, under(place, name), MISSING)
        if len(reading.problems) > before:
            return None
        return self.build(**{name: value for name, value in values.items() if value is not None})


class Table:
    """A group whose keys are free words: short names of sources, weights by criterion."""

    def __init__(self, kind: Kind, build: Callable[..., Any]) -> None:
        self.kind = kind
        self.build = build

    def __call__(self, node: yaml.Node, place: str, reading: Reading) -> tuple[Any, ...]:
        found = []
        for name, child in reading.pairs(node, place).items():
            value = reading.value(self.kind, child, under(place, name))
            if value is not None:
                found.append(self.build(name, value))
        return tuple(found)


def _line(mark: Any) -> str:
    return f"line {mark.line + 1}" if mark else "the file"


class _Composer(Composer, Resolver):
    """Makes the tree of events that were read already: reading them is nearly all the work."""

    def __init__(self, events: Sequence[yaml.Event]) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        self._events = deque(events)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        return bool(self._events) and (not kinds or isinstance(self._events[0], kinds))

    def peek_event(self) -> yaml.Event | None:
        return self._events[0] if self._events else None

    def get_event(self) -> yaml.Event | None:
        return self._events.popleft() if self._events else None


def composed(text: str) -> yaml.Node:
    """The node tree of one small, plain YAML document; nothing in it is executed or repeated by reference."""
    size = len(text.encode(errors="replace"))
    if size > FILE_BYTES_MAX:
        raise Problems(
            "Nothing was imported.",
            [Problem("the file", f"has {size:,} bytes; the limit is {FILE_BYTES_MAX:,}. Split it or shorten it.")],
        )
    found: list[Problem] = []
    events: list[yaml.Event] = []
    depth = documents = 0
    try:
        for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader), 1):
            events.append(event)
            line = _line(event.start_mark)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            if isinstance(event, yaml.ScalarEvent) and (strange := _NO_TEXT.search(event.value)):
                found.append(Problem(line, f"holds a sign that no text has ({strange[0]!a}). Take it out."))
            if isinstance(event, yaml.AliasEvent):
                found.append(Problem(line, f"repeats “{event.anchor}” by reference (*). Write the value out."))
            if documents > 1:
                found.append(Problem(line, "begins a second document (---). Put each in a file of its own."))
            if depth > DEPTH_MAX:
                found.append(Problem(line, f"is nested deeper than {DEPTH_MAX} levels. Split it or shorten it."))
            if number > EVENTS_MAX:
                found.append(Problem(line, f"is beyond {EVENTS_MAX:,} values. Split it or shorten it."))
            if depth > DEPTH_MAX or documents > 1 or number > EVENTS_MAX or len(found) > 50:
                break
        root = None if found else _Composer(events).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = _line(mark)
        why = getattr(error, "problem", None) or "it holds a character that does not belong in text"
        raise Problems(
            "Nothing was imported: this is not YAML.", [Problem(place, f"cannot be read here: {why}.")]
        ) from error
    if found:
        raise Problems("Nothing was imported.", found)
    if root is None:
        raise Problems("Nothing was imported.", [Problem("the file", "is empty.")])
    return root
