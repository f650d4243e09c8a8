"""Data to learn, test and demonstrate with.

``load_*`` functions read real or published data from the files of an installed extra; nothing is
downloaded and nothing is embedded in crmkit. ``make_*`` functions simulate from the processes that
crmkit's models assume and give the truth back in columns that begin with ``true_``.

Examples
--------
>>> from crmkit import datasets
>>> shop = datasets.make_transactions(200, random_state=0)
>>> sorted(shop)
['customers', 'products', 'transactions']
>>> list(shop["transactions"].columns)
['customer_id', 'order_id', 'date', 'product', 'quantity', 'amount', 'cost']
"""

from __future__ import annotations

from crmkit.datasets._campaign import make_campaign
from crmkit.datasets._loaders import load_cdnow, load_complete_journey
from crmkit.datasets._transactions import make_transactions

__all__ = ["load_cdnow", "load_complete_journey", "make_campaign", "make_transactions"]
