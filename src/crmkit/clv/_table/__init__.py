"""From the log to the tables of lifetime value."""

from __future__ import annotations

from crmkit.clv._table.cash import net_present_value
from crmkit.clv._table.cohorts import cohort_value
from crmkit.clv._table.history_counts import history_counts
from crmkit.clv._table.log_audit import log_audit
from crmkit.clv._table.payback import payback_table
from crmkit.clv._table.periods import contract_table, opportunity_table
from crmkit.clv._table.purchases import holdout_table, purchase_table
from crmkit.clv._table.retention import retention_value
from crmkit.clv._table.tapk import tapk, tapk_table

__all__ = [
    "cohort_value",
    "contract_table",
    "history_counts",
    "holdout_table",
    "log_audit",
    "net_present_value",
    "opportunity_table",
    "payback_table",
    "purchase_table",
    "retention_value",
    "tapk",
    "tapk_table",
]
