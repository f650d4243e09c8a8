"""Which columns the learners of responses call a likely leak."""

from __future__ import annotations

from cases.leaks import cases
from crmkit import response

ARMS = {"outcome": "outcome", "treated": "arm"}

CASES = [
    *cases(
        response.ResponseModel,
        lambda table: response.ResponseModel(random_state=0).fit(table, outcome="outcome").columns_,
    ),
    *cases(
        response.UpliftModel,
        lambda table: response.UpliftModel(random_state=0).fit(table, **ARMS).columns_,
        used=["arm"],
    ),
]
