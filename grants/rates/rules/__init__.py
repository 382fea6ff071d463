"""Pure rules of rates: files read and checked, amounts converted, interest worked out."""

from __future__ import annotations

from grants.rates.rules.converting import (
    DAY_COUNTS,
    Conversion,
    ConversionAsked,
    Interest,
    InterestAsked,
    average,
    convert,
    held_on,
    in_euros,
    interest,
)
from grants.rates.rules.reading import Read, read
from grants.rates.rules.values import EURO, KIND_WORDS, UNIT_WORDS, Rates, RateView, Series, TableView

__all__ = [
    "DAY_COUNTS",
    "EURO",
    "KIND_WORDS",
    "UNIT_WORDS",
    "Conversion",
    "ConversionAsked",
    "Interest",
    "InterestAsked",
    "RateView",
    "Rates",
    "Read",
    "Series",
    "TableView",
    "average",
    "convert",
    "held_on",
    "in_euros",
    "interest",
    "read",
]
