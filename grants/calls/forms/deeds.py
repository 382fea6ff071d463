"""What people do with a call in a few fields: import, copy, cancel, its documents and its budget."""

from __future__ import annotations

import re
from collections.abc import Container

from wtforms import FileField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from grants.calls.rules import BudgetInput, DocumentInput
from grants.core.errors import Invalid, Problem, Problems, Refused
from grants.core.money import Money
from grants.core.yaml_schema import FILE_BYTES_MAX
from grants.web.forms import CharactersMax, DateField, Form, MoneyField, Needed, choices

TEMPLATE_CHOICES = choices([("", "No template"), ("horizon-like", "Horizon-like template")])


class DeedForm(Form):
    """A deed without anything to fill in; the version says what the person saw."""

    version = HiddenField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.found: tuple[Problem, ...] = ()

    def add_problem(self, error: Invalid | Refused, but_not: Container[str] = ()) -> None:
        """Many problems are listed by the page with their places, one under the other."""
        if isinstance(error, Problems):
            self.found = error.found
            self.problems.append(error.args[0])
        else:
            super().add_problem(error, but_not)


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
            sentence = "This is no call file: one is plain text in UTF-8, named .yaml or .yml. Save it as that, or choose another."
            raise Invalid(sentence, {"file": sentence}) from error


class TemplateForm(DeedForm):
    """Which template fills what was not found."""

    template = SelectField("Template", choices=TEMPLATE_CHOICES[1:])


class DocumentForm(DeedForm):
    """A new version of the documents with its table of changes, one change a line."""

    label = StringField("Version", [Needed("Enter the number of the version, for example 1.2."), CharactersMax(40)])
    published_on = DateField("Published on", [Needed("Enter the day, for example 5 September 2022.")])
    what = StringField("What it is", [Needed("Say what this version is."), CharactersMax(300)])
    changes = TextAreaField("What changed", [Optional(), CharactersMax(20_000)])

    def to_input(self) -> DocumentInput:
        """The version as its frozen value, once the form was found good."""
        assert self.published_on.data is not None
        lines = tuple(line.strip() for line in (self.changes.data or "").splitlines() if line.strip())
        return DocumentInput(self.label.data or "", self.published_on.data, self.what.data or "", lines)


class CancelForm(DeedForm):
    """Why a call is cancelled."""

    reason = TextAreaField("Reason", [Needed("Say why the call is cancelled."), CharactersMax(1000)])


class BudgetForm(DeedForm):
    """What the budget of the call shall be; ``shown`` is what it was when the page was made."""

    amount = MoneyField("Budget of the call", [Needed("Enter an amount in euros, for example 32 000 000.")])
    note = TextAreaField("Note for the record", [Optional(), CharactersMax(1000)])
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


class CopyForm(DeedForm):
    """A new call made from a past one."""

    title = StringField("Title of the new call", [Needed("Enter a title."), CharactersMax(200)])
    year = StringField("Year", [Needed("Enter the year, for example 2027.")])

    def validate_year(self, field: StringField) -> None:
        """A year of four digits."""
        if not re.fullmatch("20[0-9]{2}", str(field.data or "").strip()):
            raise ValidationError("Enter the year with four digits, for example 2027.")
