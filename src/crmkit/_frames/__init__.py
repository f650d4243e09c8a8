"""The door: every table enters crmkit here, and only here is known which engine made it."""

from __future__ import annotations

from crmkit._frames.codes import sorted_codes
from crmkit._frames.dates import day_column, day_numbers, parse_day
from crmkit._frames.engines import table_columns, to_pandas
from crmkit._frames.log import Log, read_transactions
from crmkit._frames.people import read_customers
from crmkit._frames.raw import as_customers, as_transactions

__all__ = [
    "Log",
    "as_customers",
    "as_transactions",
    "day_column",
    "day_numbers",
    "parse_day",
    "read_customers",
    "read_transactions",
    "sorted_codes",
    "table_columns",
    "to_pandas",
]
