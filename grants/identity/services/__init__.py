"""What views, jobs, commands and later stages call; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.identity.services.addresses import ask_address, confirm_address
from grants.identity.services.facts import decide_double, validate_fact, withdraw_validation
from grants.identity.services.mails import mail, open_mail
from grants.identity.services.passwords import change_password, hash_of, request_reset, set_password_by_link, sweep
from grants.identity.services.people import (
    add_colleague,
    add_organisation,
    add_user,
    describe_organisation,
    disable_user,
    edit_organisation,
    edit_profile,
    enable_user,
    find_or_invite,
    invite_again,
    invite_user,
    join,
    leave,
    make_organisation,
    organisations_followed_by,
    register_organisation,
)
from grants.identity.services.roles import (
    assign_role,
    bar,
    confirm_role,
    end_assigned_role,
    end_bars,
    end_role,
    give_role,
    lift_bar,
    parts_kept_by,
    refuse_staff,
)
from grants.identity.services.sessions import end_other_sessions, end_session, note_seen, replace_session, sign_out
from grants.identity.services.signing_in import confirm_password, demo_sign_in, sign_in

__all__ = [
    "add_colleague",
    "add_organisation",
    "add_user",
    "ask_address",
    "assign_role",
    "bar",
    "change_password",
    "confirm_address",
    "confirm_password",
    "confirm_role",
    "decide_double",
    "demo_sign_in",
    "describe_organisation",
    "disable_user",
    "edit_organisation",
    "edit_profile",
    "enable_user",
    "end_assigned_role",
    "end_bars",
    "end_other_sessions",
    "end_role",
    "end_session",
    "find_or_invite",
    "give_role",
    "hash_of",
    "invite_again",
    "invite_user",
    "join",
    "leave",
    "lift_bar",
    "mail",
    "make_organisation",
    "note_seen",
    "open_mail",
    "organisations_followed_by",
    "parts_kept_by",
    "refuse_staff",
    "register_organisation",
    "replace_session",
    "request_reset",
    "set_password_by_link",
    "sign_in",
    "sign_out",
    "sweep",
    "validate_fact",
    "withdraw_validation",
]
