"""Which columns the learners of leaving call a likely leak."""

from __future__ import annotations

from cases.leaks import cases
from crmkit import churn

LIVES = {"duration": "tenure_days", "event": "outcome"}
ARMS = {"outcome": "outcome", "treated": "arm"}


def regression(model, table):
    """A regression of lifetimes, which takes no missing values."""
    gaps = ["rating", "joined", "closed"]
    return model.fit(table.drop(columns=gaps, errors="ignore"), **LIVES).columns_


def prospects(table):
    """A model of prospects that learns from customers and from who was contacted before."""
    contacts = table.rename(columns={"outcome": "responded"})
    return churn.ProspectModel(random_state=0).fit(table, contacts, target="outcome")


CASES = [
    *cases(
        churn.ChurnModel,
        lambda table: churn.ChurnModel(random_state=0).fit(table, outcome="outcome").columns_,
    ),
    *cases(
        churn.HazardModel,
        lambda table: churn.HazardModel(n_intervals=4).fit(table, **LIVES).columns_,
        used=["tenure_days"],
    ),
    *cases(
        churn.CoxModel,
        lambda table: regression(churn.CoxModel(penalizer=0.1), table),
        used=["tenure_days"],
    ),
    *cases(
        churn.AFTModel,
        lambda table: regression(churn.AFTModel(penalizer=0.1), table),
        used=["tenure_days"],
        extra="lifelines",
    ),
    *cases(
        churn.WinBackModel,
        lambda table: churn.WinBackModel(random_state=0).fit(table, **ARMS).columns_,
        used=["arm"],
    ),
    *cases(churn.ProspectModel, lambda table: prospects(table).columns_),
    *cases(
        churn.ProspectModel,
        lambda table: prospects(table).contact_columns_,
        member="contact_columns_",
    ),
]
