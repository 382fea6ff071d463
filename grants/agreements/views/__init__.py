"""Pages of grants, each in the module of its subject; here is what the program takes from them."""

from __future__ import annotations

from grants.agreements.views import (
    acceding,
    accounts,
    amending,
    conditions,
    grants,
    holding,
    people,
    preparing,
    revising,
    signing,
    terminating,
    transferring,
    uploading,
)
from grants.agreements.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "acceding",
    "accounts",
    "amending",
    "bp",
    "conditions",
    "grants",
    "holding",
    "people",
    "preparing",
    "revising",
    "signing",
    "terminating",
    "transferring",
    "uploading",
]
