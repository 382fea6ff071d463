"""Imported once by the server that forks: every module of the program, and the deeds that processes are asked for."""

from __future__ import annotations

import pandas
import reportlab.platypus
import xlsxwriter

from grants.app import stage_modules
from tests.soak import awarding, deadlines, killed_payment, paying

COLUMNS = ("models", "services", "views")
READY = [module for column in COLUMNS for module in stage_modules(column)]
DEEDS = [awarding, deadlines, killed_payment, paying]
# What makes files, and no web process ever loads.
RENDERERS = [pandas, reportlab.platypus, xlsxwriter]
