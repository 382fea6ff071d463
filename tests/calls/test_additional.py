"""Additional pre-financing as a call lays it down: with the pre-financing below the most before the balance, and an instalment."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from grants.calls import rules
from grants.calls.rules.additional import AdditionalPrefinancing
from grants.calls.states import InstalmentKind
from tests.calls.test_call_files import CALL_2022, TEMPLATE, changed

LABEL = "Additional pre-financing"


def instalments(percent: int) -> tuple[Any, ...]:
    """The instalments of the call, with an additional pre-financing after the first."""
    file = rules.read_call_file(CALL_2022)
    fields, _ = rules.filled(file.fields, TEMPLATE)
    first, *rest = fields["payment.tranches"].value
    more = replace(first, key="more", kind=InstalmentKind.ADDITIONAL, label=LABEL, percent=Fraction(percent))
    return (first, more, *rest)


def test_a_call_with_one_that_fits_is_published() -> None:
    more = AdditionalPrefinancing(Fraction(20))

    assert changed(payment__additional=more, payment__tranches=instalments(20)) == []
    assert "where that is less than 70\u00a0%" in more.words


@pytest.mark.parametrize(
    ("values", "place"),
    [
        # 40 + 51 are above the 90 per cent before the balance; what is held back is part of the 40.
        ({"payment__additional": AdditionalPrefinancing(Fraction(51)), "payment__tranches": instalments(51)}, LABEL),
        ({"payment__additional": AdditionalPrefinancing(Fraction(20))}, "Instalments"),
        ({"payment__tranches": instalments(20)}, "Instalments"),
        (
            {"payment__additional": AdditionalPrefinancing(Fraction(20)), "payment__tranches": instalments(10)},
            "Instalments",
        ),
        (
            {
                "payment__additional": AdditionalPrefinancing(Fraction(20)),
                "payment__prefinancing_percent": Fraction(0),
            },
            LABEL,
        ),
    ],
)
def test_one_that_does_not_fit_keeps_a_call_back(values: dict[str, object], place: str) -> None:
    assert place in changed(**values)
