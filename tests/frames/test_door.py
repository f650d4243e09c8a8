"""What the door says of a raw table, in rows and money, and how it reads numbers and ids."""

import json
import math
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmkit
from crmkit import clv, segmentation
from crmkit._frames import read_customers, read_transactions
from crmkit._frames.findings import far_dates
from crmkit.errors import InputError

DAY = pd.Timestamp("2025-06-30")


def log(n=4, **columns):
    base = {"customer_id": range(n), "date": DAY, "amount": np.arange(1.0, n + 1)}
    return pd.DataFrame(base | columns)


def account(table, **options):
    return crmkit.as_transactions(table, **options).attrs["account"]


class TestAccount:
    def test_says_rows_and_money(self):
        dates = ["2025-06-30", "2025-06-29", None, "someday", "2025-06-28", "2025-06-27"]
        table = log(
            6, customer_id=["a", None, "a", "a", "b", "b"], date=dates,
            amount=[10.0, 20.0, 30.0, 40.0, np.nan, -5.0],
        )  # fmt: skip
        found = account(
            table,
            missing_customers="drop",
            missing_dates="drop",
            missing_amounts="drop",
            refunds="drop",
            duplicates="drop",
        )
        expected = {
            "rows_read": 6, "amount_read": 95.0, "refunds_found": 1,
            "missing_customers_dropped": 1, "missing_customers_dropped_amount": 20.0,
            "missing_dates_dropped": 1, "missing_dates_dropped_amount": 30.0,
            "unreadable_dates_dropped": 1, "unreadable_dates_dropped_amount": 40.0,
            "missing_amounts_dropped": 1, "missing_amounts_dropped_amount": 0.0,
            "refunds_dropped": 1, "refunds_dropped_amount": -5.0,
            "duplicates_dropped": 0, "duplicates_dropped_amount": 0.0,
            "rows_kept": 1, "amount_kept": 10.0,
            "first_date": "2025-06-30", "last_date": "2025-06-30", "customers": 1,
            "largest_share_of_rows": 1.0, "largest_share_of_amount": 1.0, "far_rows": 0,
            "blank_id_rows": 0, "missing_word_id_rows": 0, "spaced_ids": 0, "alike_ids": 0,
            "ids_of_two_kinds": 0, "suspicious_ids": [],
        }  # fmt: skip
        assert found == expected

    def test_a_row_is_counted_once(self):
        table = log(2, customer_id=[None, 1], date=[None, DAY], amount=[np.nan, -1.0])
        found = account(
            table, missing_customers="drop", missing_dates="drop", missing_amounts="drop"
        )
        assert found["missing_customers_dropped"] == 1
        assert found["missing_dates_dropped"] == found["missing_amounts_dropped"] == 0

    def test_is_plain_and_the_same_everywhere(self):
        for table in (
            crmkit.as_transactions(log()),
            crmkit.as_customers(log()[["customer_id"]]),
        ):
            found = table.attrs["account"]
            assert json.loads(json.dumps(found)) == found
            assert found["rows_read"] == found["rows_kept"] == 4

    def test_of_an_earlier_door_is_not_kept(self):
        once = crmkit.as_transactions(log(customer_id=[None, 1, 2, 3]), missing_customers="drop")
        again = crmkit.as_transactions(once)
        assert "missing_customers_dropped" not in again.attrs["account"]
        assert again.attrs["account"]["rows_read"] == 3
        assert once.attrs["account"]["rows_read"] == 4

    def test_without_amounts_there_is_no_money(self):
        found = account(log().drop(columns="amount"))
        assert not any("amount" in key for key in found)

    def test_the_largest_customer(self):
        found = account(log(customer_id=[1, 1, 1, 2], amount=[1.0, 1.0, 2.0, 16.0]))
        assert found["largest_share_of_rows"] == 0.75
        assert found["largest_share_of_amount"] == 0.8
        assert "largest_share_of_amount" not in account(log(amount=[1.0, 1.0, 2.0, -4.0]))

    def test_equal_rows_are_looked_for_on_request_only(self, monkeypatch):
        table = log().iloc[[0, 0, 1]]
        assert account(table, duplicates="drop")["duplicates_dropped"] == 1
        monkeypatch.setattr(pd.DataFrame, "duplicated", None)
        assert not any("duplicates" in key for key in account(table))


