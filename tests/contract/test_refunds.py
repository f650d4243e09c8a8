"""A refund changes money and nothing else, in every function and method that takes a log.

Nothing is named here: whoever takes `transactions` is found by its signature.
"""

import inspect
from dataclasses import replace

import pandas as pd
import pytest

from contract._refunds import with_refunds, without_amounts, without_money
from contract._tools import all_cases, model_of
from contract.cases._case import FunctionCase, ModelCase
from crmkit import basket, churn, clv, segmentation
from crmkit.errors import InputError

# A model that learns from features of money predicts otherwise when these change.
JUDGED_ON_MONEY = {
    churn.backtest_table: {
        "p_mean",
        "auc",
        "average_precision",
        "brier",
        "calibration_error",
        "top_decile_lift",
        *("calibration_gap", "calibration_gap_low", "calibration_gap_high"),
        *("auc_gain", "auc_gain_low", "auc_gain_high"),
        *("brier_gain", "brier_gain_low", "brier_gain_high"),
        *("rival", "verdict"),
    },
    segmentation.potential_backtest: {"method", "estimate", "conf_low", "conf_high", "verdict"},
}
# What is listed at all depends on the money it brought.
CHOSEN_BY_MONEY = {basket.productive_rules}
# The accounts of all money and of all rows have everybody; other tables have who bought.
HAS_EVERYBODY = {segmentation.customer_profit, clv.log_audit}


def takes_a_log(function):
    return "transactions" in inspect.signature(function).parameters


def room_of(target):
    return target.__module__.split(".")[1]


FUNCTIONS = [
    pytest.param(case, id=f"{room_of(case.target)}.{case.target.__name__}")
    for case in all_cases()
    if isinstance(case, FunctionCase)
    and takes_a_log(case.function)
    # Contracts, which retention_table takes as well, are no log.
    and "date" in case.needs["transactions"]
]
METHODS = [
    pytest.param(case, name, id=f"{room_of(case.target)}.{case.target.__name__}.{name}")
    for case in all_cases()
    if isinstance(case, ModelCase)
    for name, method in inspect.getmembers(case.model, inspect.isfunction)
    if not name.startswith(("_", "set_"))
    and takes_a_log(method)
    # What a model is held to a log for is seen in the tables that this leads to.
    and inspect.signature(method).return_annotation != "OnLog"
]


def compared(call, log, *, also=(), stranger=None):
    """Return what is no money in the results of a log and of the same with refunds."""
    found = [call(log), call(with_refunds(log, 1, stranger=stranger))]
    if stranger is not None and isinstance(found[1], pd.DataFrame) and "customer_id" in found[1]:
        found[1] = found[1][found[1]["customer_id"] != stranger]
    return [without_money(table, also=also) for table in found]


def assert_same(left, right):
    pd.testing.assert_frame_equal(
        left, right, check_dtype=False, check_exact=False, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("case", FUNCTIONS)
@pytest.mark.parametrize("money", [True, False], ids=["amounts", "quantities"])
def test_refunds_change_money_only(case, money):
    if money and case.function in CHOSEN_BY_MONEY:
        return
    log = case.tables()["transactions"]
    also = JUDGED_ON_MONEY.get(case.function, ()) if money else ()
    if not money:
        log = without_amounts(log)
        # A discount is of money.
        case = replace(case, kwargs={k: v for k, v in case.kwargs.items() if k != "discount"})

    def call(log):
        return case.call(case.tables() | {"transactions": log})

    if not money and "amount" in case.needs["transactions"]:
        with pytest.raises(InputError, match="amount"):
            call(log)
        return
    assert_same(*compared(call, log, also=also))


@pytest.mark.parametrize("case", FUNCTIONS)
def test_who_only_gives_back_is_no_customer(case):
    log = case.tables()["transactions"]
    also = JUDGED_ON_MONEY.get(case.function, ())

    def call(log):
        table = case.call(case.tables() | {"transactions": log})
        if case.function not in HAS_EVERYBODY and "customer_id" in table:
            assert 10**6 not in set(table["customer_id"])
        if "finding" in table:
            everybody = table["finding"].isin(["customers", "customers_without_purchase"])
            return table[~everybody].reset_index(drop=True)
        return table

    assert_same(*compared(call, log, also=also, stranger=10**6))


@pytest.mark.parametrize(("case", "name"), METHODS)
def test_refunds_change_no_model(case, name):
    fitted = model_of(case)
    log = case.log_for()

    def call(log):
        if name == "fit":
            model = case.make().fit(log, **case.fit_kwargs)
            return case.predict(model, case.tables_to_predict())
        return getattr(fitted, name)(log, **case.kwargs_of(name))

    assert_same(*compared(call, log))
    assert_same(*compared(call, without_amounts(log)))
    assert_same(*compared(call, log, stranger=10**6))


def test_there_is_something_to_find():
    assert len(FUNCTIONS) >= 30
    assert {param.values[1] for param in METHODS} >= {"fit", "predict", "evaluate", "alive_path"}
