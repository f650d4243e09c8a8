"""The door: every table enters crmkit here, and only here is known which engine made it."""

from __future__ import annotations

from crmkit._frames.account import ACCOUNT, with_account
from crmkit._frames.amounts import number_or_column
from crmkit._frames.calendar import period_words, read_period
from crmkit._frames.chance import keyed_chance
from crmkit._frames.codes import sorted_codes
from crmkit._frames.consent import read_consent
from crmkit._frames.dates import day_column, day_numbers, is_far
from crmkit._frames.engines import table_columns, to_pandas
from crmkit._frames.groups import (
    ROWWISE,
    customer_columns,
    customer_groups,
    group_codes,
    match_groups,
    note_by,
    read_by,
    split_by,
)
from crmkit._frames.join import read_ids, rows_of, without
from crmkit._frames.log import Log, read_transactions, sign_column
from crmkit._frames.one_day import parse_day
from crmkit._frames.people import read_customers
from crmkit._frames.raw import as_customers, as_transactions
from crmkit._kinds import column_kind

__all__ = [
    "ACCOUNT",
    "ROWWISE",
    "Log",
    "as_customers",
    "as_transactions",
    "column_kind",
    "customer_columns",
    "customer_groups",
    "day_column",
    "day_numbers",
    "group_codes",
    "is_far",
    "keyed_chance",
    "match_groups",
    "note_by",
    "number_or_column",
    "parse_day",
    "period_words",
    "read_by",
    "read_consent",
    "read_customers",
    "read_ids",
    "read_period",
    "read_transactions",
    "rows_of",
    "sign_column",
    "sorted_codes",
    "split_by",
    "table_columns",
    "to_pandas",
    "with_account",
    "without",
]
