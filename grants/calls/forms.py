"""Forms of calls: a file to bring in, deadline, document version, budget, and deeds without input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import request
from wtforms import FileField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from grants.calls.rules import BudgetInput, CallView, DeadlineInput, DocumentInput, Number, literal_of
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.calls.rules.sessions import SessionInput, SessionView
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid, Problem, Problems, Refused
from grants.core.money import Money
from grants.core.yaml_schema import (
    FILE_BYTES_MAX,
    Items,
    Kind,
    OneOf,
    Record,
    Table,
    clock_time,
    day,
    flag,
    plain_text,
    zone,
)
from grants.web.forms import DateField, Form, MoneyField, Needed, TimeField, choices

TEMPLATE_CHOICES = choices([("", "No template"), ("horizon-like", "Horizon-like template")])


class DeedForm(Form):
    """A deed without anything to fill in; the version says what the person saw."""

    version = HiddenField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.found: tuple[Problem, ...] = ()

    def add_problem(self, error: Invalid | Refused) -> None:
        """Many problems are listed by the page with their places, one under the other."""
        if isinstance(error, Problems):
            self.found = error.found
            self.problems.append(error.args[0])
        else:
            super().add_problem(error)


class ImportForm(DeedForm):
    """A call file, uploaded or pasted."""

    file = FileField("Call file")
    text = TextAreaField(
        "Or paste it here", [Length(max=FILE_BYTES_MAX, message="The text is too long for a call file.")]
    )

    def to_input(self) -> str:
        """The text of the file; raises :class:`Invalid` where it is missing, too large or not text."""
        upload = self.file.data
        if upload is None or not getattr(upload, "filename", ""):
            pasted = self.text.data or ""
            if not pasted.strip():
                raise Invalid(
                    "Choose a call file, or paste its text.", {"file": "Choose a call file, or paste its text."}
                )
            return pasted
        content = upload.stream.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            sentence = f"The file is larger than {FILE_BYTES_MAX:,} bytes. A call file is smaller; choose another."
            raise Invalid(sentence, {"file": sentence})
        try:
            return str(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            sentence = "The file is not text in UTF-8. Save it as UTF-8 and choose it again."
            raise Invalid(sentence, {"file": sentence}) from error


class TemplateForm(DeedForm):
    """Which template fills what was not found."""

    template = SelectField("Template", choices=TEMPLATE_CHOICES[1:])


class _LocalTime(DeedForm):
    """A day and a time on the clock of the call."""

    day = DateField("Day", [Needed("Enter the day, for example 15 November 2022.")])
    time = TimeField("Time", [Needed("Enter the time on the 24-hour clock, for example 12:00.")])

    def local(self) -> datetime:
        """Day and time together, once the form was found good."""
        assert self.day.data is not None and self.time.data is not None
        return datetime.combine(self.day.data, self.time.data)

    def add_problem(self, error: Invalid | Refused) -> None:
        """What is wrong with the local time stands beside the day."""
        problems = dict(getattr(error, "problems", {}))
        if "local" in problems:
            problems["day"] = problems.pop("local")
            error = Invalid(str(error), problems)
        super().add_problem(error)


class DeadlineForm(_LocalTime):
    """A later deadline, its reason for the record, and the note everybody reads."""

    fold = RadioField(
        "If the clocks go back that night and this time comes twice",
        choices=choices(
            [("", "It does not"), (Fold.EARLIER.value, "The first one"), (Fold.LATER.value, "The second one")]
        ),
        default="",
    )
    reason = TextAreaField("Reason", [Needed("Say why the deadline moves."), Length(max=1000)])
    public_note = TextAreaField(
        "Note to applicants", [Needed("Write the note that applicants will read."), Length(max=2000)]
    )

    def to_input(self) -> DeadlineInput:
        """The new deadline as its frozen value."""
        fold = Fold(self.fold.data) if self.fold.data else None
        return DeadlineInput(self.local(), self.reason.data or "", self.public_note.data or "", fold)


class BuildDeadlineForm(_LocalTime):
    """The first deadline of a draft, with the words that are printed where they differ from the program's own."""

    literal = StringField("As printed", [Length(max=200)])

    @classmethod
    def of(cls, call: CallView) -> BuildDeadlineForm:
        """The form with the deadline that stands; the words of the program itself are left to the program."""
        stands = call.deadline
        if stands is None:
            return cls(version=call.version)
        local = clock.in_zone(stands.closes_at, call.zone)
        own_words = "" if stands.literal == literal_of(stands.closes_at, call.zone) else stands.literal
        return cls(version=call.version, day=local.date(), time=local.time(), literal=own_words)

    def to_input(self) -> DeadlineInput:
        """The deadline as its frozen value; the printed words stand where a note would."""
        return DeadlineInput(self.local(), "", self.literal.data or "")


