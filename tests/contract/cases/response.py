"""Cases of crmkit.response."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, ModelCase, PlotCase
from crmkit import datasets, response

KNOWN = ["age", "recency_days", "frequency", "monetary", "channel", "newsletter"]


def campaign():
    return {"customers": datasets.make_campaign(400, random_state=5)}


def judged():
    customers = datasets.make_campaign(400, random_state=5)
    score = np.round(1 / (1 + customers["recency_days"] / 50), 2)
    scores = pd.DataFrame({"customer_id": customers["customer_id"], "p_response": score})
    return {"customers": customers, "scores": scores}


def gains():
    return {"gains": response.gains_table(*judged().values())}


def selection():
    return {
        "selection": response.select_targets(
            *judged().values(), consent="email_consent", value=30, random_state=0, capacity=50
        )
    }


def drivers():
    return {"drivers": response.response_drivers(campaign()["customers"], **EXPLAINED)}


EXPLAINED = {"outcome": "responded", "columns": KNOWN}
EXPLAINS = {"customers": ("customer_id", "responded", "age")}


def tested():
    """A randomised campaign and a score for each of its customers."""
    customers = datasets.make_campaign(600, random_state=5)
    score = np.round(-customers["messages_received"] - customers["age"] / 20)
    scores = pd.DataFrame({"customer_id": customers["customer_id"], "score": score})
    return {"customers": customers, "scores": scores}


def two_treatments():
    return {"customers": datasets.make_campaign(900, random_state=6, arms=("mail", "call"))}


TEST = {"outcome": "responded", "treated": "treated"}
IN_TEST = {"customers": ("customer_id", "responded", "treated"), "scores": ("customer_id",)}
NUMBERS = {"scores": ("score",)}

CASES = [
    FunctionCase(response.qini_table, tested, kwargs=TEST, needs=IN_TEST, numbers=NUMBERS),
    FunctionCase(response.qini_coefficient, tested, kwargs=TEST, needs=IN_TEST, numbers=NUMBERS),
    FunctionCase(response.uplift_table, tested, kwargs=TEST, needs=IN_TEST, numbers=NUMBERS),
    ModelCase(
        response.UpliftModel,
        two_treatments,
        parameters={"random_state": 0},
        fit_kwargs={"treated": "arm", "columns": KNOWN},
        needs=("customer_id", "responded", "arm", "age"),
    ),
    FunctionCase(
        response.response_tree,
        campaign,
        kwargs={**EXPLAINED, "min_customers": 40},
        needs=EXPLAINS,
    ),
    FunctionCase(
        response.uplift_tree,
        campaign,
        kwargs={**EXPLAINED, "treated": "treated", "min_customers": 30},
        needs=EXPLAINS,
    ),
    FunctionCase(response.response_drivers, campaign, kwargs=EXPLAINED, needs=EXPLAINS),
    FunctionCase(response.woe_table, campaign, kwargs=EXPLAINED, needs=EXPLAINS),
    FunctionCase(response.odds_ratios, campaign, kwargs=EXPLAINED, needs=EXPLAINS),
    PlotCase(response.plot_drivers, drivers),
    FunctionCase(
        response.response_rates,
        campaign,
        kwargs={"outcome": "responded", "by": ["channel", "newsletter"]},
        needs={"customers": ("customer_id", "responded", "channel")},
    ),
    ModelCase(
        response.ResponseModel,
        campaign,
        parameters={"random_state": 0},
        fit_kwargs={"columns": KNOWN},
        needs=("customer_id", "responded", "age"),
    ),
    FunctionCase(
        response.gains_table,
        judged,
        kwargs={"n_bins": 5},
        needs={"customers": ("customer_id", "responded"), "scores": ("customer_id",)},
        numbers={"scores": ("p_response",)},
    ),
    PlotCase(response.plot_gains, gains),
    FunctionCase(
        response.select_targets,
        judged,
        kwargs={
            "consent": "email_consent",
            "value": 30,
            "contact_cost": 2,
            "budget": 100,
            "random_state": 1,
        },
        needs={"customers": ("customer_id", "email_consent"), "scores": ("customer_id",)},
        numbers={"scores": ("p_response",)},
    ),
    FunctionCase(
        response.selection_summary,
        selection,
        kwargs={"capacity": 50},
        needs={"selection": ("customer_id", "decision", "expected_gain")},
    ),
]
