"""The terms of a grant in preparation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from wtforms import HiddenField, IntegerField, StringField, TextAreaField

from grants.agreements.rules import (
    GrantView,
    PlannedMilestone,
    Share,
    Terms,
)
from grants.core.errors import Invalid
from grants.core.money import Money
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, ContestedForm, DateField, MoneyField, Needed

# So many rows more than there are, so that a milestone can be added without JavaScript.
SPARE_MILESTONES = 2


class TermsForm(ContestedForm):
    """Start, length, maxima and milestones; the rows of beneficiaries and milestones are added for one grant."""

    starts_on = DateField("First day", [Needed("Enter the first day, for example 1 June 2023.")])
    months = IntegerField("Length in months", [Needed("Enter the number of months.")])
    programme_signatures = IntegerField(
        "How many people sign for the programme", [Needed("Enter a number, usually 1.")], default=1
    )
    special_conditions = TextAreaField("Special conditions of this grant (optional)", [A_PARAGRAPH])
    shares = HiddenField()
    milestones = HiddenField()

    def to_input(self) -> Terms:
        """The typed terms; a milestone without a title is none."""
        rows = range(1, self.milestone_rows + 1)
        return Terms(
            starts_on=self.starts_on.data or date.min,
            months=int(self.months.data or 0),
            shares=tuple(
                Share(organisation_id, self[f"share_{place}"].data or Money(0))
                for place, organisation_id in enumerate(self.organisation_ids)
            ),
            milestones=tuple(
                PlannedMilestone(
                    self[f"title_{row}"].data.strip(), self[f"criterion_{row}"].data.strip(), self[f"due_on_{row}"].data
                )
                for row in rows
                if (self[f"title_{row}"].data or "").strip()
            ),
            amount_note=self.amount_note,
            special_conditions=self.special_conditions.data or "",
            programme_signatures=int(self.programme_signatures.data or 0),
        )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A named milestone needs its criterion and its day."""
        yield self._refuse_half_milestones

    def _refuse_half_milestones(self) -> None:
        needed = {
            "criterion": "Say how anybody can see that it is reached.",
            "due_on": "Enter the day by which it is reached.",
        }
        named = [row for row in range(1, self.milestone_rows + 1) if (self[f"title_{row}"].data or "").strip()]
        missing = {
            f"{name}_{row}": sentence
            for row in named
            for name, sentence in needed.items()
            if not self[f"{name}_{row}"].data
        }
        if missing:
            raise Invalid("A milestone is not complete.", missing)


def terms_form(grant: GrantView) -> TermsForm:
    """The form with one amount for each beneficiary and one row for each milestone, filled with what stands."""
    rows = len(grant.milestones) + SPARE_MILESTONES
    fields: dict[str, Any] = {
        "milestone_rows": rows,
        "organisation_ids": tuple(each.organisation_id for each in grant.beneficiaries),
        "amount_note": grant.amount_note,
    }
    for place, each in enumerate(grant.beneficiaries):
        fields[f"share_{place}"] = MoneyField(f"Maximum for {each.name}", [Needed("Enter an amount, zero if none.")])
    for row in range(1, rows + 1):
        fields[f"title_{row}"] = StringField(f"Milestone {row}", [WORDS_OF_A_TITLE])
        fields[f"criterion_{row}"] = StringField("Accepted when", [A_PARAGRAPH])
        fields[f"due_on_{row}"] = DateField("Due on")
    months = (grant.ends_before.year - grant.starts_on.year) * 12 + grant.ends_before.month - grant.starts_on.month
    stands: dict[str, Any] = {"starts_on": grant.starts_on, "months": months, "version": grant.version}
    stands |= {"programme_signatures": grant.programme_signatures, "special_conditions": grant.special_conditions}
    stands |= {f"share_{place}": each.maximum for place, each in enumerate(grant.beneficiaries)}
    for each_milestone in grant.milestones:
        number = each_milestone.number
        stands |= {
            f"title_{number}": each_milestone.title,
            f"criterion_{number}": each_milestone.criterion,
            f"due_on_{number}": each_milestone.due_on,
        }
    return type("TermsForm", (TermsForm,), fields)(data=stands)


# --- conditions of the preparation -----------------------------------------------------------------------------------
