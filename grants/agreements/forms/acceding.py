"""What is typed when a partner accedes: who may sign for it, its signature, and that it is not waited for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, StringField, TextAreaField

from grants.agreements.forms.conditions import OfPartForm, PowerForm, about, stands
from grants.agreements.rules import PartView
from grants.identity.rules import Person
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, Needed, choices


def partner_power_form(part: PartView, members: Sequence[Person], **options: Any) -> PowerForm:
    """The form of the power to sign of a partner, filled with the answer that stands; its people can be named."""
    form = PowerForm(data={"about": about(part), "number": str(part.number), **stands(part)}, **options)
    form.evidence_on.label.text = "Day of the document that gives the power"
    form.signer.choices = choices((str(each.id), each.name) for each in members)
    for other in (form.signer_2, form.signer_3):
        other.choices = choices([("", "Nobody"), *((str(each.id), each.name) for each in members)])
    return form


class AccedeForm(OfPartForm):
    """The capacity in which somebody accedes for a partner, and the version that was shown."""

    document_sha256 = HiddenField()
    # Another name than that of the power beside it on the page.
    sign_as = StringField(
        "You sign as", [WORDS_OF_A_TITLE, Needed("Say in which capacity you sign, for example Deputy Mayor.")]
    )


class EndAccessionForm(OfPartForm):
    """Why a partner is not waited for any more."""

    reason = TextAreaField("Why it does not accede", [A_PARAGRAPH, Needed("Give the reason in a sentence.")])
