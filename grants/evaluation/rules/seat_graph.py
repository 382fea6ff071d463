"""The seats of a call as a graph: whether the evaluators can be compared, and how much each of them tells."""

from __future__ import annotations

from dataclasses import dataclass

# How many parts of the graph of seats are told by their size.
PARTS_NAMED = 5
# From so many applications of one evaluator on their severity can be told apart from what they judged.
TO_COMPARE = 4


@dataclass(frozen=True, slots=True)
class SeatGraph:
    """The seats of a call as a graph of evaluators and applications, in figures.

    ``parts`` are the applications of each part without a link to another, the largest first; ``fewest`` and ``most`` the
    applications of the evaluator with the fewest and the most of them; ``few`` counts evaluators with fewer than
    :data:`TO_COMPARE`.
    """

    seats: int
    evaluators: int
    parts: tuple[int, ...]
    fewest: int
    most: int
    few: int

    @property
    def effective(self) -> int:
        """How many assessments are left as information once the severity of each evaluator is learned.

        Of k assessments of one evaluator each keeps (k - 1) / k: all together one less for every evaluator.
        """
        return self.seats - self.evaluators

    @property
    def words(self) -> tuple[str, ...]:
        """What that means, in sentences."""
        if not self.seats:
            return ()
        if len(self.parts) == 1:
            told = [
                "All applications are linked by evaluators they share: how strict each evaluator is can be compared."
            ]
        else:
            sizes = ", ".join(str(size) for size in self.parts[:PARTS_NAMED])
            more = " and smaller ones" if len(self.parts) > PARTS_NAMED else ""
            told = [
                f"The applications fall into {len(self.parts)} parts that share no evaluator, of {sizes}{more}. Marks of one "
                "part say nothing about how strict the evaluators of another are."
            ]
        span = str(self.fewest) if self.fewest == self.most else f"{self.fewest} to {self.most}"
        few = f"{self.few} of {self.evaluators} have" if self.few != 1 else f"1 of {self.evaluators} has"
        told.append(
            f"Evaluators with a seat have {span} applications each; {few} fewer than {TO_COMPARE}, too few to tell how "
            "strict they are."
        )
        told.append(
            f"Once that is learned of each, {self.effective} of {self.seats} assessments are left as information: of k "
            "assessments by one evaluator, k - 1."
        )
        return tuple(told)


@dataclass(frozen=True, slots=True)
class EvaluatorSample:
    """How many applications one evaluator has, and how many of these assessments say something of the applications."""

    name: str
    handle: str
    applications: int

    @property
    def effective(self) -> int:
        """One of them goes into learning how strict the person is."""
        return self.applications - 1

    @property
    def words(self) -> str:
        """Whether that is enough.

        >>> EvaluatorSample("Eva", "eva", 3).words, EvaluatorSample("Eva", "eva", 4).words
        ('1 application fewer than it takes', 'Enough to tell')
        """
        short = TO_COMPARE - self.applications
        if short <= 0:
            return "Enough to tell"
        return f"{short} {'application' if short == 1 else 'applications'} fewer than it takes"
