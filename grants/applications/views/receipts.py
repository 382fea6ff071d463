"""The public page on which a receipt is checked."""

from __future__ import annotations

from typing import Any

from flask import request

from grants.applications import queries, rules
from grants.applications.views.frame import bp
from grants.web.routing import page, public

# As many hashes as an application can have files, in an address that every proxy lets through.
FILES_MAX, FILES_CHARACTERS_MAX = 50, 4_000


@bp.get("/receipts")
@public
def check_receipt() -> Any:
    """Whether reference and hash belong together here, since when, and where in the sealed record."""
    reference, sha256 = request.args.get("reference", "")[:40], request.args.get("sha256", "")[:100]
    typed = request.args.get("files", "")[:FILES_CHARACTERS_MAX]
    asked = bool(reference.strip() and sha256.strip())
    return page(
        "applications/check_receipt.html",
        asked=asked,
        reference=reference,
        sha256=sha256,
        files=typed,
        proof=queries.receipt_proof(reference, sha256, typed.split()[:FILES_MAX]) if asked else None,
        rules=rules,
    )
