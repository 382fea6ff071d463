"""Two people in one field: what may be stored, what must be asked first, and a draft with the words of both.

Nothing here is stored, and nothing is ever merged without a person who looked at it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from grants.core.errors import Conflict
from grants.dossiers import rules
from grants.dossiers.markup import Block
from grants.dossiers.rules import Answer, DossierContent, Question, QuestionKind, Section, SectionState

# Longer stretches are compared line by line: word by word they would take seconds.
WORDS_COMPARED_MAX = 3_000
# 1 500 words of prose on either side make some 65 000 pairs. Texts of few words said over and over make millions and would
# take minutes: what lies between their alike beginning and end is then one change.
PAIRS_MAX = 100_000

# Saves of one person in one field within this time are one sitting in the history.
SITTING = timedelta(minutes=10)

# A number nobody was ever shown: what is sent with it counts as written without having seen what stands.
UNSEEN = -1

# Kinds of which a draft with the words of both makes sense; half of a date or of an amount is none.
_OF_WORDS = frozenset({QuestionKind.SHORT, QuestionKind.LONG})


class Outcome(StrEnum):
    """What becomes of one typed answer."""

    KEEP = "keep"
    STORE = "store"
    MERGED = "merged"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Shown:
    """Which version of an answer a form showed; 0 where nothing was stored yet."""

    question: str
    number: int


@dataclass(frozen=True, slots=True)
class Contested:
    """One answer that somebody else changed after it was shown; nothing of ``typed`` is stored."""

    question: str
    number: int
    base: Answer
    stored: Answer
    typed: Answer
    saved_at: datetime
    saved_by: UUID | None


@dataclass(frozen=True, slots=True)
class SectionSaved:
    """What became of one section: its version, and the answers that others changed meanwhile."""

    version: int
    contested: tuple[Contested, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerSaved:
    """One answer as it stands after saving, in whatever state it is; ``other`` is what stands where that was not sent.

    That is so where its writer changed nothing and somebody else did: what was sent is then what was shown long ago.
    """

    number: int
    saved_at: datetime | None
    saved_by: UUID | None
    words: int
    problem: str | None
    section: SectionState
    other: tuple[str, ...] | None = None


class AnswerChanged(Conflict):
    """Somebody else changed this answer after it was shown; both texts are offered."""

    def __init__(self, question: Question, contested: Contested) -> None:
        super().__init__(f"Somebody else changed “{question.label}” while you were writing. Your text is not lost.")
        self.question, self.contested = question, contested


@dataclass(frozen=True, slots=True)
class Draft:
    """A text made of two; ``overlaps`` counts the places where both changed the same words and both stand in it."""

    text: str
    overlaps: int

    @property
    def clean(self) -> bool:
        """No place holds two wordings."""
        return self.overlaps == 0


@dataclass(frozen=True, slots=True)
class Clash:
    """One contested answer made ready to choose from: both, and a draft of both where one can be made."""

    question: Question
    contested: Contested
    draft: Draft | None
    merged: Answer | None

    @property
    def stored_paragraphs(self) -> tuple[Block, ...]:
        """What is stored, made ready to read."""
        return rules.paragraphs(rules.shown(self.question, self.contested.stored))

    @property
    def merged_paragraphs(self) -> tuple[Block, ...]:
        """The draft, made ready to read; empty where there is none."""
        return rules.paragraphs(rules.shown(self.question, self.merged)) if self.merged else ()


def clash_sentence(clashes: Iterable[Clash], reader: UUID | None) -> str:
    """Who changed which answers meanwhile: somebody else, or the reader in a second window; and what to do."""
    own, others = list[str](), list[str]()
    for clash in clashes:
        (own if clash.contested.saved_by == reader else others).append(f"“{clash.question.label}”")
    told = [f"Somebody else changed {' and '.join(others)} while you were writing."] if others else []
    told += [f"You changed {' and '.join(own)} in another window of yours."] if own else []
    return " ".join((*told, "Choose below which text shall stand; everything else you typed is saved."))


class Stretch(StrEnum):
    """Whether a stretch of text stood before, is new, or was taken out."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text in a comparison."""

    kind: Stretch
    text: str


# --- judging --------------------------------------------------------------------------------------------------


def judged(question: Question, *, base: Answer | None, stored: Answer, typed: Answer, is_shown: bool) -> Outcome:
    """What may become of ``typed``: stored only where its writer saw what stands.

    ``base`` is what the writer was shown, None where that is unknown; ``is_shown`` says that it still stands.
    """
    if typed == stored:
        return Outcome.KEEP
    if is_shown:
        return Outcome.STORE
    if typed == base:
        return Outcome.KEEP
    draft = draft_of(question, base or Answer(question.key), stored, typed)
    return Outcome.MERGED if draft is not None and draft.clean else Outcome.CONFLICT