class DocumentForm(DeedForm):
    """A new version of the documents with its table of changes, one change a line."""

    label = StringField("Version", [Needed("Enter the number of the version, for example 1.2."), Length(max=40)])
    published_on = DateField("Published on", [Needed("Enter the day, for example 5 September 2022.")])
    what = StringField("What it is", [Needed("Say what this version is."), Length(max=300)])
    changes = TextAreaField("What changed", [Length(max=20_000)])

    def to_input(self) -> DocumentInput:
        """The version as its frozen value, once the form was found good."""
        assert self.published_on.data is not None
        lines = tuple(line.strip() for line in (self.changes.data or "").splitlines() if line.strip())
        return DocumentInput(self.label.data or "", self.published_on.data, self.what.data or "", lines)


class SessionForm(DeedForm):
    """An information session: day and times on the clock of the call, where, and later its recording."""

    title = StringField("Title", [Needed("Enter a title."), Length(max=200)])
    day = DateField("Day", [Needed("Enter the day, for example 12 March 2027.")])
    starts = TimeField("Begins at", [Needed("Enter the time on the 24-hour clock, for example 10:00.")])
    ends = TimeField("Ends at", [Needed("Enter the time on the 24-hour clock, for example 11:30.")])
    place = StringField("Where", [Needed("Say where it is: a place, or “Online”."), Length(max=200)])
    link = StringField("Link to take part", [Length(max=500)])
    recording = StringField("Link to the recording", [Length(max=500)])

    @classmethod
    def of(cls, session: SessionView, zone: str) -> SessionForm:
        """The form with what is announced."""
        begins, ends = clock.in_zone(session.starts_at, zone), clock.in_zone(session.ends_at, zone)
        return cls(
            version=session.version,
            title=session.title,
            day=begins.date(),
            starts=begins.time(),
            ends=ends.time(),
            place=session.place,
            link=session.link or "",
            recording=session.recording or "",
        )

    def to_input(self) -> SessionInput:
        """The session as its frozen value, once the form was found good."""
        day, starts, ends = self.day.data, self.starts.data, self.ends.data
        assert day is not None and starts is not None and ends is not None
        return SessionInput(
            self.title.data or "",
            datetime.combine(day, starts),
            datetime.combine(day, ends),
            self.place.data or "",
            self.link.data or "",
            self.recording.data or "",
        )


class SlidesForm(DeedForm):
    """The slides of a session."""

    file = FileField("Slides, as a PDF")


class NoticeForm(DeedForm):
    """A version of the privacy notice, part by part."""

    controller = TextAreaField(HEADINGS["controller"])
    purpose = TextAreaField(HEADINGS["purpose"])
    legal_basis = TextAreaField(HEADINGS["legal_basis"])
    recipients = TextAreaField(HEADINGS["recipients"])
    retention = TextAreaField(HEADINGS["retention"])
    rights = TextAreaField(HEADINGS["rights"])
    contact = TextAreaField(HEADINGS["contact"])
    note = TextAreaField("What changed", [Length(max=1000)])

    def to_input(self) -> PrivacyText:
        """The notice as its frozen value; what is missing the act says."""
        return PrivacyText(**{name: str(self[name].data or "") for name in HEADINGS})


