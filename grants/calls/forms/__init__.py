"""Forms of calls, by what they are about; the modules beside this one hold them."""

from __future__ import annotations

from grants.calls.forms.around import ExpertTermsForm, NoticeForm, SessionForm, SlidesForm
from grants.calls.forms.changes import CorrigendumForm, WordingForm
from grants.calls.forms.dates import BuildDatesForm, DeadlineForm
from grants.calls.forms.deeds import (
    BudgetForm,
    CancelForm,
    CopyForm,
    DeedForm,
    DocumentForm,
    ImportForm,
    TemplateForm,
)
from grants.calls.forms.parts import Node, PartForm, typed_words

__all__ = [
    "BudgetForm",
    "BuildDatesForm",
    "CancelForm",
    "CopyForm",
    "CorrigendumForm",
    "DeadlineForm",
    "DeedForm",
    "DocumentForm",
    "ExpertTermsForm",
    "ImportForm",
    "Node",
    "NoticeForm",
    "PartForm",
    "SessionForm",
    "SlidesForm",
    "TemplateForm",
    "WordingForm",
    "typed_words",
]
