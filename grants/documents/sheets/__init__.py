"""Figures as XLSX and CSV, and their totals by month. Loaded in workers only: pandas and xlsxwriter come inside the functions."""

from __future__ import annotations

from grants.documents.sheets.lines import main_csv, table_csv
from grants.documents.sheets.pivots import by_month_and_kind
from grants.documents.sheets.workbook import xlsx

__all__ = ["by_month_and_kind", "main_csv", "table_csv", "xlsx"]