class CancelForm(DeedForm):
    """Why a call is given up."""

    reason = TextAreaField("Reason", [Needed("Say why the call is cancelled."), Length(max=1000)])


class BudgetForm(DeedForm):
    """What the budget of the call shall be; ``shown`` is what it was when the page was made."""

    amount = MoneyField("Budget of the call", [Needed("Enter an amount in euros, for example 32 000 000.")])
    note = TextAreaField("Note for the record", [Length(max=1000)])
    shown = HiddenField()

    def validate_shown(self, field: HiddenField) -> None:
        """A damaged hidden field is the page's fault, not the person's."""
        if not str(field.data or "").isdecimal():
            raise ValidationError("The page is too old. Reload it and enter the amount again.")

    def to_input(self) -> BudgetInput:
        """The decision as its frozen value, once the form was found good."""
        assert self.amount.data is not None
        return BudgetInput(self.amount.data, self.note.data or "", Money(int(self.shown.data)))


# --- one part of a call, its form made from the schema ---------------------------------------------------------------

_LONG = frozenset(
    {"rule", "hint", "intro", "label", "question", "guidance", "example", "condition", "evidence", "note", "value",
     "recipients", "procedure", "amount_rule", "title", "timing"}
)  # fmt: skip
# What a key of a call file is called where its own words would not be understood.
_SAID = {
    "words_max": "most words", "characters_max": "most characters", "picks_max": "most choices", "rows_max": "most rows",
    "megabytes_max": "most megabytes", "pages_max": "most pages", "no": "number", "intro": "introduction",
    "in_flat_rate_base": "counts for indirect costs", "label": "what people read", "key": "key (a short name, never shown)",
    "asked_if": "asked only if", "at_most_eur": "at most, EUR", "due_month": "due in month", "share_percent": "share in percent",
}  # fmt: skip
_DIGITS = re.compile(r"^[0-9]+([.][0-9]+)?$")
_TAKE_OUT = "-take-out"
_IS_FLAG = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Node:
    """One field or group of a part's form; ``kind`` is text, long, choice, group or list."""

    name: str
    label: str
    kind: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    children: tuple[Node, ...] = ()
    problem: str = ""

    @property
    def id(self) -> str:
        """The id of its field."""
        return self.name.replace(".", "-")

    @property
    def new(self) -> bool:
        """Whether an entry of a list is the empty one to fill in."""
        return self.value == "new"


