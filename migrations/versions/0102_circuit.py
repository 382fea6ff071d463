"""The circuit of the granting organisation as data, stand-ins in writing, limits per person, and what a signature says was seen.

No circuit is set by this: where none is, all four steps need different people, as before.
"""

from __future__ import annotations

from alembic import op

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None

STATES = "'proposed', 'confirmed', 'refused', 'withdrawn'"
NO_OWN_ACCOUNT = """
CREATE OR REPLACE FUNCTION refuse_own_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM bank_account WHERE id = NEW.bank_account_id
      AND (entered_by IN (NEW.verified_by, NEW.authorised_by) OR confirmed_by IN (NEW.verified_by, NEW.authorised_by))
  ) THEN
    RAISE EXCEPTION 'payment order %: who entered or confirmed its bank account neither verifies nor authorises it', NEW.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT FROM bank_account WHERE id = NEW.bank_account_id AND entered_by = NEW.sent_by) THEN
    RAISE EXCEPTION 'payment order %: who entered its bank account does not send it', NEW.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
NO_OWN_ACCOUNT_BEFORE = """
CREATE OR REPLACE FUNCTION refuse_own_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM bank_account WHERE id = NEW.bank_account_id
      AND (entered_by IN (NEW.verified_by, NEW.authorised_by) OR confirmed_by IN (NEW.verified_by, NEW.authorised_by))
  ) THEN
    RAISE EXCEPTION 'payment order %: who entered or confirmed its bank account neither verifies nor authorises it', NEW.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
FUNCTIONS = (
    """
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
    RAISE EXCEPTION 'one person took two steps of payment order % that its circuit keeps apart', ord.reference
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT FROM payment_order_signature a
      JOIN role_grant stands ON stands.user_id = a.user_id AND stands.stand_in_for IS NOT NULL AND stands.confirmed_at IS NOT NULL
      JOIN payment_order_signature b ON b.order_id = wanted AND b.voided_at IS NULL AND b.user_id = stands.stand_in_for
    WHERE a.order_id = wanted AND a.voided_at IS NULL AND (
      (a.signed_at >= greatest(stands.starts_at, stands.confirmed_at) AND a.signed_at < stands.ends_before)
      OR (b.signed_at >= greatest(stands.starts_at, stands.confirmed_at) AND b.signed_at < stands.ends_before))
  ) THEN
    RAISE EXCEPTION 'payment order % is signed by somebody and by who stands in for them', ord.reference
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE FUNCTION check_signature_authority() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who uuid;
  lim authority_limit;
  on_the_day numeric;
BEGIN
  IF coalesce(jsonb_array_length(NEW.evidence), 0) = 0 THEN
    RAISE EXCEPTION 'a signature that a payment order is % names the evidence that was seen', NEW.step USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.step <> 'authorised' THEN
    RETURN NULL;
  END IF;
  FOREACH who IN ARRAY array_remove(ARRAY[NEW.user_id, NEW.stand_in_for], NULL) LOOP
    SELECT * INTO lim FROM authority_limit WHERE user_id = who AND state = 'confirmed' AND decided_at <= NEW.signed_at
      ORDER BY decided_at DESC, number DESC LIMIT 1;
    IF NEW.amount > lim.per_order THEN
      RAISE EXCEPTION '% cents are above what this person may authorise on one order', NEW.amount USING ERRCODE = 'check_violation';
    END IF;
    IF lim.per_day IS NOT NULL THEN
      SELECT sum(amount) INTO on_the_day FROM payment_order_signature
        WHERE step = 'authorised' AND voided_at IS NULL AND (user_id = who OR stand_in_for = who)
          AND signed_at BETWEEN NEW.signed_at - interval '2 days' AND NEW.signed_at + interval '2 days'
          AND (signed_at AT TIME ZONE 'Europe/Brussels')::date = (NEW.signed_at AT TIME ZONE 'Europe/Brussels')::date;
      IF on_the_day > lim.per_day THEN
        RAISE EXCEPTION '% cents are above what this person may authorise on one day', on_the_day USING ERRCODE = 'check_violation';
      END IF;
    END IF;
  END LOOP;
  RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE FUNCTION refuse_rewriting_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a stand-in is appointed in writing: appoint another one' USING ERRCODE = 'check_violation';
END $$
""",
)
TRIGGERS = (
    "CREATE CONSTRAINT TRIGGER payment_order_hands AFTER INSERT OR UPDATE OF prepared_by, verified_by, authorised_by, sent_by, executed_by ON payment_order "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_hands()",
    "CREATE CONSTRAINT TRIGGER payment_order_signature_hands AFTER INSERT ON payment_order_signature "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_hands()",
    "CREATE CONSTRAINT TRIGGER payment_order_signature_authority AFTER INSERT ON payment_order_signature "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.step IN ('verified', 'authorised')) "
    "EXECUTE FUNCTION check_signature_authority()",
    "CREATE TRIGGER role_grant_stand_in_stands BEFORE UPDATE ON role_grant FOR EACH ROW WHEN ("
    "(OLD.stand_in_for IS NOT NULL OR NEW.stand_in_for IS NOT NULL) AND "
    "(OLD.user_id, OLD.role, OLD.starts_at, OLD.stand_in_for, OLD.stand_in_file_id, OLD.stand_in_reason) IS DISTINCT FROM "
    "(NEW.user_id, NEW.role, NEW.starts_at, NEW.stand_in_for, NEW.stand_in_file_id, NEW.stand_in_reason)) "
    "EXECUTE FUNCTION refuse_rewriting_stand_in()",
)
DECIDED = """
            reason TEXT NOT NULL,
            state TEXT NOT NULL,
            proposed_by UUID NOT NULL,
            proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            decided_by UUID,
            decided_at TIMESTAMP WITH TIME ZONE,
            decide_reason TEXT
"""


