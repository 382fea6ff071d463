"""Imported once by the server that forks: every module of the program, and the deeds that processes are asked for."""

from __future__ import annotations

import pandas
import reportlab.platypus
import xlsxwriter

from grants.app import stage_modules
from grants.core.db import remember_old_values
from tests.programs import look_seldom_for_circles
from tests.soak import awarding, deadlines, killed_payment, paying

COLUMNS = ("models", "services", "views")
READY = [module for column in COLUMNS for module in stage_modules(column)]
DEEDS = [awarding, deadlines, killed_payment, paying]
# What makes files, and no web process ever loads.
RENDERERS = [pandas, reportlab.platypus, xlsxwriter]

# Tables are put together with the first program: here once, and not in each process.
remember_old_values()
look_seldom_for_circles()