class PartForm(DeedForm):
    """One value of a call, or one entry of its list: fields by the schema, read as YAML for the act.

    ``typed`` is the tree the browser sent; it goes back onto the page as it came.
    """

    def prepare(self, kind: Kind, tree: Any, label: str) -> None:
        """Say what the form is of: the kind of value, the tree that stands, and what people call it."""
        self.kind, self.label = kind, label
        self.tree = _built(kind, "value", request.form) if request.method == "POST" else tree

    def node(self) -> Node:
        """The whole form, with the sentences of a refused act at their fields."""
        places = {_dotted(problem.place): _sentence(problem.message) for problem in self.found}
        return _node(self.kind, "value", self.label, self.tree, places)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Each sentence with the name and the id of its field; what has no field here keeps its place as words."""
        if not self.found:
            return super().what_is_wrong()
        placed = [(f"{node.label}: {node.problem}", node.id) for node in _wrong(self.node())]
        known = {node.problem for node in _wrong(self.node())}
        rest = [p for p in self.found if not any(_sentence(p.message) in each for each in known)]
        return placed + [(f"{p.place}: {p.message}", "") for p in rest]


def _sentence(message: str) -> str:
    """What is said about a place of a file, as a sentence that stands alone beside its field."""
    return f"It {message}" if message[:1].islower() else message


def _wrong(node: Node) -> list[Node]:
    """The fields of a form, from the top, at which something is wrong."""
    return [each for each in (node,) if each.problem] + [found for child in node.children for found in _wrong(child)]


def _dotted(place: str) -> str:
    return re.sub(r"\[([0-9]+)\]", r".\1", place)


def _words(name: str) -> str:
    text = _SAID.get(name, name).replace("_", " ")
    return text[:1].upper() + text[1:]


def _node(kind: Kind, name: str, label: str, tree: Any, problems: Mapping[str, str]) -> Node:
    problem = problems.get(name, "")
    if isinstance(kind, Record):
        inside = tree if isinstance(tree, dict) else {}
        children = tuple(
            _node(child, f"{name}.{key}", _words(key), inside.get(key), problems) for key, child in kind.kinds.items()
        )
        return Node(name, label, "group", children=children, problem=problem)
    if isinstance(kind, Items) and isinstance(kind.kind, Record):
        entries = [*(tree or ()), None]
        children = tuple(
            replace(_node(kind.kind, f"{name}.{n}", f"{label} {n + 1}", entry, problems), value="" if entry else "new")
            for n, entry in enumerate(entries)
        )
        return Node(name, label, "list", children=children, problem=problem)
    if isinstance(kind, Items | Table):
        return Node(name, label, "long", _lines(kind, tree), problem=_first(problems, name))
    if isinstance(kind, OneOf):
        options = (("", "Not said"), *((each, _words(each)) for each in kind.allowed))
        return Node(name, label, "choice", str(tree or ""), options, problem=problem)
    if kind is flag:
        stands = "" if tree is None else "true" if tree is True else "false" if tree is False else str(tree)
        return Node(
            name, label, "choice", stands, (("", "Not said"), ("true", "Yes"), ("false", "No")), problem=problem
        )
    is_long = name.rpartition(".")[2] in _LONG and kind is plain_text
    return Node(name, label, "long" if is_long else "text", "" if tree is None else str(tree), problem=problem)


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
    if isinstance(kind, Table):
        return "\n".join(f"{key}: {', '.join(v) if isinstance(v, list) else v}" for key, v in (tree or {}).items())
    return "\n".join(f"{e['value']} = {e['label']}" if isinstance(e, dict) else str(e) for e in tree or ())


def _built(kind: Kind, name: str, data: Mapping[str, str]) -> Any:
    """What the browser sent for one value, as the tree a file would hold; None where nothing was filled in."""
    if isinstance(kind, Record):
        found = {key: _built(child, f"{name}.{key}", data) for key, child in kind.kinds.items()}
        return {key: value for key, value in found.items() if value is not None} or None
    if isinstance(kind, Items) and isinstance(kind.kind, Record):
        numbers = {int(m[1]) for key in data if (m := re.match(rf"{re.escape(name)}\.([0-9]{{1,3}})[.]", key))}
        kept = [n for n in sorted(numbers) if f"{name}.{n}{_TAKE_OUT}" not in data]
        entries = [_built(kind.kind, f"{name}.{n}", data) for n in kept]
        return [entry for entry in entries if entry is not None] or None
    text = data.get(name, "").replace("\r\n", "\n").strip()
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
    return Number(text) if not is_words and _DIGITS.match(text) else text


class CopyForm(DeedForm):
    """A new call made from a past one."""

    title = StringField("Title of the new call", [Needed("Enter a title."), Length(max=200)])
    year = StringField("Year", [Needed("Enter the year, for example 2027.")])

    def validate_year(self, field: StringField) -> None:
        """A year of four digits."""
        if not re.fullmatch("20[0-9]{2}", str(field.data or "").strip()):
            raise ValidationError("Enter the year with four digits, for example 2027.")