class TestFarDates:
    def test_one_row_in_another_century(self):
        dates = pd.date_range("2025-01-01", periods=99).append(pd.DatetimeIndex(["2125-01-01"]))
        found = account(log(100, date=dates))
        assert (found["first_date"], found["last_date"]) == ("2025-01-01", "2125-01-01")
        assert found["far_rows"] == 1
        assert found["far_dates"] == ["2125-01-01"]
        assert found["far_gap_days"] == (pd.Timestamp("2125-01-01") - dates[98]).days

    def test_a_few_rows_at_either_end(self):
        dates = pd.date_range("2023-01-01", "2025-12-31").repeat(2).to_series()
        odd = pd.to_datetime(["1970-01-01", "1970-01-01", "2029-01-01", "2030-06-01", "2052-01-01"])
        found = account(log(len(dates) + 5, date=[*dates, *odd]))
        assert found["far_rows"] == 5
        assert found["far_dates"] == ["1970-01-01", "2029-01-01", "2052-01-01"]
        assert found["far_gap_days"] == 19358

    @pytest.mark.parametrize(
        "dates",
        [
            pd.date_range("2000-01-01", periods=30, freq="YS"),
            pd.to_datetime(["2020-01-01", "2022-01-01", "2024-06-01"]),
            pd.to_datetime(["2020-01-01"] * 40),
            pd.date_range("2025-01-01", periods=60).append(pd.to_datetime(["2025-12-30"])),
            pd.to_datetime(["2015-01-01"] * 50 + ["2025-01-01"] * 50),
        ],
    )
    def test_sparse_logs_and_two_halves_have_none(self, dates):
        assert account(log(len(dates), date=dates))["far_rows"] == 0

    @given(st.lists(st.integers(0, 400), min_size=10, max_size=60), st.integers(5000, 20_000))
    def test_by_brute_force(self, near, far):
        days = np.array([*near, far], dtype=np.int64)
        longest = int(np.diff(np.unique(near)).max(initial=0))
        found = far_dates(days)
        if far - max(near) > max(365, 10 * longest):
            assert found["far_rows"] >= 1
            assert found["far_gap_days"] >= far - max(near)
        order = np.random.default_rng(0).permutation(days.size)
        assert far_dates(days[order]) == found


class TestSuspiciousIds:
    def test_are_counted_and_kept(self):
        ids = ["", " ", "NULL", "nan", "N/A", "-", "A1 ", "A1", "b7", "B7", 123, "123", "C"]
        table = log(len(ids) + 1, customer_id=pd.Series([*ids, "NULL"], dtype=object))
        found = crmkit.as_transactions(table)
        assert found["customer_id"].tolist() == [*ids, "NULL"]
        counted = found.attrs["account"]
        assert counted["blank_id_rows"] == 2
        assert counted["missing_word_id_rows"] == 5
        assert counted["spaced_ids"] == 1
        assert counted["alike_ids"] == 6
        assert counted["ids_of_two_kinds"] == 1
        assert "'NULL'" in counted["suspicious_ids"] or "'-'" in counted["suspicious_ids"]
        assert (
            crmkit.as_customers(pd.DataFrame({"customer_id": ["x", "X", "None"]})).attrs["account"][
                "alike_ids"
            ]
            == 2
        )

    @pytest.mark.parametrize("kind", ["string", "category", object])
    def test_of_any_type(self, kind):
        found = account(log(customer_id=pd.Series(["a", "A ", "null", "b"]).astype(kind)))
        assert (found["alike_ids"], found["missing_word_id_rows"]) == (2, 1)

    def test_usual_ids_are_not(self):
        for ids in (
            [1, 2, 3, 4],
            ["a", "b", "c", "d"],
            [1.5, 2, 3, 4],
            [UUID(int=i) for i in range(4)],
        ):
            assert account(log(customer_id=ids))["suspicious_ids"] == []


BROKEN = ["a\0b", "a\0", "\0", "x\ud800", "\udfff"]


