"""How the room reads its tables."""

from __future__ import annotations

from crmkit.response._table.coding import (
    RuleVariable,
    check_tree_options,
    code_variables,
    rule_of,
)
from crmkit.response._table.offers import expected_gain, limits
from crmkit.response._table.permission import (
    contacts_in_window,
    is_suppressed,
    permission_status,
)
from crmkit.response._table.reasons import Reason
from crmkit.response._table.variables import (
    BinnedVariable,
    Variable,
    bin_customers,
    read_variables,
)

__all__ = [
    "BinnedVariable",
    "Reason",
    "RuleVariable",
    "Variable",
    "bin_customers",
    "check_tree_options",
    "code_variables",
    "contacts_in_window",
    "expected_gain",
    "is_suppressed",
    "limits",
    "permission_status",
    "read_variables",
    "rule_of",
]
