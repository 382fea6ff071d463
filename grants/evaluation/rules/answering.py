"""What people say to a consensus in words of their own: what they hold instead, the minority view, why it is opened again."""

from __future__ import annotations

from collections.abc import Sequence

from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import clean_text
from grants.evaluation.rules.scores import COMMENT_CHARACTERS_MAX, too_long
from grants.evaluation.states import Answer

# As often as one person says what they hold instead to the same words; each time is kept for good and told to the chair.
DISSENTS_MAX = 20


def said_of_dissent(words: str) -> str:
    """What somebody holds instead, tidied; raises :class:`Invalid` where it is missing or too long."""
    missing = "Write what you hold instead, and on which score or words."
    return _said(words, "words", missing, "“What you hold instead”", "nothing was sent")


def said_of_view(words: str) -> str:
    """The view that could not be reconciled, tidied; raises :class:`Invalid` where it is missing or too long."""
    missing = "Write what the others hold, in their own words."
    return _said(words, "minority_view", missing, "“Minority view”", "the consensus is not closed yet")


def closing_words(view: str, silent: Sequence[str], why: str, *, held: bool) -> str:
    """What is kept of closing without all: the view of who dissents, and who was not heard with the reason.

    ``held``: somebody said what they hold instead. Where nobody did, no view is asked for: none is made up for who was
    silent. Raises :class:`Invalid` where a view or the reason is missing, or a view is given that nobody holds.

    >>> closing_words("Ana holds 4.", ["Ben Gray"], "On leave until May.", held=True)
    'Ana holds 4.\\n\\nClosed without an answer of Ben Gray: On leave until May.'
    >>> closing_words("", ["Ben Gray"], "On leave until May.", held=False)
    'Closed without an answer of Ben Gray: On leave until May.'
    """
    if not held and clean_text(view):
        unsaid = "Nobody said what they hold instead, so there is no view to record. Take these words out."
        raise Invalid("A view is made up; the consensus is not closed yet.", {"minority_view": unsaid})
    parts = [said_of_view(view)] if held else []
    if silent:
        names = " and ".join(silent)
        missing = f"Nothing was heard of {names}. Wait for an answer, or write why it is closed without it."
        undone = "the consensus is not closed yet"
        reason = _said(why, "unheard", missing, "“Why it is closed without an answer”", undone)
        parts.append(f"Closed without an answer of {names}: {reason}")
    return "\n\n".join(parts)


def said_of_reopening(words: str) -> str:
    """Why an agreed consensus is opened again, tidied; raises :class:`Invalid` where it is missing or too long."""
    missing = "Write why it is opened again; the evaluators read it."
    return _said(words, "reason", missing, "“Why it is opened again”", "the consensus is not opened yet")


def _said(words: str, place: str, missing: str, what: str, undone: str) -> str:
    said = clean_text(words)
    if not said:
        raise Invalid(f"Words are missing; {undone}.", {place: missing})
    if len(said) > COMMENT_CHARACTERS_MAX:
        raise Invalid(f"This is too long; {undone}.", {place: too_long(what, said, undone)})
    return said


def refuse_said_again(said: Sequence[tuple[Answer, str]], answer: Answer, words: str) -> None:
    """Raise :class:`Refused` where somebody dissents from one version as they did last, or has dissented from it too often.

    An agreement always gets through: the consensus waits for it, and it is asked for again where the same words are put
    to the evaluators once more.
    """
    if answer is not Answer.DISSENT:
        return
    if said and said[-1] == (answer, words):
        raise Refused("You said just this already: it stands with your name. Change the words to say something else.")
    dissents = sum(each is Answer.DISSENT for each, _ in said)
    if dissents >= DISSENTS_MAX:
        raise Refused(
            f"You have said {dissents} times what you hold instead of these words, as often as a version records. You can "
            "still agree. Or tell the chair, who can take the consensus back and change it: changed words you can answer anew."
        )