def upgrade() -> None:
    _stand_ins()
    _tables()
    _orders()
    # By which duty one that stands was set is not on the record: the higher one lifts it.
    op.execute("ALTER TABLE payment_suspension ADD COLUMN duty TEXT NOT NULL DEFAULT 'authorising_officer'")
    op.execute("ALTER TABLE payment_suspension ALTER COLUMN duty DROP DEFAULT")
    op.execute(
        "ALTER TABLE payment_suspension ADD CONSTRAINT ck_payment_suspension_duty_known "
        "CHECK (duty IN ('finance_initiator', 'authorising_officer'))"
    )


def _stand_ins() -> None:
    op.execute("ALTER TABLE role_grant ADD COLUMN stand_in_for UUID")
    op.execute("ALTER TABLE role_grant ADD COLUMN stand_in_file_id UUID")
    op.execute("ALTER TABLE role_grant ADD COLUMN stand_in_reason TEXT")
    for name, check in (
        (
            "stand_in_is_written",
            "(stand_in_for IS NULL) = (stand_in_file_id IS NULL) AND (stand_in_for IS NULL) = (stand_in_reason IS NULL)",
        ),
        (
            "stand_in_is_dated",
            "stand_in_for IS NULL OR (needs_confirmation AND assigned_by IS NOT NULL AND ends_before IS NOT NULL AND role IN "
            "('finance_initiator', 'finance_verifier', 'authorising_officer', 'accounting_officer'))",
        ),
        (
            "stand_in_by_others",
            "stand_in_for <> user_id AND stand_in_for <> assigned_by AND (confirmed_by IS NULL OR confirmed_by <> stand_in_for)",
        ),
    ):
        op.execute(f"ALTER TABLE role_grant ADD CONSTRAINT ck_role_grant_{name} CHECK ({check})")
    for column, table in (("stand_in_for", "user_account"), ("stand_in_file_id", "stored_file")):
        op.execute(
            f"ALTER TABLE role_grant ADD CONSTRAINT fk_role_grant_{column} FOREIGN KEY({column}) REFERENCES {table} (id) "
            "DEFERRABLE INITIALLY DEFERRED"
        )
    op.execute("CREATE INDEX ix_role_grant_stand_in_for ON role_grant (stand_in_for) WHERE stand_in_for IS NOT NULL")


