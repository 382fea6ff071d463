"""Reads of dossiers; who may see one is the owner's say. The modules beside this one say how."""

from __future__ import annotations

from grants.dossiers.queries.reading import answer_of, content, dossier, progress, set_aside, unstored, written
from grants.dossiers.queries.threads import ThreadView, open_threads, threads
from grants.dossiers.queries.values import DossierView, Progress, SectionView, SetAside, not_asked
from grants.dossiers.queries.versions import history, version_of, weighed, weighed_now

__all__ = [
    "DossierView",
    "Progress",
    "SectionView",
    "SetAside",
    "ThreadView",
    "answer_of",
    "content",
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
