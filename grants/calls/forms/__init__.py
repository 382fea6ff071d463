"""Forms of calls, by what they are about; the modules beside this one hold them."""

from __future__ import annotations

from grants.calls.forms.around import NoticeForm, SessionForm, SlidesForm
from grants.calls.forms.changes import CorrigendumForm, WordingForm
from grants.calls.forms.dates import FOLD_CHOICES, BuildDatesForm, DeadlineForm, LocalTime
from grants.calls.forms.deeds import (
    TEMPLATE_CHOICES,
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
    "FOLD_CHOICES",
    "TEMPLATE_CHOICES",
    "BudgetForm",
    "BuildDatesForm",
    "CancelForm",
    "CopyForm",
    "CorrigendumForm",
    "DeadlineForm",
    "DeedForm",
    "DocumentForm",
    "ImportForm",
    "LocalTime",
    "Node",
    "NoticeForm",
    "PartForm",
    "SessionForm",
    "SlidesForm",
    "TemplateForm",
    "WordingForm",
    "typed_words",
]
