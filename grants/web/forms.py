"""What every form shares: an idempotency key, the version it was shown with, problems put beside their fields."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time
from typing import Any, ClassVar, Protocol

from flask import g, request, url_for
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import Field, HiddenField, PasswordField, SelectChoice, SelectMultipleField, StringField, ValidationError
from wtforms.validators import StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from grants.core import acts, clock, files
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, Problems, Refused, quoted
from grants.core.money import Money, NegativeAmounts, parse_money, plain
from grants.core.text import without_turns

# A version is a whole number of the database; longer ones are nobody's, and equal to none.
VERSION_DIGITS_MAX = 18
NO_VERSION = -1

# Of what was sent and is no field, so many names are kept, and so much of each.
UNKNOWN_NAMES_MAX = 20
NAME_CHARACTERS_MAX = 60

STALE = "Somebody changed this while you were working, and nothing of yours was done. This page shows what stands now."

# What WTForms says by itself, as a sentence that says what to do.
_OUR_WORDS = {
    "This field is required.": "Fill this in.",
    "Not a valid choice.": "Choose one of the answers shown.",
    "Invalid Choice: could not coerce.": "Choose one of the answers shown.",
    "Invalid choice(s): one or more data inputs could not be coerced.": "Choose among the answers shown.",
    "'%(value)s' is not a valid choice for this field.": "Choose among the answers shown.",
    "'%(value)s' are not valid choices for this field.": "Choose among the answers shown.",
    "Not a valid integer value.": "Write a whole number in figures, for example 12.",
    "Not a valid decimal value.": "Write a number in figures, for example 12.5.",
    "The CSRF token is missing.": "The form is too old. Send it again.",
    "The CSRF session token is missing.": "The form is too old. Send it again.",
    "The CSRF token has expired.": "The form is too old. Send it again.",
    "The CSRF tokens do not match.": "The form is too old. Send it again.",
    "The CSRF token is invalid.": "The form is too old. Send it again.",
}

# What is told of any number, and of a line in any box.
_OF_NUMBERS = frozenset(_OUR_WORDS[said] for said in ("Not a valid integer value.", "Not a valid decimal value."))
_OF_A_LINE = re.compile(r"Line [0-9]")


def received(field: Field, *, allowed: Iterable[files.FileType]) -> files.Incoming | None:
    """The file that came with a form, looked into; what is wrong with it stands beside its field, and then it is None."""
    assert field.data is not None, "the form came with its file"
    try:
        return files.receive(field.data, allowed=allowed)
    except Invalid as error:
        field.errors = [*field.errors, str(error)]
        return None


class _Words:
    """The translations WTForms asks for: ours where we have one, its own otherwise."""

    def gettext(self, text: str) -> str:
        return _OUR_WORDS.get(text, text)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.gettext(singular if number == 1 else plural)


def _without_turns(data: Any) -> Any:
    return without_turns(data) if isinstance(data, str) else data


class Form(FlaskForm):
    """Base of every form that writes. ``act_key`` makes a double click or a reload one effect."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> _Words:
            return _Words()

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            """Typed text comes without invisible signs that turn the order of reading; passwords stay as typed."""
            kind = unbound_field.field_class
            if issubclass(kind, StringField) and not issubclass(
                kind, PasswordField | MoneyField | DateField | TimeField
            ):
                options = {**options, "filters": [*unbound_field.kwargs.get("filters", ()), _without_turns]}
            return unbound_field.bind(form=form, **options)

    act_key = HiddenField(default=lambda: secrets.token_urlsafe(18))
    # Where a sentence stands that is about no single field: beside the field named here.
    stands_at: ClassVar[Mapping[str, str]] = {}
    # Whether it moves money: what is sent beside its fields is ignored, as everywhere, and is then noted as well.
    moves_money: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[str] = []

    def checks(self) -> Iterable[Callable[[], object]]:
        """What asks more than one field, or a pure rule on the whole: each may raise :class:`Invalid`."""
        return ()

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Whether all is right: field by field, and by every check of the whole; all that is wrong is told at once.

        A field that is wrong by itself already is told of once.
        """
        if self.moves_money:
            _note_unknown(self)
        sound = bool(super().validate(*args, **kwargs))
        for check in self.checks():
            try:
                check()
            except Invalid as error:
                sound = False
                self.add_problem(error, but_not={name for name, field in self._fields.items() if field.errors})
        return sound

    def typed(self) -> list[tuple[str, str]]:
        """Label and text of what was typed, for a page on which the form itself stands no more."""
        fields = [field for field in self if field.type not in ("HiddenField", "CSRFTokenField")]
        # A choice among buttons is no text: it is chosen again in sight of what stands now.
        texts = [(field.label.text, field._value()) for field in fields if hasattr(field, "_value")]
        return [(label, text) for label, text in texts if text]

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn what an act refuses into the form's own problems; the block's ``return`` is then not reached.

        Where the password must be confirmed first, it is in another tab: what was typed here stays.
        """
        try:
            yield
        except NeedsFreshSignIn:
            self.problems.append(
                Markup(
                    'Nothing was done yet. <a href="{}" target="_blank" rel="noopener" class="govuk-link">Confirm your password'
                    "</a> (it opens in a new tab), then come back and send this again."
                ).format(url_for("identity.confirm_password"))
            )
        except (Invalid, Refused) as error:
            self.add_problem(error)

    def add_problem(self, error: Invalid | Refused, but_not: Container[str] = ()) -> None:
        """Put each sentence beside its field, the rest above the form; fields of ``but_not`` are told of already."""
        if isinstance(error, Problems):
            found = [(each.place, each.message, str(each)) for each in error.found]
        else:
            found = [(name, sentence, sentence) for name, sentence in getattr(error, "problems", {}).items()]
        for place, beside, above in found or [("", "", str(error))]:
            name = self.stands_at.get(place, place)
            if name not in self._fields:
                self.problems.append(above)
            elif name not in but_not:
                self._fields[name].errors = [*self._fields[name].errors, beside]

    def version_shown(self) -> int | None:
        """The version the person saw, where the form carries one; None where none was sent.

        Emptied, or no number, it is none of ours: equal to no version, so what is sent counts as stale.
        """
        field = self._fields.get("version")
        if field is None:
            return None
        text = str(field.data if field.data is not None else "")
        if text.isdecimal() and len(text) <= VERSION_DIGITS_MAX:
            return int(text)
        return NO_VERSION if field.raw_data else None

    def try_again(self, version: int) -> None:
        """After a clash: the next sending counts as a new deed, made in sight of what is stored now."""
        shown, key = self._fields.get("version"), self._fields.get("act_key")
        if shown is not None:
            shown.data, shown.raw_data = str(version), None
        if key is not None:
            key.data, key.raw_data = secrets.token_urlsafe(18), None

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Every sentence of what is wrong with the id of the control it belongs to, "" for the form as a whole."""
        found = [(sentence, "") for sentence in self.problems]
        for field in self._fields.values():
            found += _problems_of(field)
        return found


def _note_unknown(form: Form) -> None:
    """Keep by name what was sent and is no field: nobody's browser sends ``status=paid``. Values are not kept."""
    known = {*form._fields, "csrf_token"}
    unknown = sorted({name for name in request.form if name not in known})
    if unknown:
        names = [name[:NAME_CHARACTERS_MAX] for name in unknown[:UNKNOWN_NAMES_MAX]]
        acts.note_security("form.unknown_fields", actor=g.get("actor"), path=request.path, names=names)


