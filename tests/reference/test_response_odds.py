"""Odds ratios equal statsmodels 0.15.0, Logit(...).fit(tol=1e-14), to 1e-8.

240 customers made by arithmetic, so that nothing is drawn; and the bank's calls where the file is
given.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import response


def test_small_table():
    i = np.arange(240)
    x = ((i * 37) % 101) / 10
    g = np.array(list("abc"))[(i * 7) % 3]
    p = 1 / (1 + np.exp(-(-1 + 0.2 * x - 0.05 * x**2 / 3 + 0.8 * (g == "b"))))
    y = (((i * 53) % 97) / 97 < p).astype(int)
    table = response.odds_ratios(
        pd.DataFrame({"customer_id": i, "x": x, "g": g, "y": y}), outcome="y"
    )
    assert table["level"].tolist() == ["", "b", "c"]
    assert table["coefficient"].tolist() == pytest.approx(
        [-0.049476696998430644, 0.9166233886192356, -0.0024665068101901726], abs=1e-8
    )
    assert table["std_error"].tolist() == pytest.approx(
        [0.045761976673419316, 0.32550782642431225, 0.32740039813487115], abs=1e-8
    )
    assert table["p_value"].tolist() == pytest.approx(
        [0.2796193554547145, 0.00486287591455133, 0.9939891060037752], abs=1e-8
    )


def test_bank(reference_data):
    bank = pd.read_csv(reference_data / "bank-full.csv", sep=";")
    bank = bank.assign(customer_id=np.arange(len(bank)), y=(bank["y"] == "yes").astype(int))
    columns = ["age", "balance", "campaign", "housing", "loan", "contact"]
    table = response.odds_ratios(bank, outcome="y", columns=columns)
    assert table["coefficient"].tolist() == pytest.approx(
        [
            0.000632055994306514,
            2.5097874765277566e-05,
            -0.14445058411546227,
            0.7175957453733118,
            -0.6653154192184425,
            -1.2838416009852243,
            -0.1611428163894119,
        ],
        abs=1e-8,
    )
    assert table["std_error"].tolist() == pytest.approx(
        [
            0.0013621947849276398,
            4.0021199797539905e-06,
            0.008580161806653984,
            0.03155167710466192,
            0.05039879311447489,
            0.047984437654266666,
            0.059117821142438916,
        ],
        abs=1e-8,
    )
