"""Imported once by the server that forks: every module of the program, and the deeds that processes are asked for."""

from __future__ import annotations

import gc

import pandas
import reportlab.platypus
import xlsxwriter

from grants.app import stage_modules
from grants.core.db import remember_old_values
from tests.soak import awarding, deadlines, killed_payment, paying

COLUMNS = ("models", "services", "views")
READY = [module for column in COLUMNS for module in stage_modules(column)]
DEEDS = [awarding, deadlines, killed_payment, paying]
# What makes files, and no web process ever loads.
RENDERERS = [pandas, reportlab.platypus, xlsxwriter]

# Tables are put together with the first program: here once, and not in each process. What stands now is looked at by none.
remember_old_values()
gc.freeze()
