"""The classes that learn: models of purchases, of contracts and of spend."""

from __future__ import annotations

from crmkit.clv._model.bgnbd import BGNBD
from crmkit.clv._model.gamma_gamma import GammaGamma

__all__ = ["BGNBD", "GammaGamma"]