class Taking(StrEnum):
    """What an answer from elsewhere would do to the one that stands."""

    READ = "read"
    # A number, an amount or a day that nobody can read as one: kept as typed if somebody wants it, and an error until mended.
    UNREADABLE = "unreadable"
    EMPTIES = "empties"
    # Only a part of it could be read, or a number that can be meant in two ways: somebody must look at it.
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Proposed:
    """An answer from elsewhere beside the one that stands, with what would change word by word."""

    question: Question
    number: int
    answer: Answer
    pieces: tuple[Piece, ...]
    problem: str | None
    taking: Taking = Taking.READ
    doubt: str = ""

    @property
    def replaces(self) -> bool:
        """Whether words that stand would go."""
        return any(piece.kind is Stretch.REMOVED for piece in self.pieces)


def proposed(
    question: Question, *, number: int, standing: Answer, other: Answer, is_cleared: bool = False, in_part: bool = False
) -> Proposed | None:
    """What another answer would change; None where it says the same, or nothing.

    ``is_cleared``: nothing is said where something could have been, so it would empty the answer that stands.
    ``in_part``: not all that was said could be read.
    """
    made = rules.tidy(question, other)
    if made == standing or (made.empty and (standing.empty or not is_cleared)):
        return None
    before, after = rules.shown(question, standing), rules.shown(question, made)
    if made.empty:
        return Proposed(question, number, made, compared(before, after), None, Taking.EMPTIES)
    if not made.picked and _same_blocks(before, after):
        return None
    doubt = rules.two_meanings(question, made)
    if in_part:
        doubt = "Only a part of it could be read. Tick it if this part is the whole answer."
    taking = Taking.DOUBTFUL if doubt else Taking.READ
    taking = Taking.UNREADABLE if rules.unreadable(question, made) else taking
    pieces, problem = compared(before, after), rules.question_problem(question, made)
    return Proposed(question, number, made, pieces, problem, taking, doubt)


def _same_blocks(one: str, other: str) -> bool:
    """Whether two texts say the same in the same shape; how wide a space is says nothing."""
    first, second = (rules.paragraphs(re.sub(r"[ \t]+", " ", text)) for text in (one, other))
    return [(b.kind, b.rows) for b in first] == [(b.kind, b.rows) for b in second]


def clash_of(question: Question, contested: Contested) -> Clash:
    """A contested answer with the draft of both."""
    draft = draft_of(question, contested.base, contested.stored, contested.typed)
    if draft is not None:
        return Clash(question, contested, draft, Answer(question.key, draft.text))
    if question.kind is not QuestionKind.MULTICHOICE:
        return Clash(question, contested, None, None)
    base, stored, typed = (set(a.picked) for a in (contested.base, contested.stored, contested.typed))
    picked = (stored & typed) | (stored - base) | (typed - base)
    merged = rules.tidy(question, Answer(question.key, picked=tuple(picked)))
    return Clash(question, contested, Draft("", 0), merged)


def draft_of(question: Question, base: Answer, stored: Answer, typed: Answer) -> Draft | None:
    """A text with the changes of both, or None where the answer is no text of words."""
    if question.kind not in _OF_WORDS:
        return None
    return merge(base.text, stored.text, typed.text)


# --- merging --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """``tokens[start:end]`` of the base become ``put``."""

    start: int
    end: int
    put: tuple[str, ...]


def merge(base: str, stored: str, typed: str) -> Draft:
    """Both texts' changes to ``base`` in one; where both changed the same words, first the stored, then the typed ones.

    >>> merge("one two three", "1 two three", "one two three four")
    Draft(text='1 two three four', overlaps=0)
    >>> merge("one two", "one deux", "one zwei")
    Draft(text='one deux zwei', overlaps=1)
    """
    if stored == typed or typed == base:
        return Draft(stored, 0)
    if stored == base:
        return Draft(typed, 0)
    split = _splitting((base, stored, typed))
    tokens = split(base)
    found: list[str] = []
    overlaps = at = 0
    for start, end, theirs, ours in _together(_changes(tokens, split(stored)), _changes(tokens, split(typed))):
        found += tokens[at:start]
        first, second = (_applied(tokens, start, end, each) for each in (theirs, ours))
        if not ours or not theirs or first == second:
            found += first if theirs else second
        else:
            overlaps += 1
            found += [*first, *([" "] if first and second else []), *second]
        at = end
    return Draft(_joined([*found, *tokens[at:]]), overlaps)


_WORDS = re.compile(r"\n|[^\S\n]+|\S+")
_LINES = re.compile(r"[^\n]+|\n")


def _splitting(texts: Iterable[str]) -> Callable[[str], list[str]]:
    """How to take these texts apart, so that the parts together are the text again."""
    pattern = _WORDS if all(len(_WORDS.findall(text)) <= WORDS_COMPARED_MAX for text in texts) else _LINES
    return pattern.findall


