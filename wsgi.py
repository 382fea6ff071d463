"""The WSGI application and the command `grants`, built when first asked for, so that bad settings do not silence `grants doctor`."""

from __future__ import annotations

from typing import Any

from config import Config
from grants.app import create_app
from grants.cli import build_cli

_app: Any = None


def app(environ: Any, start_response: Any) -> Any:
    """The WSGI entry point."""
    global _app
    if _app is None:
        _app = create_app(Config.from_env())
    return _app(environ, start_response)


cli = build_cli(Config.from_env, create_app)

if __name__ == "__main__":
    cli(prog_name="grants")
