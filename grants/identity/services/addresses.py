"""A person's own e-mail address, changed by who sits here and knows the password, once the new one is shown to be theirs."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.core import acts, clock
from grants.core.acts import act, note_security
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries, rules
from grants.identity.models import SignInLink, User, UserSession
from grants.identity.rules import Counter, Where
from grants.identity.services.mails import mail
from grants.identity.services.passwords import LINK_SPENT, make_link, take_try, withdraw_links
from grants.identity.services.sessions import end, live, own_row
from grants.identity.states import LinkPurpose, SessionEnd


def ask_address(actor: Actor, email: str, where: Where) -> str:
    """Send a link to a new address; it counts once the link was opened there. Returns the address as it will stand.

    What is answered does not depend on whether somebody else has this address.
    """
    own = queries.own(actor)
    if own.is_demo:
        raise Refused("Demo people keep the address they were made with.")
    rules.demand_fresh(actor)
    address = rules.normal_email(email)
    if address == own.email:
        sentence = "This is the address you have. Enter the new one."
        raise Invalid(sentence, {"email": sentence})
    take_try(
        (
            (Counter.ACCOUNT, rules.counter_key(Counter.ACCOUNT, f"address {own.id}")),
            (Counter.ADDRESS, rules.counter_key(Counter.ADDRESS, f"address {where.address}")),
        )
    )
    note_security("address.change_asked", user=own.id, address=where.address)
    with acts.once(None):
        _ask_address(actor, address)
    return address


@act("profile.ask_address", needs=Permission.PROFILE_EDIT, says="asked to use another e-mail address")
def _ask_address(actor: Actor, email: str) -> None:
    rules.demand_fresh(actor)
    user = own_row(actor)
    # The present address is told at once, while it can still do something about it.
    mail([user.id], "address_asked", "user_account", user.id)
    if _taken(email):
        return
    link = make_link(user.id, LinkPurpose.ADDRESS, new_email=email)
    mail([user.id], "address_confirm", "user_account", user.id, link_id=link.id)


def confirm_address(actor: Actor, token: str) -> None:
    """Take the new address, which the opened link shows to be the person's own. Raises :class:`Refused`."""
    link = queries.link(token, clock.now(), (LinkPurpose.ADDRESS,))
    if link is None or link.user_id != actor.user_id:
        note_security("link.refused", user=actor.user_id)
        raise Refused(LINK_SPENT)
    with acts.once(None):
        _confirm_address(actor, link.id)


@act("profile.confirm_address", needs=Permission.PROFILE_EDIT, says="began to use another e-mail address")
def _confirm_address(actor: Actor, link_id: UUID) -> None:
    user, link, now = own_row(actor), locked(SignInLink, link_id), acts.moment()
    if link.used_at is not None or link.withdrawn_at is not None or link.expires_at <= now or link.user_id != user.id:
        raise Refused(LINK_SPENT)
    assert link.new_email is not None, "a link of this purpose has an address"
    if _taken(link.new_email):
        raise Refused("This address cannot be used for your account. Ask an administrator.")
    link.used_at, link.old_email = now, user.email
    user.email = link.new_email
    # Links that were sent to the old address open nothing any more, and other browsers sign in again.
    withdraw_links(user.id)
    for session in live(UserSession.user_id == user.id, UserSession.id != actor.session_id):
        end(session, SessionEnd.ADDRESS_CHANGED)
    local = clock.in_zone(now)
    when = f"{clock.long_date(local.date())}, {local:%H:%M} (Brussels time)"
    mail([user.id], "address_changed", "user_account", user.id, link_id=link.id, when=when)


def _taken(email: str) -> bool:
    return db.session.scalar(select(User.id).where(User.email == email)) is not None
