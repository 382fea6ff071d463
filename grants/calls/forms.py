"""Forms of calls: a file to bring in, deadline, document version, budget, and deeds without input."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from flask import request
from wtforms import FileField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from grants.calls.rules import (
    BudgetInput,
    CallView,
    CorrigendumInput,
    DatesInput,
    DeadlineInput,
    DocumentInput,
    Number,
    Opening,
    key_from,
    literal_of,
    option_words,
    said,
)
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.calls.rules.sessions import SessionInput, SessionView
from grants.calls.states import Confidence
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
    amount,
    clock_time,
    day,
    flag,
    one_of,
    plain_text,
    zone,
)
from grants.web.forms import DateField, Form, MoneyField, Needed, TimeField, choices

FOLD_CHOICES = choices(
    [("", "It does not"), (Fold.EARLIER.value, "The first one"), (Fold.LATER.value, "The second one")]
)
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
        choices=FOLD_CHOICES,
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


class CorrigendumForm(DeedForm):
    """Why a published call changes, and what was decided about its deadline."""

    reason = TextAreaField("Why the call changes", [Needed("Say why the call changes."), Length(max=2000)])
    decision = RadioField(
        "The deadline",
        [Needed("Say what you decided about the deadline.")],
        choices=choices([("kept", "It is kept: the time that is left is enough"), ("moved", "It is moved")]),
    )
    kept_reason = TextAreaField("If it is kept, why the time is enough", [Length(max=1000)])
    day = DateField("If it is moved, the new day")
    time = TimeField("At what time")
    fold = RadioField("If the clocks go back that night and this time comes twice", choices=FOLD_CHOICES, default="")
    moved_reason = TextAreaField("If it is moved, why so far", [Length(max=1000)])

    def validate_moved_reason(self, field: TextAreaField) -> None:
        """A reason is needed where the deadline is moved."""
        if self.decision.data != "moved":
            return
        if not (field.data or "").strip():
            raise ValidationError("Say why the deadline moves to that time.")

    def add_problem(self, error: Invalid | Refused) -> None:
        """What is wrong with the local time stands beside the day."""
        problems = dict(getattr(error, "problems", {}))
        if "local" in problems:
            error = Invalid(str(error), {**problems, "day": problems.pop("local")})
        super().add_problem(error)

    def to_input(self) -> CorrigendumInput:
        """The decision as its frozen value."""
        if self.decision.data != "moved":
            return CorrigendumInput(self.reason.data or "", None, self.kept_reason.data or "")
        words, fold = self.moved_reason.data or "", Fold(self.fold.data) if self.fold.data else None
        if self.day.data is None or self.time.data is None:
            sentence = "Enter the day and the time of the new deadline."
            raise Invalid(sentence, {"day": sentence})
        local = datetime.combine(self.day.data, self.time.data)
        return CorrigendumInput(self.reason.data or "", DeadlineInput(local, words, words, fold))


class WordingForm(DeedForm):
    """What everybody reads of corrected wording; without it the program writes the note itself."""

    note = StringField("Note on the page of the call", [Length(max=300)])


class BuildDatesForm(DeedForm):
    """Zone, opening and first deadline of a draft, with the words printed where they differ from the program's own."""

    zone = StringField(
        "Time zone", [Needed("Enter a time zone, for example Europe/Brussels.")], render_kw={"list": "zones"}
    )
    opens_day = DateField("Opens on")
    opens_time = TimeField("Opening hour")
    day = DateField("Deadline, day")
    time = TimeField("Deadline, time")
    fold = RadioField(
        "Which of the two is meant?", choices=choices([(fold.value, "") for fold in Fold]), validate_choice=False
    )
    literal = StringField("Deadline as printed", [Length(max=200)])

    @classmethod
    def of(cls, call: CallView) -> BuildDatesForm:
        """The form with the dates that stand; the words of the program itself are left to the program."""
        opening: Opening | None = call.opening
        given: dict[str, Any] = {"version": call.version, "zone": call.zone}
        if opening is not None:
            given |= {"opens_day": opening.day}
            given |= {"opens_time": time.fromisoformat(opening.time)} if opening.time else {}
        if call.deadline is not None:
            local = clock.in_zone(call.deadline.closes_at, call.zone)
            own = call.deadline.literal == literal_of(call.deadline.closes_at, call.zone)
            fold = Fold.LATER if local.fold else Fold.EARLIER
            given |= {"day": local.date(), "time": local.time(), "fold": fold.value}
            given |= {} if own else {"literal": call.deadline.literal}
        return cls(**given)

    def ask_which(self) -> bool:
        """Whether the clocks go back over the deadline, so that it must be said which one is meant.

        The two choices then say what the clock and its distance to world time are at each.
        """
        try:
            both = clock.both_times(self.local(), self.zone.data or "") if self.day.data and self.time.data else ()
        except Invalid:
            return False
        names = [(each.tzname(), clock.offset_where_unclear(each, self.zone.data or "")) for each in both]
        words = [
            f"The {order}, {name} ({offset})" for order, (name, offset) in zip(("first", "second"), names, strict=False)
        ]
        self.fold.choices = choices([(fold.value, said) for fold, said in zip(Fold, words, strict=False)])
        return bool(both)

    def local(self) -> datetime:
        """Day and time of the deadline together, once both are there."""
        assert self.day.data is not None and self.time.data is not None
        return datetime.combine(self.day.data, self.time.data)

    def to_input(self) -> DatesInput:
        """The dates as their frozen value; a deadline is both, its day and its time."""
        if bool(self.day.data) != bool(self.time.data):
            name, what = ("time", "time") if self.day.data else ("day", "day")
            sentence = f"Enter the {what} of the deadline too."
            raise Invalid(sentence, {name: sentence})
        closes = self.local() if self.day.data else None
        fold = Fold(self.fold.data) if self.fold.data in tuple(Fold) else None
        hour = f"{self.opens_time.data:%H:%M}" if self.opens_time.data else None
        return DatesInput(self.zone.data or "", self.opens_day.data, hour, closes, self.literal.data or "", fold)

    def add_problem(self, error: Invalid | Refused) -> None:
        """What is wrong with the local time of the deadline stands beside its day."""
        super().add_problem(_beside_day(error))


