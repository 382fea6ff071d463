"""The grant's own budget and description: copied from what was submitted, revised by the city, agreed on before the offer."""

from __future__ import annotations
