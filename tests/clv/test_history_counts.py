"""Histories with counts teach a model what the customers themselves teach it."""

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import clv, datasets
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def log():
    return datasets.load_cdnow()


@pytest.mark.parametrize(
    ("model", "regularity"),
    [(clv.BGNBD, False), (clv.ParetoNBD, False), (clv.MBGNBD, False), (clv.BGCNBD, True)],
)
def test_counts_teach_what_the_customers_teach(log, model, regularity):
    table = clv.purchase_table(log, regularity=regularity)
    counts = clv.history_counts(log, regularity=regularity)
    assert counts["customers"].sum() == len(table)
    assert not counts.duplicated(["frequency", "recency", "T"]).any()
    by_row, by_count = model().fit(table), model().fit(counts, weights="customers")
    assert by_count.log_likelihood_ == pytest.approx(by_row.log_likelihood_, rel=1e-10)
    assert by_count.bic_ == pytest.approx(by_row.bic_, rel=1e-10)
    estimates = by_row.parameters_["estimate"].to_numpy()
    np.testing.assert_allclose(by_count.parameters_["estimate"], estimates, rtol=1e-6)


def test_cells_of_spend_move_no_parameter_by_a_tenth_of_its_error(log):
    counts = clv.history_counts(log, of="spend")
    by_row = clv.GammaGamma().fit(clv.purchase_table(log))
    by_cell = clv.GammaGamma().fit(counts, weights="customers")
    assert len(counts) < 0.2 * counts["customers"].sum()
    a, b = (np.log(model.parameters_["estimate"]) for model in (by_row, by_cell))
    error = by_row.parameters_["std_error"] / by_row.parameters_["estimate"]
    assert (np.abs(a - b) < 0.1 * error).all()
    spent = (counts["frequency"] * counts["monetary_value"] + counts["first_amount"]) @ counts[
        "customers"
    ]
    assert spent == pytest.approx(log["amount"].sum(), rel=1e-3)


def test_counts_come_from_parts(log):
    for options in ({}, {"regularity": True}, {"of": "spend"}):
        whole = clv.history_counts(log, **options)
        parts = crmkit.by_customer(clv.history_counts, log, rows_per_part=20_000, **options)
        pd.testing.assert_frame_equal(parts, whole, rtol=1e-12)
        assert parts.attrs == whole.attrs


def test_what_spend_cannot_be_made_of_is_refused(log):
    with pytest.raises(InputError, match="no column 'amount'"):
        clv.history_counts(log.drop(columns="amount"), of="spend")
    with pytest.raises(InputError, match="`regularity` is about purchases"):
        clv.history_counts(log, of="spend", regularity=True)
    with pytest.raises(InputError, match="customer_id"):
        clv.BGNBD().fit(clv.history_counts(log))
