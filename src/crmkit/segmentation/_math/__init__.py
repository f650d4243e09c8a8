"""The room's numerics: arrays in, arrays or frozen dataclasses out."""

from __future__ import annotations

from crmkit.segmentation._math.clusters import mixture_membership, nearest_centre
from crmkit.segmentation._math.counts import group_quantile
from crmkit.segmentation._math.groups import group_growth, group_means
from crmkit.segmentation._math.judge import (
    adjusted_rand,
    best_jaccard,
    cohens_h,
    explained_by_column,
    explained_interval,
    population_stability,
    share_of_total,
    within_interval,
)
from crmkit.segmentation._math.losses import Losses, columns_within, explain_losses
from crmkit.segmentation._math.money import (
    WhaleCurve,
    discount_lines,
    share_cost,
    value_tiers,
    whale_curve,
)
from crmkit.segmentation._math.partial import (
    Estimate,
    equal_groups,
    partial_rank_correlation,
    top_gain,
)
from crmkit.segmentation._math.potential import (
    Level,
    Pairs,
    best_half,
    money_per_order,
    nested_mean,
    standing_bands,
    white_space,
)
from crmkit.segmentation._math.scale import robust_unit, squash
from crmkit.segmentation._math.scores import (
    bins_from_cuts,
    nested_bins,
    quantile_cuts,
    snap_cut,
    tie_safe_cuts,
)
from crmkit.segmentation._math.shrink import Shrunk, base_weight, shrink_shares
from crmkit.segmentation._math.unseen import (
    against_the_rest,
    deal_folds,
    log_densities,
    scatter,
)
from crmkit.segmentation._math.valley import (
    deepest_valley,
    spread_ties,
    valley_counts,
    valley_p,
)

__all__ = [
    "Estimate",
    "Level",
    "Losses",
    "Pairs",
    "Shrunk",
    "WhaleCurve",
    "adjusted_rand",
    "against_the_rest",
    "base_weight",
    "best_half",
    "best_jaccard",
    "bins_from_cuts",
    "cohens_h",
    "columns_within",
    "deal_folds",
    "deepest_valley",
    "discount_lines",
    "equal_groups",
    "explain_losses",
    "explained_by_column",
    "explained_interval",
    "group_growth",
    "group_means",
    "group_quantile",
    "log_densities",
    "mixture_membership",
    "money_per_order",
    "nearest_centre",
    "nested_bins",
    "nested_mean",
    "partial_rank_correlation",
    "population_stability",
    "quantile_cuts",
    "robust_unit",
    "scatter",
    "share_cost",
    "share_of_total",
    "shrink_shares",
    "snap_cut",
    "spread_ties",
    "squash",
    "standing_bands",
    "tie_safe_cuts",
    "top_gain",
    "valley_counts",
    "valley_p",
    "value_tiers",
    "whale_curve",
    "white_space",
    "within_interval",
]
