"""Pictures of what is bought together."""

from __future__ import annotations

from crmkit.basket._plot.bundles import plot_bundles
from crmkit.basket._plot.network import plot_network
from crmkit.basket._plot.pairs import plot_pairs
from crmkit.basket._plot.rules import plot_rules

__all__ = ["plot_bundles", "plot_network", "plot_pairs", "plot_rules"]
