"""Strands of the budget as people type them into a scenario, one a line: name; asked for up to; most together."""

from __future__ import annotations

from collections.abc import Sequence

from grants.calls.rules import StrandRule
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money, parse_money, plain
from grants.dossiers.rules import clean_text

STRANDS_MAX = 20
STRAND_NAME_MAX = 80


def read_strands(text: str) -> tuple[StrandRule, ...]:
    """The strands of a text; raises :class:`Invalid` with every line that cannot be read.

    >>> read_strands("Small; 100 000; 450 000")[0].ceiling
    Money(cents=45000000, currency='EUR')
    """
    found, wrong = list[StrandRule](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found += [_strand(number, line)] if line.strip() else []
        except Invalid as error:
            wrong.append(str(error))
    if len({strand.name.casefold() for strand in found}) < len(found):
        wrong.append("Two strands have one name. Give each its own.")
    if len(found) > STRANDS_MAX:
        wrong.append(f"There are {len(found)} strands; a scenario takes at most {STRANDS_MAX}. Join or leave out some.")
    if wrong:
        raise Invalid("The strands cannot be read.", {"strands": " ".join(wrong)})
    return tuple(found)


def _strand(number: int, line: str) -> StrandRule:
    parts = [clean_text(part) for part in line.split(";")]
    if len(parts) != 3 or not all(parts):
        raise Invalid(
            f"Line {number} needs three parts between semicolons: name; asked for up to; most together. "
            "Write all three, or take the line out."
        )
    name, asked_max, ceiling = parts
    if len(name) > STRAND_NAME_MAX:
        raise Invalid(
            f"Line {number}: the name has {len(name)} characters; the limit is {STRAND_NAME_MAX}. Shorten it."
        )
    return StrandRule(name, _amount(number, "asked for up to", asked_max), _amount(number, "most together", ceiling))


def _amount(number: int, named: str, text: str) -> Money:
    try:
        amount = parse_money(text)
    except Invalid as error:
        raise Invalid(f"Line {number}, “{named}”: {error}") from error
    if amount <= ZERO:
        raise Invalid(f"Line {number}: “{named}” must be more than zero; write an amount or take the line out.")
    return amount


def strand_lines(strands: Sequence[StrandRule]) -> str:
    """Strands as people typed them, for the form that shows them again.

    >>> strand_lines(read_strands("Small; 100 000; 450 000"))
    'Small; 100\\xa0000.00; 450\\xa0000.00'
    """
    return "\n".join(f"{each.name}; {plain(each.asked_max)}; {plain(each.ceiling)}" for each in strands)


def strand_words(strands: Sequence[StrandRule]) -> str:
    """Strands in one phrase, each with its two amounts.

    >>> strand_words(read_strands("Small; 100; 450"))
    'Small (up to EUR 100.00, together EUR 450.00)'
    """
    said = (f"{each.name} (up to {each.asked_max}, together {each.ceiling})" for each in strands)
    return ", ".join(said) or "none"
