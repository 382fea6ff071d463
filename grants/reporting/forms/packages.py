"""What is typed of work packages that are paid as lump sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import FileField, IntegerField, StringField, TextAreaField

from grants.reporting.rules.packages import Claim, PackageView, Verdict
from grants.web.forms import A_PAGE, A_PARAGRAPH, ContestedForm, Needed


class PackageForm(ContestedForm):
    """How much of one package is done, and what shows it."""

    percent = IntegerField("Done, in percent", [Needed("Enter a percentage, 0 if it is not done.")])
    words = TextAreaField("How it is done, by its written criteria", [A_PAGE])
    file = FileField("A file that shows it")

    def to_input(self) -> Claim:
        """What was declared."""
        return Claim(int(self.percent.data or 0), self.words.data or "")

    @property
    def upload(self) -> Any:
        """The file that was sent, None where none was chosen."""
        sent = self.file.data
        return sent if getattr(sent, "filename", "") else None


class JudgePackagesForm(ContestedForm):
    """One verdict for each declared package; rows are added for one report."""

    answer = TextAreaField("Your words for the city (optional)", [A_PAGE])

    codes: tuple[str, ...] = ()

    def to_input(self) -> tuple[Verdict, ...]:
        """The verdicts."""
        return tuple(
            Verdict(code, int(self[f"accepted-{code}"].data or 0), self[f"reason-{code}"].data or "")
            for code in self.codes
        )


def judge_form(views: Sequence[PackageView], version: int) -> JudgePackagesForm:
    """The form for one report: what is declared stands as accepted until the officer lowers it."""
    declared = [each for each in views if each.percent]
    fields: dict[str, Any] = {"codes": tuple(each.package.code for each in declared)}
    stands: dict[str, Any] = {"version": str(version)}
    for each in declared:
        code = each.package.code
        fields[f"accepted-{code}"] = IntegerField(f"Accepted of {code}, in percent", [Needed("Enter a percentage.")])
        fields[f"reason-{code}"] = StringField(f"Reason for less: {code}", [A_PARAGRAPH])
        stands[f"accepted-{code}"] = each.percent
    return type("JudgePackagesForm", (JudgePackagesForm,), fields)(data=stands)
