"""Pages of applications, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.applications.views import (
    attachments,
    comments,
    drafting,
    eligibility,
    lists,
    money,
    offline,
    pipeline,
    planning,
    receipts,
    saved,
    sending,
    signing,
    team,
    vouching,
    writing,
)
from grants.applications.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "attachments",
    "bp",
    "comments",
    "drafting",
    "eligibility",
    "lists",
    "money",
    "offline",
    "pipeline",
    "planning",
    "receipts",
    "saved",
    "sending",
    "signing",
    "team",
    "vouching",
    "writing",
]
