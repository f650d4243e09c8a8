"""Segmentation: who our customers are, what each earns us, which segments deserve which service.

>>> from crmkit import segmentation
>>> import pandas as pd
>>> transactions = pd.DataFrame(
...     {
...         "customer_id": ["ann", "ann", "bob"],
...         "date": pd.to_datetime(["2025-01-01", "2025-01-21", "2025-01-11"]),
...         "amount": [10.0, 30.0, 5.0],
...     }
... )
>>> rfm = segmentation.rfm_table(transactions, as_of="2025-01-31")
>>> scores = segmentation.rfm_scores(rfm)
>>> segmentation.rfm_segments(scores)[["customer_id", "segment"]]
  customer_id             segment
0         ann  potential loyalist
1         bob      about to sleep
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._lazy import attach

if TYPE_CHECKING:
    from crmkit.segmentation._model.behaviour import BehaviourSegments
    from crmkit.segmentation._plot.matrix import plot_rfm_heatmap, plot_value_matrix
    from crmkit.segmentation._plot.profit import plot_segment_overview, plot_whale_curve
    from crmkit.segmentation._plot.segments import plot_segment_migration, plot_segment_profile
    from crmkit.segmentation._report.losses import loss_makers
    from crmkit.segmentation._report.maps import segment_map_audit
    from crmkit.segmentation._report.migration import segment_migration
    from crmkit.segmentation._report.overview import segment_overview
    from crmkit.segmentation._report.potential import potential_backtest
    from crmkit.segmentation._report.profile import segment_profile
    from crmkit.segmentation._report.profit import whale_curve
    from crmkit.segmentation._report.quality import segment_quality
    from crmkit.segmentation._report.tiers import value_tiers
    from crmkit.segmentation._table.maps import segment_maps
    from crmkit.segmentation._table.matrix import value_matrix
    from crmkit.segmentation._table.potential import potential_table
    from crmkit.segmentation._table.preferences import preference_table
    from crmkit.segmentation._table.profit import customer_profit
    from crmkit.segmentation._table.readiness import readiness_table
    from crmkit.segmentation._table.rfm import rfm_table
    from crmkit.segmentation._table.scores import rfm_cut_points, rfm_scores
    from crmkit.segmentation._table.segments import rfm_segments

__all__ = [
    "BehaviourSegments",
    "customer_profit",
    "loss_makers",
    "plot_rfm_heatmap",
    "plot_segment_migration",
    "plot_segment_overview",
    "plot_segment_profile",
    "plot_value_matrix",
    "plot_whale_curve",
    "potential_backtest",
    "potential_table",
    "preference_table",
    "readiness_table",
    "rfm_cut_points",
    "rfm_scores",
    "rfm_segments",
    "rfm_table",
    "segment_map_audit",
    "segment_maps",
    "segment_migration",
    "segment_overview",
    "segment_profile",
    "segment_quality",
    "value_matrix",
    "value_tiers",
    "whale_curve",
]

__getattr__, __dir__ = attach(__name__)
