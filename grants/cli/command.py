"""The whole command, put together; settings are read when a sub-command needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from grants.cli.assignments import assignment
from grants.cli.backup import backup
from grants.cli.bench import bench
from grants.cli.checks import audit_group, ledger
from grants.cli.database import database
from grants.cli.doctor import doctor
from grants.cli.output import export, report
from grants.cli.people import users
from grants.cli.program import Commands, Program
from grants.cli.running import run, web
from grants.cli.seeds import call, demo
from grants.cli.status import status


def build_cli(load_config: Callable[[], Any], make_app: Callable[[Any], Any]) -> click.Group:
    """The whole command; settings are read when a sub-command needs them."""

    @click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
    @click.pass_context
    def grants(context: click.Context) -> None:
        """Pilot grant programmes for cities, from the call to the last accounted cent."""
        context.obj = Program(load_config, make_app)

    groups = (database, users, call, demo, ledger, audit_group, assignment, report, export, backup, bench)
    for command in (run, web, status, doctor, *groups):
        grants.add_command(command)
    return grants
