"""What is typed of certificates and guarantees, each with its paper."""

from __future__ import annotations

from datetime import date
from typing import Any

from wtforms import FileField, StringField, TextAreaField

from grants.core.money import ZERO
from grants.payments.rules.securing import CertificateInput, GuaranteeInput
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, DateField, MoneyField, MoneyForm, Needed


class PaperForm(MoneyForm):
    """A form that brings a paper."""

    file = FileField("The paper")

    @property
    def upload(self) -> Any:
        """The file that was sent, None where none was chosen."""
        sent = self.file.data
        return sent if getattr(sent, "filename", "") else None


class CertificateForm(PaperForm):
    """Who certified the financial statements, on which day, and the certificate itself."""

    issuer = StringField("Who certified", [WORDS_OF_A_TITLE, Needed("Name the auditor or the public officer.")])
    issued_on = DateField("Day of the certificate", [Needed("Enter the day, for example 3 May 2027.")])

    def to_input(self) -> CertificateInput:
        """What was typed."""
        return CertificateInput(self.issuer.data or "", self.issued_on.data or date.min)


class WordsForm(MoneyForm):
    """Why something is returned, or done without."""

    words = TextAreaField("Your words for the city", [A_PARAGRAPH, Needed("Say why; the city reads it.")])


class WithoutForm(WordsForm):
    """Why the programme does without a certificate; a form of its own beside the one that returns it."""


class AcceptCertificateForm(MoneyForm):
    """Nothing but the deed, and the version it was seen at."""


class GuaranteeForm(PaperForm):
    """A guarantee as it is recorded, with its paper."""

    guarantor = StringField("Who guarantees", [WORDS_OF_A_TITLE, Needed("Name the bank or the body.")])
    amount = MoneyField("Amount", [Needed("Enter the amount that is guaranteed.")])
    valid_until = DateField("Valid until", [Needed("Enter its last day, for example 3 May 2027.")])

    def to_input(self) -> GuaranteeInput:
        """What was typed."""
        return GuaranteeInput(self.guarantor.data or "", self.amount.data or ZERO, self.valid_until.data or date.min)


class EndGuaranteeForm(MoneyForm):
    """Why a guarantee ends."""

    reason = TextAreaField("Why it ends", [A_PARAGRAPH, Needed("Say why, for example that it was given back.")])
