"""What the database itself enforces of payments, whoever asks it: sums, signatures, and states that are left by nobody."""

from __future__ import annotations

from sqlalchemy import Connection

# The one place that says from which states nothing leads on (the machines of the stages say the same; a test compares
# them), and which orders no longer hold what they were prepared for. A new state is named here and nowhere else.
_LISTS = """
CREATE OR REPLACE FUNCTION payment_terminal_states(kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'payment_order' THEN ARRAY['returned', 'cancelled']
    WHEN 'payment_request' THEN ARRAY['rejected', 'cleared', 'cancelled']
    WHEN 'recovery' THEN ARRAY['paid', 'waived', 'cancelled']
    WHEN 'grant_agreement' THEN ARRAY['closed', 'dropped']
  END
$$;
CREATE OR REPLACE FUNCTION payment_order_states_let_go() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT ARRAY['cancelled', 'bank_rejected', 'returned']
$$
"""
_WITHIN_REQUEST = """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> ALL (payment_order_states_let_go());
  SELECT ordered + coalesce(sum(amount), 0) INTO ordered FROM payment_offset WHERE request_id = NEW.request_id;
  SELECT ordered + coalesce(sum(amount), 0) INTO ordered FROM payment_cancellation WHERE request_id = NEW.request_id;
  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders and offsets of payment request %% sum to %% cents; %% are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
_TERMINAL = """
CREATE OR REPLACE FUNCTION refuse_leaving_terminal_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = ANY (payment_terminal_states(TG_TABLE_NAME::text))
     OR (OLD.state = 'bank_rejected' AND NEW.state <> 'executed') THEN
    RAISE EXCEPTION '%% %% is %%: nothing leads on from there', TG_TABLE_NAME, OLD.id, OLD.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
# Another amount or account is another order: it stands as prepared, and nobody has approved it.
_FROZEN = """
CREATE OR REPLACE FUNCTION refuse_changing_signed_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.request_id <> OLD.request_id OR NEW.grant_id <> OLD.grant_id OR NEW.payee_id <> OLD.payee_id THEN
    RAISE EXCEPTION 'payment order %% is for another request, grant or payee: prepare another order', OLD.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state NOT IN ('prepared', 'verified', 'authorised') OR NEW.state <> 'prepared'
     OR NEW.verified_by IS NOT NULL OR NEW.authorised_by IS NOT NULL THEN
    RAISE EXCEPTION 'amount and account of payment order %% are frozen: a change voids every signature', OLD.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
# On both tables: a signature added or voided by itself is caught as well as an order that says other than its signatures.
_SIGNED = """
CREATE OR REPLACE FUNCTION check_order_signatures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  ord payment_order;
  signed record;
BEGIN
  IF TG_TABLE_NAME = 'payment_order' THEN wanted := NEW.id; ELSE wanted := NEW.order_id; END IF;
  SELECT * INTO ord FROM payment_order WHERE id = wanted;
  SELECT count(*) FILTER (WHERE amount <> ord.amount OR bank_account_id <> ord.bank_account_id) AS others,
         (array_agg(user_id) FILTER (WHERE step = 'prepared'))[1] AS prepared,
         (array_agg(user_id) FILTER (WHERE step = 'verified'))[1] AS verified,
         (array_agg(user_id) FILTER (WHERE step = 'authorised'))[1] AS authorised
    INTO signed FROM payment_order_signature WHERE order_id = wanted AND voided_at IS NULL;
  IF signed.others > 0 THEN
    RAISE EXCEPTION 'payment order %% has a signature for another amount or account', ord.reference USING ERRCODE = 'check_violation';
  END IF;
  IF ord.state <> 'cancelled' AND (signed.prepared IS DISTINCT FROM ord.prepared_by
     OR signed.verified IS DISTINCT FROM ord.verified_by OR signed.authorised IS DISTINCT FROM ord.authorised_by) THEN
    RAISE EXCEPTION 'the people of payment order %% are not those of its signatures', ord.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
