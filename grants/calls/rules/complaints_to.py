"""Whom a complaint about a result goes to: an address beside the pages of this service, and the body that decides it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ComplaintsTo:
    """Where one writes who cannot or may not complain here, and who decides; either may be empty."""

    address: str = ""
    decided_by: str = ""

    def sentences(self, *, taken_here: bool) -> tuple[str, ...]:
        """In words, as everybody reads them; ``taken_here`` where the call has a complaint window of its own.

        >>> ComplaintsTo("redress@pilots.example", "the appeals board").sentences(taken_here=True)[0]
        'One complains on the page of the application; who cannot do that writes to redress@pilots.example.'
        >>> ComplaintsTo(decided_by="the appeals board").sentences(taken_here=False)
        ('A complaint is decided by the appeals board.',)
        """
        where = (
            "One complains on the page of the application; who cannot do that writes to" if taken_here else "Write to"
        )
        return (
            *((f"{where} {self.address.rstrip(' .')}.",) if self.address else ()),
            *((f"A complaint is decided by {self.decided_by.rstrip(' .')}.",) if self.decided_by else ()),
        )


# What a call that says nothing has.
HELPDESK = ComplaintsTo()