def _changes(before: Sequence[str], after: Sequence[str]) -> list[_Change]:
    # What both begin and end with stands still: most edits lie in one place, and a word used often is not mistaken.
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if _pairs(*middle) > PAIRS_MAX:
        return [_Change(head, len(before) - tail, tuple(middle[1]))]
    # White space is no landmark: aligned on it, two sentences would be shuffled into one another.
    found = SequenceMatcher(str.isspace, *middle, autojunk=False).get_opcodes()
    return [
        _Change(head + start, head + end, tuple(middle[1][from_:to]))
        for kind, start, end, from_, to in found
        if kind != "equal"
    ]


def _pairs(one: Sequence[str], other: Sequence[str]) -> int:
    """In how many ways a word of one can be a word of the other: what the comparison costs."""
    here, there = Counter(one), Counter(other)
    return sum(count * there[word] for word, count in here.items() if not word.isspace())


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens both begin with."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


_Group = tuple[int, int, list[_Change], list[_Change]]


def _together(theirs: Sequence[_Change], ours: Sequence[_Change]) -> list[_Group]:
    """The changes of both in the order of the base, those of the same words side by side."""
    groups: list[_Group] = []
    for change, side in sorted(
        [(each, 2) for each in theirs] + [(each, 3) for each in ours], key=lambda c: (c[0].start, c[0].end, c[1])
    ):
        last = groups[-1] if groups else None
        if last is not None and _overlap(last, change):
            groups[-1] = (last[0], max(last[1], change.end), last[2], last[3])
        else:
            groups.append((change.start, change.end, [], []))
        group = groups[-1]
        (group[2] if side == 2 else group[3]).append(change)
    return groups


def _overlap(group: _Group, change: _Change) -> bool:
    start, end = group[0], group[1]
    if start == end:
        return change.start == change.end == start
    return change.start < end


def _applied(tokens: Sequence[str], start: int, end: int, changes: Sequence[_Change]) -> list[str]:
    """The stretch of the base with these changes made."""
    found: list[str] = []
    at = start
    for change in changes:
        found += [*tokens[at : change.start], *change.put]
        at = change.end
    return [*found, *tokens[at:end]]


def _joined(tokens: Sequence[str]) -> str:
    """The text of the tokens; two words that only the merge brought together stay two words."""
    parts = list(tokens[:1])
    for before, after in pairwise(tokens):
        parts += [" ", after] if not before[-1:].isspace() and not after[:1].isspace() else [after]
    return "".join(parts)


# --- the history ----------------------------------------------------------------------------------------------


def compared(before: str, after: str) -> tuple[Piece, ...]:
    """What changed from one text to the next, word by word.

    >>> [(piece.kind.value, piece.text) for piece in compared("old words", "new words")]
    [('removed', 'old'), ('added', 'new'), ('same', ' words')]
    """
    split = _splitting((before, after))
    tokens = split(before)
    found: list[Piece] = []
    at = 0
    for change in _changes(tokens, split(after)):
        found += _pieces(Stretch.SAME, tokens[at : change.start])
        found += _pieces(Stretch.REMOVED, tokens[change.start : change.end])
        found += _pieces(Stretch.ADDED, change.put)
        at = change.end
    return (*found, *_pieces(Stretch.SAME, tokens[at:]))


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One answer, old and new, as people read it: word by word what went and what came."""

    section: Section
    question: Question
    pieces: tuple[Piece, ...]

    @property
    def is_kept(self) -> bool:
        """Whether nothing of it changed."""
        return all(piece.kind is Stretch.SAME for piece in self.pieces)


def redline(old: DossierContent, new: DossierContent) -> tuple[AnswerChange, ...]:
    """Two documents held against each other, question by question; those only the old one asks come last.

    Without the insertions the pieces read as the old answer, without the deletions as the new. Files are not compared.
    """
    asked = {question.key: (section, question) for section, question in (*_asked(old), *_asked(new))}
    ordered = dict.fromkeys(question.key for _, question in (*_asked(new), *_asked(old)))
    return tuple(
        AnswerChange(*asked[key], compared(_read_in(old, key), _read_in(new, key)))
        for key in ordered
        if asked[key][1].kind is not QuestionKind.FILE
    )


def _asked(content: DossierContent) -> list[tuple[Section, Question]]:
    return [(section, question) for section in content.definition.sections for question in section.questions]


def _read_in(content: DossierContent, key: str) -> str:
    question = content.definition.question(key)
    return rules.shown(question, content.answer(key)) if question is not None else ""


def _pieces(kind: Stretch, tokens: Sequence[str]) -> list[Piece]:
    text = "".join(tokens)
    return [Piece(kind, text)] if text else []


def sittings(saves: Sequence[tuple[UUID | None, datetime]]) -> tuple[tuple[int, int], ...]:
    """Which saves belong together, as half-open stretches of ``saves``: one person, ten minutes. Oldest first."""
    found: list[tuple[int, int]] = []
    for place, (person, moment) in enumerate(saves):
        if found:
            start = found[-1][0]
            first_person, first_moment = saves[start]
            if person == first_person and moment - first_moment < SITTING:
                found[-1] = (start, place + 1)
                continue
        found.append((place, place + 1))
    return tuple(found)
