"""What people type about grants, read into frozen inputs; the modules beside this one hold the forms."""

from __future__ import annotations

from grants.agreements.forms.acceding import AccedeForm, EndAccessionForm, partner_power_form
from grants.agreements.forms.accounts import AccountForm, ConfirmAccountForm, RefuseAccountForm, WaitingForm
from grants.agreements.forms.amending import AmendForm, AnswerAmendmentForm, SendAmendmentForm, amend_form
from grants.agreements.forms.conditions import AcceptForm, ReturnForm, about, condition_form, due_form
from grants.agreements.forms.deeds import (
    ContactForm,
    DismissForm,
    EndForm,
    OfferForm,
    PrepareForm,
    ReasonForm,
    SignForm,
    TakeBackForm,
)
from grants.agreements.forms.holding import HoldForm, LiftHoldForm, hold_form
from grants.agreements.forms.revising import AcceptRevisionForm, NoRevisionForm, ReturnRevisionForm, SendRevisionForm
from grants.agreements.forms.terminating import (
    ConfirmTerminationForm,
    ObjectionForm,
    TerminationForm,
    WithdrawTerminationForm,
    confirm_termination_form,
    termination_form,
)
from grants.agreements.forms.terms import terms_form
from grants.agreements.forms.transferring import TransferForm, transfer_form
from grants.agreements.forms.uploading import AcceptSignedForm, RefuseSignedForm, WithdrawSignedForm, signed_upload_form

__all__ = [
    "AccedeForm",
    "AcceptForm",
    "AcceptRevisionForm",
    "AcceptSignedForm",
    "AccountForm",
    "AmendForm",
    "AnswerAmendmentForm",
    "ConfirmAccountForm",
    "ConfirmTerminationForm",
    "ContactForm",
    "DismissForm",
    "EndAccessionForm",
    "EndForm",
    "HoldForm",
    "LiftHoldForm",
    "NoRevisionForm",
    "ObjectionForm",
    "OfferForm",
    "PrepareForm",
    "ReasonForm",
    "RefuseAccountForm",
    "RefuseSignedForm",
    "ReturnForm",
    "ReturnRevisionForm",
    "SendAmendmentForm",
    "SendRevisionForm",
    "SignForm",
    "TakeBackForm",
    "TerminationForm",
    "TransferForm",
    "WaitingForm",
    "WithdrawSignedForm",
    "WithdrawTerminationForm",
    "about",
    "amend_form",
    "condition_form",
    "confirm_termination_form",
    "due_form",
    "hold_form",
    "partner_power_form",
    "signed_upload_form",
    "termination_form",
    "terms_form",
    "transfer_form",
]
