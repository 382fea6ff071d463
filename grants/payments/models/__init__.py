"""Payment requests and their decisions, orders and their signatures, the files in which orders leave, recoveries, and the
programme's own accounts."""

from __future__ import annotations

from grants.payments.models.banking import OwnAccount
from grants.payments.models.files import PaymentBatch
from grants.payments.models.orders import PaymentOrder, PaymentOrderSignature
from grants.payments.models.recoveries import Recovery, RecoveryReceipt
from grants.payments.models.requests import PaymentRequest

__all__ = [
    "OwnAccount",
    "PaymentBatch",
    "PaymentOrder",
    "PaymentOrderSignature",
    "PaymentRequest",
    "Recovery",
    "RecoveryReceipt",
]
