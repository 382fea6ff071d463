"""Acts by which a call comes to be: from a call file, or from an earlier call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call
from grants.calls.rules import CallFile, CallSummary, Deadline, Sourced
from grants.calls.services.keeping import (
    add_deadline,
    add_document,
    followed,
    free_slug,
    fund_source_of,
    parent_rules_of,
    refuse_known,
    summary,
    take_over,
)
from grants.calls.states import CallState, Confidence
from grants.core import acts, clock, references
from grants.core.acts import act
from grants.core.db import db, get
from grants.core.errors import Invalid, NotFound, Problem, Problems, Refused
from grants.core.permissions import Actor, Permission
from grants.programmes import queries as programme_queries
from grants.programmes import services as programmes
from grants.programmes.rules import PILOT_CITIES, ParentRules


@act("call.import", needs=Permission.CALL_IMPORT, says="imported call {subject}")
def import_call(actor: Actor, text: str, *, programme_code: str = PILOT_CITIES.code) -> CallSummary:
    """Bring in a call file as a draft; raises Problems with everything that is wrong, and then nothing came in."""
    file = rules.read_call_file(text)
    year = _year_of(file)
    published_id = file.value("call.id")
    refuse_known(published_id, "Nothing was imported.", "call.id")
    call = Call(
        programme_id=_programme(programme_code),
        fund_source_id=fund_source_of(file.value("call.parent_grant")),
        reference=references.new_reference(programme_code, year, "C"),
        slug=free_slug(file.value("call.title"), year),
        published_id=published_id,
        title=file.value("call.title"),
        year=year,
        state=CallState.DRAFT.value,
        synthetic=bool(file.value("call.invented")),
        content={},
        zone=file.zone,
        follows_id=followed(file.value("call.follows")),
    )
    db.session.add(call)
    take_over(call, file.fields)
    for deadline in file.deadlines:
        add_deadline(call.id, deadline)
    for document in file.documents:
        add_document(call.id, document)
    db.session.flush()
    parent = parent_rules_of(call)
    return summary(call, (*file.notes, *_what_is_missing(file.fields, file.deadlines, parent)))


def _year_of(file: CallFile) -> int:
    opening = file.value("dates.opens")
    if file.value("call.year"):
        return int(file.value("call.year"))
    if opening is not None:
        return int(opening.day.year)
    if file.deadlines:
        return clock.in_zone(file.deadlines[0].closes_at, file.zone).year
    raise Problems(
        "Nothing was imported.",
        [Problem("call.year", "is missing, and neither the opening day nor a deadline says the year.")],
    )


def _programme(code: str) -> UUID:
    """The programme of that code; the standard one is made where it is missing, so that a first import just works."""
    if code == PILOT_CITIES.code:
        return programmes.ensure_programme(PILOT_CITIES)
    found = programme_queries.find_programme(code)
    if found is None:
        raise Refused(f"There is no programme with the code {code}. Set it up first, or leave the code out.")
    return found.id


def _what_is_missing(
    fields: Mapping[str, Sourced], deadlines: Iterable[Deadline], parent: ParentRules
) -> tuple[str, ...]:
    missing = rules.missing(fields, tuple(deadlines), parent)
    if not missing:
        return ()
    return (f"{len(missing)} values were not found: {', '.join(problem.place for problem in missing)}.",)


# What is of one call alone; a copy of a second stage would otherwise take its applicants from the earlier first one.
_NOT_COPIED = frozenset({"call.id", "call.title", "call.year", "call.follows"})


@act("call.copy", needs=Permission.CALL_IMPORT, says="made call {subject} from an earlier one")
def copy_call(actor: Actor, call_id: UUID, title: str, year: int) -> CallSummary:
    """A new draft with every rule, text and question of a call this person may see, but none of its dates."""
    if not queries.is_visible(actor, call_id):
        raise NotFound
    source, words = get(Call, call_id), title.strip()
    if not words:
        raise Invalid("A call needs a title.", {"title": "Enter the title of the new call."})
    fields = {
        path: found
        for path, found in rules.from_json(source.content).items()
        if not path.startswith("dates.") and path not in _NOT_COPIED
    }
    stated = {"call.title": words, "call.year": year}
    fields |= {path: Sourced(value, Confidence.STATED) for path, value in stated.items()}
    programme = programme_queries.programme(source.programme_id)
    call = Call(
        programme_id=source.programme_id,
        fund_source_id=source.fund_source_id,
        reference=references.new_reference(programme.code, year, "C"),
        slug=free_slug(words, year),
        title=words,
        year=year,
        state=CallState.DRAFT.value,
        synthetic=source.synthetic,
        content={},
        zone=source.zone,
    )
    db.session.add(call)
    take_over(call, fields)
    db.session.flush()
    acts.reason(f"From {source.reference}")
    notes = ["Dates, deadline and documents are to be set anew."]
    if source.follows_id is not None:
        notes.append("Say which call for concepts it follows: not the one the earlier call followed.")
    return summary(call, tuple(notes))
