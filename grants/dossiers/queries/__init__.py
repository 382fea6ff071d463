"""Reads of dossiers; who may see one is the owner's say. The modules beside this one say how."""

from __future__ import annotations

from grants.dossiers.queries.history import (
    VERSIONS_SHOWN_MAX,
    AnswerVersionView,
    History,
    Sitting,
    Weighed,
    history,
    version_of,
    weighed,
    weighed_now,
)
from grants.dossiers.queries.reading import (
    answer_of,
    content,
    definition_of,
    dossier,
    progress,
    set_aside,
    unstored,
    written,
)
from grants.dossiers.queries.threads import CommentView, ThreadView, open_threads, threads
from grants.dossiers.queries.values import DossierView, Progress, QuestionView, SectionView, SetAside, not_asked

__all__ = [
    "VERSIONS_SHOWN_MAX",
    "AnswerVersionView",
    "CommentView",
    "DossierView",
    "History",
    "Progress",
    "QuestionView",
    "SectionView",
    "SetAside",
    "Sitting",
    "ThreadView",
    "Weighed",
    "answer_of",
    "content",
    "definition_of",
    "dossier",
    "history",
    "not_asked",
    "open_threads",
    "progress",
    "set_aside",
    "threads",
    "unstored",
    "version_of",
    "weighed",
    "weighed_now",
    "written",
]
