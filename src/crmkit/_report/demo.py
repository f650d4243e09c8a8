"""The data that ``crmkit demo`` shows, with the words for their pages."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from crmkit import datasets
from crmkit._report.language import Language, LanguageName

__all__ = ["demo_data"]


def demo_data(data: str | None, language: LanguageName = "en") -> dict[str, Any]:
    """Return the report's tables and words for a demonstration.

    Unless told which, a real log where its package is installed, else a simulated one, whose title
    says so.
    """
    if data is None:
        data = "cdnow" if find_spec("lifetimes") else "simulated"
    say = Language(language).say
    if data == "cdnow":
        return {
            "transactions": datasets.load_cdnow(),
            "title": say("demo.cdnow"),
            "subtitle": say("demo.assumed"),
            "currency": "$",
            "margin": 0.3,
            "acquisition_cost": 5.0,
            "contact_cost": 0.05,
        }
    if data == "complete-journey":
        tables = datasets.load_complete_journey()
        return {
            "transactions": tables["transactions"],
            "customers": tables["customers"],
            "campaigns": tables["campaigns"],
            "redemptions": tables["redemptions"],
            "products": tables["products"],
            "title": say("demo.complete_journey"),
            "currency": "$",
        }
    tables = datasets.make_transactions(5_000, random_state=1)
    return {
        "transactions": tables["transactions"],
        "customers": tables["customers"],
        "products": tables["products"],
        "title": say("demo.simulated"),
        "currency": "€",
    }
