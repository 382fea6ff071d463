"""The words of the letters of decision: what they may name, what is sent until the programme writes its own, what they lack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from grants.awards.states import Outcome
from grants.calls.rules import Criterion, Half
from grants.core.errors import Invalid, there_are
from grants.dossiers.markup import Block, BlockKind, blocks
from grants.dossiers.rules import clean_text, count_words

TEXT_WORDS_MAX = 1_000
_PLACE = re.compile(r"\{([^{}]*)\}")

# What a text may name in braces, and what stands there in the letter.
PLACES: Mapping[str, str] = {
    "application": "Title of the application",
    "reference": "Reference of the application",
    "lead": "Name of the leading organisation",
    "call": "Title of the call",
    "call_reference": "Reference of the call",
    "programme": "Name of the programme",
    "requested": "What the application asked for",
    "score": "Its official score, with the highest possible one; only in letters sent once the results are public",
    "complaints": "What the call says on complaints",
    "results_public": "From when the results of the call are public",
}

_WHY = "Which rule kept it out, as the confirmed list says it, and where that list departs from the published rules, as sentences"

_BELOW = "Which threshold it does not reach, as a sentence; with the marks once the results are public"
_ONLY: Mapping[Outcome, Mapping[str, str]] = {
    Outcome.SELECTED: {
        "why": "Why it is selected: that the budget reaches it, which rule brought it in, or that money became free, as sentences",
        "amount": "The recommended amount",
        "conditions": "On which conditions it is selected, as a sentence",
    },
    Outcome.RESERVE: {"why": _WHY, "reserve_place": "Its place on the reserve list"},
    Outcome.NOT_FUNDED: {"why": _WHY},
    # Words that were written before every letter had {why} name the threshold by {below}: they stay as they are.
    Outcome.BELOW_THRESHOLD: {"why": _BELOW, "below": "The same as {why}, by its older name"},
}

_REPORT = "The evaluation summary report goes with this letter: the scores, and what the evaluators agreed to tell you. You can read it once the results of the call are public: {results_public}."

_OBJECT = "How you can object: {complaints}"

# What is sent until the programme writes its own words.
HOUSE_TEXTS: Mapping[Outcome, str] = {
    Outcome.SELECTED: f"""We are glad to tell you that the application “{{application}}” ({{reference}}) of {{lead}} is selected in the call “{{call}}”. The recommended amount is {{amount}}.

{{conditions}}

This is the selection decision, not yet the grant award. The grant is awarded when due diligence is passed and both sides have signed the grant agreement; until then nothing is due to you.

{_REPORT}

{_OBJECT}""",
    Outcome.RESERVE: f"""The application “{{application}}” ({{reference}}) of {{lead}} to the call “{{call}}” reached every threshold. {{why}} It stands on the reserve list at place {{reserve_place}}.

No money is set aside for it. If money becomes free and the programme decides to support it after all, we write to you; nothing happens by itself.

{_REPORT}

{_OBJECT}""",
    Outcome.NOT_FUNDED: f"""The application “{{application}}” ({{reference}}) of {{lead}} to the call “{{call}}” reached every threshold. {{why}} It will not be funded.

{_REPORT}

{_OBJECT}""",
    Outcome.BELOW_THRESHOLD: f"""The application “{{application}}” ({{reference}}) of {{lead}} to the call “{{call}}” will not be funded. {{why}}

{_REPORT}

{_OBJECT}""",
}


def places_of(outcome: Outcome) -> dict[str, str]:
    """What a letter of that outcome may name, with what stands there."""
    return {**PLACES, **_ONLY[outcome]}


def checked_text(outcome: Outcome, text: str) -> str:
    """The words of a letter; raises :class:`Invalid` for a place that does not exist, a single brace, too many words.

    >>> checked_text(Outcome.RESERVE, "Place {reserve_place}")
    'Place {reserve_place}'
    """
    cleaned = clean_text(text)
    wrong = ""
    known = places_of(outcome)
    unknown = dict.fromkeys(f"{{{name}}}" for name in _PLACE.findall(cleaned) if name not in known)
    rest = _PLACE.sub("", cleaned)
    alone = "A brace stands alone. Write a place as {application}, with both braces." if {*rest} & {*"{}"} else ""
    if not cleaned:
        wrong = "Write the words of the letter, or keep those that stand."
    elif unknown:
        named = f"There is no place {' and no place '.join(unknown)} in this letter."
        wrong = f"{named} {there_are('{' + name + '}' for name in known)} {alone}".strip()
    elif alone:
        wrong = alone
    elif (words := count_words(cleaned)) > TEXT_WORDS_MAX:
        wrong = f"The letter has {words} words; the limit is {TEXT_WORDS_MAX}. Cut {words - TEXT_WORDS_MAX}."
    if wrong:
        raise Invalid("The words were not kept.", {"text": wrong})
    return cleaned


# The places that say why, in the letters of outcomes that nobody hoped for; the first is the one to write.
_REASONS: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.RESERVE: ("why",), Outcome.NOT_FUNDED: ("why",), Outcome.BELOW_THRESHOLD: ("why", "below")
}  # fmt: skip


def reason_lacking(outcome: Outcome, text: str) -> str:
    """What whoever writes or sends these words must know where they tell no reason of the decision; empty where they do.

    >>> reason_lacking(Outcome.NOT_FUNDED, "Not funded. {why}"), reason_lacking(Outcome.SELECTED, "Selected.")
    ('', '')
    """
    places = _REASONS.get(outcome, ())
    if not places or set(places) & set(_PLACE.findall(text)):
        return ""
    place = places[0]
    return (
        f"The words of the letter “{outcome.words}” do not have the place {{{place}}}, so no applicant reads in it why the "
        f"decision is so. Write {{{place}}} where the reason shall stand, unless the words tell it themselves."
    )


def below_words(criteria: Sequence[Criterion], halves: Mapping[str, Half]) -> str:
    """Which threshold is not reached, without a mark: what a letter may tell before the results are public."""
    bars = ((one.name, one.threshold_half, halves.get(one.key)) for one in criteria)
    missed = [name for name, least, given in bars if least is not None and given is not None and given < least]
    return f"It does not reach the threshold for {' and for '.join(missed) if missed else 'the score as a whole'}."


def empty_words(name: str, *, public: bool) -> str:
    """Why there is nothing to write in a place, and what to do."""
    if name == "score" and not public:
        return "No score is told before the results are public. Take {score} out of the text, or publish them first."
    return f"There is nothing to write for {{{name}}}. Take it out of the text."


def filled(text: str, values: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paragraphs of a letter, and the places for which there is nothing to write.

    >>> filled("Dear {lead},\\n\\n{below}", {"lead": "Ærøsted", "below": ""})
    (('Dear Ærøsted,', ''), ('below',))
    """
    empty = tuple(dict.fromkeys(name for name in _PLACE.findall(text) if not values.get(name, "").strip()))
    # What is put in is never read for places again: a title may hold braces.
    told = [_as_lines(block) for block in blocks(text)]
    return tuple(_PLACE.sub(lambda found: values.get(found[1], "").strip(), part) for part in told), empty


def _as_lines(block: Block) -> str:
    """A paragraph as one line, however it was broken while it was typed; a list keeps a line for each item."""
    between = " " if block.kind is BlockKind.PARAGRAPH else "\n"
    return between.join(" ".join(line.split()) for line in block)
