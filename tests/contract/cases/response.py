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


def permitted():
    """Scored customers with a worth, and all that says who may be contacted."""
    tables = judged()
    ids = tables["customers"]["customer_id"]
    tables["customers"] = tables["customers"].assign(worth=30)
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(ids % 90, unit="D")
    given = tables["customers"]["email_consent"]
    return {
        **tables,
        "consent": pd.DataFrame(
            {"customer_id": ids, "channel": "email", "consent": given, "since": days}
        ),
        "suppress": pd.DataFrame({"customer_id": ids[ids % 7 == 0]}),
        "contacts": pd.DataFrame({"customer_id": ids[ids % 3 == 0], "date": days[ids % 3 == 0]}),
    }


def by_channel():
    """The same with a score, a consent and past contacts for each of two channels."""
    tables = permitted()
    channels = ("email", "phone")
    scores = pd.concat([tables["scores"].assign(channel=one) for one in channels])
    scores["p_response"] -= np.where(scores["channel"] == "phone", 0.01, 0.0)
    return {
        "customers": tables["customers"],
        "scores": scores.reset_index(drop=True),
        "consent": pd.concat(
            [tables["consent"].assign(channel=one) for one in channels], ignore_index=True
        ),
        "contacts": tables["contacts"].assign(channel="email"),
    }


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


def log():
    """Order lines and the customers they come from."""
    customers = datasets.make_campaign(150, random_state=7)[["customer_id", "age", "channel"]]
    rng = np.random.default_rng(0)
    transactions = pd.DataFrame(
        {
            "customer_id": rng.integers(1, 151, 400),
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 90, 400), "D"),
            "product": rng.choice(["tea", "coffee", "milk"], 400),
            "amount": rng.integers(1, 50, 400) / 2,
        }
    )
    return {"transactions": transactions, "customers": customers}


def arms_only():
    return {"customers": two_treatments()["customers"][["customer_id", "arm", *KNOWN]]}


def with_outcome(name, **kwargs):
    """Tables of a plot, made by the function of that name."""

    def tables():
        return {"table": getattr(response, name)(*tested().values(), **TEST, **kwargs)}

    return tables


def selected():
    people = two_treatments()["customers"]
    decision = people["arm"].map({"control": "control"}).fillna("contact")
    decision = decision.where(people["customer_id"] % 7 > 0, "no contact")
    selection = people[["customer_id"]].assign(decision=decision, cost=1.0, expected_gain=2.0)
    return {"customers": people, "selection": selection}


def results():
    return {
        "result": response.campaign_result(
            *two_treatments().values(), outcome="spend", treated="arm", contact_cost=1
        )
    }


def tree():
    return {"tree": response.response_tree(campaign()["customers"], **EXPLAINED, min_customers=40)}


def rules():
    return {**campaign(), "rules": tree()["tree"]}


def profits():
    return {"profit": response.profit_table(*judged().values(), value=20, contact_cost=3)}


