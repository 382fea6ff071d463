"""Forms by which a seat is left or a sheet comes back from a file."""

from __future__ import annotations

from enum import StrEnum

from wtforms import FileField, RadioField, TextAreaField

from grants.web.forms import A_PAGE, Form, Needed, choices


class Leaving(StrEnum):
    """Why an evaluator leaves a seat."""

    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"


class LeaveForm(Form):
    """An evaluator gives a seat back."""

    why = RadioField(
        "Why",
        [Needed("Choose why you give it back.")],
        choices=choices(
            (
                (Leaving.CONFLICT.value, "I have a conflict of interest that I noticed late"),
                (Leaving.UNAVAILABLE.value, "I am no longer available for it"),
            )
        ),
    )
    reason = TextAreaField(
        "Reason", [Needed("Write the reason in a sentence; it is kept on the record."), A_PAGE],
        description="The programme manager reads it; your colleagues do not.",
    )  # fmt: skip


class FilledSheetForm(Form):
    """A filled score sheet."""

    file = FileField("The filled file", [Needed("Choose the filled file.")])
    # Where a file belongs that is the own sheet of another application.
    elsewhere = ""
