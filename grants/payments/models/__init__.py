"""Payment requests and their decisions, orders and their signatures, the files in which orders leave, recoveries, the
programme's own accounts, and what the bank told of them."""

from __future__ import annotations

from grants.payments.models.banking import OwnAccount
from grants.payments.models.circuit import AuthorityLimit, PaymentCircuit
from grants.payments.models.closing import GrantClosing
from grants.payments.models.distribution import Distribution, DistributionWaiver
from grants.payments.models.elsewhere import SentElsewhere, SentElsewhereLine
from grants.payments.models.files import PaymentBatch
from grants.payments.models.finals import FinalBasis
from grants.payments.models.forecasts import ForecastLine, ForecastSnapshot
from grants.payments.models.late_interest import LateInterest
from grants.payments.models.orders import PaymentOrder, PaymentOrderSignature
from grants.payments.models.recoveries import (
    InterestWaiver,
    PaymentOffset,
    Recovery,
    RecoveryInterest,
    RecoveryReceipt,
    RecoveryShare,
)
from grants.payments.models.requests import PaymentCancellation, PaymentRequest, PaymentRequestPart, PrefinancingUse
from grants.payments.models.reversals import ReversalProposal
from grants.payments.models.securing import FinancialCertificate, PaymentGuarantee
from grants.payments.models.standing import PaymentReturn, PaymentSuspension, PaymentVerification
from grants.payments.models.statements import BankClaim, BankImport, BankLine, BankStatement, BankStatus

__all__ = [
    "AuthorityLimit",
    "BankClaim",
    "BankImport",
    "BankLine",
    "BankStatement",
    "BankStatus",
    "Distribution",
    "DistributionWaiver",
    "FinalBasis",
    "FinancialCertificate",
    "ForecastLine",
    "ForecastSnapshot",
    "GrantClosing",
    "InterestWaiver",
    "LateInterest",
    "OwnAccount",
    "PaymentBatch",
    "PaymentCancellation",
    "PaymentCircuit",
    "PaymentGuarantee",
    "PaymentOffset",
    "PaymentOrder",
    "PaymentOrderSignature",
    "PaymentRequest",
    "PaymentRequestPart",
    "PaymentReturn",
    "PaymentSuspension",
    "PaymentVerification",
    "PrefinancingUse",
    "Recovery",
    "RecoveryInterest",
    "RecoveryReceipt",
    "RecoveryShare",
    "ReversalProposal",
    "SentElsewhere",
    "SentElsewhereLine",
]
