"""The acts of agreements, payments and the ledger that the walk of a grant never does, each with why: whoever adds an act drives it or says so here."""

from __future__ import annotations

from grants.core import acts

STAGES = ("grants.agreements.", "grants.payments.", "grants.ledger.")

# By the reason, which tells where it is proved instead.
REASONS: dict[str, str] = {
    "Before the agreement is in force: nothing is paid yet (tests/agreements)": """
        agreement.decline, agreement.drop, agreement.lapse, agreement.offer, agreement.plan_ends, agreement.prepare,
        agreement.remind_of_end, agreement.set_end, agreement.set_terms, agreement.sign_city, agreement.sign_programme,
        agreement.take_back, preparation.accept, preparation.accept_revision, preparation.need_no_revision,
        preparation.record, preparation.return, preparation.return_revision, preparation.revise_budget,
        preparation.revise_plan, preparation.revise_sources, preparation.revise_text, preparation.send_revision,
        preparation.set_due, preparation.state
    """,
    "Hands out a file and changes nothing; who took it is kept (tests/structure/test_routes.py asks for each)": """
        agreement.open_document, agreement.open_hold_notice, agreement.open_signed, bank_account.open_evidence,
        certificate.open_file, distribution.open_file, guarantee.open_file, payment_batch.open_file,
        payment_request.open_file, preparation.open_evidence, recovery.open_interest_waiver, recovery.open_waiver,
        termination.open_letter, termination.open_notice
    """,
    "Asked of a partner by calls that let partners accede; the call of a walk has partners sign with the city (tests/agreements/test_coming_back.py and its neighbours)": """
        accession.accept_power, accession.record_power, accession.record_signed, accession.return_power,
        accession.state_power, accession.upload_signed, agreement.accede, agreement.end_accession,
        agreement.plan_accessions, agreement.tell_late_accession
    """,
    "Of the whole programme: it would stand for every later walk of the same database (tests/payments/test_circuit.py)": """
        bank_account.lay_down_waiting, circuit.confirm, circuit.propose, circuit.refuse, circuit.withdraw, limit.confirm,
        limit.propose, limit.refuse, limit.withdraw
    """,
    "After a restore only: what was sent since the copy is found beside it (tests/payments/test_elsewhere.py, test_unsent.py)": """
        payment_file.compare, payment_file.record, sent_file.confirm, sent_file.enter, sent_file.propose, sent_file.refuse
    """,
}
LEFT_OUT = {verb.strip(): why for why, verbs in REASONS.items() for verb in verbs.replace("\n", " ").split(",")}


def verbs() -> set[str]:
    """Every act of these stages, as the register has it."""
    return {each.verb for each in acts.REGISTRY.values() if each.module.startswith(STAGES)}