_PARTS = """
CREATE OR REPLACE FUNCTION check_request_parts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  whole payment_request;
  parts record;
BEGIN
  IF TG_TABLE_NAME = 'payment_request' THEN wanted := NEW.id; ELSE wanted := NEW.request_id; END IF;
  SELECT * INTO whole FROM payment_request WHERE id = wanted;
  SELECT coalesce(sum(requested), 0) AS requested, coalesce(sum(approved), 0) AS approved, coalesce(sum(refused), 0) AS refused,
         coalesce(sum(payable), 0) AS payable, coalesce(sum(retained), 0) AS retained, coalesce(sum(cleared), 0) AS cleared,
         coalesce(sum(deferred), 0) AS deferred, coalesce(sum(recoverable), 0) AS recoverable
    INTO parts FROM payment_request_part WHERE request_id = wanted;
  IF (parts.requested, parts.approved, parts.refused, parts.payable, parts.retained, parts.cleared, parts.deferred, parts.recoverable)
     IS DISTINCT FROM (whole.requested::numeric, whole.approved::numeric, whole.refused::numeric, whole.payable::numeric,
     whole.retained::numeric, whole.cleared::numeric, whole.deferred::numeric, whole.recoverable::numeric) THEN
    RAISE EXCEPTION 'the parts of payment request %% do not sum to what was decided', whole.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

TERMINAL = ("payment_order", "payment_request", "recovery", "grant_agreement")

_NO_OWN_ACCOUNT = """
CREATE OR REPLACE FUNCTION refuse_own_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM bank_account WHERE id = NEW.bank_account_id
      AND (entered_by IN (NEW.verified_by, NEW.authorised_by) OR confirmed_by IN (NEW.verified_by, NEW.authorised_by))
  ) THEN
    RAISE EXCEPTION 'payment order %%: who entered or confirmed its bank account neither verifies nor authorises it', NEW.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT FROM bank_account WHERE id = NEW.bank_account_id AND entered_by = NEW.sent_by) THEN
    RAISE EXCEPTION 'payment order %%: who entered its bank account does not send it', NEW.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

# Who must differ: the pairs of the circuit that held when the order was prepared, all of them where none was set; and a
# stand-in and the person stood in for are one, whatever the circuit says; who booked an order as executed, which has no
# moment of its own, if they were one when the other signed.
_HANDS = """
CREATE OR REPLACE FUNCTION check_order_hands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  ord payment_order;
  pairs jsonb;
BEGIN
  IF TG_TABLE_NAME = 'payment_order' THEN wanted := NEW.id; ELSE wanted := NEW.order_id; END IF;
  SELECT * INTO ord FROM payment_order WHERE id = wanted;
  SELECT circuit.apart INTO pairs FROM payment_circuit circuit
    WHERE circuit.state = 'confirmed' AND circuit.decided_at <=
      (SELECT max(signed_at) FROM payment_order_signature WHERE order_id = wanted AND step = 'prepared')
    ORDER BY circuit.decided_at DESC, circuit.number DESC LIMIT 1;
  IF EXISTS (
    WITH hand(step, person) AS (
      VALUES ('prepared', ord.prepared_by), ('verified', ord.verified_by), ('authorised', ord.authorised_by),
             ('sent', ord.sent_by), ('sent', ord.executed_by)
      UNION ALL
      SELECT step, user_id FROM payment_order_signature WHERE order_id = wanted AND voided_at IS NULL
    )
    SELECT FROM hand a JOIN hand b ON a.person = b.person AND a.step < b.step
    WHERE pairs IS NULL OR pairs ? (a.step || '/' || b.step)
  ) THEN
    RAISE EXCEPTION 'one person took two steps of payment order %% that its circuit keeps apart', ord.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    WITH hand(step, person, at) AS (
      SELECT step, user_id, signed_at FROM payment_order_signature WHERE order_id = wanted AND voided_at IS NULL
      UNION ALL
      SELECT 'sent', ord.executed_by, NULL
    )
    SELECT FROM hand a
      JOIN role_grant stands ON stands.user_id = a.person AND stands.stand_in_for IS NOT NULL AND stands.confirmed_at IS NOT NULL
      JOIN hand b ON b.person = stands.stand_in_for AND b.step <> a.step
    WHERE (a.at >= greatest(stands.starts_at, stands.confirmed_at) AND a.at < stands.ends_before)
      OR (b.at >= greatest(stands.starts_at, stands.confirmed_at) AND b.at < stands.ends_before)
  ) THEN
    RAISE EXCEPTION 'payment order %% is signed by somebody and by who stands in for them', ord.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""

# A signature that approves says what was looked at, and stays within what its people may authorise.
_AUTHORITY = """
CREATE OR REPLACE FUNCTION check_signature_authority() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who uuid;
  lim authority_limit;
  on_the_day numeric;
