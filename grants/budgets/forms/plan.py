"""What is sent of a work plan, brought together line by line with what others saved meanwhile; typed text is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from flask import request
from wtforms import HiddenField

from grants.budgets import rules
from grants.budgets.rules import ItemKind, Months, PlanItem, PlannedPackage
from grants.core import encoding
from grants.core.errors import Invalid, quoted
from grants.core.text import without_turns
from grants.web.forms import Form

BLANK_ITEMS = 2
# What could not be saved stands behind the lines of a full work package, and is read from there again.
SENT_ITEMS_MAX = 2 * rules.ITEMS_MAX
# Numbers for work packages somebody took away and somebody else still writes in: no plan comes that far.
GONE_FROM = 900_000
_PACKAGE_TITLE = re.compile(r"wp-(WP[0-9]{1,6})-title$")
TITLE_OR_LINES = "Give the work package a title, or empty its lines too."


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the work plan as typed: a work package, or something in it."""

    place: str
    kind: str = ItemKind.TASK.value
    title: str = ""
    owner: str = ""
    months: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def typed(self) -> tuple[str, ...]:
        """What a person can change of it."""
        return (self.kind, self.title, self.owner, self.months)


@dataclass(frozen=True, slots=True)
class PlanBlock:
    """A work package and its lines as typed; without a code it is none that stands."""

    code: str
    head: PlanLine
    lines: tuple[PlanLine, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether something in it is not saved."""
        return any(line.wrong for line in (self.head, *self.lines))


Kept = TypeVar("Kept", PlanItem, PlannedPackage)
Row = tuple[PlanLine, PlanItem | None]
Merged = tuple[PlanBlock, PlannedPackage | None]


class PlanForm(Form):
    """The whole work plan, and the one that was shown, by which it is known who changed what."""

    shown = HiddenField()

    def __init__(self, plan: Sequence[PlannedPackage] = (), **options: Any) -> None:
        super().__init__(**options)
        self.blocks = [_block(each) for each in plan] + [_block(PlannedPackage("", ""))]
        self.merged: list[Merged] = []
        self.was_overtaken = False
        if not self.is_submitted():
            self.carry(plan)

    def carry(self, plan: Sequence[PlannedPackage]) -> None:
        """Send along what the page shows."""
        self.shown.data = json.dumps([encoding.encode(each) for each in plan], separators=(",", ":"))
        self.shown.raw_data = None

    @property
    def is_wrong(self) -> bool:
        """Whether a line could not be saved as typed."""
        return any(block.is_wrong for block in self.blocks)

    def read(
        self, stored: Sequence[PlannedPackage], names: Mapping[UUID, str], months_max: int
    ) -> tuple[PlannedPackage, ...] | None:
        """The plan to store: what was typed, with what others changed meanwhile in lines this person left alone.

        A line that is wrong, or that both changed, is left as it is stored and says why in ``blocks``. None where
        nothing can be stored.
        """
        reader = _Reader(names, months_max)
        known, stood = {each.code: each for each in self._was(stored)}, {each.code: each for each in stored}
        self.was_overtaken = known != stood
        added = [replace(each, code="") for each in stored if each.code not in known]
        for code in _codes(stood):
            place, now = f"wp-{code or 'new'}", stood.get(code)
            if f"{place}-title" in request.form:
                self.merged.append(reader.package(code, known.get(code, now), now, added))
            elif now is not None:
                self.merged.append((_block(now), now))
        found = tuple(package for _, package in self.merged if package is not None)
        self._show(self.merged)
        if len(found) > rules.PACKAGES_MAX:
            self.problems.append(
                f"A work plan has at most {rules.PACKAGES_MAX} work packages. Put small ones together."
            )
        return None if self.problems else found

    def settle(self, codes: Sequence[str]) -> None:
        """After what is right was saved under these codes: show it as it stands, with what was not saved as typed."""
        left = iter(codes)
        kept: list[Merged] = []
        plan: list[PlannedPackage] = []
        for block, package in self.merged:
            if package is not None:
                package = replace(package, code=next(left))
                plan.append(package)
                kept.append((_placed(f"wp-{package.code}", package.code, block), package))
            elif block.is_wrong:
                kept.append((block, package))
        self._show(kept)
        self.carry(plan)

    def _show(self, merged: Sequence[Merged]) -> None:
        self.blocks = [block for block, package in merged if package is not None or block.is_wrong or block.code]
        if all(block.head.place != "wp-new" for block in self.blocks):
            self.blocks.append(_block(PlannedPackage("", "")))

    def _was(self, stored: Sequence[PlannedPackage]) -> tuple[PlannedPackage, ...]:
        """The plan this form showed; that which stands where it says nothing of it."""
        if not self.shown.data:
            return tuple(stored)
        try:
            found = encoding.decode({"value": json.loads(self.shown.data)}, tuple[PlannedPackage, ...])
            return tuple(found)
        except (ValueError, TypeError, AttributeError, RecursionError, ExceptionGroup):
            self.problems.append(
                "This page did not say what it had shown, so nothing is saved yet. The timeline shows what stands now:"
                " compare it with what you typed below, then save again."
            )
            return tuple(stored)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Every sentence with the id of its field; lines are counted as the page shows them."""
        return super().what_is_wrong() + [
            (f"{_where(block, number)}: {sentence}", f"{line.place}-{part}")
            for block in self.blocks
            for number, line in enumerate((block.head, *block.lines))
            for part, sentence in line.wrong.items()
        ]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what was sent of one work package; ``names`` are those of the organisations that take part."""

    names: Mapping[UUID, str]
    months_max: int

    def package(
        self, code: str, was: PlannedPackage | None, now: PlannedPackage | None, added: Sequence[PlannedPackage]
    ) -> Merged:
        """What to show of it and what to store, None for nothing; ``added`` is what others added meanwhile."""
        if now is None:
            return self._gone(code, was) if was is not None else self._new(code, added)
        assert was is not None, "what stands was shown, or counts as shown"
        place = f"wp-{code}"
        rows = self._rows(place, was.items, now.items)
        before, stands = rules.head_of(was), rules.head_of(now)
        head, mine = self._head(place)
        head = replace(head, kind="package")
        if head.title.strip():
            head, kept = self._settled(head, mine, before, stands, _block(was).head)
        elif rows or stands != before:
            sentence = TITLE_OR_LINES if rows else rules.changed_meanwhile(stands, self.names)
            head, kept = replace(head, wrong={"title": sentence}), stands
        else:
            kept = None
        block = _placed(place, code, PlanBlock(code, head, tuple(line for line, _ in rows)))
        items = tuple(item for _, item in rows if item is not None)
        return block, replace(kept, code=code, items=items) if kept is not None else None

    def _new(self, code: str, added: Sequence[PlannedPackage]) -> Merged:
        place = f"wp-{code or 'new'}"
        rows = self._rows(place, (), ())
        head, mine = self._head(place)
        if mine is None:
            head = replace(head, wrong={"title": TITLE_OR_LINES}) if rows else _refuse_nameless(head)
        elif "title" in head.wrong:
            mine = None
        block = _placed(place, "", PlanBlock("", head, tuple(line for line, _ in rows)))
        if mine is None:
            return block, None
        package = replace(mine, items=tuple(item for _, item in rows if item is not None))
        # Sent twice, or typed by two alike: it stands already.
        return block, None if package in added and not block.is_wrong else package

    def _gone(self, code: str, was: PlannedPackage) -> Merged:
        """One that was taken away meanwhile: it stays away where this person changed nothing in it."""
        place, shown = f"wp-{code}", _block(was)
        sent = [_sent_plan_line(f"{place}-{number}") for number in range(SENT_ITEMS_MAX)]
        begun = [_refuse_nameless(line) for line in sent[len(was.items) :]]
        lines = tuple(line for line in (*sent[: len(was.items)], *begun) if line.title.strip() or line.wrong)
        head = _sent_plan_line(place)
        before = [line.typed for line in shown.lines if line.title]
        is_empty = not head.title.strip() and not lines
        if is_empty or (head.typed[1:] == shown.head.typed[1:] and [line.typed for line in lines] == before):
            return PlanBlock("", PlanLine(place), ()), None
        head = replace(head, wrong={"title": rules.changed_meanwhile(None, self.names)})
        return _placed(f"wp-WP{GONE_FROM + int(code[2:]) % 100_000}", "", PlanBlock("", head, lines)), None

    def _rows(self, place: str, was: Sequence[PlanItem], now: Sequence[PlanItem]) -> list[Row]:
        """Each line as shown and as stored: those that stand in their order, then new ones, then what is not stored."""
        where = rules.same_lines(was, now)
        standing: dict[int, Row] = {}
        more: list[Row] = []
        for number in range(SENT_ITEMS_MAX):
            at = f"{place}-{number}"
            line, mine = self._item(at, is_new=number >= len(was))
            if number < len(was):
                stands = now[where[number]] if number in where else None
                row = self._settled(line, mine, was[number], stands, _item_line(at, was[number]))
                if stands is not None:
                    standing[where[number]] = row
                    continue
            else:
                row = (line, mine)
            more.append(row)
        added = [item for number, item in enumerate(now) if number not in where.values()]
        rows = [standing.get(number, (_item_line("", item), item)) for number, item in enumerate(now)]
        rows += [(line, item) for line, item in more if item is None or item not in added]
        rows = [(line, item) for line, item in rows if item is not None or line.wrong]
        return _within_limit(sorted(rows, key=lambda row: row[1] is None))

    def _settled(
        self, line: PlanLine, mine: Kept | None, was: Kept, now: Kept | None, shown: PlanLine
    ) -> tuple[PlanLine, Kept | None]:
        """The line to show and what to store, of a line shown before that may have been changed by either or both."""
        if mine == was or line.typed == shown.typed:
            # Left alone by this person: what others made of it stands.
            return (line, now) if now == was else (_line_of(now, shown.place), now)
        if now == was:
            return line, now if line.wrong else mine
        if mine == now and not line.wrong:
            return line, now
        return replace(line, wrong={**line.wrong, "title": rules.changed_meanwhile(now, self.names)}), now

    def _head(self, place: str) -> tuple[PlanLine, PlannedPackage | None]:
        line = _sent_plan_line(place)
        if not line.title.strip():
            return line, None
        title, owner, months, wrong = self._parts(line, months_needed=False)
        return replace(line, wrong=wrong), PlannedPackage("", title, owner, months)

    def _item(self, place: str, *, is_new: bool) -> Row:
        line = _sent_plan_line(place)
        if not line.title.strip():
            # An emptied title takes a line away that stood; a line begun without one is not lost without a word.
            return _refuse_nameless(line) if is_new else line, None
        title, owner, months, wrong = self._parts(line, months_needed=True)
        if line.kind not in {kind.value for kind in ItemKind}:
            wrong = {**wrong, "kind": "Choose one of the kinds shown."}
        if wrong or months is None:
            return replace(line, wrong=wrong), None
        return line, PlanItem(ItemKind(line.kind), title, owner, months)

    def _parts(self, line: PlanLine, *, months_needed: bool) -> tuple[str, UUID | None, Months | None, dict[str, str]]:
        wrong: dict[str, str] = {}
        title, months = line.title, None
        try:
            title = rules.read_title(line.title)
        except Invalid as error:
            wrong["title"] = str(error)
        if line.months.strip():
            try:
                months = rules.read_months(line.months, self.months_max)
            except Invalid as error:
                wrong["months"] = str(error)
        elif months_needed:
            wrong["months"] = "Enter the month, for example 3, or the months, for example 3-9."
        owner = next((who for who in self.names if str(who) == line.owner), None)
        if line.owner and owner is None:
            wrong["owner"] = "Choose one of the partners shown."
        return title, owner, months, wrong


def _codes(stood: Mapping[str, PlannedPackage]) -> list[str]:
    """Work packages that stand, those that do not (any more) but were sent, and "" for the empty one."""
    sent = [found[1] for found in map(_PACKAGE_TITLE.match, request.form) if found]
    return [*stood, *[code for code in dict.fromkeys(sent) if code not in stood][: rules.PACKAGES_MAX], ""]


def _within_limit(rows: Sequence[Row]) -> list[Row]:
    sentence = f"A work package has at most {rules.ITEMS_MAX} lines. Put small ones together, or in another package."
    return [
        row if number < rules.ITEMS_MAX or row[1] is None else (replace(row[0], wrong={"title": sentence}), None)
        for number, row in enumerate(rows)
    ]


def _where(block: PlanBlock, number: int) -> str:
    package = f"Work package {block.code}" if block.code else "A new work package"
    if number == 0:
        return package
    title = block.lines[number - 1].title.strip()
    return f"{package}, line {number}" + (f" {quoted(title)}" if title else "")


def _placed(place: str, code: str, block: PlanBlock) -> PlanBlock:
    """The same with its fields named anew from top to bottom, and empty lines to go on."""
    typed = [line for line in block.lines if line.wrong or line.title.strip() or line.owner or line.months.strip()]
    lines = [replace(line, place=f"{place}-{number}") for number, line in enumerate(typed)]
    return PlanBlock(code, replace(block.head, place=place), (*lines, *_blank(place, len(lines))))


def _blank(prefix: str, after: int) -> tuple[PlanLine, ...]:
    return tuple(PlanLine(f"{prefix}-{number}") for number in range(after, min(after + BLANK_ITEMS, rules.ITEMS_MAX)))


def _block(package: PlannedPackage) -> PlanBlock:
    place = f"wp-{package.code or 'new'}"
    lines = tuple(_item_line("", item) for item in package.items)
    return _placed(place, package.code, PlanBlock(package.code, _line_of(package, place), lines))


def _line_of(kept: PlanItem | PlannedPackage | None, place: str) -> PlanLine:
    if isinstance(kept, PlannedPackage):
        return PlanLine(place, "package", kept.title, str(kept.lead_id or ""), _typed_months(kept.months))
    return PlanLine(place) if kept is None else _item_line(place, kept)


def _item_line(place: str, item: PlanItem) -> PlanLine:
    return PlanLine(place, item.kind.value, item.title, str(item.owner_id or ""), _typed_months(item.months))


def _typed_months(months: Months | None) -> str:
    if months is None:
        return ""
    return str(months.first) if months.first == months.last else f"{months.first}-{months.last}"


def _sent_plan_line(place: str) -> PlanLine:
    def sent(part: str) -> str:
        return without_turns(request.form.get(f"{place}-{part}", ""))

    return PlanLine(place, sent("kind") or ItemKind.TASK.value, sent("title"), sent("owner"), sent("months"))


def _refuse_nameless(line: PlanLine) -> PlanLine:
    if not line.owner and not line.months.strip():
        return line
    return replace(line, wrong={"title": "Give this line a title, or empty who does it and its months too."})
