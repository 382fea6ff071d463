"""`grants db`: the tables, brought up to date by their owner."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.engine import make_url

from grants import local
from grants.cli.program import ROOT, Program
from grants.core import triggers
from grants.core.errors import Refused


@click.group("db")
def database() -> None:
    """The database's tables."""


@database.command()
@click.option("--quiet", is_flag=True, help="Say nothing when all is well.")
@click.pass_obj
def upgrade(program: Program, quiet: bool) -> None:
    """Bring the tables up to date, as the database's owner, entirely or not at all."""
    settings = program.settings()
    with local.servers(settings) as addresses:
        head = upgrade_database(addresses)
    if not quiet:
        click.echo(f"The database is up to date ({head or 'no migrations yet'}).")


def upgrade_database(addresses: local.Addresses) -> str:
    """Run every migration that is missing and give the program's role its rights; returns where the tables stand."""
    from alembic import command
    from alembic.migration import MigrationContext

    owner = owner_of(addresses)
    engine = create_engine(owner, poolclass=NullPool)
    with engine.begin() as connection:
        # Two upgrades at once wait for each other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7261002)")
        command.upgrade(alembic_config(connection), "head")
        role = make_url(addresses.database).username
        if role is not None and role != make_url(owner).username:
            triggers.grant_program_role(connection, role)
            if inspect(connection).has_table("alembic_version"):
                quoted = connection.dialect.identifier_preparer.quote(role)
                connection.exec_driver_sql(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {quoted}")
        return MigrationContext.configure(connection).get_current_revision() or ""


@database.command(hidden=True)
@click.argument("slug")
@click.pass_obj
def draft(program: Program, slug: str) -> None:
    """For developers: write the next migration from the difference between the models and an upgraded database."""
    from alembic import command

    folder = ROOT / "migrations"
    number = 1 + max((int(path.name[:4]) for path in (folder / "versions").glob("[0-9]*.py")), default=0)
    with local.servers(program.settings()) as addresses:
        upgrade_database(addresses)
        with create_engine(owner_of(addresses), poolclass=NullPool).connect() as connection:
            command.revision(alembic_config(connection), message=slug, rev_id=f"{number:04}", autogenerate=True)
    (folder / "HEAD").write_text(f"{number:04}\n")


def alembic_config(connection: Any) -> Any:
    from alembic.config import Config

    found = Config(attributes={"connection": connection})
    found.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    found.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    found.set_main_option("path_separator", "os")
    return found


def owner_of(addresses: local.Addresses) -> str:
    if not addresses.owner:
        raise Refused(
            "DATABASE_OWNER_URL is not set. Set it to the address of the same database, signing in as its owner."
        )
    return addresses.owner