class TestIdsThatCannotBeToldApart:
    @pytest.mark.parametrize("text", BROKEN)
    @pytest.mark.parametrize("column", ["customer_id", "product", "order_id"])
    def test_are_refused(self, text, column):
        table = log(3, **{column: pd.Series(["a", text, "a\0c"], dtype=object)})
        for read in (
            crmkit.as_transactions,
            lambda t: read_transactions(t, optional=("order_id", "product")),
        ):
            with pytest.raises(InputError, match=f"column '{column}' holds lists, or text with"):
                read(table)

    @pytest.mark.parametrize("kind", ["string", "category", "string[pyarrow]"])
    def test_of_any_type(self, kind):
        if "pyarrow" in kind:
            pytest.importorskip("pyarrow")
        table = log(3, customer_id=pd.Series(["b", "b", "a\0c"]).astype(kind))
        with pytest.raises(InputError, match="text with a NUL"):
            crmkit.as_transactions(table)
        with pytest.raises(InputError, match="text with a NUL"):
            read_customers(table)

    @pytest.mark.parametrize("cell", [[1], {"a": 1}, {1}, np.zeros(2), ([1],)])
    def test_lists_are_refused(self, cell):
        ids = pd.Series([1, None, 3], dtype=object)
        ids.iat[1] = cell
        for read in (crmkit.as_transactions, crmkit.as_customers, read_customers):
            with pytest.raises(InputError, match=r"'customer_id' holds lists.* in 1 of 3 rows"):
                read(log(3, customer_id=ids))
        with pytest.raises(InputError, match="holds lists"):
            segmentation.rfm_table(log(3, customer_id=ids))

    def test_all_other_text_is_an_id(self):
        ids = ["é", "客", "🙂", "a\tb", "\x7f", "\x01", "a\nb", "\ufffd"]
        assert account(log(8, customer_id=ids))["customers"] == 8

    def test_a_pair_may_be_an_id(self):
        ids = pd.Series([("a", 1), ("a", 2), ("a", 1), ("b", 1)], dtype=object)
        assert segmentation.rfm_table(log(customer_id=ids))["total_amount"].sum() == 10


class TestNumbersAsText:
    @pytest.mark.parametrize(
        ("text", "decimal", "thousands", "number"),
        [
            ("1.234,56", ",", ".", 1234.56),
            ("1,240.00", ".", ",", 1240.0),
            ("1,240.00", None, ",", 1240.0),
            ("12,5", ",", None, 12.5),
            ("-12,5", ",", ".", -12.5),
            ("\u221212,5", ",", ".", -12.5),
            (" 7 ", ",", ".", 7.0),
            ("1 234 567,5", ",", " ", 1234567.5),
            ("1\u202f234,5", ",", " ", 1234.5),
            ("1'234.5", ".", "'", 1234.5),
            ("1\u2019234.5", ".", "'", 1234.5),
            ("12,34,567.8", ".", ",", 1234567.8),
            ("1.234.567", ",", ".", 1234567.0),
            (",5", ",", None, 0.5),
            ("5,", ",", None, 5.0),
            ("1e3", ".", None, 1000.0),
            ("0.1", ".", None, 0.1),
        ],
    )
    @pytest.mark.parametrize("kind", [object, "string", "category"])
    def test_are_read_as_the_caller_says(self, text, decimal, thousands, number, kind):
        table = log(2, amount=pd.Series([text, text]).astype(kind))
        found = crmkit.as_transactions(table, decimal=decimal, thousands=thousands)
        assert found["amount"].tolist() == [number] * 2
        assert found["amount"].dtype == np.float64

    @pytest.mark.parametrize(
        ("text", "decimal", "thousands"),
        [
            ("1.23", ",", "."),
            ("1,24", ".", ","),
            ("1.2.3", ",", "."),
            ("1,2,3", ",", None),
            ("1.234.56", ",", "."),
            ("1234.567,8", ",", "."),
            ("1 234", ",", "."),
            ("€ 5", ",", "."),
            ("5 Stk", ",", "."),
            ("NA", ",", "."),
            ("--5", ",", "."),
            ("٣", ",", "."),
            ("1_000", ".", ","),
            ("inf", ".", ","),
        ],
    )
    def test_what_is_not_so_written_is_shown(self, text, decimal, thousands):
        table = log(3, amount=["1", text, "2"])
        with pytest.raises(InputError, match=r"'amount' is not a number in 1 of 3 rows") as caught:
            crmkit.as_transactions(table, decimal=decimal, thousands=thousands)
        assert f"(first at row 1): [{text!r}]" in str(caught.value)

    def test_text_is_refused_with_the_way_out(self):
        with pytest.raises(InputError, match=r"`decimal` and `thousands`.*decimal=','") as caught:
            crmkit.as_transactions(log(2, amount=["1,5", "2"]))
        assert "['1,5', '2']" in str(caught.value)

    def test_blank_is_missing_and_numbers_are_numbers(self):
        table = log(4, amount=pd.Series(["1,5", "", 2.5, " "], dtype=object))
        found = crmkit.as_transactions(table, decimal=",", missing_amounts="drop")
        assert found["amount"].tolist() == [1.5, 2.5]
        found = crmkit.as_transactions(log(), decimal=",", thousands=".")
        assert found["amount"].tolist() == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        "marks",
        [
            {"decimal": ",,"}, {"decimal": ""}, {"decimal": "5"}, {"decimal": "-"},
            {"decimal": " "}, {"decimal": 5}, {"thousands": "x"}, {"thousands": ["."]},
            {"thousands": "."},
            {"decimal": ",", "thousands": ","},
        ],
    )  # fmt: skip
    def test_wrong_marks(self, marks):
        with pytest.raises(InputError, match=r"`(decimal|thousands)`"):
            crmkit.as_transactions(log(), **marks)

    @given(st.decimals(-1e9, 1e9, places=2))
    def test_every_amount_written_the_german_way(self, amount):
        text = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
        found = crmkit.as_transactions(log(1, amount=[text]), decimal=",", thousands=".")
        assert found["amount"].iloc[0] == float(amount)


