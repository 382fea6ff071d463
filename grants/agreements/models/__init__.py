"""Grant agreements, beneficiaries, due diligence, bank accounts, milestones, the payment schedule, signatures."""

from __future__ import annotations

from grants.agreements.models.accounts import AccountWaiting, BankAccount
from grants.agreements.models.amending import Amendment
from grants.agreements.models.grants import Beneficiary, Grant, Milestone, PaymentScheduleLine
from grants.agreements.models.holding import AgreementHold
from grants.agreements.models.preparing import DueDiligenceItem, PreparationFact, PreparationVerdict
from grants.agreements.models.revising import GrantRevision, RevisionVerdict, RevisionVersion
from grants.agreements.models.signing import AgreementOffer, AgreementSignature, AgreementVersion

__all__ = [
    "AccountWaiting",
    "AgreementHold",
    "AgreementOffer",
    "AgreementSignature",
    "AgreementVersion",
    "Amendment",
    "BankAccount",
    "Beneficiary",
    "DueDiligenceItem",
    "Grant",
    "GrantRevision",
    "Milestone",
    "PaymentScheduleLine",
    "PreparationFact",
    "PreparationVerdict",
    "RevisionVerdict",
    "RevisionVersion",
]
