"""Forms of applications, by who fills them in; the modules beside this one hold them."""

from __future__ import annotations

from grants.applications.forms.deeds import DeclineForm, DeedForm, ReasonForm, SignOffForm, SubmitForm
from grants.applications.forms.desk import (
    BatchForm,
    CheckForm,
    ClarifyForm,
    InviteConceptsForm,
    LetterForm,
    LettersForm,
    MoreTimeForm,
    OneExtensionForm,
    QuestionForm,
    RefusalForm,
    check_form,
    unticked,
)
from grants.applications.forms.lists import ListNameForm, SaveListForm, SharingForm, listing_of
from grants.applications.forms.team import (
    AskForm,
    InviteForm,
    PersonForm,
    RoleForm,
    TakeoverForm,
    TakeoverRefusalForm,
    chosen_role,
)
from grants.applications.forms.trying import TrialFileForm, TrialForm
from grants.applications.forms.writing import (
    CommentForm,
    DetailsForm,
    FileForm,
    FilledBudgetForm,
    FilledForm,
    FollowForm,
    ServingForm,
    StartForm,
)

__all__ = [
    "AskForm",
    "BatchForm",
    "CheckForm",
    "ClarifyForm",
    "CommentForm",
    "DeclineForm",
    "DeedForm",
    "DetailsForm",
    "FileForm",
    "FilledBudgetForm",
    "FilledForm",
    "FollowForm",
    "InviteConceptsForm",
    "InviteForm",
    "LetterForm",
    "LettersForm",
    "ListNameForm",
    "MoreTimeForm",
    "OneExtensionForm",
    "PersonForm",
    "QuestionForm",
    "ReasonForm",
    "RefusalForm",
    "RoleForm",
    "SaveListForm",
    "ServingForm",
    "SharingForm",
    "SignOffForm",
    "StartForm",
    "SubmitForm",
    "TakeoverForm",
    "TakeoverRefusalForm",
    "TrialFileForm",
    "TrialForm",
    "check_form",
    "chosen_role",
    "listing_of",
    "unticked",
]