def _beside_day(error: Invalid | Refused) -> Invalid | Refused:
    problems = dict(getattr(error, "problems", {}))
    if "local" not in problems:
        return error
    problems["day"] = problems.pop("local")
    return Invalid(str(error), problems)


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
        shown = str(field.data or "")
        if not shown.isdecimal() or len(shown) > 18:
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
# The short name of a question is no long text, though a question is.
_SHORT_NAMES = (".test.question", ".asked_if.question")
_SURE = one_of(Confidence, Confidence.TEMPLATE)
_DIGITS = re.compile(r"^[0-9]+([.][0-9]+)?$")
_DECIMAL_COMMA = re.compile(r"^[0-9]+,[0-9]+$")
_TAKE_OUT = "-take-out"
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
        places = {_dotted(problem.place): _sentence(problem.message) for problem in self.found}
        return _Drawing(self.path, places).node(self.kind, "value", self.label, self.tree)

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
_CALLED = ("title", "name", "label", "rule")


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
    if not is_words and kind is not amount and _DECIMAL_COMMA.match(text):
        text = text.replace(",", ".")
    return Number(text) if not is_words and _DIGITS.match(text) else text


class CopyForm(DeedForm):
    """A new call made from a past one."""

    title = StringField("Title of the new call", [Needed("Enter a title."), Length(max=200)])
    year = StringField("Year", [Needed("Enter the year, for example 2027.")])

    def validate_year(self, field: StringField) -> None:
        """A year of four digits."""
        if not re.fullmatch("20[0-9]{2}", str(field.data or "").strip()):
            raise ValidationError("Enter the year with four digits, for example 2027.")