class TestPrice:
    def table(self, **columns):
        base = {"unit_price": [0.1, 2.55, 0.0, 1.5], "units": [3, 6, 1, -2]}
        return log().drop(columns="amount").assign(**(base | columns))

    def test_times_quantity_is_the_amount(self):
        found = crmkit.as_transactions(self.table(), price="unit_price", quantity="units")
        assert found["amount"].tolist() == [0.3, 15.3, 0.0, -3.0]
        assert list(found.columns) == ["customer_id", "date", "amount", "quantity", "unit_price"]
        assert found.attrs["account"]["amount_read"] == 12.6
        assert found.attrs["account"]["refunds_found"] == 1

    def test_as_text(self):
        table = self.table(unit_price=["0,1", "2,55", "0", "1,5"])
        found = crmkit.as_transactions(table, price="unit_price", quantity="units", decimal=",")
        assert found["amount"].tolist() == [0.3, 15.3, 0.0, -3.0]

    def test_never_beside_an_amount(self):
        for extra in ({"amount": 1.0}, {"total": 1.0}):
            table = self.table(**extra)
            named = {"amount": "total"} if "total" in extra else {}
            with pytest.raises(InputError, match="`price` and `amount` say the same"):
                crmkit.as_transactions(table, price="unit_price", quantity="units", **named)

    def test_not_without_quantity(self):
        with pytest.raises(InputError, match=r"`price` needs `quantity`.*amount='unit_price'"):
            crmkit.as_transactions(self.table(), price="unit_price")

    def test_a_missing_price_or_quantity_is_a_missing_amount(self):
        table = self.table(unit_price=[0.1, None, 1.0, 1.0], units=[1, 1, None, 2])
        with pytest.raises(InputError, match="'amount' is missing in 2 of 4"):
            crmkit.as_transactions(table, price="unit_price", quantity="units")
        found = crmkit.as_transactions(
            table, price="unit_price", quantity="units", missing_amounts="drop"
        )
        assert found["amount"].tolist() == [0.1, 2.0]

    @given(st.decimals(0, 1000, places=3), st.integers(-500, 500))
    def test_as_exact_as_the_decimal_number(self, price, units):
        table = self.table(unit_price=float(price), units=units)
        found = crmkit.as_transactions(table, price="unit_price", quantity="units")
        assert math.isclose(found["amount"].iloc[0], float(price * units), rel_tol=1e-15)


class TestNames:
    @pytest.mark.parametrize(
        "names",
        [
            {"amount": "amount", "quantity": "amount"},
            {"order_id": "customer_id"},
            {"product": "x", "order_id": "x"},
            {"price": "quantity", "quantity": "quantity"},
            {"cost": "date"},
        ],
    )
    def test_one_column_cannot_be_two(self, names):
        table = log(quantity=1, x="a")
        if "price" in names:
            table = table.drop(columns="amount")
        with pytest.raises(InputError, match="one column cannot be several things"):
            crmkit.as_transactions(table, **names)

    @pytest.mark.parametrize("name", [5, None, np.nan, 2.5, ("a", "b"), b"x", DAY, True])
    def test_other_columns_may_have_any_name(self, name):
        table = log()
        table = pd.concat([table, pd.Series([1, 2, 3, 4], name=name)], axis=1)
        table.columns = [*log().columns, name]
        found = crmkit.as_transactions(table)
        assert found.iloc[:, -1].tolist() == [1, 2, 3, 4]
        assert len(crmkit.as_customers(table)) == 4
        assert len(segmentation.rfm_table(table)) == 4
        assert len(clv.purchase_table(table)) == 4

    def test_columns_of_several_levels_are_refused(self):
        table = log()
        table.columns = pd.MultiIndex.from_product([["x"], table.columns])
        for read in (crmkit.as_transactions, segmentation.rfm_table):
            with pytest.raises(InputError, match=r"columns"):
                read(table)

    @pytest.mark.parametrize("name", [5, None, ["a"], "", b"date"])
    def test_a_name_that_is_none(self, name):
        with pytest.raises(InputError, match="`date` must be the name of a column"):
            crmkit.as_transactions(log(), date=name)
