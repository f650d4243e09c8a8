"""The classes that learn: models of purchases, of contracts and of spend."""

from __future__ import annotations

from crmkit.clv._model.bgbb import BGBB
from crmkit.clv._model.bgcnbd import BGCNBD, MBGCNBD
from crmkit.clv._model.bgnbd import BGNBD, MBGNBD
from crmkit.clv._model.by_group import ByGroup
from crmkit.clv._model.contracts import BetaDiscreteWeibull, ShiftedBetaGeometric
from crmkit.clv._model.gamma_gamma import GammaGamma
from crmkit.clv._model.ggom_nbd import GGomNBD
from crmkit.clv._model.lognormal_spend import LognormalSpend
from crmkit.clv._model.pareto_nbd import ParetoNBD
from crmkit.clv._model.varying_pareto import TimeVaryingParetoNBD

__all__ = [
    "BGBB",
    "BGCNBD",
    "BGNBD",
    "MBGCNBD",
    "MBGNBD",
    "BetaDiscreteWeibull",
    "ByGroup",
    "GGomNBD",
    "GammaGamma",
    "LognormalSpend",
    "ParetoNBD",
    "ShiftedBetaGeometric",
    "TimeVaryingParetoNBD",
]