class DeedForm(Form):
    """A button alone: a deed that needs nothing but its key."""


class ContestedForm(Form):
    """A form on something that others may change meanwhile: overtaken, it comes back with what was typed."""

    version = HiddenField()
    clashed = ""
    overtaken = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Refusals become problems of the form; a clash is remembered, so that the page can say who was faster."""
        try:
            with self.refusals():
                yield
        except Conflict as error:
            self.clashed = str(error)

    def try_again(self, version: int) -> None:
        """After a clash: the next sending counts as a new deed, made in sight of what stands now."""
        self.overtaken = self.version_shown() not in (None, version)
        self.version.data, self.version.raw_data = str(version), None
        self.act_key.data, self.act_key.raw_data = secrets.token_urlsafe(18), None

    def comes_again(self, version: int, *, stands: bool = True) -> None:
        """After a clash: the form keeps what was typed and says why it is back.

        Where it ``stands`` on the page no more, the page shows what was typed apart (``components/left_over.html``).
        """
        self.try_again(version)
        if stands:
            self.problems.append(f"{STALE} What you typed stands below: send it again only if it still applies.")
        else:
            self.problems.append(f"{STALE} What you typed stands below, to be copied." if self.typed() else STALE)


class MoneyForm(ContestedForm):
    """A contested form that moves money, or approves that it moves."""

    moves_money = True


def status_of(form: ContestedForm | None) -> int:
    """How the page of a form is answered: shown, sent back, or sent back because somebody was faster."""
    if form is None:
        return 200
    if form.clashed:
        return 409
    return 422 if form.is_submitted() else 200


def renew(form: ContestedForm | None, version: int) -> None:
    """A form that clashed goes out again in sight of what stands now."""
    if form is not None and form.clashed:
        form.try_again(version)


def _problems_of(field: Any) -> Iterator[tuple[str, str]]:
    """Sentences of one field, or of the fields in it."""
    inner = getattr(field, "entries", None) or list(getattr(getattr(field, "form", None), "_fields", {}).values())
    if inner:
        for part in inner:
            yield from _problems_of(part)
        # A FormField's errors are those of its parts; a list of fields may have some of its own.
        own = [error for error in getattr(field, "errors", ()) if isinstance(error, str) and field.type == "FieldList"]
        yield from ((sentence, "") for sentence in own)
        return
    anchor = "" if field.type in ("HiddenField", "CSRFTokenField") else str(field.id)
    yield from ((_named(sentence, field), anchor) for sentence in field.errors)


def _named(sentence: str, field: Any) -> str:
    """A sentence that says what is wrong but not where, as it stands apart from its field: with the name of that."""
    is_bare = sentence in _OF_NUMBERS or (field.type == "TextAreaField" and _OF_A_LINE.match(sentence))
    return f"{field.label.text}: {sentence[0].lower()}{sentence[1:]}" if is_bare else sentence


def wrong_with(values: Iterable[object]) -> list[tuple[str, str]]:
    """What is wrong with the forms among the values of a page: those it is given, and those in what it is given.

    A sentence that one form repeats of another is told once, with its control.
    """
    forms: dict[int, _Sent] = {}
    for value in values:
        _find_forms(value, 2, forms)
    found = list(dict.fromkeys(told for form in forms.values() for told in form.what_is_wrong()))
    beside = {sentence for sentence, anchor in found if anchor}
    return [(sentence, anchor) for sentence, anchor in found if anchor or sentence not in beside]


class _Sent(Protocol):
    """A form, or several that are sent as one."""

    def what_is_wrong(self) -> list[tuple[str, str]]: ...


def _find_forms(value: Any, depth: int, found: dict[int, _Sent]) -> None:
    """Put the forms among a value and what it is made of into ``found``, by their ids."""
    kind = _KINDS.get(type(value)) or _kind(type(value))
    if kind.is_sent:
        found[id(value)] = value
    elif depth and kind.holds:
        parts = _parts(value, kind)
        # A page may have a thousand rows, and none of them is a form: their kinds are few.
        wanted = {each for each in set(map(type, parts)) if _may_lead_to_one(each, depth - 1)}
        for part in parts if wanted else ():
            if type(part) in wanted:
                _find_forms(part, depth - 1, found)


def _parts(value: Any, kind: _Kind) -> Iterable[Any]:
    if kind.names:
        return [getattr(value, name) for name in kind.names]
    return value.values() if isinstance(value, dict) else value


def _may_lead_to_one(of: type, depth: int) -> bool:
    kind = _KINDS.get(of) or _kind(of)
    return kind.is_sent or (depth > 0 and kind.holds)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is known of a kind of thing: whether it tells what is wrong, of which attributes it is made, whether it has parts at all."""

    is_sent: bool
    names: tuple[str, ...]
    holds: bool


