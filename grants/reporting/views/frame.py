"""The blueprint of reports."""

from __future__ import annotations

from flask import Blueprint

from grants.core.permissions import Permission

bp = Blueprint("reporting", __name__)
P = Permission
