"""What the forms of applications share: deeds without fields, ids that were sent, a reason."""

from __future__ import annotations

from uuid import UUID

from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import Optional

from grants.calls.rules.privacy import NoticeAsked
from grants.web.forms import A_PARAGRAPH, Form, Needed


class DeedForm(Form):
    """A deed without fields: only its key and, where there are many, which thing is meant."""

    thing = HiddenField()
    # The privacy notice that whoever accepts has yet to read; no field.
    notice: NoticeAsked | None = None
    # Another version came while the page stood open: a second press is no reading of it, so a box must be ticked.
    notice_to_tick = False

    def thing_id(self) -> UUID | None:
        """The id of the thing meant, or None where what was sent is none."""
        try:
            return UUID(str(self.thing.data))
        except ValueError:
            return None


def uuid_of(value: object) -> UUID | None:
    """The id that was sent; None where it is none."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


class SubmitForm(Form):
    """Sending: the hash of what was looked at, and the statement the lead makes."""

    fingerprint = HiddenField()
    statement = BooleanField(
        "I am allowed to send this application for all partners, and what it says is right to my knowledge",
        [Needed("Confirm that you may send the application for all partners.")],
    )


class SignOffForm(DeedForm):
    """Signing off: which part, the hash of what was looked at, and the statement."""

    fingerprint = HiddenField()
    statement = BooleanField(
        "I have read it, and what it says is right to my knowledge", [Needed("Confirm that you have read it.")]
    )

    def part_id(self) -> UUID | None:
        """The organisation whose part it is; None for the whole."""
        return self.thing_id()


class ReasonForm(Form):
    """A deed that asks why."""

    reason = TextAreaField("Why?", [A_PARAGRAPH, Needed("Say why. The programme and your partners read it.")])


class DeclineForm(DeedForm):
    """Declining an invitation; a reason helps and is not demanded."""

    reason = TextAreaField("Why? (the lead city reads it)", [Optional(), A_PARAGRAPH])