# Asked for each value of each page.
_KINDS: dict[type, _Kind] = {}


def _kind(of: type) -> _Kind:
    names = tuple(each.name for each in fields(of)) if is_dataclass(of) else ()
    made = _KINDS[of] = _Kind(hasattr(of, "what_is_wrong"), names, bool(names) or issubclass(of, dict | list | tuple))
    return made


class MoneyField(StringField):
    """An amount in euros in any European way of writing; ``data`` is Money, the typed text stays on error."""

    def __init__(
        self, label: str = "", validators: Any = None, *, negative: NegativeAmounts | None = None, **options: Any
    ) -> None:
        super().__init__(label, validators, **options)
        self._negative = negative

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return plain(self.data) if isinstance(self.data, Money) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = parse_money(valuelist[0], negative=self._negative)
            except Invalid as error:
                raise ValidationError(str(error)) from error


class DateField(StringField):
    """A day, typed in any European way (see :func:`~grants.core.clock.read_date`) and shown in words; ``data`` is a date or None."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return clock.long_date(self.data) if isinstance(self.data, date) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = clock.read_date(valuelist[0])
            except Invalid as error:
                raise ValidationError(str(error)) from error


class TimeField(StringField):
    """A time of day on the 24-hour clock: ``17:00``, ``17.00`` or ``17``; ``data`` is a time or None."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data:%H:%M}" if isinstance(self.data, time) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and (text := valuelist[0].strip()):
            found = re.match(r"^([0-9]{1,2})(?:[:.h]([0-9]{2}))?$", text)
            try:
                if not found:
                    raise ValueError
                self.data = time(int(found[1]), int(found[2] or 0))
            except ValueError:
                raise ValidationError(
                    f"{quoted(text)} is not a time. Write hours and minutes on the 24-hour clock, for example 17:00."
                ) from None


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Value and label of each option, for a select, radios or checkboxes."""
    return [SelectChoice(value, label) for value, label in pairs]


class CheckboxesField(SelectMultipleField):
    """Any number of choices, each a checkbox; ``data`` is a list of the values ticked."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class Needed:
    """The field must be filled; ``sentence`` says what to enter (“Enter the name of the city”).

    Spaces alone do not fill it. It puts no ``required`` into the page: the answer comes from us, in our words.
    """

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, form: Any, field: Field) -> None:
        if any(str(value).strip() for value in _sent(field)):
            return
        # Only this sentence: that nothing is also no valid choice helps nobody.
        field.errors = []
        raise StopValidation(self.sentence)


def _sent(field: Field) -> list[Any]:
    raw = field.raw_data or []
    return [getattr(value, "filename", value) or "" for value in raw]


class Between:
    """A whole number within bounds, told with the name of its field; what is no number is told once, by the field itself."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, form: Any, field: Field) -> None:
        if field.data is not None and not self.least <= field.data <= self.most:
            raise ValidationError(f"{field.label.text}: write a number from {self.least} to {self.most}.")


class CharactersMax:
    """At most so many characters: what is written into a record that nobody can shorten later."""

    def __init__(self, characters_max: int) -> None:
        self.characters_max = characters_max

    def __call__(self, form: Any, field: Field) -> None:
        typed = len(str(field.data or ""))
        if typed > self.characters_max:
            raise ValidationError(
                f"This has {typed} characters; the limit is {self.characters_max}. Take out {typed - self.characters_max}."
            )


WORDS_OF_A_TITLE = CharactersMax(200)
A_PARAGRAPH = CharactersMax(2_000)
A_PAGE = CharactersMax(6_000)
