"""How large a test must be, and what a test of a given size can show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from crmkit._checks import check_number, check_optional, quoted
from crmkit.errors import InputError
from crmkit.response._math.looks import needed_inflation
from crmkit.response._math.power import detectable_difference, needed_size
from crmkit.response._report.compared import check_looks

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["minimum_detectable_effect", "sample_size"]


def sample_size(
    *,
    uplift: float,
    base_rate: float | None = None,
    std_dev: float | None = None,
    treated_share: float = 0.5,
    n_treatments: int = 1,
    explained_share: float = 0.0,
    cluster_size: float = 1.0,
    correlation: float = 0.0,
    looks: float | Sequence[float] | None = None,
    break_even: float = 0.0,
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
        Standard deviation of the amount per customer, zeros included; of a ratio that of
        (outcome - ratio x denominator) / mean denominator.
    treated_share : float, default 0.5
        Share of customers who are contacted, whatever the treatment.
    n_treatments : int, default 1
        Treatments that are compared with the one control group; all of them may be judged.
    explained_share : float, default 0
        Share of the outcome's variance that `covariates` of the result will explain: the square of
        their correlation with it.
    cluster_size : float, default 1
        Customers in a cluster, such as a household, which are all treated alike.
    correlation : float, default 0
        Correlation of the outcomes of two customers of one cluster.
    looks : float or list of float, optional
        Shares of the customers at all planned looks, the last one 1; or 1 alone, where one will
        look at any time.
    break_even : float, default 0
        The uplift at which a contact pays for itself, contact cost / (value x margin): what must be
        shown is an uplift above it, a return on investment above 0.
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
        * ``customers_treated`` (int) - customers to contact, with each of the treatments.
        * ``customers_control`` (int) - customers to leave alone.
        * ``customers`` (int) - all together.

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
    level, options = _options(
        n_treatments, explained_share, cluster_size, correlation, looks, break_even, power,
        confidence_level,
    )  # fmt: skip
    least = options["break_even"]
    if uplift == least or (least and uplift < least):
        wanted = f"be above `break_even`, {least:g}" if least else "not be 0"
        raise InputError(f"`uplift` must {wanted}: no test is large enough to show nothing.")
    if base_rate is not None and not 0 < base_rate + uplift < 1:
        raise InputError("`base_rate` + `uplift` must lie between 0 and 1.")
    share = check_number(treated_share, "treated_share")
    ratio = (1 - share) / share * n_treatments
    n = needed_size(
        base=base_rate, spread=std_dev, uplift=uplift, ratio=ratio, confidence_level=level,
        **options,
    )  # fmt: skip
    treated, control = _up(n), _up(n * ratio)
    return pd.DataFrame(
        {
            "uplift": [uplift],
            "power": [options["power"]],
            "customers_treated": [treated],
            "customers_control": [control],
            "customers": [n_treatments * treated + control],
        }
    )


def minimum_detectable_effect(
    *,
    customers_treated: int,
    customers_control: int,
    base_rate: float | None = None,
    std_dev: float | None = None,
    n_treatments: int = 1,
    explained_share: float = 0.0,
    cluster_size: float = 1.0,
    correlation: float = 0.0,
    looks: float | Sequence[float] | None = None,
    break_even: float = 0.0,
    power: float = 0.8,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Tell the smallest uplift that a test of a given size shows.

    Parameters
    ----------
    customers_treated, customers_control : int
        Customers contacted, with each of the treatments, and left alone.
    base_rate, std_dev, n_treatments, explained_share, cluster_size, correlation, looks
        As in :func:`sample_size`.
    break_even, power, confidence_level
        As in :func:`sample_size`.

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
    level, options = _options(
        n_treatments, explained_share, cluster_size, correlation, looks, break_even, power,
        confidence_level,
    )  # fmt: skip
    n1 = check_number(customers_treated, "customers_treated")
    n0 = check_number(customers_control, "customers_control")
    uplift = detectable_difference(
        base=base_rate, spread=std_dev, n_treated=n1, ratio=n0 / n1, confidence_level=level,
        **options,
    )  # fmt: skip
    if math.isnan(uplift):
        raise InputError(
            "`customers_treated` and `customers_control` are too few: not even a rate of 1 among "
            "the treated would show. Contact more, or settle for less `power`."
        )
    table = pd.DataFrame(
        {
            "customers_treated": [n1],
            "customers_control": [n0],
            "power": [options["power"]],
            "uplift": [uplift],
        }
    )
    return table if base_rate is None else table.assign(relative_uplift=uplift / base_rate)


def _one_of(base_rate: float | None, std_dev: float | None) -> tuple[float | None, float | None]:
    """Return both, of which exactly one is given and in range."""
    if (base_rate is None) == (std_dev is None):
        raise InputError("Give `base_rate` for a response or `std_dev` for an amount: one of them.")
    return check_optional(base_rate, "base_rate"), check_optional(std_dev, "std_dev")


def _options(
    n_treatments: int, explained_share: float, cluster_size: float, correlation: float,
    looks: float | Sequence[float] | None, break_even: float, power: float,
    confidence_level: float,
) -> tuple[float, dict[str, float]]:  # fmt: skip
    """Return the level of one comparison, and the options that both functions pass on.

    Of several treatments the first to be shown must pass Holm's test at the level divided by their
    number. Customers in clusters tell as much as their number divided by the design effect,
    1 + (size - 1) x correlation (Kish 1965, Survey Sampling, eq. 5.4.1).
    """
    alpha = 1 - check_number(confidence_level, "confidence_level")
    alpha /= check_number(n_treatments, "n_treatments")
    power = check_number(power, "power")
    inflation = 1 - check_number(explained_share, "explained_share")
    beside = check_number(cluster_size, "cluster_size") - 1
    inflation *= 1 + beside * check_number(correlation, "correlation")
    looked = check_looks(looks)
    if looked is not None:
        if (looked[-1] if isinstance(looked, list) else looked) != 1:
            raise InputError(
                f"`looks` of a plan must end with 1, the planned end; got {quoted(looks)}."
            )
        inflation *= needed_inflation(looked, alpha, power)
    least = check_number(break_even, "break_even")
    return 1 - alpha, {"power": power, "break_even": least, "inflation": inflation}


def _up(n: float) -> int:
    """Round up, forgiving the last digits of the arithmetic."""
    return math.ceil(n - 1e-9 * n)
