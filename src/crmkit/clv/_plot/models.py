"""A picture of which model to believe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from crmkit._checks import check_choice
from crmkit._plotting import COLORS, GREY, new_axes, percent, plain, table_to_draw, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_model_comparison"]

ComparisonMeasure = Literal[
    "root_mean_squared_error",
    "mean_absolute_error",
    "bias",
    "concordance",
    "top_decile_share",
    "gini",
    "holdout_log_score",
]
MEASURES: dict[ComparisonMeasure, str] = {
    "root_mean_squared_error": "Root mean squared error per customer",
    "mean_absolute_error": "Mean absolute error per customer",
    "bias": "Error of the total",
    "concordance": "Pairs of customers in the right order",
    "top_decile_share": "Share brought by the tenth valued most",
    "gini": "Gini coefficient over the best possible",
    "holdout_log_score": "Mean log probability of what happened",
}


def plot_model_comparison(
    comparison: Any,
    *,
    measure: ComparisonMeasure = "root_mean_squared_error",
    ax: Axes | None = None,
) -> Axes:
    """Draw one measure of the hold-out period for each model and rule.

    Parameters
    ----------
    comparison : DataFrame
        A :func:`model_comparison`.
    measure : str
        Which of its columns to draw: ``"root_mean_squared_error"``, ``"mean_absolute_error"``,
        ``"bias"``, ``"concordance"``, ``"top_decile_share"``, ``"gini"`` or
        ``"holdout_log_score"``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> comparison = pd.DataFrame({
    ...     "model": ["BG/NBD", "as_before", "mean"], "bias": [-0.12, 0.47, 0.47]
    ... })
    >>> clv.plot_model_comparison(comparison, measure="bias").get_xlabel()
    'Error of the total'
    """
    check_choice(measure, "measure", ComparisonMeasure)
    table = table_to_draw(comparison, "comparison", ("model", measure))
    table = table[table[measure].notna()]
    rule = table["model"].isin(["as_before", "mean"])
    ax = new_axes(ax)
    model = table["model"].map(plain)
    if measure == "holdout_log_score":
        # Scores lie close together and far from zero: bars would hide the difference.
        ax.plot(table[measure], model, "o", color=COLORS[0], markersize=9)
        ax.margins(x=0.2, y=0.3)
        ax.locator_params(axis="x", nbins=4)
        ax.grid(axis="x", color="#dddddd")
    else:
        ax.barh(model, table[measure], color=[GREY if r else COLORS[0] for r in rule])
    ax.invert_yaxis()
    ax.set_xlabel(MEASURES[measure])
    if measure == "bias":
        ax.axvline(0.0, color="#404040", linewidth=1)
        ax.xaxis.set_major_formatter(percent())
    return tidy(ax)
