"""What the page is made of: plain pieces that chapters fill and the page writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

__all__ = ["Figure", "Picture", "Section", "Sheet", "Standing", "Step", "Todo"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with one sentence of plain words under it."""

    drawn: Markup
    words: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with one sentence of plain words under it; ``name`` is its CSV file's name.

    ``shown`` limits the rows on the page, ``columns`` the columns; the CSV file has them all. A
    table of which no row is shown stands in the CSV file alone.
    """

    name: str
    table: pd.DataFrame
    words: str
    shown: int = 12
    columns: tuple[str, ...] = ()
    # Whether it is one of the report's tables; one in words for the page alone is none.
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """One question of the report and its answer, or why it could not be answered."""

    key: str
    question: str
    answer: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the first screen: what it is, its value, and what is to be known with it."""

    key: str
    label: str
    text: str
    change: str
    note: str
    value: float
    better: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: for how many, what it is expected to earn, and the list."""

    key: str
    title: str
    why: str
    contacts: int
    controls: int
    gain: float
    worth: str
    unit: str
    table: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Todo:
    """The list of what to do, what its figures mean, and what is said where there is none."""

    title: str
    steps: tuple[Step, ...] = ()
    terms: tuple[str, ...] = ()
    nothing: str = ""
    sheets: tuple[Sheet, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Every customer's standing, the models it comes from and how they were chosen."""

    # customer_id, frequency, recency_days, p_alive, p_stay_away, expected_purchases,
    # expected_amount, lifetime_value, value (what a customer who stays is worth), segment
    customers: pd.DataFrame
    table: pd.DataFrame
    purchases: Any
    spend: Any
    name: str
    # The hold-out: its table, the models fitted on it and how they did; None in a short history.
    holdout: pd.DataFrame | None
    judged: Any
    comparison: pd.DataFrame | None

    @property
    def bias(self) -> float:
        """Return by how much the forecast missed what was held out, as a share; 0 without any."""
        if self.comparison is None:
            return 0.0
        line: Any = self.comparison.set_index("model").loc[self.name]
        return float(line["bias"])
