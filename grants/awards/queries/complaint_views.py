"""Complaints as values: each with its people, its application and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.applications.models import Application
from grants.applications.rules import SubmittedFile
from grants.applications.states import ApplicationState
from grants.awards.models import Complaint
from grants.awards.rules.complaints import ComplaintView
from grants.awards.rules.settling import Settlement
from grants.awards.states import ComplaintState, Remedy
from grants.calls.states import ComplaintGround
from grants.core import files
from grants.core.together import Asking, ask, both, reader
from grants.identity import queries as identity

FILES = "complaint"


@reader
def views_of(wanted: Select[Any]) -> Asking[tuple[ComplaintView, ...]]:
    """The complaints of a statement with people, application and files; three statements."""
    rows = yield from ask(wanted)
    ids = [row.id for row in rows]
    named, held = yield from both(
        ask(select(Application.id, Application.reference, Application.title).where(
            Application.id.in_([row.application_id for row in rows]))),
        files.listed_in.asking(FILES, select(Complaint.id).where(Complaint.id.in_(ids))),
    )  # fmt: skip
    people = yield from identity.people.asking(
        who
        for row in rows
        for who in (
            *(row.sent_by, row.checked_by, row.member_one, row.member_two, row.proposed_by, row.confirmed_by),
            row.settlement_by,
        )
        if who
    )
    names = {key: person.name for key, person in people.items()}
    about = {row.id: (row.reference, row.title) for row in named}
    return tuple(
        _view(row, names, about[row.application_id], [each for each in held if each.object_id == row.id])
        for row in rows
    )


def _view(row: Any, names: Mapping[UUID, str], about: tuple[str, str], held: Sequence[files.FileView]) -> ComplaintView:
    committee = tuple((who, names.get(who, "")) for who in (row.member_one, row.member_two) if who)
    held_files = tuple(
        SubmittedFile(file.id, file.role, file.name, file.media_type, file.size_bytes, file.sha256) for file in held
    )
    return ComplaintView(
        id=row.id,
        version=row.version,
        number=row.number,
        application_id=row.application_id,
        reference=about[0],
        title=about[1],
        about=ApplicationState(row.about),
        state=ComplaintState(row.state),
        reached_at=row.reached_at,
        due_at=row.due_at,
        grounds=tuple(map(ComplaintGround, row.grounds)),
        text=row.text,
        sent_at=row.sent_at,
        sent_by=names.get(row.sent_by, ""),
        sha256=row.sha256.hex() if row.sha256 else "",
        decide_at=row.decide_at,
        extension_reason=row.extension_reason or "",
        check_reason=row.check_reason or "",
        checked_by=names.get(row.checked_by, ""),
        checked_at=row.checked_at,
        committee=committee,
        upholds=row.upholds,
        remedy=Remedy(row.remedy) if row.remedy else None,
        decision=row.decision or "",
        proposed_by=row.proposed_by,
        proposed_name=names.get(row.proposed_by, ""),
        return_reason=row.return_reason or "",
        confirmed_name=names.get(row.confirmed_by, ""),
        decided_at=row.decided_at,
        letter=row.letter or {},
        withdrawn_at=row.withdrawn_at,
        withdraw_reason=row.withdraw_reason or "",
        settled_words=row.settled_words or "",
        settled_at=row.settled_at,
        settlement=Settlement.from_mapping(row.settlement) if row.settlement else None,
        settlement_by=row.settlement_by,
        settlement_name=names.get(row.settlement_by, ""),
        files=held_files,
        despite=row.despite or "",
    )
