"""Call files and templates as values: text in, values or every problem with its place out; and values at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import yaml

from grants.budgets.rules import Envelope
from grants.calls.rules.content import NOT_FOUND, Sourced
from grants.calls.rules.decisions import (
    literal_of,
)
from grants.calls.rules.kinds import SOURCED, PrintedDeadline
from grants.calls.rules.schema import ELSEWHERE, FIELDS, META, SCHEMA_VERSION, Field
from grants.calls.rules.values import Deadline, DocumentVersion
from grants.calls.states import Confidence
from grants.core import clock, encoding
from grants.core.clock import BRUSSELS
from grants.core.errors import Invalid, Problems
from grants.core.yaml_schema import (
    Kind,
    Reading,
    Record,
    Table,
    composed,
    is_null,
    under,
    what,
)

# Known parts of a file that this act does not bring in, with the word of the note.
IGNORED = {
    "outcome": "“outcome” was left out: results enter by the selection decision or as a published outcome.",
    "later_calls": "“later_calls” was left out: each call is a file of its own.",
}


@dataclass(frozen=True, slots=True)
class CallFile:
    """A call file that was read without a problem."""

    fields: Mapping[str, Sourced]
    deadlines: tuple[Deadline, ...]
    documents: tuple[DocumentVersion, ...]
    zone: str
    notes: tuple[str, ...]

    def value(self, path: str) -> Any:
        """The value at that path, None where it was not found."""
        return self.fields.get(path, NOT_FOUND).value


def _tree() -> dict[str, Any]:
    """The paths of all fields as nested groups."""
    root: dict[str, Any] = {}
    for entry in FIELDS.values():
        *groups, leaf = entry.path.split(".")
        inside = root
        for group in groups:
            inside = inside.setdefault(group, {})
        inside[leaf] = entry
    return root


def read_call_file(text: str) -> CallFile:
    """A whole call file as values; raises :class:`Problems` that lists everything wrong, each with its place.

    Nothing is required here but what makes it a call: what is missing is looked at before publishing.
    """
    read = _read(text)
    reading = read.reading
    root = read.root
    for path, label in {"call.id": "the identifier", "call.title": "the title"}.items():
        if read.fields.get(path, NOT_FOUND).value is None and not _noted(reading, path):
            reading.wrong(root, path, f"is missing: a call needs {label}.")
    zone = read.fields.get("dates.timezone", NOT_FOUND).value or BRUSSELS
    deadlines = _deadlines(read, zone)
    _refuse_if_any(reading)
    documents = read.fields.get("document_versions", NOT_FOUND).value or ()
    labels = [document.label for document in documents]
    if len(set(labels)) < len(labels):
        reading.wrong(root, "document_versions", "names a version twice. Give each its own.")
        _refuse_if_any(reading)
    fields = {path: read.fields.get(path, NOT_FOUND) for path in FIELDS if path not in ELSEWHERE}
    opens = fields["dates.opens"]
    if opens.value is not None and opens.value.time and fields["dates.opens_time"].value is None:
        fields["dates.opens_time"] = replace(opens, value=opens.value.time)
    return CallFile(fields, deadlines, documents, zone, tuple(read.notes))


def read_template(text: str) -> Mapping[str, Sourced]:
    """A template: a call file with only the values it fills, each labelled as coming from it."""
    read = _read(text)
    _refuse_if_any(read.reading)
    return {
        path: Sourced(found.value, Confidence.TEMPLATE, None, found.note)
        for path, found in read.fields.items()
        if found.value is not None and path not in ELSEWHERE
    }


@dataclass(slots=True)
class _FileRead:
    root: yaml.Node
    reading: Reading
    fields: dict[str, Sourced]
    nodes: dict[str, yaml.Node]
    notes: list[str]


def _refuse_if_any(reading: Reading) -> None:
    if reading.problems:
        count = len(reading.problems)
        words = "1 problem" if count == 1 else f"{count} problems"
        raise Problems(f"Nothing was imported: the file has {words}.", reading.problems)


def _noted(reading: Reading, path: str) -> bool:
    return any(problem.place.startswith(path) for problem in reading.problems)


def _read(text: str) -> _FileRead:
    root = composed(text)
    reading = Reading()
    pairs = reading.pairs(root, "")
    version = pairs.pop("schema_version", None)
    if version is None:
        reading.wrong(root, "schema_version", f"is missing: this program reads version {SCHEMA_VERSION}.")
    elif not (isinstance(version, yaml.ScalarNode) and version.value == str(SCHEMA_VERSION)):
        shown = version.value if isinstance(version, yaml.ScalarNode) else what(version)
        reading.wrong(version, "schema_version", f"is {shown}; this program reads version {SCHEMA_VERSION}.")
    read = _FileRead(root, reading, {}, {}, [IGNORED[name] for name in pairs if name in IGNORED])
    _read_group(read, {name: node for name, node in pairs.items() if name not in IGNORED}, _tree(), "", {})
    read.notes += [
        f"Line {line}: a text with commas was read as one text. Put it in quotes to be sure."
        for line in sorted(reading.commas)
    ]
    currency = read.fields.get("budget.currency", NOT_FOUND).value
    if currency not in (None, "EUR"):
        reading.wrong(
            read.nodes["budget.currency"], "budget.currency", f"is {currency}; calls are kept in euros: write EUR."
        )
    return read


def _read_group(
    read: _FileRead,
    pairs: Mapping[str, yaml.Node],
    tree: Mapping[str, Any],
    place: str,
    inherited: Mapping[str, Any],
) -> None:
    """One group of the schema: its own confidence, source and note hold for whatever in it brings none."""
    reading = read.reading
    meta = {
        name: reading.value(SOURCED[name], pairs[name], under(place, name))
        for name in META
        if place and name in pairs and name not in tree
    }
    reading.unknown(pairs, {*tree, *(META if place else ("schema_version", *IGNORED))}, place)
    for name, node in pairs.items():
        entry = tree.get(name)
        inside = under(place, name)
        if isinstance(entry, Field):
            read.nodes[inside] = node
            read.fields[inside] = _sourced(entry, node, inside, {**inherited, **meta}, reading)
        elif entry is not None and not is_null(node):
            _read_group(read, reading.pairs(node, inside), entry, inside, {**inherited, **meta})


def _sourced(entry: Field, node: yaml.Node, place: str, inherited: Mapping[str, Any], reading: Reading) -> Sourced:
    """A value, plain or as ``{value, confidence, source, note}``; a group may carry the three beside its own keys."""
    before = len(reading.problems)
    reading.noticed = []
    meta: dict[str, Any] = {}
    value = None
    if isinstance(node, yaml.MappingNode) and not _is_free(entry.kind, node):
        pairs = reading.pairs(node, place)
        meta = {
            name: reading.value(SOURCED[name], pairs.pop(name), under(place, name)) for name in META if name in pairs
        }
        reading.noticed = []
        if "value" in pairs:
            reading.unknown(pairs, ("value", *META), place)
            value = reading.value(entry.kind, pairs["value"], f"{place}.value")
        elif isinstance(entry.kind, Record):
            value = entry.kind.built(pairs, node, place, reading) if any(map(_is_there, pairs.values())) else None
        else:
            reading.unknown(pairs, ("value", *META), place)
    else:
        value = reading.value(entry.kind, node, place)
    if value is not None and entry.finish is not None:
        value = entry.finish(value)
    stated = meta.get("confidence")
    if len(reading.problems) == before and stated is not None:
        if value is None and stated is not Confidence.NOT_FOUND:
            reading.wrong(node, place, f"says “{stated}” but gives no value. Write confidence: not_found.")
        elif value is not None and stated is Confidence.NOT_FOUND:
            reading.wrong(node, place, "says “not_found” and gives a value. Keep one of the two.")
    return Sourced(
        value,
        _how_sure(value, stated, inherited.get("confidence"), reading.noticed),
        meta.get("source") or inherited.get("source"),
        meta.get("note") or (inherited.get("note") if value is not None else None),
    )


def _is_free(kind: Kind, node: yaml.MappingNode) -> bool:
    """Whether the keys of this group are words of its own, not ``value`` with its confidence."""
    names = {str(key.value) for key, _ in node.value}
    return isinstance(kind, Table) and not ("value" in names and names <= {"value", *META})


def _is_there(node: yaml.Node) -> bool:
    return not is_null(node)


_WEAKER = (Confidence.SEEN, Confidence.STATED, Confidence.SECONDARY, Confidence.INFERRED, Confidence.NOT_FOUND)


def _how_sure(
    value: Any, stated: Confidence | None, inherited: Confidence | None, inner: Sequence[Confidence]
) -> Confidence:
    """The value's own word, else the weakest word inside it, else its group's, else that the file states it."""
    if value is None:
        return Confidence.NOT_FOUND
    if stated is not None:
        return stated
    if inner:
        return max(inner, key=_WEAKER.index)
    return inherited if inherited not in (None, Confidence.NOT_FOUND) else Confidence.STATED


def _deadlines(read: _FileRead, zone: str) -> tuple[Deadline, ...]:
    """The printed deadlines as instants, in order; an offset the zone does not have on that day is a problem."""
    found: list[Deadline] = []
    for path in ("dates.deadline_original", "dates.deadline_extended"):
        sourced = read.fields.get(path, NOT_FOUND)
        closes_at = None if sourced.value is None else _instant(read, path, sourced.value, zone)
        if closes_at is None:
            continue
        if found and closes_at <= found[-1].closes_at:
            read.reading.wrong(read.nodes[path], path, "is not later than the first deadline.")
        found.append(
            Deadline(
                number=len(found) + 1,
                closes_at=closes_at,
                zone=zone,
                literal=sourced.value.literal or literal_of(closes_at, zone),
                reason=sourced.value.reason,
                public_note=sourced.note,
                confidence=sourced.confidence,
                source=sourced.source,
            )
        )
    return tuple(found)


def _instant(read: _FileRead, path: str, printed: PrintedDeadline, zone: str) -> datetime | None:
    node = read.nodes[path]
    if printed.iso is not None and printed.local is not None:
        read.reading.wrong(node, path, "gives “iso” and “local”. Keep one.")
    elif printed.iso is not None:
        there = clock.in_zone(printed.iso, zone)
        if there.utcoffset() != printed.iso.utcoffset():
            read.reading.wrong(
                node,
                f"{path}.iso",
                f"is {printed.iso.isoformat()}, but {zone} is at {there.isoformat()[-6:]} then"
                f" ({there.tzname()}). Write the instant people can rely on: {there.isoformat()}.",
            )
            return None
        return clock.as_utc(printed.iso)
    elif printed.local is not None:
        try:
            return clock.local_to_utc(printed.local, zone, fold=printed.fold)
        except Invalid as error:
            read.reading.wrong(node, f"{path}.local", str(error))
    return None


# --- values at rest -----------------------------------------------------------------------------------------------


def to_json(fields: Mapping[str, Sourced]) -> dict[str, Any]:
    """The values of a call as plain JSON, for its column."""
    return {
        "schema_version": SCHEMA_VERSION,
        "fields": {
            path: {
                "value": encoding.encode(found.value),
                "confidence": found.confidence.value,
                "source": found.source,
                "note": found.note,
            }
            for path, found in fields.items()
            if found != NOT_FOUND
        },
    }


def from_json(stored: Mapping[str, Any]) -> dict[str, Sourced]:
    """What :func:`to_json` made, as values again; a field nobody gave is not found."""
    kept = stored["fields"]
    return {path: _restored(entry, kept.get(path)) for path, entry in FIELDS.items() if path not in ELSEWHERE}


def envelopes_in(stored: Mapping[str, Any]) -> tuple[Envelope, ...]:
    """The award amounts alone, for a list of calls."""
    return _restored(FIELDS["grant_bands_eur"], stored["fields"].get("grant_bands_eur")).value or ()


def _restored(entry: Field, kept: Mapping[str, Any] | None) -> Sourced:
    if kept is None:
        return NOT_FOUND
    value = None if kept["value"] is None else encoding.decode({"value": kept["value"]}, entry.type)
    return Sourced(value, Confidence(kept["confidence"]), kept["source"], kept["note"])


def filled(
    fields: Mapping[str, Sourced], template: Mapping[str, Sourced], *, pays: bool = True
) -> tuple[dict[str, Sourced], tuple[str, ...]]:
    """The values with the template's where nothing was found, and the paths it filled; what was found never changes.

    What a file noted about a value it did not find stays beside the template's value. A call that
    ``pays`` nothing takes nothing about money.
    """
    result, paths = dict(fields), []
    for path, ours in template.items():
        found = fields.get(path, NOT_FOUND)
        if found.value is None and (pays or not FIELDS[path].of_money):
            result[path] = replace(ours, note=ours.note or found.note)
            paths.append(path)
    return result, tuple(paths)
