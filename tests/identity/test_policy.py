"""The table of roles: what an auditor would check in it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.errors import Refused
from grants.core.permissions import Permission
from grants.identity import policy
from grants.identity.policy import IN_OWN_ORGANISATION, MONEY_ROLES, PERMISSIONS, ROLES_OF_AN_APPLICATION, WORDS, Role

_WORDS_OF_READING = ("read", "read_all", "read_assigned", "request", "view")
_MONEY = ("payment_order", "payment_request", "bank_account", "ledger", "budget", "statement")


def test_every_role_has_permissions_and_words() -> None:
    assert set(PERMISSIONS) == set(Role) == set(WORDS)


def test_every_permission_is_held_by_somebody_or_by_the_program_alone() -> None:
    by_role = frozenset().union(*PERMISSIONS.values())
    assert by_role & policy.PROGRAM == frozenset()
    held = policy.PROGRAM | by_role | policy.EVERYBODY | frozenset().union(*IN_OWN_ORGANISATION.values())

    assert set(Permission) - held == set()


@pytest.mark.parametrize("permission", sorted(PERMISSIONS[Role.ADMINISTRATOR]))
def test_an_administrator_sees_no_money_and_no_applications(permission: Permission) -> None:
    thing = permission.partition(":")[0]

    assert thing not in {*_MONEY, "application", "assessment", "agreement", "report"}


# A conflict that an auditor declares shuts something to them and changes nothing else.
@pytest.mark.parametrize("permission", sorted(PERMISSIONS[Role.AUDITOR] - {Permission.CONFLICT_DECLARE_IN_OFFICE}))
def test_an_auditor_changes_nothing(permission: Permission) -> None:
    assert permission.partition(":")[2] in _WORDS_OF_READING


def test_an_auditor_reads_whatever_can_be_read() -> None:
    readable = {name for name in Permission if name.endswith(":read") or name.endswith(":read_all")}

    assert readable - PERMISSIONS[Role.AUDITOR] == set()


def test_everybody_who_works_with_applications_or_their_money_can_declare_a_conflict() -> None:
    reads = {Permission.APPLICATION_READ, Permission.AGREEMENT_READ, Permission.PAYMENT_ORDER_READ}
    declares = policy.roles_with(Permission.CONFLICT_DECLARE) | policy.roles_with(Permission.CONFLICT_DECLARE_IN_OFFICE)
    works = {role for role in Role if policy.is_staff(role) and PERMISSIONS[role] & reads}

    assert works - declares == set()
    assert declares > policy.OFFICERS


def test_no_role_does_two_steps_of_one_payment() -> None:
    steps = {
        Permission.PAYMENT_ORDER_PREPARE,
        Permission.PAYMENT_ORDER_VERIFY,
        Permission.PAYMENT_ORDER_AUTHORISE,
        Permission.PAYMENT_ORDER_EXECUTE,
    }

    assert {role: len(allowed & steps) for role, allowed in PERMISSIONS.items() if len(allowed & steps) > 1} == {}


def test_no_role_does_two_steps_of_one_debt() -> None:
    for steps in (
        {Permission.RECOVERY_PROPOSE, Permission.RECOVERY_CONFIRM, Permission.RECOVERY_ISSUE},
        {Permission.RECOVERY_CONFIRM, Permission.RECOVERY_BOOK},
        {Permission.RECOVERY_CONFIRM, Permission.RECOVERY_OFFSET},
        {Permission.INTEREST_BOOK, Permission.INTEREST_CONFIRM},
    ):
        assert [role for role, allowed in PERMISSIONS.items() if len(allowed & steps) > 1] == []


def test_only_roles_that_need_two_administrators_move_money() -> None:
    moving = {
        Permission.PAYMENT_ORDER_PREPARE,
        Permission.PAYMENT_ORDER_VERIFY,
        Permission.PAYMENT_ORDER_AUTHORISE,
        Permission.PAYMENT_ORDER_EXECUTE,
        Permission.PAYMENT_REQUEST_DECIDE,
        Permission.PAYMENT_REQUEST_REGISTER,
        Permission.PAYMENT_REQUEST_SUSPEND,
        Permission.PAYMENT_REQUEST_VERIFY,
        Permission.RECOVERY_CONFIRM,
        Permission.RECOVERY_OFFSET,
        Permission.RECOVERY_WAIVE,
        Permission.INTEREST_CONFIRM,
        Permission.BUDGET_AUTHORISE,
        Permission.AGREEMENT_SIGN_PROGRAMME,
    }

    assert {role for role, allowed in PERMISSIONS.items() if allowed & moving} == MONEY_ROLES


def test_nobody_both_enters_and_confirms_a_bank_account() -> None:
    for both in (
        {Permission.BANK_ACCOUNT_ENTER, Permission.BANK_ACCOUNT_CONFIRM},
        {Permission.OWN_ACCOUNT_ENTER, Permission.OWN_ACCOUNT_CONFIRM},
    ):
        assert [role for role, allowed in PERMISSIONS.items() if both <= allowed] == []


def test_who_runs_a_call_does_not_score_in_it() -> None:
    assert policy.roles_with(Permission.ASSESSMENT_SCORE) == {Role.ASSIGNED_EVALUATOR}
    assert policy.roles_with(Permission.ASSESSMENT_SCORE) <= ROLES_OF_AN_APPLICATION


EVALUATES = (Role.EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER)


@pytest.mark.parametrize("role", sorted({Role.AUDITOR, *MONEY_ROLES} - {Role.PROGRAMME_SIGNATORY}))
def test_who_evaluates_has_no_second_role_that_reads_the_money_of_every_pilot(role: Role) -> None:
    for evaluates in EVALUATES:
        for held, wanted in ((evaluates, role), (role, evaluates)):
            with pytest.raises(Refused, match="cannot be both"):
                policy.refuse_role_by_hand(uuid4(), uuid4(), wanted, [held])


def test_the_table_prints_a_line_for_each_role_and_permission() -> None:
    lines = policy.printed().splitlines()

    assert len(lines) == sum(map(len, PERMISSIONS.values())) + sum(map(len, IN_OWN_ORGANISATION.values()))
    assert "administrator\trole:assign" in lines
    assert "applicant\torganisation:edit\tin the own organisation" in lines


@given(st.uuids(), st.sampled_from(Role))
def test_nobody_gives_a_role_to_themselves(who: UUID, role: Role) -> None:
    with pytest.raises(Refused, match="to yourself"):
        policy.refuse_role_by_hand(who, who, role, ())


@pytest.mark.parametrize("role", sorted(ROLES_OF_AN_APPLICATION))
def test_a_role_of_one_application_is_not_given_by_hand(role: Role) -> None:
    with pytest.raises(Refused, match="belongs to one application"):
        policy.refuse_role_by_hand(uuid4(), uuid4(), role, ())


@pytest.mark.parametrize("role", sorted(MONEY_ROLES))
def test_an_administrator_never_moves_money(role: Role) -> None:
    for held, wanted in ((Role.ADMINISTRATOR, role), (role, Role.ADMINISTRATOR)):
        with pytest.raises(Refused, match="cannot be both"):
            policy.refuse_role_by_hand(uuid4(), uuid4(), wanted, [held])


def test_a_role_held_is_not_given_again() -> None:
    with pytest.raises(Refused, match="already has the role “Auditor”"):
        policy.refuse_role_by_hand(uuid4(), uuid4(), Role.AUDITOR, [Role.AUDITOR])


def test_who_assigned_or_holds_a_role_does_not_confirm_it() -> None:
    giver, holder = uuid4(), uuid4()

    with pytest.raises(Refused, match="role of your own"):
        policy.refuse_confirming(holder, holder, giver)
    with pytest.raises(Refused, match="assigned this role yourself"):
        policy.refuse_confirming(giver, holder, giver)
    policy.refuse_confirming(uuid4(), holder, giver)
