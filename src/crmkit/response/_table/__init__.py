"""How the room reads its tables."""

from __future__ import annotations

from crmkit.response._table.bins import BinnedVariable, bin_customers
from crmkit.response._table.coding import (
    RuleVariable,
    check_tree_options,
    code_variables,
    rule_of,
)
from crmkit.response._table.offers import Ways, expected_gain, limits
from crmkit.response._table.permission import (
    contact_rooms,
    is_suppressed,
    ways_permitted,
)
from crmkit.response._table.reasons import Reason
from crmkit.response._table.rules import read_rules
from crmkit.response._table.variables import Variable, read_variables

__all__ = [
    "BinnedVariable",
    "Reason",
    "RuleVariable",
    "Variable",
    "Ways",
    "bin_customers",
    "check_tree_options",
    "code_variables",
    "contact_rooms",
    "expected_gain",
    "is_suppressed",
    "limits",
    "read_rules",
    "read_variables",
    "rule_of",
    "ways_permitted",
]
