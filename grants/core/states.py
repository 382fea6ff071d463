"""State machines as tables: verb, sources, target, permission. Pure; each stage's states.py holds its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from grants.core.errors import Refused
from grants.core.permissions import Permission

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """One way from some states to another; ``needs`` is checked by the act that makes the move."""

    verb: str
    sources: tuple[S, ...]
    target: S
    needs: Permission | None = None


class Stateful(Protocol):
    """Anything with a state column."""

    state: Any


class Machine(Generic[S]):
    """All transitions of one kind of thing; ``move`` is the only writer of ``.state``."""

    def __init__(self, name: str, states: type[S], initial: S, transitions: Iterable[Transition[S]]) -> None:
        self.name = name
        self.states = states
        self.initial = initial
        self.transitions = tuple(transitions)
        self._targets = {(source, step.verb): step.target for step in self.transitions for source in step.sources}
        steps = sum(len(step.sources) for step in self.transitions)
        assert len(self._targets) == steps, f"{name}: a verb leads from one state to two"

    def allowed(self, state: S) -> tuple[str, ...]:
        """The verbs possible from ``state``, in table order."""
        return tuple(step.verb for step in self.transitions if state in step.sources)

    def target(self, state: S, verb: str) -> S:
        """Where ``verb`` leads from ``state``; raises :class:`Refused` when it leads nowhere."""
        if verb not in {step.verb for step in self.transitions}:
            raise KeyError(f"{self.name} has no verb {verb!r}")
        try:
            return self._targets[state, verb]
        except KeyError:
            word = str(state).replace("_", " ")
            raise Refused(
                f"This {self.name} is {word}; it cannot {verb.replace('_', ' ')} now. Reload the page to see what is possible."
            ) from None

    def move(self, thing: Stateful, verb: str) -> S:
        """Move ``thing`` along ``verb`` and return its new state."""
        thing.state = self.target(self.states(thing.state), verb)
        return self.states(thing.state)

    def to_mermaid(self) -> str:
        """The table as a Mermaid state diagram, for docs/architecture.md."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [
            f"    {source} --> {step.target}: {step.verb}" for step in self.transitions for source in step.sources
        ]
        return "\n".join(lines)


class HeldKind(StrEnum):
    """What a legal hold lies on (grants.core.legal_holds), for stages that look at no table."""

    CALL = "call"
    GRANT = "grant"
