"""Customer analytics for plain DataFrames.

Five rooms answer an analyst's questions; import them by name:

* :mod:`crmkit.segmentation` - who the most profitable customers are, and which segments there are.
* :mod:`crmkit.clv` - what a customer is worth.
* :mod:`crmkit.churn` - who stays, who leaves and why.
* :mod:`crmkit.basket` - what is bought together, and what comes next.
* :mod:`crmkit.response` - who responds, whom to select, what it earned.

A raw log enters once, through :func:`as_transactions`, or from a file through
:func:`read_transactions`; a customer list through :func:`as_customers`. What does not fit
into memory is worked on in parts, by :func:`by_customer`.

>>> import pandas as pd
>>> import crmkit
>>> raw = pd.DataFrame({"CustNo": [7, 7], "When": ["2025-01-31", "2025-02-01"], "Total": [20, 5]})
>>> crmkit.as_transactions(raw, customer_id="CustNo", date="When", amount="Total")
   customer_id       date  amount
0            7 2025-01-31    20.0
1            7 2025-02-01     5.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import errors
from crmkit._by_customer import by_customer
from crmkit._frames import as_customers, as_transactions
from crmkit._reading import read_transactions
from crmkit._version import __version__

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "__version__",
    "as_customers",
    "as_transactions",
    "by_customer",
    "errors",
    "read_transactions",
]

_MODULES = ("basket", "churn", "clv", "datasets", "report", "response", "segmentation")


def __getattr__(name: str) -> ModuleType:
    """Import a room when it is first named, so that ``import crmkit`` stays light."""
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"crmkit.{name}")
    raise AttributeError(f"module 'crmkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name the rooms beside what is defined here."""
    return sorted([*__all__, *_MODULES])
