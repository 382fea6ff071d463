"""Templates are compiled once and kept, as Python keeps its modules: a process that starts reads them."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import jinja2
from flask import Flask
from flask.templating import Environment
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

PROGRAM = Path(__file__).resolve().parents[1]
# Where Python keeps what it compiled of this package, too.
KEPT_IN = Path(__file__).with_name("__pycache__")


class Kept(FileSystemBytecodeCache):
    """What cannot be kept is compiled anew the next time; no page fails for it."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it where that can be done."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


class Templates(Environment):
    """Templates that share the globals of the program, and not each a layer above them.

    None of ours has globals of its own; with a layer that holds nothing, every import of a macro compared all names in Python.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves, unless somebody gives a template more."""
        return super().make_globals(d) if d else self.globals


def init_app(app: Flask) -> None:
    """Keep what is compiled, where Python may keep its own, and as many as there are in memory: before any is asked for."""
    app.jinja_environment = Templates
    app.jinja_options = {**app.jinja_options, "cache_size": -1}
    if not sys.dont_write_bytecode:
        app.jinja_env.bytecode_cache = keeping(KEPT_IN)


def keeping(folder: Path) -> Kept | None:
    """The templates this program compiled before, in a folder of its own; None where nothing can be kept there."""
    own = folder / f"templates-{_stamp()}"
    try:
        if not own.is_dir():
            # What an older program kept is of no use any more.
            for old in folder.glob("templates-*"):
                shutil.rmtree(old, ignore_errors=True)
            own.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return Kept(str(own), "%s") if os.access(own, os.W_OK) else None


@functools.cache
def _stamp() -> str:
    """Names this very program: what a filter makes of constants is worked out when a template is compiled."""
    told = [jinja2.__version__, sys.version]
    for path in sorted(PROGRAM.rglob("*.py")):
        about = path.stat()
        told.append(f"{path} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
