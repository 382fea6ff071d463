"""The form for a list of executed payments: a file or its text, the account it is of, and how its amounts are written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from wtforms import FileField, HiddenField, RadioField, SelectField, TextAreaField

from grants.core.errors import Invalid
from grants.payments.rules.statements.executions import TEXT_MAX, Spelling
from grants.web.forms import Form, Needed, choices


class ExecutionsForm(Form):
    """What the bank carried out, as CSV; its text comes back on the page, so that a row is mended there."""

    moves_money = True

    own_account = SelectField("Account the bank paid from", choices=[])
    spelling = RadioField(
        "How amounts are written",
        [Needed("Choose how amounts are written in this list.")],
        choices=choices((each.value, each.words) for each in Spelling),
    )
    file = FileField("List (CSV)")
    text = TextAreaField("Or its text")
    # What of it was looked at before it is brought.
    looked = HiddenField()

    def of(self, accounts: Iterable[tuple[str, str]]) -> ExecutionsForm:
        """The form with the confirmed accounts of the programme, by their references."""
        self.own_account.choices = choices(accounts)
        return self

    @property
    def chosen(self) -> Spelling:
        """How amounts are written."""
        return Spelling(str(self.spelling.data))

    def read(self) -> str:
        """The text of the list: of the file where one was sent, else what stands in the field.

        Raises :class:`Invalid` for a file that is no text in UTF-8.
        """
        upload = self.file.data
        if not getattr(upload, "filename", ""):
            return "\n".join(str(self.text.data or "").splitlines())
        data: bytes = upload.stream.read(TEXT_MAX * 4 + 1)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            words = "It is no text in UTF-8. Save it as “CSV UTF-8”, or copy its rows into the field below."
            raise Invalid(words, {"file": words}) from error
        # What the page shows below is what is brought: the file itself is not kept before.
        self.text.data, self.text.raw_data, self.file.data = text, None, None
        return "\n".join(text.splitlines())

    def digest(self) -> str:
        """What tells this list, of this account and in this spelling, from any other."""
        told = f"{self.own_account.data}\n{self.spelling.data}\n{self.read()}"
        return hashlib.sha256(told.encode()).hexdigest()
