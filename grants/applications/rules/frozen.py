"""The content of a submitted version: written once, hashed, read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.applications.rules.serving import Served, frozen_serving, read_serving
from grants.applications.rules.values import ApplicationView, Member, SubmittedContent, SubmittedFile
from grants.applications.states import PartnerRole
from grants.budgets import rules as budget_rules
from grants.dossiers import rules as dossier_rules
from grants.identity.rules import Fact, OrganisationView, frozen_facts
from grants.identity.states import FactKind, OrganisationKind

SNAPSHOT_SCHEMA = 1


def snapshot(
    *,
    view: ApplicationView,
    members: Sequence[tuple[OrganisationView, Sequence[Fact]]],
    dossier: Mapping[str, Any],
    budget: Mapping[str, Any],
    files: Sequence[SubmittedFile],
    served: Sequence[Served] = (),
) -> dict[str, Any]:
    """Everything a submission freezes, as plain JSON with one spelling.

    ``members`` are in the order of the partners, each with what the register holds of it now. Whether a fact is validated
    is not part of it: staff do that, and it would make every sign-off stale; the register's lines say how it stood when.
    """
    roles = {partner.organisation_id: partner.role for partner in view.partners}
    ordered = sorted(files, key=lambda file: (file.role, file.name, file.sha256))
    return {
        "schema": SNAPSHOT_SCHEMA,
        "application": {
            "reference": view.reference,
            "title": view.title,
            "acronym": view.acronym,
            "summary": view.summary,
        },
        "call": {"reference": view.call.reference, "title": view.call.title}
        # The first version is not named, so that what was frozen before calls had versions keeps its hash.
        | ({"version": view.call_version} if view.call_version > 1 else {}),
        "consortium": [
            {
                "organisation_id": str(member.id),
                "name": member.name,
                "local_name": member.local_name,
                "kind": member.kind.value,
                "country_code": member.country_code,
                "pic": member.pic,
                "role": roles[member.id].value,
            }
            | ({"facts": kept} if (kept := frozen_facts(facts)) else {})
            for member, facts in members
        ],
        "answers": dict(dossier),
        "budget": dict(budget),
        "files": [
            {
                "file_id": str(file.file_id),
                "role": file.role,
                "name": file.name,
                "media_type": file.media_type,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
            }
            for file in ordered
        ],
        # What nobody named is left out, here and of a member’s facts, so that what was frozen before there was any keeps its hash.
    } | ({"serves": named} if (named := frozen_serving(served)) else {})


def digest(content: Mapping[str, Any]) -> bytes:
    """SHA-256 of the content in canonical JSON: sorted keys, no spaces, UTF-8.

    >>> digest({"b": 1, "a": "ł"}) == digest({"a": "ł", "b": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def read_snapshot(
    content: Mapping[str, Any], *, application_id: UUID, number: int, submitted_at: datetime, sha256: bytes
) -> SubmittedContent:
    """A stored snapshot as frozen values."""
    about = content["application"]
    return SubmittedContent(
        application_id=application_id,
        reference=about["reference"],
        title=about["title"],
        acronym=about["acronym"],
        summary=about["summary"],
        number=number,
        submitted_at=submitted_at,
        sha256=sha256.hex(),
        consortium=tuple(_member(member) for member in content["consortium"]),
        dossier=dossier_rules.from_mapping(content["answers"]),
        budget=budget_rules.from_mapping(content["budget"]),
        files=tuple(_file(file) for file in content["files"]),
        serves=read_serving(content.get("serves", ())),
    )


def _member(stored: Mapping[str, Any]) -> Member:
    return Member(
        organisation_id=UUID(stored["organisation_id"]),
        name=stored["name"],
        local_name=stored["local_name"],
        kind=OrganisationKind(stored["kind"]),
        country_code=stored["country_code"],
        pic=stored["pic"],
        role=PartnerRole(stored["role"]),
        # Versions of before the register kept facts have none.
        facts=tuple((FactKind(kind), value) for kind, value in stored.get("facts", {}).items()),
    )


def _file(stored: Mapping[str, Any]) -> SubmittedFile:
    return SubmittedFile(
        file_id=UUID(stored["file_id"]),
        role=stored["role"],
        name=stored["name"],
        media_type=stored["media_type"],
        size_bytes=stored["size_bytes"],
        sha256=stored["sha256"],
    )
