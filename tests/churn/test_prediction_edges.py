"""What prediction, profiles and moments do at the edges of what they are given."""

import numpy as np
import pandas as pd
import pytest

from crmkit import churn, datasets
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(400, random_state=9, refund_share=0.1)


@pytest.fixture(scope="module")
def log(shop):
    return shop["transactions"]


def test_a_progress_bar_changes_nothing(log, capsys):
    rules = {"as_of": "2025-06-30", "horizon_days": 60}
    table = churn.churn_table(log, **rules)
    calls = [
        lambda progress: churn.backtest_table(log, n_train=2, progress=progress, **rules),
        lambda progress: churn.retention_profile(table, progress=progress),
        lambda progress: churn.key_moments(log, "first refund", random_state=0, progress=progress),
        lambda progress: churn.ChurnModel().fit(table, progress=progress).scores_,
    ]
    for call in calls:
        pd.testing.assert_frame_equal(call(True), call(False))
    assert capsys.readouterr().out == ""


def test_signals_need_leavers_and_stayers(log):
    loyal = pd.concat([log, log.assign(date=log["date"].max() + pd.Timedelta(days=1))])
    with pytest.raises(InputError, match="did the same"):
        churn.signal_table(loyal, as_of=log["date"].max(), horizon_days=1, lead_days=[0])
    dates = log[["customer_id", "date"]].assign(amount=1.0)
    signals = churn.signal_table(dates, as_of="2025-06-30", horizon_days=60, lead_days=[0])
    # Every order costs the same and nothing comes back: such columns tell nobody apart.
    assert "refund_share" not in signals["variable"].tolist()


def test_refunds_do_not_break_a_silence():
    days = pd.to_datetime(["2025-01-01", "2025-01-08", "2025-01-15", "2025-02-20"])
    log = pd.DataFrame({"customer_id": 1, "date": days, "amount": [5.0, 5.0, 5.0, -5.0]})
    row = churn.silence_table(log, as_of="2025-02-28").iloc[0]
    assert row["last_date"] == days[2]
    assert row["recency_days"] == 44


def test_logs_without_money_have_profiles_without_money(log, shop):
    bare = log.loc[log["amount"] >= 0, ["customer_id", "date"]]
    table = churn.acquisition_table(bare, customers=shop["customers"][["customer_id", "channel"]])
    assert list(table.columns) == [
        "customer_id",
        "first_date",
        "first_month",
        "first_season",
        "channel",
        "retained",
    ]
    rich = churn.acquisition_profile(log, customers=shop["customers"], by="channel")
    poor = churn.acquisition_profile(bare, customers=shop["customers"], by="channel")
    pd.testing.assert_frame_equal(rich[poor.columns], poor)


def test_customer_tables_that_do_not_fit_are_refused(log, shop):
    people = shop["customers"]
    with pytest.raises(InputError, match="Rename them"):
        churn.acquisition_table(log, customers=people.assign(value=1))
    with pytest.raises(InputError, match="do not write customer_id alike"):
        churn.acquisition_table(
            log, customers=people.assign(customer_id=people["customer_id"].astype(str))
        )
    with pytest.raises(InputError, match="holds lists"):
        churn.acquisition_profile(
            log, customers=people.assign(tags=[["a"]] * len(people)), by="tags"
        )


def test_a_handful_of_customers_still_has_a_profile():
    table = pd.DataFrame({"customer_id": [1, 2, 3], "x": [1, 2, 3], "churned": [0, 1, 0]})
    with pytest.raises(InputError, match="at least two customers"):
        churn.retention_profile(table)
    more = pd.concat([table, table.assign(customer_id=[4, 5, 6])], ignore_index=True)
    profile = churn.retention_profile(more)
    assert profile["customers"].sum() == 6
    assert np.isfinite(profile.select_dtypes("number")).all(axis=None)


def test_plots_say_what_they_cannot_draw(log):
    profile = churn.retention_profile(
        churn.churn_table(log, as_of="2025-06-30", horizon_days=60), columns=["orders"]
    )
    with pytest.raises(InputError, match="'age' is not in `profile`"):
        churn.plot_profile(profile, variable="age")
    moments = churn.key_moments(log, "first refund")
    with pytest.raises(InputError, match="no effect on `measure` 'visits'"):
        churn.plot_moments(moments, measure="visits")
