"""What people type about grants, read into frozen inputs; the modules beside this one hold the forms."""

from __future__ import annotations

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
from grants.agreements.forms.terms import terms_form

__all__ = [
    "AcceptForm",
    "AcceptRevisionForm",
    "AccountForm",
    "AmendForm",
    "AnswerAmendmentForm",
    "ConfirmAccountForm",
    "ContactForm",
    "DismissForm",
    "EndForm",
    "HoldForm",
    "LiftHoldForm",
    "NoRevisionForm",
    "OfferForm",
    "PrepareForm",
    "ReasonForm",
    "RefuseAccountForm",
    "ReturnForm",
    "ReturnRevisionForm",
    "SendAmendmentForm",
    "SendRevisionForm",
    "SignForm",
    "TakeBackForm",
    "WaitingForm",
    "about",
    "amend_form",
    "condition_form",
    "due_form",
    "hold_form",
    "terms_form",
]
