"""`grants users`: who may sign in."""

from __future__ import annotations

from collections.abc import Sequence

import click

from grants.cli.program import Program, operator
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Permission


@click.group()
def users() -> None:
    """Who may sign in."""


@users.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The person's name, as others see it.")
@click.option("--role", "roles", multiple=True, help="A role held everywhere, for example administrator; repeatable.")
@click.pass_obj
def add_user(program: Program, email: str, name: str, roles: Sequence[str]) -> None:
    """Add a person and print the link, good once, by which they choose a password.

    The first administrator: grants users add ana@example.eu --name "Ana Horvat" --role administrator
    """
    from grants.identity import queries, services
    from grants.identity.policy import Role
    from grants.identity.rules import UserInput

    known = {role.value for role in Role}
    for role in roles:
        if role not in known:
            raise Invalid(f"“{role}” is not a role. Roles are: {', '.join(sorted(known))}.")
    with program.running():
        actor = operator(Permission.USER_INVITE, Permission.ROLE_ASSIGN)
        added = services.add_user(actor, UserInput(name=name, email=email, roles=tuple(Role(role) for role in roles)))
        assert added.link_id is not None, "only demo people come without a link"
        address = queries.sign_in_address(added.link_id)
    click.echo(f"{name} was added. This link works once; hand it over safely:\n{address}")


@users.command("disable")
@click.argument("email")
@click.option("--reason", required=True, help="Why this person must not sign in any more; kept in the audit.")
@click.pass_obj
def disable_user(program: Program, email: str, reason: str) -> None:
    """Keep a person out at once; what they did stays theirs."""
    from grants.identity import queries, services

    with program.running():
        person = queries.person_by_email(email.strip().lower())
        if person is None:
            raise Refused(f"Nobody here has the address {email}.")
        services.disable_user(operator(Permission.USER_DISABLE), person.id, reason=reason)
        click.echo(f"{person.name} cannot sign in any more.")
