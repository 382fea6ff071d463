"""Starting the program: everything at once, or the web process alone."""

from __future__ import annotations

import os
import socket

import click

from grants import local
from grants.cli.program import Program


@click.command()
@click.pass_obj
def run(program: Program) -> None:
    """Start everything on this machine and keep it alive (what `make run` does)."""
    raise SystemExit(local.Supervisor(program.settings(), os.environ).run())


@click.command()
@click.option("--fd", type=int, help="A listening socket handed over by the supervisor.")
@click.pass_obj
def web(program: Program, fd: int | None) -> None:
    """The web process alone, for machines where something else keeps it alive."""
    settings = program.settings()
    listener = local.listen(settings.HOST, settings.PORT) if fd is None else socket.socket(fileno=fd)
    local.serve(program.make_app(settings), settings, listener)
