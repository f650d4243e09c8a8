"""How the room reads its tables."""

from __future__ import annotations

from crmkit.response._table.coding import (
    RuleVariable,
    check_tree_options,
    code_variables,
    rule_of,
)
from crmkit.response._table.offers import Ways, expected_gain, limits
from crmkit.response._table.permission import (
    is_capped,
    is_suppressed,
    ways_permitted,
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
    "Ways",
    "bin_customers",
    "check_tree_options",
    "code_variables",
    "expected_gain",
    "is_capped",
    "is_suppressed",
    "limits",
    "read_variables",
    "rule_of",
    "ways_permitted",
]
