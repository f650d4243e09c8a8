"""A randomised campaign with the true effect on every customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns
from crmkit._checks import check_number, random_generator
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

__all__ = ["make_campaign"]

_CHANNELS = ["phone", "shop", "web"]


def make_campaign(
    n_customers: int = 10_000,
    *,
    random_state: int | None = None,
    arms: str | Sequence[str] = ("mail",),
    treated_share: float = 0.5,
    effect: float = 1.0,
) -> pd.DataFrame:
    """Simulate a campaign sent at random, and keep what it truly did to each customer.

    Everyone in the table had agreed to be contacted when the campaign was planned; chance alone
    decided who was. Some customers respond because of the campaign, some respond anyway, some
    never do, and those who hear from the shop too often respond less when contacted.

    Parameters
    ----------
    n_customers : int, default 10000
        Number of customers.
    random_state : int, optional
        Seed of the draw; the same seed gives the same.
    arms : str or sequence of str, default ("mail",)
        Names of the treatments. Each further one works a fifth less well than the one before.
    treated_share : float, default 0.5
        Share of customers who are treated, split evenly over the arms.
    effect : float, default 1
        Multiplies the effect of every arm on the log-odds of a response; 0 gives a campaign
        without any effect.

    Returns
    -------
    pandas.DataFrame
        One row per customer:

        * ``customer_id`` (int) - 1 to `n_customers`.
        * ``arm`` (str) - "control" or the treatment.
        * ``treated`` (int) - 1 if treated, else 0.
        * ``responded`` (int) - 1 if the customer bought, else 0.
        * ``spend`` (float) - amount bought, 0 without response.
        * ``age`` (int) - years; this and the next six were known before the campaign.
        * ``recency_days`` (int) - days since the last purchase.
        * ``frequency`` (int) - number of purchases.
        * ``monetary`` (float) - mean amount per purchase.
        * ``messages_received`` (int) - messages of the last quarter.
        * ``channel`` (str) - "phone", "shop" or "web".
        * ``newsletter`` (bool) - whether the customer reads the newsletter.
        * ``email_consent`` (bool) - whether the customer agrees to e-mail today.
        * ``phone_consent`` (bool) - whether the customer agrees to calls today.
        * ``true_p_control`` (float) - probability to respond if not treated.
        * ``true_uplift`` (float) - probability to respond if treated minus if not; with several
          arms ``true_uplift_<arm>`` for each.
        * ``true_spend_uplift`` (float) - the same for expected spend, in units of ``spend``.

    Raises
    ------
    InputError
        If an argument is out of range or the arms are not distinct names.

    Examples
    --------
    >>> from crmkit import datasets
    >>> campaign = datasets.make_campaign(5000, random_state=0)
    >>> float(campaign["true_uplift"].mean().round(3)) > 0
    True
    """
    n = check_number(n_customers, "n_customers")
    treated_share = check_number(treated_share, "treated_share")
    effect = check_number(effect, "effect")
    names = check_columns(arms, "arms")
    if "control" in names:
        raise InputError("`arms` must not name 'control', which everybody else is in.")

    rng = random_generator(random_state)
    known = _known(rng, n)
    log_odds, push = _response_surface(known)
    log_odds = log_odds + rng.normal(0, 0.3, n)  # what no column knows
    mean_spend = known["monetary"].to_numpy() * np.exp(0.1 * known["newsletter"].to_numpy())
    p_control = _logistic(log_odds)
    p_arms = [_logistic(log_odds + effect * 0.8**k * push) for k in range(len(names))]

    arm = np.where(rng.random(n) < treated_share, 1 + rng.integers(len(names), size=n), 0)
    responded = rng.random(n) < np.array([p_control, *p_arms])[arm, np.arange(n)]
    spend = np.where(responded, np.round(mean_spend * rng.gamma(3, 1 / 3, n), 2), 0.0)
    uplifts = {}
    for name, p_arm in zip(names, p_arms, strict=True):
        suffix = f"_{name}" if len(names) > 1 else ""
        uplifts[f"true_uplift{suffix}"] = p_arm - p_control
        uplifts[f"true_spend_uplift{suffix}"] = (p_arm - p_control) * mean_spend
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "arm": pd.Series(["control", *names]).take(arm).array,
            "treated": (arm > 0).astype(np.int64),
            "responded": responded.astype(np.int64),
            "spend": spend,
            **known,
            "email_consent": rng.random(n) < 0.85,
            "phone_consent": rng.random(n) < 0.45,
            "true_p_control": p_control,
            **uplifts,
        }
    )


def _known(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Draw what is known of each customer before the campaign."""
    channel = rng.choice(len(_CHANNELS), n, p=[0.2, 0.35, 0.45])
    return pd.DataFrame(
        {
            "age": np.clip(np.rint(rng.normal(46, 15, n)), 18, 90).astype(np.int64),
            "recency_days": np.ceil(rng.gamma(1.2, 80, n)).astype(np.int64),
            "frequency": 1 + rng.negative_binomial(1.0, 0.25, n),
            "monetary": np.round(rng.lognormal(3.5, 0.5, n), 2),
            "messages_received": rng.poisson(4.0, n),
            "channel": pd.Series(_CHANNELS).take(channel).array,
            "newsletter": rng.random(n) < 0.4,
        }
    )


def _response_surface(
    known: pd.DataFrame,
) -> tuple[Floats, Floats]:
    """Return the log-odds without treatment and what the first arm adds to them."""
    recency = np.log1p(known["recency_days"].to_numpy()) - 4.2
    frequency = np.log(known["frequency"].to_numpy()) - 1.0
    age = (known["age"].to_numpy() - 46) / 15
    web = (known["channel"] == "web").to_numpy()
    newsletter = known["newsletter"].to_numpy()
    messages = known["messages_received"].to_numpy()
    log_odds = -2.0 - 0.6 * recency + 0.5 * frequency + 0.2 * newsletter
    push = 0.5 + 0.5 * recency - 0.4 * age + 0.4 * web - 0.4 * np.clip(messages - 5, 0, 4)
    return log_odds, push


def _logistic(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    p: Floats = 1 / (1 + np.exp(-x))
    return p
