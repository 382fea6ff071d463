"""Pages of applications, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.applications.views import (
    asking,
    attachments,
    changes,
    comments,
    drafting,
    eligibility,
    extending,
    following,
    helpdesk,
    lists,
    money,
    offline,
    planning,
    receipts,
    saved,
    sending,
    signing,
    team,
    trying,
    vouching,
    writing,
)
from grants.applications.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "asking",
    "attachments",
    "bp",
    "changes",
    "comments",
    "drafting",
    "eligibility",
    "extending",
    "following",
    "helpdesk",
    "lists",
    "money",
    "offline",
    "planning",
    "receipts",
    "saved",
    "sending",
    "signing",
    "team",
    "trying",
    "vouching",
    "writing",
]
