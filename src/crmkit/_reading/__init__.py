"""A file becomes a log: what is in it is inferred, every inference is told, doubts are asked."""

from __future__ import annotations

from crmkit._reading.account import HOW_READ, Account
from crmkit._reading.log import read_transactions
from crmkit._reading.parts import Parts, read_parts
from crmkit._reading.steps import begin, read_begun, read_file
from crmkit._reading.tables import read_beside

__all__ = [
    "HOW_READ",
    "Account",
    "Parts",
    "begin",
    "read_begun",
    "read_beside",
    "read_file",
    "read_parts",
    "read_transactions",
]
