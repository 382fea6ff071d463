"""A request is parted by partner and category; terminal states, signed amounts and signatures stand by the database itself.

Requests decided before have no parts: what was booked of them stands as it is.
"""

from __future__ import annotations

from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None

FUNCTIONS = (
    """
CREATE OR REPLACE FUNCTION payment_terminal_states(kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'payment_order' THEN ARRAY['executed', 'cancelled']
    WHEN 'payment_request' THEN ARRAY['rejected', 'cleared', 'paid']
    WHEN 'recovery' THEN ARRAY['paid', 'waived']
    WHEN 'grant_agreement' THEN ARRAY['closed', 'dropped']
  END
$$;
CREATE OR REPLACE FUNCTION payment_order_states_let_go() RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT ARRAY['cancelled']
$$
    """,
    """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> ALL (payment_order_states_let_go());
  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders of payment request % sum to % cents; % are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
    """,
    """
CREATE OR REPLACE FUNCTION refuse_leaving_terminal_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = ANY (payment_terminal_states(TG_TABLE_NAME::text)) THEN
    RAISE EXCEPTION '% % is %: nothing leads on from there', TG_TABLE_NAME, OLD.id, OLD.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
    """,
    """
CREATE OR REPLACE FUNCTION refuse_changing_signed_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.request_id <> OLD.request_id OR NEW.grant_id <> OLD.grant_id OR NEW.payee_id <> OLD.payee_id THEN
    RAISE EXCEPTION 'payment order % is for another request, grant or payee: prepare another order', OLD.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state NOT IN ('prepared', 'verified', 'authorised') OR NEW.state <> 'prepared'
     OR NEW.verified_by IS NOT NULL OR NEW.authorised_by IS NOT NULL THEN
    RAISE EXCEPTION 'amount and account of payment order % are frozen: a change voids every signature', OLD.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
    """,
    """
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
    RAISE EXCEPTION 'payment order % has a signature for another amount or account', ord.reference USING ERRCODE = 'check_violation';
  END IF;
  IF ord.state <> 'cancelled' AND (signed.prepared IS DISTINCT FROM ord.prepared_by
     OR signed.verified IS DISTINCT FROM ord.verified_by OR signed.authorised IS DISTINCT FROM ord.authorised_by) THEN
    RAISE EXCEPTION 'the people of payment order % are not those of its signatures', ord.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
    """,
    """
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
    RAISE EXCEPTION 'the parts of payment request % do not sum to what was decided', whole.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
    """,
)
TRIGGERS = (
    """
    CREATE TRIGGER payment_order_terminal BEFORE UPDATE ON payment_order FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_leaving_terminal_state()
    """,
    """
    CREATE TRIGGER payment_request_terminal BEFORE UPDATE ON payment_request FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_leaving_terminal_state()
    """,
    """
    CREATE TRIGGER recovery_terminal BEFORE UPDATE ON recovery FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_leaving_terminal_state()
    """,
    """
    CREATE TRIGGER grant_agreement_terminal BEFORE UPDATE ON grant_agreement FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_leaving_terminal_state()
    """,
    """
    CREATE TRIGGER payment_order_frozen BEFORE UPDATE ON payment_order FOR EACH ROW WHEN ((OLD.amount, OLD.bank_account_id, OLD.request_id, OLD.grant_id, OLD.payee_id) IS DISTINCT FROM (NEW.amount, NEW.bank_account_id, NEW.request_id, NEW.grant_id, NEW.payee_id)) EXECUTE FUNCTION refuse_changing_signed_order()
    """,
    """
    CREATE CONSTRAINT TRIGGER payment_order_signed AFTER INSERT OR UPDATE ON payment_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_signatures()
    """,
    """
    CREATE CONSTRAINT TRIGGER payment_order_signature_signed AFTER INSERT OR UPDATE ON payment_order_signature DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_signatures()
    """,
    """
    CREATE CONSTRAINT TRIGGER payment_request_part_sums AFTER INSERT ON payment_request_part DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_request_parts()
    """,
    """
    CREATE CONSTRAINT TRIGGER payment_request_parted AFTER INSERT OR UPDATE OF approved, refused, payable, retained, cleared, deferred, recoverable ON payment_request DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.approved IS NOT NULL) EXECUTE FUNCTION check_request_parts()
    """,
)
WITHIN_REQUEST_BEFORE = """
CREATE OR REPLACE FUNCTION check_orders_within_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ordered numeric;
  owed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO ordered FROM payment_order
    WHERE request_id = NEW.request_id AND state <> 'cancelled';
  SELECT payable INTO owed FROM payment_request WHERE id = NEW.request_id;
  IF ordered > coalesce(owed, 0) THEN
    RAISE EXCEPTION 'orders of payment request % sum to % cents; % are payable', NEW.request_id, ordered, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE payment_request_part (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            category TEXT,
            requested BIGINT NOT NULL,
            approved BIGINT NOT NULL,
            refused BIGINT NOT NULL,
            payable BIGINT NOT NULL,
            retained BIGINT NOT NULL,
            cleared BIGINT NOT NULL,
            deferred BIGINT NOT NULL,
            recoverable BIGINT NOT NULL,
            CONSTRAINT pk_payment_request_part PRIMARY KEY (id),
            CONSTRAINT uq_payment_request_part_request_id_organisation_id_category UNIQUE NULLS NOT DISTINCT (request_id, organisation_id, category),
            CONSTRAINT ck_payment_request_part_amounts_not_negative CHECK (approved >= 0 AND refused >= 0 AND payable >= 0 AND retained >= 0 AND cleared >= 0 AND deferred >= 0 AND recoverable >= 0),
            CONSTRAINT ck_payment_request_part_approved_and_refused_are_requested CHECK (approved + refused = requested),
            CONSTRAINT ck_payment_request_part_paid_within_approved CHECK (payable + retained + cleared + deferred <= approved),
            CONSTRAINT fk_payment_request_part_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_payment_request_part_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_payment_request_part_organisation_id ON payment_request_part (organisation_id)")
    op.execute(
        "CREATE TRIGGER payment_request_part_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_request_part "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    for table in ("payment_order", "payment_request", "recovery", "grant_agreement"):
        op.execute(f"DROP TRIGGER {table}_terminal ON {table}")
    op.execute("DROP TRIGGER payment_order_frozen ON payment_order")
    op.execute("DROP TRIGGER payment_order_signed ON payment_order")
    op.execute("DROP TRIGGER payment_order_signature_signed ON payment_order_signature")
    op.execute("DROP TRIGGER payment_request_parted ON payment_request")
    op.execute("DROP TABLE payment_request_part")
    op.execute(WITHIN_REQUEST_BEFORE)
    op.execute(
        "DROP FUNCTION refuse_leaving_terminal_state(), refuse_changing_signed_order(), check_order_signatures(), check_request_parts(), "
        "payment_terminal_states(text), payment_order_states_let_go()"
    )
