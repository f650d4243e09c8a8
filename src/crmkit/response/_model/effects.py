"""Effects of treatments as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_number

if TYPE_CHECKING:
    from crmkit._learn.effect_line import EffectLine
    from crmkit._typing import Bools, Floats


__all__ = ["effects_table", "scores_table"]


def effects_table(treatments: list[Any], lines: list[EffectLine]) -> pd.DataFrame:
    """Return average effects and how much of the estimates' spread is confirmed."""
    z = normal_quantile(0.95)
    average = np.array([line.average for line in lines])
    error = np.sqrt([line.variances[0] for line in lines])
    return pd.DataFrame(
        {
            "treatment": treatments,
            "average_uplift": average,
            "std_error": error,
            "conf_low": average - z * error,
            "conf_high": average + z * error,
            "slope": [line.raw_slope for line in lines],
            "slope_std_error": np.sqrt([line.variances[1] for line in lines]),
        }
    )


def scores_table(
    ids: pd.Series[Any],
    treatments: list[Any],
    lines: list[EffectLine],
    effect: Floats,
    control: Floats,
    in_sample: Bools,
    *,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Return one row per customer and treatment."""
    z = normal_quantile(check_number(confidence_level, "confidence_level"))
    k = len(treatments)
    found = [line.at(effect[:, a]) for a, line in enumerate(lines)]
    uplift = np.column_stack([one[0] for one in found]).ravel()
    error = np.column_stack([one[1] for one in found]).ravel()
    rows = np.repeat(np.arange(len(ids)), k)
    return pd.DataFrame(
        {
            "customer_id": ids.iloc[rows].reset_index(drop=True),
            "treatment": pd.Series(treatments).take(np.tile(np.arange(k), len(ids))).to_numpy(),
            "expected_control": control[rows],
            "uplift": uplift,
            "std_error": error,
            "conf_low": uplift - z * error,
            "conf_high": uplift + z * error,
            "in_sample": in_sample[rows],
        }
    )
