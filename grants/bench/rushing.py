"""Many people at once: an answer or an amount each saved while all write, and a whole call that sends in its last minute."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grants.bench.browsing import Answer, Form, Wrong
from grants.bench.operations import Fields, Operation, Rush, at
from grants.bench.scoring import Scoring
from grants.bench.wording import in_turn, new_words
from grants.budgets.rules import field_name
from grants.core.money import Money, plain

# How many save an answer at the same time, and how many send in the last minute of a call.
SAVERS, SENDERS = 32, 300
DRAFTS_FOR_RUSHES = SAVERS + SENDERS + 40


class Rushes(Scoring):
    """What is measured last. One more rush is one more line of :meth:`rushes`, with an operation that checks its answer."""

    # The section with the longest answer.
    section: str

    def rushes(self) -> Sequence[Rush]:
        """C9: people save an answer each every two seconds, an amount each, then without a pause; then a whole call sends in its last minute."""
        drafts = self._drafts()
        if len(drafts) < SAVERS + SENDERS:
            raise Wrong(f"{len(drafts)} drafts are too few for {SAVERS} who save and {SENDERS} who send.")
        texts: list[str] = []
        amounts: dict[str, int] = {}
        save, storm = self._autosave(drafts[:SAVERS], texts), drafts[SAVERS : SAVERS + SENDERS]
        cell = self._cells(drafts[:SAVERS], amounts)
        refs = [str(ref) for ref, _ in storm]
        send = Operation(
            "application.submit", "", in_turn("/applications/{}/submit", refs), self._sent_says, sends=".",
            typed=lambda number, form: {"statement": "y"}, person=lambda number: str(storm[number % len(storm)][1]),
        )  # fmt: skip
        return (
            Rush("autosave every 2 s", save, SAVERS, 50, before=self._alone(save), times=10, every_seconds=2, spread_seconds=2, holds=lambda: self._all_stored(texts)),
            Rush("budget cell every 2 s", cell, SAVERS, 50, before=self._alone(cell), times=10, every_seconds=2, spread_seconds=2, holds=lambda: self._all_entered(amounts)),
            self.scoring(),
            Rush("autosave without a pause", save, SAVERS, 150, before=self._alone(save), times=20, holds=lambda: self._all_stored(texts)),
            Rush(
                "storm of sendings in 60 s", send, SENDERS, 1_000, before=self._alone(send), spread_seconds=60,
                holds=lambda: self._all_sent(refs), proofs=lambda: self._receipts(refs),
            ),
        )  # fmt: skip

    def _alone(self, operation: Operation) -> Callable[[int], None]:
        """The list of people who sign in without a password is short: whose turn it is stands in it, of all who draft."""

        def before(place: int) -> None:
            assert operation.person is not None, "each is somebody else"
            self._connection.execute(
                "UPDATE user_account SET is_demo = (handle = %s) WHERE handle ~ '^iris-moss'", [operation.person(place)]
            )

        return before

    def _autosave(self, drafts: Sequence[tuple[Any, ...]], sent: list[str]) -> Operation:
        """What the page's script sends after a pause in writing: one answer, and the number of the version it is typed over.

        Every text sent is put into ``sent``.
        """
        section, question = self.section, str(
            self._value(
                "SELECT s.question_key FROM application a JOIN dossier_answer s ON s.dossier_id = a.dossier_id "
                "WHERE a.reference = %s AND s.section_key = %s ORDER BY length(s.text) DESC, s.question_key LIMIT 1",
                drafts[0][0], self.section,
            )
        )  # fmt: skip
        stands = {
            str(ref): int(number) for ref, number in self._rows(_NUMBERS, [ref for ref, _ in drafts], section, question)
        }

        def typed(number: int, form: Form) -> Fields:
            ref = str(drafts[number % len(drafts)][0])
            before, stands[ref] = stands[ref], stands[ref] + 1
            text = new_words(number)
            sent.append(text)
            return {"csrf_token": form.fields.get("csrf_token", ""), "number": str(before), "value": text}

        return Operation(
            "answer.save", "", lambda number: f"/applications/{drafts[number % len(drafts)][0]}/sections/{section}",
            _answered, sends=".", typed=typed, person=lambda number: str(drafts[number % len(drafts)][1]),
            to=lambda number: f"/applications/{drafts[number % len(drafts)][0]}/sections/{section}/answers/{question}",
        )  # fmt: skip

    def _cells(self, drafts: Sequence[tuple[Any, ...]], entered: dict[str, int]) -> Operation:
        """What the script of the grid sends after a pause in typing: one amount, and what stood in its cell before.

        The amount sent last to each application is put into ``entered``, in cents, by its reference.
        """
        refs = [str(ref) for ref, _ in drafts]
        cells: dict[str, tuple[str, int, int]] = {
            str(ref): (field_name(who, category), int(number), int(cents))
            for ref, who, category, number, cents in self._rows(_CELLS, refs)
        }
        if len(cells) < len(refs):
            raise Wrong(f"Only {len(cells)} of {len(refs)} drafts have an amount to change.")

        def typed(number: int, form: Form) -> Fields:
            ref = refs[number % len(refs)]
            place, stands, cents = cells[ref]
            cells[ref] = (place, stands + 1, cents + 1 + number)
            entered[ref] = cents + 1 + number
            sent = [[place, plain(Money(entered[ref])), stands, cents]]
            return {"csrf_token": form.fields.get("csrf_token", ""), "cells": json.dumps(sent)}

        return Operation(
            "cell.save", "", in_turn("/applications/{}/budget", refs), _entered, sends=".", typed=typed,
            person=lambda number: str(drafts[number % len(drafts)][1]), to=in_turn("/applications/{}/budget/cells", refs),
        )  # fmt: skip

    def _all_entered(self, entered: Mapping[str, int]) -> str | None:
        """In each budget stands the amount that was sent to it last."""
        kept = {str(ref): int(cents) for ref, *_, cents in self._rows(_CELLS, list(entered))}
        lost = [ref for ref, cents in entered.items() if kept.get(ref) != cents]
        return f"{len(lost)} of {len(entered)} amounts are not what was sent last, {lost[0]} for one." if lost else None

    def _all_stored(self, sent: Sequence[str]) -> str | None:
        """Every text that was sent is kept as a version of its answer, and none twice."""
        kept = self._column("SELECT text FROM dossier_answer_version WHERE text = ANY(%s)", list(sent))
        return None if sorted(kept) == sorted(sent) else f"{len(kept)} of {len(sent)} saved texts are kept."

    def _all_sent(self, refs: Sequence[str]) -> str | None:
        """Each is sent once, receipt numbers have no gap, and each hash is that of what is kept."""
        rows = self._rows(
            "SELECT a.reference, s.receipt_number, encode(s.sha256, 'hex'), s.content::text FROM submission s "
            "JOIN application a ON a.id = s.application_id WHERE a.reference = ANY(%s) ORDER BY s.receipt_number",
            list(refs),
        )
        if sorted(row[0] for row in rows) != sorted(refs):
            return f"{len(rows)} submissions of {len(refs)} stand."
        numbers = [row[1] for row in rows]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            return "the numbers of the receipts have gaps."
        wrong = [ref for ref, _, sha256, content in rows if _hash_of(content) != sha256]
        return f"the hash of {wrong[0]} is not that of its content." if wrong else None

    def _receipts(self, refs: Sequence[str]) -> Sequence[Operation]:
        """Every receipt, looked up by a stranger."""
        rows = self._rows(
            "SELECT a.reference, encode(s.sha256, 'hex') FROM submission s JOIN application a ON a.id = s.application_id "
            "WHERE a.reference = ANY(%s)",
            list(refs),
        )
        return [
            Operation(
                "receipt", "", at(f"/receipts?reference={ref}&sha256={sha256}"),
                lambda answer: None if answer.status == 200 and "They match" in answer.text else "it does not match.",
            )
            for ref, sha256 in rows
        ]  # fmt: skip

    def _drafts(self) -> list[tuple[Any, ...]]:
        return self._rows(
            "SELECT a.reference, u.handle FROM application a JOIN application_partner p ON p.application_id = a.id "
            "JOIN user_account u ON u.id = p.contact_user_id WHERE a.state = 'draft' ORDER BY a.reference"
        )

    def _sent_says(self, answer: Answer) -> str | None:
        state = self._value("SELECT state FROM application WHERE reference = %s", answer.path.split("/")[2])
        return None if answer.status == 303 and state == "submitted" else f"the application is {state}."


_NUMBERS = (
    "SELECT a.reference, s.number FROM application a JOIN dossier_answer s ON s.dossier_id = a.dossier_id "
    "WHERE a.reference = ANY(%s) AND s.section_key = %s AND s.question_key = %s"
)


# One amount of each draft: of the lead city, in its first category.
_CELLS = (
    "SELECT DISTINCT ON (a.reference) a.reference, l.organisation_id, l.category, l.version, l.amount FROM application a "
    "JOIN budget_line l ON l.budget_id = a.budget_id AND l.organisation_id = a.coordinator_id "
    "WHERE a.reference = ANY(%s) AND l.work_package = '' AND l.period = 0 ORDER BY a.reference, l.category"
)


def _answered(answer: Answer) -> str | None:
    """The text is stored as the version after the one it was typed over; what is kept is looked at when all is over."""
    number = json.loads(answer.body)["number"] if answer.status == 200 else None
    return (
        None if number == int(str(answer.sent["number"])) + 1 else f"it stands as version {number}: {answer.text[:200]}"
    )


def _entered(answer: Answer) -> str | None:
    """The amount is stored as the version after the one it was typed over."""
    (sent,) = json.loads(str(answer.sent["cells"]))
    found = json.loads(answer.body)["cells"] if answer.status == 200 else []
    stands = [(cell["outcome"], cell["number"]) for cell in found]
    return None if stands == [("stored", sent[2] + 1)] else f"it stands as {stands}: {answer.text[:200]}"


def _hash_of(content: str) -> str:
    """SHA-256 of a submission's content as the receipt’s page describes it: sorted keys, no spaces, UTF-8."""
    text = json.dumps(json.loads(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
