"""How the application form of a call file is read: sections, questions, attachments, declarations."""

from __future__ import annotations

import re

import yaml

from grants.calls.rules.content import Attachment
from grants.calls.rules.declarations import Declarant, Declaration, Said
from grants.calls.rules.kinds import language_kind
from grants.core.file_types import FileType
from grants.core.text import fold
from grants.core.yaml_schema import DIGITS_MAX, Items, Reading, Record, flag, one_of, plain_text, what, whole
from grants.dossiers.rules import COLUMN_KINDS, AskedIf, Choice, Column, Question, QuestionKind, Section, Translation


def _choice(node: yaml.Node, place: str, reading: Reading) -> Choice | None:
    """A choice of a question: a word, or a value with its label; a year or another number stays as it was typed."""
    if isinstance(node, yaml.ScalarNode):
        is_number = what(node) == "a number" and len(node.value) <= DIGITS_MAX
        label = str(node.value).strip() if is_number else plain_text(node, place, reading)
        # A word in other letters than ours is kept as it is read.
        return None if label is None else Choice(re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_") or label, label)
    built: Choice | None = Record(Choice, {"value": plain_text, "label": plain_text}, ("value", "label"))(
        node, place, reading
    )
    return built


ATTACHMENT = Record(
    Attachment,
    {
        "key": plain_text,
        "label": plain_text,
        "required": flag,
        "hint": plain_text,
        "types": Items(one_of(FileType)),
        "megabytes_max": whole(1, 1_000),
        "pages_max": whole(1, 1_000),
    },
    ("key", "label"),
)

_TRANSLATION = Record(
    Translation, {"language": language_kind, "label": plain_text, "hint": plain_text}, ("language", "label")
)

_COLUMN = Record(
    Column,
    {
        "key": plain_text,
        "label": plain_text,
        "kind": one_of(QuestionKind, *(kind for kind in QuestionKind if kind not in COLUMN_KINDS)),
        "required": flag,
    },
    ("key", "label"),
)

_ASKED_IF = Record(AskedIf, {"question": plain_text, "answers": Items(plain_text)}, ("question",))

_QUESTION = Record(
    Question,
    {
        "key": plain_text,
        "label": plain_text,
        "kind": one_of(QuestionKind),
        "hint": plain_text,
        "required": flag,
        "words_max": whole(1, 20_000),
        "characters_max": whole(1, 100_000),
        "choices": Items(_choice),
        "criterion": plain_text,
        "guidance": Items(plain_text),
        "example": plain_text,
        "picks_max": whole(1, 100),
        "columns": Items(_COLUMN),
        "rows_max": whole(1, 50),
        "file_types": Items(one_of(FileType)),
        "megabytes_max": whole(1, 1_000),
        "pages_max": whole(1, 1_000),
        "asked_if": _ASKED_IF,
        "translations": Items(_TRANSLATION),
        "published": flag,
    },
    ("key", "label", "kind"),
)

SECTION = Record(
    Section,
    {
        "key": plain_text,
        "title": plain_text,
        "step": plain_text,
        "intro": plain_text,
        "questions": Items(_QUESTION),
        "translations": Items(_TRANSLATION),
    },
    ("key", "title"),
)

DECLARATION = Record(
    Declaration,
    {
        "key": plain_text,
        "text": plain_text,
        "explain": one_of(Said),
        "by": one_of(Declarant),
        "evidence": flag,
        "hint": plain_text,
    },
    ("key", "text"),
)
