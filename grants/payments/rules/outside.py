"""The record of a sent payment file that lies outside the database: its one spelling, and reading it back. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from grants.core.errors import Invalid
from grants.core.money import Money, total

# A file holds at most 5,000 orders; a record of them is well below this.
RECORD_BYTES_MAX = 8_000_000
_CENTS_MAX = 10**14
_FIRST = "pilot-grants payment file 1"
_NOTE = re.compile(r"(pilot-grants payment file 1\nrecord (\S+)\n(\{[^\n]*\})\nkey (\S+)\n)\n— \S+ (\S+)\n")


class Fate(StrEnum):
    """What became of a file that was sent elsewhere."""

    SENT = "sent"
    NEVER_RECEIVED = "never_received"

    @property
    def words(self) -> str:
        """As people choose it."""
        if self is Fate.SENT:
            return "The bank has it: its orders are recorded as sent by this file"
        return "The bank never received it: its orders may leave in another file"


@dataclass(frozen=True, slots=True)
class SentLine:
    """One payment of a sent file."""

    order: str
    end_to_end_id: str
    request: str
    cents: int


@dataclass(frozen=True, slots=True)
class SentFile:
    """The facts of a sent file: enough to know its payments again, and no account number in full."""

    message_id: str
    reference: str
    sha256: str
    layout: str
    account: str
    sent_at: datetime
    lines: tuple[SentLine, ...]

    @property
    def total(self) -> Money:
        """The sum of its payments."""
        return total(Money(line.cents) for line in self.lines)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A record as it was read: of which audit record, the file, and what was signed by which key."""

    record: str
    file: SentFile
    signed: str
    key: str
    signature: str


def spelled(file: SentFile, *, record: str, key: str) -> str:
    """The text that is signed."""
    facts = {**asdict(file), "sent_at": file.sent_at.isoformat(), "total_cents": file.total.cents}
    line = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{_FIRST}\nrecord {record}\n{line}\nkey {key}\n"


def read(text: str, where: str) -> ReadBack:
    """A record from its text with the signature under it; raises :class:`Invalid` where it is not whole."""
    found = _NOTE.fullmatch(text)
    if found is None:
        raise Invalid(f"{where} is no whole record of a payment file.")
    try:
        facts = json.loads(found[3])
        if "\\u0000" in found[3]:
            raise ValueError("no text that a database keeps")
        lines = tuple(_line(each) for each in facts["lines"])
        names = ("message_id", "reference", "sha256", "layout", "account")
        file = SentFile(
            **{name: str(facts[name]) for name in names}, sent_at=datetime.fromisoformat(facts["sent_at"]), lines=lines
        )
        whole = file.sent_at.tzinfo is not None and file.total.cents == facts["total_cents"] and bool(lines)
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{where} is no whole record of a payment file.") from error
    if not whole:
        raise Invalid(f"{where} does not hold together: its sum is not that of its payments.")
    return ReadBack(found[2], file, found[1], found[4], found[5])


def _line(facts: dict[str, object]) -> SentLine:
    cents = facts["cents"]
    if not isinstance(cents, int) or not 0 < cents <= _CENTS_MAX:
        raise ValueError("an amount is whole cents above zero, and no bank moves more than some")
    return SentLine(str(facts["order"]), str(facts["end_to_end_id"]), str(facts["request"]), cents)
