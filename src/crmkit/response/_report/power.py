"""How large a test must be, and what a test of a given size can show."""

from __future__ import annotations

import math

import pandas as pd

from crmkit._checks import check_number, check_optional
from crmkit.errors import InputError
from crmkit.response._math.power import detectable_difference, needed_size

__all__ = ["minimum_detectable_effect", "sample_size"]


def sample_size(
    *,
    uplift: float,
    base_rate: float | None = None,
    std_dev: float | None = None,
    treated_share: float = 0.5,
    power: float = 0.8,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Tell how many customers a campaign with a control group needs.

    Parameters
    ----------
    uplift : float
        The difference that must not be missed: of rates (0.005 for half a point), or of amounts
        in money. It may be negative.
    base_rate : float, optional
        Response rate without the contact. Give this or `std_dev`.
    std_dev : float, optional
        Standard deviation of the amount per customer, zeros included.
    treated_share : float, default 0.5
        Share of customers who are contacted.
    power : float, default 0.8
        Chance that the test shows the uplift.
    confidence_level : float, default 0.95
        Level of the test: 1 - chance that it shows an uplift where there is none
        (two-sided).

    Returns
    -------
    pandas.DataFrame
        One row:

        * ``uplift`` (float) - as given.
        * ``power`` (float) - as given.
        * ``customers_treated`` (int) - customers to contact.
        * ``customers_control`` (int) - customers to leave alone.
        * ``customers`` (int) - both together.

    Raises
    ------
    InputError
        If both or none of `base_rate` and `std_dev` are given, or a number is out of range.

    References
    ----------
    Fleiss, J. L., Levin, B. and Paik, M. C. (2003). Statistical Methods for Rates and
    Proportions, 3rd edition. Wiley. Equation 4.19, without continuity correction.

    Examples
    --------
    >>> from crmkit import response
    >>> response.sample_size(base_rate=0.10, uplift=0.005)
        uplift  power  customers_treated  customers_control  customers
    0  0.005    0.8              57763              57763     115526
    """
    base_rate, std_dev = _one_of(base_rate, std_dev)
    uplift = check_number(uplift, "uplift", rule="difference")
    if uplift == 0:
        raise InputError("`uplift` must not be 0: no test is large enough to show nothing.")
    if base_rate is not None and not 0 < base_rate + uplift < 1:
        raise InputError("`base_rate` + `uplift` must lie between 0 and 1.")
    share = check_number(treated_share, "treated_share")
    ratio = (1 - share) / share
    power = check_number(power, "power")
    n = needed_size(
        base=base_rate,
        spread=std_dev,
        uplift=uplift,
        ratio=ratio,
        power=power,
        confidence_level=check_number(confidence_level, "confidence_level"),
    )
    treated, control = _up(n), _up(n * ratio)
    return pd.DataFrame(
        {
            "uplift": [uplift],
            "power": [power],
            "customers_treated": [treated],
            "customers_control": [control],
            "customers": [treated + control],
        }
    )


def minimum_detectable_effect(
    *,
    customers_treated: int,
    customers_control: int,
    base_rate: float | None = None,
    std_dev: float | None = None,
    power: float = 0.8,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Tell the smallest uplift that a test of a given size shows.

    Parameters
    ----------
    customers_treated, customers_control : int
        Customers contacted and left alone.
    base_rate : float, optional
        Response rate without the contact. Give this or `std_dev`.
    std_dev : float, optional
        Standard deviation of the amount per customer, zeros included.
    power : float, default 0.8
        Chance that the test shows the uplift.
    confidence_level : float, default 0.95
        Level of the test: 1 - chance that it shows an uplift where there is none
        (two-sided).

    Returns
    -------
    pandas.DataFrame
        One row:

        * ``customers_treated`` (int) - as given.
        * ``customers_control`` (int) - as given.
        * ``power`` (float) - as given.
        * ``uplift`` (float) - the smallest rise of the rate, or amount, that shows.
        * ``relative_uplift`` (float) - uplift / `base_rate`; only with a rate.

    Raises
    ------
    InputError
        If even a rise to a rate of 1 would not show, or a number is out of range.

    Examples
    --------
    >>> from crmkit import response
    >>> found = response.minimum_detectable_effect(
    ...     base_rate=0.10, customers_treated=57763, customers_control=57763
    ... )
    >>> float(found["uplift"].iloc[0].round(6))
    0.005
    """
    base_rate, std_dev = _one_of(base_rate, std_dev)
    power = check_number(power, "power")
    n1 = check_number(customers_treated, "customers_treated")
    n0 = check_number(customers_control, "customers_control")
    uplift = detectable_difference(
        base=base_rate,
        spread=std_dev,
        n_treated=n1,
        ratio=n0 / n1,
        power=power,
        confidence_level=check_number(confidence_level, "confidence_level"),
    )
    if math.isnan(uplift):
        raise InputError(
            "`customers_treated` and `customers_control` are too few: not even a rate of 1 among "
            "the treated would show. Contact more, or settle for less `power`."
        )
    table = pd.DataFrame(
        {
            "customers_treated": [n1],
            "customers_control": [n0],
            "power": [power],
            "uplift": [uplift],
        }
    )
    return table if base_rate is None else table.assign(relative_uplift=uplift / base_rate)


def _one_of(base_rate: float | None, std_dev: float | None) -> tuple[float | None, float | None]:
    """Return both, of which exactly one is given and in range."""
    if (base_rate is None) == (std_dev is None):
        raise InputError("Give `base_rate` for a response or `std_dev` for an amount: one of them.")
    return check_optional(base_rate, "base_rate"), check_optional(std_dev, "std_dev")


def _up(n: float) -> int:
    """Round up, forgiving the last digits of the arithmetic."""
    return math.ceil(n - 1e-9 * n)
