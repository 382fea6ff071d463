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


def with_unheard(view: str, silent: Sequence[str], why: str) -> str:
    """A minority view with who was not heard and why; raises :class:`Invalid` where somebody was not and nobody says why.

    >>> with_unheard("Ana holds 4.", ["Ben Gray"], "On leave until May.")
    'Ana holds 4.\\n\\nClosed without an answer of Ben Gray: On leave until May.'
    """
    if not silent:
        return view
    names = " and ".join(silent)
    missing = f"Nothing was heard of {names}. Wait for an answer, or write why it is closed without it."
    reason = _said(why, "unheard", missing, "“Why it is closed without an answer”", "the consensus is not closed yet")
    return f"{view}\n\nClosed without an answer of {names}: {reason}"


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
