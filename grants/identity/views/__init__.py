"""Pages of identity, each in the module of who opens it; here is what the program takes from them."""

from __future__ import annotations

from grants.core.permissions import Permission
from grants.identity.views import administration, own, register, signing_in
from grants.identity.views.frame import SESSION_KEY, bp, init_app
from grants.web.routing import NavItem

NAVIGATION = (
    NavItem(
        "Your organisation", "identity.organisation", (Permission.ORGANISATION_EDIT,), 70, of_own_organisation=True
    ),
    NavItem("Organisations", "identity.organisations", (Permission.ORGANISATION_READ,), 71),
    NavItem("People", "identity.users", (Permission.USER_READ,), 80),
    NavItem("Roles", "identity.roles", (Permission.ROLE_CONFIRM, Permission.AUDIT_READ), 81),
    NavItem("Mail", "identity.mail", (Permission.MAIL_READ,), 85),
)


__all__ = ["NAVIGATION", "SESSION_KEY", "administration", "bp", "init_app", "own", "register", "signing_in"]
