"""The bridge to lifetimes, the only file that imports it, and without its global side effects.

Importing lifetimes 0.11.3 silences FutureWarning for the whole process and sets a pandas option
that pandas is about to remove; both are put back here.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit._typing import Floats

__all__ = ["FITTERS", "fitter_data", "import_lifetimes", "make_fitter"]

FITTERS = {
    "BGNBD": "BetaGeoFitter",
    "MBGNBD": "ModifiedBetaGeoFitter",
    "ParetoNBD": "ParetoNBDFitter",
    "BGBB": "BetaGeoBetaBinomFitter",
    "GammaGamma": "GammaGammaFitter",
}
"""crmkit's model and the fitter of lifetimes that means the same."""

_OPTION = "mode.chained_assignment"


def import_lifetimes() -> Any:
    """Import lifetimes and undo what its import changes for everybody else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before = pd.get_option(_OPTION)
            import lifetimes

            pd.set_option(_OPTION, before)
        except (ImportError, KeyError) as error:
            raise InputError(
                "This needs the package lifetimes, which is not installed or does not work with "
                f"this pandas ({error}). Install it with: pip install 'crmkit[lifetimes]'."
            ) from error
    return lifetimes


def fitter_data(
    fitter: Any, model: str, names: tuple[str, ...], columns: tuple[str, ...]
) -> tuple[Floats, pd.DataFrame]:
    """Return the parameters of a fitted fitter and the table it was fitted on."""
    wanted = FITTERS.get(model)
    given = type(fitter).__name__
    if wanted is None:
        raise InputError(f"lifetimes has no counterpart of {model}.")
    if given != wanted:
        match = next((ours for ours, theirs in FITTERS.items() if theirs == given), None)
        hint = f" Use {match}.from_lifetimes." if match else ""
        raise InputError(f"`fitter` must be a lifetimes {wanted}; got a {given}.{hint}")
    if not hasattr(fitter, "params_") or not hasattr(fitter, "data"):
        raise InputError(
            f"`fitter` is not fitted, or was loaded without its data: fit the {given}."
        )
    data = fitter.data.reset_index(drop=True).rename(columns={"n_periods": "periods"})
    table = data[[*columns, "weights"]].assign(customer_id=np.arange(len(data)))
    return np.array([float(fitter.params_[name]) for name in names]), table


def make_fitter(model: str, parameters: Mapping[str, float], covariance: Floats) -> Any:
    """Return a lifetimes fitter that predicts with these parameters; covariance is (p, p)."""
    if model not in FITTERS:
        raise InputError(f"lifetimes has no counterpart of {model}.")
    fitter = getattr(import_lifetimes(), FITTERS[model])()
    fitter.params_ = pd.Series(dict(parameters))
    names = fitter.params_.index
    fitter.variance_matrix_ = pd.DataFrame(covariance, index=names, columns=names)
    fitter.standard_errors_ = pd.Series(np.sqrt(np.diag(covariance)), index=names)
    fitter.confidence_intervals_ = fitter._compute_confidence_intervals()
    if hasattr(fitter, "conditional_expected_number_of_purchases_up_to_time"):
        fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter
