"""What is tried against the program on purpose, sixty kinds of it, and the tests that show what it answers to each.

Whoever takes one of these tests away, or renames it, is told here which promise is left without a proof.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

# The kind of input or fault, and the tests that show its answer.
PROVED: dict[int, tuple[str, str, tuple[str, ...]]] = {}


def _of(number: int, what: str, path: str, *names: str, also: tuple[str, ...] = ()) -> None:
    PROVED[number] = (what, path, (*(f"{path}::{name}" for name in names), *also))


_of(1, "amounts in three spellings", "core/test_money", "test_every_european_way_of_writing_is_read", "test_one_mark_and_three_digits_is_a_thousand")  # fmt: skip
_of(2, "what is no amount", "core/test_money", "test_what_is_not_an_amount_is_refused_with_a_sentence")
_of(3, "an amount beyond a float", "core/test_money", "test_an_amount_beyond_floating_point_is_stored_exactly", "test_an_amount_beyond_the_limit_is_refused")  # fmt: skip
_of(4, "a cost below zero", "reporting/test_lines", "test_a_correction_may_be_below_zero_and_all_ways_of_writing_amounts_are_read", also=("core/test_money::test_a_correction_may_be_negative_where_it_is_allowed",))  # fmt: skip
_of(5, "ten times ten cents", "core/test_money", "test_ten_times_ten_cents_is_one_euro", also=("budgets/test_rules::test_ten_times_ten_cents_is_one_euro",))  # fmt: skip
_of(6, "totals a cent apart", "applications/test_sheet", "test_a_total_that_is_a_cent_off_its_amounts_is_refused_with_the_difference", also=("budgets/test_rules::test_rows_and_columns_agree_to_the_cent",))  # fmt: skip
_of(7, "a third of 100 000.00", "core/test_money", "test_a_third_of_a_hundred_thousand_gives_the_spare_cent_to_the_first")  # fmt: skip
_of(8, "typed indirect costs", "budgets/test_rules", "test_a_typed_flat_rate_changes_nothing")
_of(9, "a cost a day outside the period", "reporting/test_lines", "test_a_cost_dated_a_day_before_or_after_the_period_is_refused")  # fmt: skip
_of(10, "one invoice in two claims or grants", "reporting/test_lines", "test_the_same_invoice_file_or_day_of_work_in_two_grants_is_flagged_to_staff_and_not_told_to_the_city", "test_a_cost_that_stands_twice_is_accepted_only_once_a_person_decided_on_it")  # fmt: skip
_of(11, "rates that cannot be", "rates/test_rules", "test_what_looks_odd_is_taken_with_a_word_jumps_inversions_gaps_and_corrections")  # fmt: skip
_of(12, "a claim above the partner's maximum", "reporting/test_services", "test_costs_above_a_partners_maximum_are_not_accepted")  # fmt: skip
_of(13, "the eleventh small transfer", "payments/test_transfers", "test_every_move_counts_and_the_eleventh_small_one_is_told_and_the_last_is_an_amendment")  # fmt: skip
_of(14, "pre-financing too early or twice", "payments/test_services", "test_nothing_is_requested_before_signature", "test_the_signed_schedule_opens_the_request_once")  # fmt: skip
_of(15, "an interim payment over its ceiling", "payments/test_services", "test_an_interim_payment_is_cut_to_the_ceiling_and_the_rest_shown")  # fmt: skip
_of(16, "a final amount below what is paid", "payments/test_recoveries", "test_a_debt_goes_through_every_step_and_is_booked_when_another_person_confirms_it", also=("payments/test_rules::test_any_reports_are_paid_within_ceiling_and_maximum_and_settled_to_the_cent",))  # fmt: skip
_of(17, "two authorisers at once", "payments/test_race", "test_eight_processes_pay_sixty_per_cent_of_what_is_left_and_one_succeeds", also=("payments/test_views::test_whoever_was_second_is_told_who_did_what_and_when_and_keeps_the_note",))  # fmt: skip
_of(18, "double click, second tab", "payments/test_views", "test_a_double_click_of_a_form_makes_one_order", "test_a_second_tab_of_the_same_person_is_told_that_it_was_done_already")  # fmt: skip
_of(19, "the same key with another amount", "payments/test_views", "test_a_double_click_of_a_form_makes_one_order", also=("core/test_acts::test_the_same_key_with_other_input_is_a_conflict",))  # fmt: skip
_of(20, "one person in two parts", "payments/test_services", "test_one_person_takes_one_step_only", "test_the_database_itself_keeps_four_people_apart", also=("payments/test_views::test_own_items_are_locked_with_the_reason",))  # fmt: skip
_of(21, "a role for oneself", "identity/test_services", "test_nobody_gives_a_role_to_themselves_and_the_try_is_on_record", "test_a_money_role_holds_only_after_a_second_administrator")  # fmt: skip
_of(22, "an amount changed after signatures", "payments/test_services", "test_a_changed_amount_voids_every_signature")
_of(23, "an account changed meanwhile", "payments/test_services", "test_a_replaced_account_stops_the_order_until_it_is_changed")  # fmt: skip
_of(24, "account numbers", "agreements/test_rules", "test_an_account_number_is_taken_however_it_is_spaced", "test_a_wrong_account_number_is_refused_beside_its_field", also=("payments/test_accounts::test_an_iban_is_taken_in_one_form_or_refused_beside_its_field",))  # fmt: skip
_of(25, "names a bank cannot write", "payments/test_sepa_rules", "test_a_name_of_any_kind_is_fitted_and_the_books_keep_it", also=("payments/test_pain::test_a_name_in_greek_leaves_in_plain_letters_and_its_signs_are_no_markup",))  # fmt: skip
_of(26, "an address without its town", "payments/test_sepa_rules", "test_each_damage_is_named_by_its_rule_alone", also=("payments/test_pay_run::test_what_the_rules_refuse_leaves_no_file_and_says_where_and_what",))  # fmt: skip
_of(27, "a sent file once more", "payments/test_pay_run", "test_what_was_sent_is_in_no_other_file_and_downloads_as_the_same_bytes")  # fmt: skip
_of(28, "a statement twice, days that overlap", "payments/test_bank_booking", "test_a_statement_that_came_twice_or_overlaps_books_once", also=("payments/test_race::test_one_statement_and_one_rejection_brought_by_eight_at_once_move_an_order_once", "payments/test_whole_files::test_a_file_in_one_sum_that_comes_twice_pays_each_order_once", "payments/test_race::test_a_file_in_one_sum_and_its_payments_one_by_one_brought_by_eight_at_once_are_paid_once"))  # fmt: skip
_of(29, "a line that is nearly an order", "payments/test_bank_booking", "test_a_line_that_is_nearly_an_order_is_never_forced", "test_one_line_for_two_orders_is_never_forced", also=("payments/test_whole_files::test_only_the_whole_file_to_the_cent_is_booked_by_itself_and_the_rest_says_why",))  # fmt: skip
_of(30, "a gap between statements", "payments/test_bank_statements", "test_a_gap_is_refused_and_named_and_the_file_may_come_again")  # fmt: skip
_of(31, "a return after the closing", "payments/test_came_back", "test_what_comes_back_after_the_grant_is_closed_is_booked_and_issued_again")  # fmt: skip
_of(32, "bank files that are none", "payments/test_bank_files", "test_what_is_no_file_of_a_bank_is_refused_at_once", "test_five_hundred_megabytes_are_refused_and_take_no_memory", "test_a_flood_ends_at_the_limit_whatever_it_is_of")  # fmt: skip
_of(33, "too much paid back, or without a reference", "payments/test_bank_booking", "test_a_receipt_that_names_its_recovery_is_booked_and_what_is_above_it_kept", "test_money_that_came_stands_unidentified_and_open", "test_a_receipt_without_a_reference_is_told_later_by_two_people", also=("payments/test_recoveries::test_what_comes_above_the_debt_is_kept_as_an_unidentified_receipt_of_the_grant",))  # fmt: skip
_of(34, "the very moment of a deadline", "applications/test_deadline", "test_every_place_that_knows_a_deadline_says_the_same_at_every_microsecond_around_it")  # fmt: skip
_of(35, "a clock two hours wrong", "applications/test_services", "test_the_very_moment_of_the_deadline_is_late", also=("applications/test_deadline::test_a_clock_two_hours_wrong_at_the_client_changes_nothing", "applications/test_deadline::test_every_page_of_an_application_says_server_time_deadline_zone_and_days_left"))  # fmt: skip
_of(36, "hours that are not, or are twice", "core/test_clock", "test_an_hour_that_does_not_exist_is_refused", "test_an_hour_that_comes_twice_must_be_named")  # fmt: skip
_of(37, "sending while the deadline moves", "applications/test_race", "test_the_second_of_the_deadline_is_the_same_for_everybody_also_while_it_moves")  # fmt: skip
_of(38, "many who send at once", "applications/test_race", "test_the_second_of_the_deadline_is_the_same_for_everybody_also_while_it_moves", also=("applications/test_services::test_receipt_numbers_have_no_gaps",))  # fmt: skip
_of(39, "two panels, one project left", "awards/test_race", "test_eight_panels_fund_the_last_project_at_one_moment_and_one_does")  # fmt: skip
_of(40, "two people in one budget", "applications/test_services", "test_the_second_saver_of_a_section_or_a_budget_is_told")  # fmt: skip
_of(41, "a worker killed anywhere", "documents/test_killed", "test_a_worker_killed_before_the_commit_leaves_nothing_served_and_the_statement_is_made_once", "test_a_worker_killed_after_the_commit_has_made_it_and_nobody_makes_it_again", also=("payments/test_killed::test_a_payment_killed_at_steps_of_every_act_is_made_once",))  # fmt: skip
_of(42, "an emptied queue", "jobs/test_worker", "test_a_flushed_queue_server_loses_nothing")
_of(43, "a job that always fails", "core/test_jobs", "test_a_poisoned_job_is_parked_with_its_reason_and_others_go_on")  # fmt: skip
_of(44, "leases by the database's clock", "core/test_jobs", "test_an_attempt_whose_lease_lapsed_writes_nothing_once_another_took_over")  # fmt: skip
_of(45, "a mail server that is down", "jobs/test_mail", "test_mails_wait_for_their_server_and_leave_once_in_order")
_of(46, "the power goes after “paid”", "payments/test_power_loss", "test_what_a_page_said_is_paid_is_paid_after_the_power_went")  # fmt: skip
_of(47, "a migration that stops half-way", "structure/test_migrations", "test_a_migration_that_stops_half_way_leaves_nothing_and_then_goes_through")  # fmt: skip
_of(48, "a backup of before files left", "house/test_backup", "test_a_restored_database_knows_the_payment_files_sent_since_and_sends_none_again")  # fmt: skip
_of(49, "the journal by raw SQL", "ledger/test_services", "test_the_journal_is_not_changed_by_either_role", "test_tampering_by_the_owner_is_found", also=("core/test_acts::test_history_is_not_changed_by_either_role",))  # fmt: skip
_of(50, "a record whose end was cut", "core/test_audit_offline", "test_a_cut_tail_is_told_in_words_with_what_proves_it")  # fmt: skip
_of(51, "somebody else's things", "payments/test_services", "test_out_of_scope_is_as_if_not_there", also=("core/test_acts::test_out_of_scope_and_barred_look_as_if_not_there", "payments/test_views::test_what_is_not_there_is_not_found"))  # fmt: skip
_of(52, "fields nobody offered", "payments/test_parts", "test_what_is_sent_beside_the_fields_of_a_money_form_is_ignored_and_noted", also=("identity/test_signing_in::test_extra_fields_of_a_form_change_nothing",))  # fmt: skip
_of(53, "formulas in exports", "payments/test_list_files", "test_a_grant_named_like_a_formula_is_text_in_every_file", also=("documents/test_statements::test_negative_amounts_stay_numbers_in_csv",))  # fmt: skip
_of(54, "hostile files", "core/test_files", "test_what_is_not_what_it_says_is_refused_with_a_sentence", "test_names_are_one_clean_line_without_a_path", "test_a_pdf_that_does_anything_is_refused_with_the_way_out", "test_an_upload_stops_at_its_limit")  # fmt: skip
# The program asks for no code beside the password, so none is guessed or used twice.
_of(55, "passwords and links tried again and again", "identity/test_signing_in", "test_twenty_wrong_passwords_are_slowed_then_blocked", "test_twenty_wrong_passwords_before_a_dangerous_act_are_slowed_then_blocked_as_well", "test_a_reset_link_works_once", "test_a_newer_link_replaces_an_older_one", "test_after_a_password_change_every_old_session_is_dead", "test_all_other_sessions_end_at_once")  # fmt: skip
_of(56, "sent elsewhere, or without a token", "identity/test_signing_in", "test_every_other_form_asks_for_its_token_too", "test_what_a_request_calls_this_host_never_gets_into_a_mail", also=("identity/test_rules::test_nobody_is_ever_sent_to_another_host", "structure/test_routes::test_no_get_calls_an_act_but_the_recorded_reads"))  # fmt: skip
_of(57, "marks in texts that are printed", "documents/test_paper", "test_what_somebody_wrote_is_printed_letter_by_letter_and_reads_no_file")  # fmt: skip
_of(59, "no partner, one, sixty, three thousand lines", "oversight/test_spending", "test_sixty_partners_with_three_thousand_lines_ask_no_more_than_one_and_take_no_two_seconds", also=("reporting/test_lines::test_three_thousand_lines_are_kept_and_shown_fast",))  # fmt: skip
_of(60, "a check that raises", "payments/test_services", "test_a_fault_in_any_guard_lets_nothing_through", also=("structure/test_faults::test_every_guard_passes_its_fault_point",))  # fmt: skip

# Whom nobody has to prove yet: what erases a person is no part of agreements and payments.
ELSEWHERE = {58: "the erasure of an evaluator"}


@cache
def known_tests(path: str) -> frozenset[str]:
    """The tests of a file, by name."""
    tree = ast.parse((TESTS / f"{path}.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_kind_of_bad_input_has_its_place_here() -> None:
    assert sorted({*PROVED, *ELSEWHERE}) == list(range(1, 61))


@pytest.mark.parametrize("number", sorted(PROVED))
def test_what_is_tried_on_purpose_is_shown_by_tests_that_are_there(number: int) -> None:
    _, _, proofs = PROVED[number]
    missing = [each for each in proofs if each.split("::")[1] not in known_tests(each.split("::")[0])]
    assert not missing
