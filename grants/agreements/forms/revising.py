"""Forms by which a revision is sent, accepted, returned, or said not to be needed."""

from __future__ import annotations

from wtforms import HiddenField, TextAreaField

from grants.core.errors import Invalid
from grants.web.forms import A_PARAGRAPH, ContestedForm, Needed


class SendRevisionForm(ContestedForm):
    """What is sent is what was seen."""

    seen = HiddenField()


class NoRevisionForm(ContestedForm):
    """Why the budget and description of the application stand as they are."""

    seen = HiddenField()
    words = TextAreaField("Why none is needed", [A_PARAGRAPH, Needed("Say why none is needed.")])


class _Judging(ContestedForm):
    """What is judged is the revision that was shown."""

    number = HiddenField()

    def number_shown(self) -> int:
        """The number of the revision; raises :class:`Invalid` where the field was changed to none."""
        text = str(self.number.data or "")
        if not (text.isascii() and text.isdecimal() and len(text) < 6):
            raise Invalid("It is not clear any more which revision this is. Reload the page.")
        return int(text)


class AcceptRevisionForm(_Judging):
    """Words to the city, where there are any."""

    words = TextAreaField("Words to the city (optional)", [A_PARAGRAPH])


class ReturnRevisionForm(_Judging):
    """What is missing or wrong."""

    missing = TextAreaField("What is missing or wrong", [A_PARAGRAPH, Needed("Say what is missing or wrong.")])
