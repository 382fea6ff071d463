"""The few errors a person can cause; one map in grants.web.errors turns each into an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# Of what somebody typed a sentence repeats so much that it is known again.
QUOTED_MAX = 60


def shortened(text: str) -> str:
    """What somebody typed, short enough to be repeated in a sentence."""
    whole = text.strip()
    return whole if len(whole) <= QUOTED_MAX else f"{whole[:QUOTED_MAX].rstrip()}\u2026"


def quoted(text: str | None) -> str:
    """The same in quotation marks.

    >>> quoted("soon"), len(quoted("x" * 3_000))
    ('\u201csoon\u201d', 63)
    """
    return f"\u201c{shortened(text or '')}\u201d"


def no_such(noun: str, given: str, known: Iterable[str], where: str = "") -> str:
    """The sentence for a choice nobody offered; ``where`` names its place on the page, such as “under “Asked by””.

    >>> no_such("state", "nope", ("waiting", "closed"))
    'There is no state “nope”. There are: waiting, closed.'
    """
    after = f" {where}" if where else ""
    return f"There is no {noun} {quoted(given)}{after}. {there_are(known)}"


def there_are(known: Iterable[str]) -> str:
    """The sentence that says what is offered.

    >>> there_are(("waiting", "closed")), there_are(["PCP"]), there_are(())
    ('There are: waiting, closed.', 'There is only PCP.', 'There is none at all.')
    """
    match list(known):
        case []:
            return "There is none at all."
        case [one]:
            return f"There is only {one}."
        case several:
            return f"There are: {', '.join(several)}."


class GrantsError(Exception):
    """Base of every error a person can cause. ``str()`` is a sentence fit to be shown."""


class Invalid(GrantsError):
    """What was typed cannot be understood: 422, the form comes back with the text kept.

    ``problems`` maps a field name to its sentence where the error belongs to fields.
    """

    def __init__(self, message: str, problems: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.problems: Mapping[str, str] = dict(problems or {})


class Refused(GrantsError):
    """Understood, but a rule says no: 422, with the rule, the value, the limit and the way out."""


class NotAllowed(GrantsError):
    """The person lacks the permission: 403. ``needs`` names it, so that a page can say which roles have it."""

    def __init__(self, message: str, needs: str = "") -> None:
        super().__init__(message)
        self.needs = needs


class NotFound(GrantsError):
    """Not there, or not there for this person (out of scope, conflicted): 404, always the same words."""

    def __init__(self, message: str = "This page is not here.") -> None:
        super().__init__(message)


class Conflict(GrantsError):
    """Somebody or something was quicker: 409, shown as \u201csomeone changed this\u201d with both versions where there are two."""


class OnlyLooked(GrantsError):
    """An act in the way of a request that takes nothing (HEAD): 405, and the record says nothing of what never left."""


class NeedsFreshSignIn(GrantsError):
    """A dangerous act needs the password (later: a second factor) again: a redirect to re-authentication."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in an imported file or a checked object: where it is and what to do about it."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Problems(Invalid):
    """Many things wrong at once; nothing was imported or sent."""

    def __init__(self, message: str, found: Sequence[Problem]) -> None:
        super().__init__(message)
        self.found: tuple[Problem, ...] = tuple(found)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(str(problem) for problem in self.found)])