CASES = [
    FunctionCase(
        response.profit_table,
        judged,
        kwargs={"value": 20, "contact_cost": 3, "fixed_cost": 10, "n_points": 10},
        needs={"customers": ("customer_id", "responded"), "scores": ("customer_id",)},
        numbers={"scores": ("p_response",)},
    ),
    FunctionCase(
        response.policy_value,
        tested,
        kwargs={**TEST, "value": 20, "contact_cost": 1},
        needs=IN_TEST,
        numbers=NUMBERS,
    ),
    FunctionCase(
        response.campaign_result,
        two_treatments,
        kwargs={"outcome": "spend", "treated": "arm", "by": "newsletter", "contact_cost": 1},
        needs={"customers": ("customer_id", "spend", "arm", "newsletter")},
    ),
    FunctionCase(
        response.campaign_result,
        two_treatments,
        kwargs={
            "outcome": "spend",
            "treated": "arm",
            "covariates": ["monetary"],
            "cluster": "age",
            "denominator": "frequency",
            "looks": [0.5, 1.0],
        },
        needs={"customers": ("customer_id", "spend", "arm", "age", "frequency")},
    ),
    FunctionCase(
        response.campaign_result,
        selected,
        kwargs={"outcome": "spend", "contact_cost": 1},
        needs={"customers": ("customer_id", "spend"), "selection": ("customer_id", "decision")},
    ),
    FunctionCase(
        response.balance_table,
        arms_only,
        kwargs={"treated": "arm", "treatment": "call"},
        needs={"customers": ("customer_id", "arm")},
    ),
    FunctionCase(
        response.sample_ratio_test,
        arms_only,
        kwargs={"treated": "arm", "expected": {"control": 0.5, "mail": 0.25, "call": 0.25}},
        needs={"customers": ("customer_id", "arm")},
    ),
    FunctionCase(
        response.buyer_profile,
        log,
        kwargs={"product": ["tea", "milk"]},
        needs={
            "transactions": ("customer_id", "date", "product"),
            "customers": ("customer_id",),
        },
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        response.sample_size,
        dict,
        kwargs={"base_rate": 0.1, "uplift": 0.005, "looks": [0.5, 1.0], "cluster_size": 2},
    ),
    FunctionCase(
        response.minimum_detectable_effect,
        dict,
        kwargs={"std_dev": 20.0, "customers_treated": 500, "customers_control": 400},
    ),
    PlotCase(response.plot_profit, profits),
    PlotCase(response.plot_qini, with_outcome("qini_table")),
    PlotCase(response.plot_tree, tree),
    PlotCase(response.plot_campaign, results),
    FunctionCase(response.qini_table, tested, kwargs=TEST, needs=IN_TEST, numbers=NUMBERS),
    FunctionCase(response.qini_summary, tested, kwargs=TEST, needs=IN_TEST, numbers=NUMBERS),
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
    FunctionCase(
        response.rule_scores,
        rules,
        needs={"customers": ("customer_id",), "rules": ("rule", "customers")},
    ),
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
    FunctionCase(
        response.calibration_table,
        judged,
        kwargs={"n_bins": 5},
        needs={"customers": ("customer_id", "responded"), "scores": ("customer_id", "p_response")},
        numbers={"scores": ("p_response",)},
    ),
    PlotCase(response.plot_gains, gains),
    PlotCase(
        response.plot_calibration,
        lambda: {"calibration": response.calibration_table(*judged().values())},
    ),
    FunctionCase(
        response.select_targets,
        permitted,
        kwargs={
            "channel": "email",
            "value": "worth",
            "contact_cost": 2,
            "budget": 100,
            "max_contacts": 2,
            "window_days": 30,
            "as_of": "2025-03-01",
            "random_state": 1,
        },
        needs={
            "customers": ("customer_id", "worth"),
            "scores": ("customer_id",),
            "consent": ("customer_id", "consent", "channel"),
            "suppress": ("customer_id",),
            "contacts": ("customer_id", "date"),
        },
        numbers={"scores": ("p_response",)},
        may_be_empty=("suppress", "contacts"),
        also_takes={"suppress": ([1, 2],)},
    ),
    FunctionCase(
        response.select_targets,
        by_channel,
        kwargs={
            "value": {"email": 30, "phone": 25},
            "contact_cost": {"email": 0.5, "phone": 2},
            "min_gain": 1,
            "random_state": 1,
            "holdout_by": "newsletter",
            "max_contacts": {"email": 2, None: 3},
            "window_days": 30,
            "as_of": "2025-03-01",
        },
        needs={
            "customers": ("customer_id", "newsletter"),
            "scores": ("customer_id",),
            "consent": ("customer_id", "consent", "channel"),
            "contacts": ("customer_id", "date", "channel"),
        },
        numbers={"scores": ("p_response",)},
        may_be_empty=("contacts",),
    ),
    FunctionCase(
        response.selection_summary,
        selection,
        kwargs={"capacity": 50},
        needs={"selection": ("customer_id", "decision", "expected_gain")},
    ),
]
