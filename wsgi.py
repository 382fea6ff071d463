"""The WSGI application and the command `grants`, built when first asked for, so that bad settings do not silence `grants doctor`."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask

from config import BadSettings, Config
from grants.app import create_app, keep_out_of_collection
from grants.local import owns_tables

_made: tuple[Config, Flask] | None = None


def app(environ: Any, start_response: Any) -> Any:
    """The WSGI entry point."""
    return ready()[1](environ, start_response)


def ready() -> tuple[Config, Flask]:
    """The settings and the program on them, made once; raises :class:`BadSettings` where it must not be served."""
    global _made
    if _made is None:
        config = Config.from_env()
        for name in ("DATABASE_URL", "REDIS_URL"):
            if not getattr(config, name):
                raise BadSettings(
                    f"{name} is empty: this serves the pages alone and starts no servers of its own. Set it, or use `make run`."
                )
        if config.GRANTS_ENV == "production":
            _refuse_owner(config)
        _made = config, create_app(config)
    return _made


def _refuse_owner(config: Config) -> None:
    """No trigger and no right binds the owner of the tables: the program must not be that."""
    try:
        owner = owns_tables(config.DATABASE_URL)
    except OSError as error:
        # It may come later; pages say so until then, and /readyz too.
        logging.getLogger(__name__).warning("the database does not answer yet: %s", error)
        return
    if owner:
        raise BadSettings(
            "DATABASE_URL signs in as the owner of the tables, whom no right and no trigger binds. Give it the program's "
            "own role, and the owner's address to DATABASE_OWNER_URL (docs/deploy/README.md)."
        )


def _made_for_a_command(config: Config) -> Flask:
    """The program a command works with; a command that makes two of them ends soon, and both stay until then."""
    app = create_app(config)
    keep_out_of_collection()
    return app


def cli() -> None:
    """The command ``grants``; the processes that serve pages have no use for it."""
    from grants.cli import build_cli  # only the command pays for it

    build_cli(Config.from_env, _made_for_a_command)(prog_name="grants")


if __name__ == "__main__":
    cli()
