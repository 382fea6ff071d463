"""What is written for good has a limit: every box of several lines of evaluation and awards says at how many characters it ends."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from wtforms import Form, TextAreaField
from wtforms.fields.core import UnboundField

from grants.awards import forms as of_awards
from grants.evaluation import forms as of_evaluation
from grants.web.forms import CharactersMax

# Limited by the rules that read them, in words, lines or characters, as their own tests say.
BY_RULES = {
    "DeclineForm.words", "DissentForm.words", "InviteForm.message", "ProfileForm.employers", "ReopenConsensusForm.reason",
    "SettleForm.minority_view", "SettleForm.unheard",
}  # fmt: skip


def boxes() -> Iterator[tuple[str, UnboundField]]:
    """Every box of several lines, by its form and name."""
    for package in (of_awards, of_evaluation):
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for kind in vars(module).values():
                if isinstance(kind, type) and issubclass(kind, Form) and kind.__module__ == module.__name__:
                    for name, field in vars(kind).items():
                        if isinstance(field, UnboundField) and field.field_class is TextAreaField:
                            yield f"{kind.__name__}.{name}", field


def limits(field: UnboundField) -> list[int]:
    given = [*field.args[1:2], field.kwargs.get("validators", ())]
    return [one.characters_max for several in given for one in several if isinstance(one, CharactersMax)]


def test_every_box_of_several_lines_has_a_limit() -> None:
    found = dict(boxes())

    endless = {name for name, field in found.items() if not limits(field)}

    assert len(found) > 30
    assert endless == BY_RULES
