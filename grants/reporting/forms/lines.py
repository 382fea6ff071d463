"""What is sent of costs line by line: a whole list as rows, a file of evidence, a decision on a cost that stands twice."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, TextAreaField

from grants.reporting.rules.lines import Verdict
from grants.web.forms import A_PARAGRAPH, ContestedForm, Form, Needed, choices


class LinesForm(Form):
    """The lines of a report as rows of text, or a spreadsheet that takes their place; looked at first, or kept."""

    shown = HiddenField()
    file = FileField("A spreadsheet in their place")
    rows = TextAreaField("The lines")


class EvidenceForm(Form):
    """One file that lines can name."""

    file = FileField("File", [Needed("Choose the file: a PDF or a picture.")])


class JudgeForm(ContestedForm):
    """What becomes of a line that stands elsewhere too."""

    verdict = RadioField(
        "What becomes of it",
        [Needed("Choose what becomes of the line.")],
        choices=choices((each.value, each.words) for each in Verdict),
    )
    reason = TextAreaField(
        "How you know", [A_PARAGRAPH, Needed("Say how you know; it stands beside the line for good.")]
    )

    @property
    def chosen(self) -> Verdict:
        """The decision that was made."""
        return Verdict(str(self.verdict.data))