def _tables() -> None:
    op.execute(
        f"""
        CREATE TABLE payment_circuit (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number INTEGER NOT NULL,
            apart JSONB NOT NULL,{DECIDED.rstrip()},
            {_decided("payment_circuit")},
            CONSTRAINT ck_payment_circuit_three_always_apart CHECK (apart @> '["authorised/prepared", "authorised/sent", "prepared/sent"]'),
            CONSTRAINT ck_payment_circuit_known_pairs CHECK (apart <@ '["authorised/prepared", "authorised/sent", "authorised/verified", "prepared/sent", "prepared/verified", "sent/verified"]')
        )
        """
    )
    op.execute(
        f"""
        CREATE TABLE authority_limit (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            number INTEGER NOT NULL,
            user_id UUID NOT NULL,
            per_order BIGINT,
            per_day BIGINT,{DECIDED.rstrip()},
            {_decided("authority_limit")},
            CONSTRAINT ck_authority_limit_amounts_positive CHECK (per_order > 0 AND per_day > 0),
            CONSTRAINT ck_authority_limit_not_by_oneself CHECK (user_id <> proposed_by AND (decided_by IS NULL OR user_id <> decided_by)),
            CONSTRAINT fk_authority_limit_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_payment_circuit_open ON payment_circuit (state) WHERE state = 'proposed'")
    op.execute("CREATE UNIQUE INDEX uq_authority_limit_open ON authority_limit (user_id) WHERE state = 'proposed'")
    op.execute("CREATE INDEX ix_authority_limit_person ON authority_limit (user_id, decided_at)")
    for table in ("payment_circuit", "authority_limit"):
        op.execute(
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW "
            "EXECUTE FUNCTION refuse_rewriting('decided_by,decided_at,decide_reason', 'state')"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _decided(table: str) -> str:
    named = f"CONSTRAINT ck_{table}"
    points = "REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED"
    return ",\n            ".join(
        (
            f"CONSTRAINT pk_{table} PRIMARY KEY (id)",
            f"CONSTRAINT uq_{table}_number UNIQUE (number)",
            f"{named}_state_known CHECK (state IN ({STATES}))",
            f"{named}_has_reason CHECK (reason <> '')",
            f"{named}_decided_has_date CHECK ((state = 'proposed') = (decided_at IS NULL))",
            f"{named}_decision_whole CHECK ((decided_at IS NULL) = (decided_by IS NULL))",
            f"{named}_decided_by_another CHECK ((state = 'withdrawn') = (decided_by = proposed_by))",
            f"{named}_refused_has_reason CHECK ((state = 'refused') = (decide_reason IS NOT NULL))",
            f"CONSTRAINT fk_{table}_proposed_by FOREIGN KEY(proposed_by) {points}",
            f"CONSTRAINT fk_{table}_decided_by FOREIGN KEY(decided_by) {points}",
        )
    )


def _orders() -> None:
    for name in ("verifier_is_another", "authoriser_is_another", "payer_is_another", "executor_is_another"):
        op.execute(f"ALTER TABLE payment_order DROP CONSTRAINT ck_payment_order_{name}")
    for name, check in (
        ("authoriser_is_another", "authorised_by <> prepared_by"),
        ("payer_is_another", "sent_by NOT IN (prepared_by, authorised_by)"),
        ("executor_is_another", "executed_by NOT IN (prepared_by, authorised_by)"),
    ):
        op.execute(f"ALTER TABLE payment_order ADD CONSTRAINT ck_payment_order_{name} CHECK ({check})")
    op.execute("ALTER TABLE payment_order_signature ADD COLUMN stand_in_for UUID")
    op.execute("ALTER TABLE payment_order_signature ADD COLUMN evidence JSONB")
    op.execute(
        "ALTER TABLE payment_order_signature ADD CONSTRAINT fk_payment_order_signature_stand_in_for "
        "FOREIGN KEY(stand_in_for) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED"
    )
    op.execute("DROP INDEX uq_payment_order_signature_person")
    op.execute(
        "CREATE INDEX ix_payment_order_signature_authorised ON payment_order_signature (signed_at) "
        "WHERE step = 'authorised' AND voided_at IS NULL"
    )
    op.execute(NO_OWN_ACCOUNT)
    _own_account("bank_account_id, verified_by, authorised_by, sent_by")
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def _own_account(columns: str) -> None:
    op.execute("DROP TRIGGER payment_order_no_own_account ON payment_order")
    op.execute(
        f"CREATE TRIGGER payment_order_no_own_account AFTER INSERT OR UPDATE OF {columns} ON payment_order "
        "FOR EACH ROW EXECUTE FUNCTION refuse_own_account()"
    )


def downgrade() -> None:
    for trigger, table in (
        ("payment_order_hands", "payment_order"),
        ("payment_order_signature_hands", "payment_order_signature"),
        ("payment_order_signature_authority", "payment_order_signature"),
        ("role_grant_stand_in_stands", "role_grant"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    for function in ("check_order_hands", "check_signature_authority", "refuse_rewriting_stand_in"):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute(NO_OWN_ACCOUNT_BEFORE)
    _own_account("bank_account_id, verified_by, authorised_by")
    op.execute("DROP INDEX ix_payment_order_signature_authorised")
    op.execute(
        "CREATE UNIQUE INDEX uq_payment_order_signature_person ON payment_order_signature (order_id, user_id) WHERE voided_at IS NULL"
    )
    op.execute("ALTER TABLE payment_order_signature DROP COLUMN stand_in_for, DROP COLUMN evidence")
    for name, check in (
        ("verifier_is_another", "verified_by <> prepared_by"),
        ("authoriser_is_another", "authorised_by NOT IN (prepared_by, verified_by)"),
        ("payer_is_another", "sent_by NOT IN (prepared_by, verified_by, authorised_by)"),
        ("executor_is_another", "executed_by NOT IN (prepared_by, verified_by, authorised_by)"),
    ):
        op.execute(f"ALTER TABLE payment_order DROP CONSTRAINT IF EXISTS ck_payment_order_{name}")
        op.execute(f"ALTER TABLE payment_order ADD CONSTRAINT ck_payment_order_{name} CHECK ({check})")
    op.execute("ALTER TABLE payment_suspension DROP COLUMN duty")
    op.execute("DROP TABLE payment_circuit")
    op.execute("DROP TABLE authority_limit")
    op.execute(
        "ALTER TABLE role_grant DROP COLUMN stand_in_for, DROP COLUMN stand_in_file_id, DROP COLUMN stand_in_reason"
    )
