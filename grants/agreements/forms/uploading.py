"""What is typed about a signed document: who signed it and when, where the paper is, and what a second person says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import RadioField, StringField, TextAreaField

from grants.agreements.rules import UploadedSigner, UploadInput
from grants.agreements.states import UploadKind
from grants.dossiers.rules import clean_text
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, DateField, Form, Needed, choices


class SignedUploadForm(Form):
    """A signed document; a day and a capacity for each person who may have signed are added for one grant."""

    people: ClassVar[tuple[tuple[UUID, str], ...]] = ()

    file = FileField("The signed document", [Needed("Choose the signed document: a PDF.")])
    kind = RadioField(
        "What it is",
        choices=choices((each.value, each.words) for each in UploadKind),
        validators=[Needed("Choose what it is.")],
    )
    original_kept_at = StringField("Of a scan: where the paper with the signatures is kept", [WORDS_OF_A_TITLE])

    def to_input(self) -> UploadInput:
        """The typed document: whoever has a day has signed."""
        return UploadInput(
            UploadKind(self.kind.data),
            tuple(
                UploadedSigner(user_id, name, clean_text(self[f"capacity_{user_id}"].data or ""), day)
                for user_id, name in self.people
                if (day := self[f"day_{user_id}"].data) is not None
            ),
            clean_text(self.original_kept_at.data or ""),
        )

    def pairs(self) -> list[tuple[str, Any, Any]]:
        """Name, day and capacity of each person, for the page."""
        return [(name, self[f"day_{user_id}"], self[f"capacity_{user_id}"]) for user_id, name in self.people]


def signed_upload_form(possible: Sequence[tuple[UUID, str, str]]) -> SignedUploadForm:
    """The form with everybody who may have signed."""
    fields: dict[str, Any] = {}
    for user_id, name, _ in possible:
        fields[f"day_{user_id}"] = DateField(f"{name} signed on (leave it empty where this person did not sign)")
        fields[f"capacity_{user_id}"] = StringField(f"{name} signed as", [WORDS_OF_A_TITLE])
    people = tuple((user_id, name) for user_id, name, _ in possible)
    known = {f"capacity_{user_id}": capacity for user_id, _, capacity in possible}
    return type("SignedUploadForm", (SignedUploadForm,), {"people": people, **fields})(data=known)


class AcceptSignedForm(Form):
    """What was compared before a signed document is accepted."""

    words = TextAreaField(
        "What you compared, and by what", [A_PARAGRAPH, Needed("Say what you compared and by what, in a sentence.")]
    )


class WithdrawSignedForm(Form):
    """Why who uploaded a document takes it back."""

    words = TextAreaField("Why it is withdrawn", [A_PARAGRAPH, Needed("Say why it is withdrawn, in a sentence.")])


class RefuseSignedForm(Form):
    """Why a signed document is refused."""

    words = TextAreaField("What is wrong", [A_PARAGRAPH, Needed("Say what is wrong or missing.")])
