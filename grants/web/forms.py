"""What every form shares: an idempotency key, the version it was shown with, problems put beside their fields."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, ValidationError

from grants.core.errors import Invalid, Refused
from grants.core.money import Money, NegativeAmounts, parse_money, plain


class Form(FlaskForm):
    """Base of every form that writes. ``act_key`` makes a double click or a reload one effect."""

    act_key = HiddenField(default=lambda: secrets.token_urlsafe(18))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[str] = []

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn what an act refuses into the form's own problems; the block's ``return`` is then not reached."""
        try:
            yield
        except (Invalid, Refused) as error:
            self.add_problem(error)

    def add_problem(self, error: Invalid | Refused) -> None:
        """Put each sentence beside its field, the rest above the form."""
        placed = getattr(error, "problems", {})
        for name, sentence in placed.items():
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, sentence]
            else:
                self.problems.append(sentence)
        if not placed:
            self.problems.append(str(error))

    def version_shown(self) -> int | None:
        """The version the person saw, where the form carries one."""
        field = self._fields.get("version")
        return int(field.data) if field is not None and str(field.data or "").isdecimal() else None


class MoneyField(StringField):
    """An amount in euros in any European way of writing; ``data`` is Money, the typed text stays on error."""

    def __init__(
        self, label: str = "", validators: Any = None, *, negative: NegativeAmounts | None = None, **options: Any
    ) -> None:
        super().__init__(label, validators, **options)
        self._negative = negative

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return plain(self.data) if isinstance(self.data, Money) else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = parse_money(valuelist[0], negative=self._negative)
            except Invalid as error:
                raise ValidationError(str(error)) from error