BEGIN
  IF coalesce(jsonb_array_length(NEW.evidence), 0) = 0 THEN
    RAISE EXCEPTION 'a signature that a payment order is %% names the evidence that was seen', NEW.step USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.step <> 'authorised' THEN
    RETURN NULL;
  END IF;
  FOREACH who IN ARRAY array_remove(ARRAY[NEW.user_id, NEW.stand_in_for], NULL) LOOP
    SELECT * INTO lim FROM authority_limit WHERE user_id = who AND state = 'confirmed' AND decided_at <= NEW.signed_at
      ORDER BY decided_at DESC, number DESC LIMIT 1;
    IF NEW.amount > lim.per_order THEN
      RAISE EXCEPTION '%% cents are above what this person may authorise on one order', NEW.amount USING ERRCODE = 'check_violation';
    END IF;
    IF lim.per_day IS NOT NULL THEN
      SELECT sum(amount) INTO on_the_day FROM payment_order_signature
        WHERE step = 'authorised' AND voided_at IS NULL AND (user_id = who OR stand_in_for = who)
          AND signed_at BETWEEN NEW.signed_at - interval '2 days' AND NEW.signed_at + interval '2 days'
          AND (signed_at AT TIME ZONE 'Europe/Brussels')::date = (NEW.signed_at AT TIME ZONE 'Europe/Brussels')::date;
      IF on_the_day > lim.per_day THEN
        RAISE EXCEPTION '%% cents are above what this person may authorise on one day', on_the_day USING ERRCODE = 'check_violation';
      END IF;
    END IF;
  END LOOP;
  RETURN NULL;
