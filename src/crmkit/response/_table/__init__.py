"""How the room reads its tables."""

from __future__ import annotations

from crmkit.response._table.inputs import (
    Groups,
    as_list,
    contacted_outcome,
    judged_scores,
    number_or_column,
    positions,
    read_groups,
    score_column,
)
from crmkit.response._table.offers import expected_gain, limits
from crmkit.response._table.permission import (
    contacts_in_window,
    is_suppressed,
    permission_status,
)
from crmkit.response._table.variables import (
    BinnedVariable,
    Variable,
    bin_variable,
    level_text,
    read_variables,
)

__all__ = [
    "BinnedVariable",
    "Groups",
    "Variable",
    "as_list",
    "bin_variable",
    "contacted_outcome",
    "contacts_in_window",
    "expected_gain",
    "is_suppressed",
    "judged_scores",
    "level_text",
    "limits",
    "number_or_column",
    "permission_status",
    "positions",
    "read_groups",
    "read_variables",
    "score_column",
]
