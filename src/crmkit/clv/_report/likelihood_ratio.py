"""Two nested models: whether the larger one fits better than by chance."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crmkit._checks import quoted
from crmkit.errors import InputError

__all__ = ["likelihood_ratio_test"]

# How far rounding and flat surfaces may put the smaller model above the larger.
_ROUNDING = 1e-4


def likelihood_ratio_test(*, restricted: Any, general: Any) -> pd.DataFrame:
    """Test whether a model gains more by its further parameters than chance would.

    Parameters
    ----------
    restricted, general : fitted models
        The restricted one must be a special case of the general one: fewer covariates, or effects
        held equal. Both must be fitted to the same customers.

    Returns
    -------
    pandas.DataFrame
        One row:

        * ``restricted`` (str) - class of the smaller model.
        * ``general`` (str) - class of the larger model.
        * ``log_likelihood_restricted`` (float) - of the smaller model.
        * ``log_likelihood_general`` (float) - of the larger model.
        * ``degrees_of_freedom`` (int) - further parameters of the larger model.
        * ``chi_squared`` (float) - twice the gain in log-likelihood.
        * ``p_value`` (float) - probability of such a gain by chance. At a boundary (see
          ``boundary_``) it is conservative.

    Raises
    ------
    InputError
        If the models are not nested, penalised, or fitted to other customers.

    References
    ----------
    .. [1] Wilks, S. S. (1938). The large-sample distribution of the likelihood ratio for testing
       composite hypotheses. Annals of Mathematical Statistics 9(1), 60-62.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 2, 5, 1, 0, 3, 9, 1],
    ...     "recency": [0.0, 150.0, 280.0, 20.0, 0.0, 90.0, 290.0, 200.0],
    ...     "T": [300.0, 290.0, 300.0, 310.0, 280.0, 300.0, 295.0, 305.0],
    ...     "web": [0, 1, 1, 0, 0, 1, 1, 0],
    ... })
    >>> plain = clv.BGNBD().fit(customers)
    >>> web = clv.BGNBD(purchase_covariates=["web"]).fit(customers)
    >>> test = clv.likelihood_ratio_test(restricted=plain, general=web)
    >>> int(test["degrees_of_freedom"][0])
    1
    """
    from scipy import stats

    for name, model in (("restricted", restricted), ("general", general)):
        if not hasattr(model, "log_likelihood_"):
            raise InputError(
                f"`{name}` must be a fitted model with a likelihood; got {quoted(model)}."
            )
        if getattr(model, "l2", 0.0):
            raise InputError(f"`{name}` is penalised (l2 above 0): its likelihood is no maximum.")
    freedom = general.n_parameters_ - restricted.n_parameters_
    gain = general.log_likelihood_ - restricted.log_likelihood_
    if general.n_customers_ != restricted.n_customers_:
        raise InputError("`restricted` and `general` must be fitted to the same customers.")
    if freedom <= 0 or gain < -_ROUNDING:
        raise InputError(
            "`general` must contain `restricted` as a special case: it has "
            f"{freedom} more parameters and {gain:.4f} more log-likelihood."
        )
    chi_squared = max(2.0 * gain, 0.0)
    return pd.DataFrame(
        {
            "restricted": [type(restricted).__name__],
            "general": [type(general).__name__],
            "log_likelihood_restricted": [restricted.log_likelihood_],
            "log_likelihood_general": [general.log_likelihood_],
            "degrees_of_freedom": [freedom],
            "chi_squared": [chi_squared],
            "p_value": [float(stats.chi2.sf(chi_squared, freedom))],
        }
    )
