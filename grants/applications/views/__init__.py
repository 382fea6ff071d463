"""Pages of applications, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.applications.views import (
    asking,
    attachments,
    comments,
    drafting,
    eligibility,
    helpdesk,
    lists,
    money,
    offline,
    planning,
    privacy,
    receipts,
    sending,
    sessions,
    signing,
    team,
    vouching,
    writing,
)
from grants.applications.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "asking",
    "attachments",
    "bp",
    "comments",
    "drafting",
    "eligibility",
    "helpdesk",
    "lists",
    "money",
    "offline",
    "planning",
    "privacy",
    "receipts",
    "sending",
    "sessions",
    "signing",
    "team",
    "vouching",
    "writing",
]
