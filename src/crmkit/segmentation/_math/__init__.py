"""The room's numerics: arrays in, arrays or frozen dataclasses out."""

from __future__ import annotations

from crmkit.segmentation._math.clusters import mixture_membership, nearest_centre
from crmkit.segmentation._math.counts import group_quantile
from crmkit.segmentation._math.judge import (
    best_jaccard,
    cohens_h,
    homogeneity,
    likeness,
    population_stability,
)
from crmkit.segmentation._math.losses import Losses, columns_within, explain_losses
from crmkit.segmentation._math.money import (
    WhaleCurve,
    decimal_sums,
    discount_lines,
    share_cost,
    value_tiers,
    whale_curve,
)
from crmkit.segmentation._math.scores import (
    bins_from_cuts,
    nested_bins,
    quantile_cuts,
    snap_cut,
    tie_safe_cuts,
)

__all__ = [
    "Losses",
    "WhaleCurve",
    "best_jaccard",
    "bins_from_cuts",
    "cohens_h",
    "columns_within",
    "decimal_sums",
    "discount_lines",
    "explain_losses",
    "group_quantile",
    "homogeneity",
    "likeness",
    "mixture_membership",
    "nearest_centre",
    "nested_bins",
    "population_stability",
    "quantile_cuts",
    "share_cost",
    "snap_cut",
    "tie_safe_cuts",
    "value_tiers",
    "whale_curve",
]
