"""Grant agreements, beneficiaries, due diligence, bank accounts, milestones, the payment schedule, signatures."""

from __future__ import annotations

from grants.agreements.models.acceding import Accession, AccessionSignature
from grants.agreements.models.accounts import AccountWaiting, BankAccount
from grants.agreements.models.amending import Amendment
from grants.agreements.models.grants import Beneficiary, Grant, Milestone, PaymentScheduleLine
from grants.agreements.models.holding import AgreementHold
from grants.agreements.models.preparing import DueDiligenceItem, PreparationFact, PreparationVerdict
from grants.agreements.models.revising import GrantRevision, RevisionVerdict, RevisionVersion
from grants.agreements.models.signing import AgreementOffer, AgreementSignature, AgreementVersion
from grants.agreements.models.terminating import AgreementTermination
from grants.agreements.models.transferring import BudgetTransfer
from grants.agreements.models.uploading import SignedUpload

__all__ = [
    "Accession",
    "AccessionSignature",
    "AccountWaiting",
    "AgreementHold",
    "AgreementOffer",
    "AgreementSignature",
    "AgreementTermination",
    "AgreementVersion",
    "Amendment",
    "BankAccount",
    "Beneficiary",
    "BudgetTransfer",
    "DueDiligenceItem",
    "Grant",
    "GrantRevision",
    "Milestone",
    "PaymentScheduleLine",
    "PreparationFact",
    "PreparationVerdict",
    "RevisionVerdict",
    "RevisionVersion",
    "SignedUpload",
]
