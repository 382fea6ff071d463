"""Laws about jobs: what is queued exists, takes what it is given, is worked; mails are given the words they use."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from jinja2 import meta

from grants.app import ROOT, create_app
from grants.core.jobs import NAME, QUEUES
from jobs.checks import NIGHTLY
from jobs.queues import ORDER
from tests.structure.trees import name_of, nodes

OF_QUEUE_ITSELF = {"queue", "subject", "unique", "after", "asker"}
# What identity gives every mail, and what jinja and the program give every template.
GIVEN_TO_EVERY_MAIL = {"person", "address", "sign_in_address"}


def calls_of(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for file, node in nodes(ast.Call):
        if name_of(node.func) in names:
            yield f"{file}:{node.lineno}", node


def names_of_jobs() -> set[str]:
    """Every job named anywhere in the program, directly or by a constant."""
    words = {node.value for _, node in nodes(ast.Constant) if isinstance(node.value, str)}
    return {word for word in words if NAME.fullmatch(word)} | set(NIGHTLY)


def function(name: str) -> Callable[..., Any]:
    module, _, word = name.rpartition(".")
    return getattr(importlib.import_module(module), word)


def test_every_job_named_is_a_function_of_the_package_jobs() -> None:
    homes = {name: function(name).__module__ for name in names_of_jobs()}

    assert len(homes) > 20
    assert homes == {name: name.rpartition(".")[0] for name in homes}


def test_a_job_takes_primitives_only() -> None:
    taken = {
        f"{name} {word}": get_type_hints(function(name))[word]
        for name in names_of_jobs() - {"jobs.worker.run"}
        for word in inspect.signature(function(name)).parameters
    }

    assert taken
    assert {word: hint for word, hint in taken.items() if not is_primitive(hint)} == {}


def is_primitive(hint: Any) -> bool:
    if isinstance(hint, UnionType) or get_origin(hint) in (list, tuple, dict) or "Mapping" in str(get_origin(hint)):
        return all(is_primitive(part) for part in get_args(hint))
    return hint in (str, int, bool, type(None), Any, ...)


def test_what_is_queued_fits_the_function() -> None:
    wrong = []
    for where, call in calls_of("jobs.queue"):
        first = call.args[0] if call.args else None
        if not isinstance(first, ast.Constant) or any(word.arg is None for word in call.keywords):
            continue
        given = {word.arg: None for word in call.keywords if word.arg not in OF_QUEUE_ITSELF}
        try:
            inspect.signature(function(first.value)).bind(**given)
        except (TypeError, ImportError, AttributeError) as error:
            wrong.append(f"{where} {first.value}: {error}")
    assert wrong == []


def test_every_queue_named_is_worked() -> None:
    named = {
        word.value.value
        for _, call in calls_of("jobs.queue")
        for word in call.keywords
        if word.arg == "queue" and isinstance(word.value, ast.Constant)
    }

    assert named | set(QUEUES) == set(ORDER)


def test_every_mail_is_given_the_words_its_text_uses(tmp_path: Path) -> None:
    from config import Config

    environment = create_app(Config(GRANTS_HOME=str(tmp_path), DATABASE_URL="postgresql+psycopg://x@/y")).jinja_env
    wrong = []
    for where, call in calls_of("mail", "identity.mail", "services.mail", "mails.mail", "identity_services.mail"):
        template = call.args[1] if len(call.args) > 1 else None
        if not isinstance(template, ast.Constant) or any(word.arg is None for word in call.keywords):
            continue
        source = ROOT / "templates" / "mail" / f"{template.value}.txt"
        if not source.exists():
            wrong.append(f"{where}: there is no templates/mail/{template.value}.txt")
            continue
        used = meta.find_undeclared_variables(environment.parse(source.read_text(encoding="utf-8")))
        missing = used - {word.arg for word in call.keywords} - GIVEN_TO_EVERY_MAIL - set(environment.globals)
        wrong += [f"{where}: {template.value}.txt uses “{word}”, which is not given" for word in sorted(missing)]
    assert wrong == []