END $$
"""

# For whom somebody stands in is written once; another stand-in is another row.
_STANDS = """
CREATE OR REPLACE FUNCTION refuse_rewriting_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a stand-in is appointed in writing: appoint another one' USING ERRCODE = 'check_violation';
END $$
"""

# Whether nothing at all of a grant is paid this day: it is suspended, or the part of its coordinator, who receives every
# payment. What is lifted is lifted from the day of lifting on. Whose costs a request would pay only the acts compare.
_GRANT_HELD = """
CREATE OR REPLACE FUNCTION payment_grant_held(wanted uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
  SELECT EXISTS (
    SELECT FROM agreement_hold hold JOIN grant_agreement held ON held.id = hold.grant_id
    WHERE hold.grant_id = wanted AND hold.lifted_on IS NULL
      AND (hold.organisation_id IS NULL OR hold.organisation_id = held.coordinator_id)
      AND hold.from_on <= (transaction_timestamp() AT TIME ZONE 'Europe/Brussels')::date)
$$
"""

# A request that is suspended, or of a suspended grant, is not decided, and a decided one passed what its grant asks for. What left before the
# suspension may still be booked, and so paid, and may come back; a verified balance whose amount changed is verified anew.
_DECIDED_IN_TIME = """
CREATE OR REPLACE FUNCTION check_request_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
BEGIN
  IF NEW.state <> 'paid' AND OLD.state <> 'paid' AND NOT (OLD.state = 'verified' AND NEW.state = 'registered')
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request %% is suspended: it cannot become %%', NEW.id, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('approved', 'partly_approved', 'rejected', 'cleared') AND OLD.state NOT IN ('approved', 'partly_approved', 'paid')
    AND payment_grant_held(NEW.grant_id) THEN
    RAISE EXCEPTION 'payment request %% is of a suspended grant: it cannot become %%', NEW.id, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('approved', 'partly_approved') THEN
    SELECT request_path INTO path FROM grant_agreement WHERE id = NEW.grant_id;
    IF (path <> 'decided' AND NEW.registered_at IS NULL) OR (path = 'verified' AND NEW.verified_at IS NULL) THEN
      RAISE EXCEPTION 'payment request %% is not yet %%', NEW.id, path USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$
"""

# An order of a suspended request or grant is neither authorised nor sent; taken out of a file it may stand authorised as before.
_ORDER_HELD = """
CREATE OR REPLACE FUNCTION check_order_may_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state IN ('in_file', 'sent') OR (NEW.state = 'authorised' AND OLD.state = 'verified'))
    AND EXISTS (SELECT FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment order %% belongs to a suspended request: it cannot become %%', NEW.id, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.state IN ('in_file', 'sent') OR (NEW.state = 'authorised' AND OLD.state = 'verified'))
    AND payment_grant_held(NEW.grant_id) THEN
    RAISE EXCEPTION 'payment order %% is of a suspended grant: it cannot become %%', NEW.id, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""

_NO_OVERLAP = """
CREATE OR REPLACE FUNCTION check_suspensions_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM payment_suspension other WHERE other.request_id = NEW.request_id AND other.id <> NEW.id
      AND other.from_on < coalesce(NEW.until_on, 'infinity') AND NEW.from_on < coalesce(other.until_on, 'infinity')
  ) THEN
    RAISE EXCEPTION 'suspensions of payment request %% overlap', NEW.request_id USING ERRCODE = 'exclusion_violation';
  END IF;
  IF (SELECT suspended_on FROM payment_request WHERE id = NEW.request_id) IS DISTINCT FROM
    (SELECT from_on FROM payment_suspension WHERE request_id = NEW.request_id AND until_on IS NULL) THEN
    RAISE EXCEPTION 'payment request %% does not say since when it is suspended', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


# A debt begins as a proposal: who established one at once did so before there were steps.
_BY_STEPS = """
CREATE OR REPLACE FUNCTION refuse_recovery_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.at_once OR NEW.state <> 'proposed' THEN
    RAISE EXCEPTION 'recovery %% begins as a proposal, which another person confirms', NEW.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
_SHARES = """
CREATE OR REPLACE FUNCTION check_recovery_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  debt recovery;
BEGIN
  IF TG_TABLE_NAME = 'recovery' THEN wanted := NEW.id; ELSE wanted := NEW.recovery_id; END IF;
  SELECT * INTO debt FROM recovery WHERE id = wanted;
  IF debt.amount::numeric IS DISTINCT FROM (SELECT sum(amount) FROM recovery_share WHERE recovery_id = wanted) THEN
    RAISE EXCEPTION 'the shares of recovery %% do not sum to it', debt.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


# What is set off, came back and is waived of a debt is never more than it.
_WITHIN_DEBT = """
CREATE OR REPLACE FUNCTION check_within_debt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  debt recovery;
BEGIN
  SELECT * INTO debt FROM recovery WHERE id = NEW.recovery_id;
  IF debt.amount < coalesce(debt.waived, 0) + (SELECT coalesce(sum(amount), 0) FROM recovery_receipt WHERE recovery_id = debt.id)
     + (SELECT coalesce(sum(amount), 0) FROM payment_offset WHERE recovery_id = debt.id) THEN
    RAISE EXCEPTION 'more of recovery %% is settled than is owed', debt.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Create the functions and triggers, as the owner role."""
    for function in (_LISTS, _WITHIN_REQUEST, _TERMINAL, _FROZEN, _SIGNED, _PARTS):
        connection.exec_driver_sql(function)
    _deferred(
        connection, "payment_order_within_request", "INSERT OR UPDATE", "payment_order", "check_orders_within_request"
    )
    for table in TERMINAL:
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_terminal BEFORE UPDATE ON {table} FOR EACH ROW "
            "WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_leaving_terminal_state()"
        )
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_order_frozen BEFORE UPDATE ON payment_order FOR EACH ROW WHEN ("
        "(OLD.amount, OLD.bank_account_id, OLD.request_id, OLD.grant_id, OLD.payee_id) IS DISTINCT FROM "
        "(NEW.amount, NEW.bank_account_id, NEW.request_id, NEW.grant_id, NEW.payee_id)) EXECUTE FUNCTION refuse_changing_signed_order()"
    )
    for table in ("payment_order", "payment_order_signature"):
        _deferred(connection, f"{table}_signed", "INSERT OR UPDATE", table, "check_order_signatures")
    _deferred(connection, "payment_request_part_sums", "INSERT", "payment_request_part", "check_request_parts")
    _deferred(
        connection,
        "payment_request_parted",
        # What was decided before parts were kept stands without; nothing of it changes any more.
        "INSERT OR UPDATE OF approved, refused, payable, retained, cleared, deferred, recoverable",
        "payment_request",
        "check_request_parts",
        when="WHEN (NEW.approved IS NOT NULL) ",
    )
    connection.exec_driver_sql(_NO_OWN_ACCOUNT)
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_order_no_own_account AFTER INSERT OR UPDATE OF bank_account_id, verified_by, authorised_by, sent_by "
        "ON payment_order FOR EACH ROW EXECUTE FUNCTION refuse_own_account()"
    )
    for function in (_HANDS, _AUTHORITY, _STANDS):
        connection.exec_driver_sql(function)
    people = "prepared_by, verified_by, authorised_by, sent_by, executed_by"
    _deferred(connection, "payment_order_hands", f"INSERT OR UPDATE OF {people}", "payment_order", "check_order_hands")
    _deferred(connection, "payment_order_signature_hands", "INSERT", "payment_order_signature", "check_order_hands")
    _deferred(
        connection,
        "payment_order_signature_authority",
        "INSERT",
        "payment_order_signature",
        "check_signature_authority",
        when="WHEN (NEW.step IN ('verified', 'authorised')) ",
    )
    connection.exec_driver_sql(
        "CREATE TRIGGER role_grant_stand_in_stands BEFORE UPDATE ON role_grant FOR EACH ROW WHEN ("
        "(OLD.stand_in_for IS NOT NULL OR NEW.stand_in_for IS NOT NULL) AND "
        "(OLD.user_id, OLD.role, OLD.starts_at, OLD.stand_in_for, OLD.stand_in_file_id, OLD.stand_in_reason) IS DISTINCT FROM "
        "(NEW.user_id, NEW.role, NEW.starts_at, NEW.stand_in_for, NEW.stand_in_file_id, NEW.stand_in_reason)) "
        "EXECUTE FUNCTION refuse_rewriting_stand_in()"
    )
    connection.exec_driver_sql(_GRANT_HELD)
    connection.exec_driver_sql(_DECIDED_IN_TIME)
    connection.exec_driver_sql(_ORDER_HELD)
    connection.exec_driver_sql(_NO_OVERLAP)
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_request_may_move BEFORE UPDATE OF state ON payment_request FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_request_may_move()"
    )
    connection.exec_driver_sql(
        "CREATE TRIGGER payment_order_may_move BEFORE UPDATE OF state ON payment_order FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_order_may_move()"
    )
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER payment_suspension_apart AFTER INSERT OR UPDATE ON payment_suspension "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_suspensions_apart()"
    )
    connection.exec_driver_sql(_BY_STEPS)
    connection.exec_driver_sql(_SHARES)
    connection.exec_driver_sql(
        "CREATE TRIGGER recovery_by_steps BEFORE INSERT ON recovery FOR EACH ROW EXECUTE FUNCTION refuse_recovery_at_once()"
    )
    connection.exec_driver_sql(_WITHIN_DEBT)
    for table in ("payment_offset", "recovery_receipt"):
        _deferred(connection, f"{table}_within_debt", "INSERT", table, "check_within_debt")
    _deferred(connection, "payment_offset_within_request", "INSERT", "payment_offset", "check_orders_within_request")
    _deferred(
        *(connection, "payment_cancellation_within_request", "INSERT"),
        *("payment_cancellation", "check_orders_within_request"),
    )
    for table in ("recovery", "recovery_share"):
        _deferred(connection, f"{table}_sums", "INSERT", table, "check_recovery_shares")


def _deferred(connection: Connection, name: str, events: str, table: str, function: str, *, when: str = "") -> None:
    connection.exec_driver_sql(
        f"CREATE CONSTRAINT TRIGGER {name} AFTER {events} ON {table} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {when}EXECUTE FUNCTION {function}()"
    )
