"""The door: what real exports contain, and what it says about what it cannot use."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit._frames import day_column, parse_day, read_customers, read_transactions, sorted_codes
from crmkit.errors import CrmkitError, InputError, MissingColumnsError


def log(**columns):
    base = {
        "customer_id": [2, 1, 2, 1],
        "date": pd.to_datetime(["2024-01-05", "2024-01-01", "2024-01-02", "2024-02-29"]),
        "amount": [1.5, 2.0, -1.0, 4.0],
    }
    return pd.DataFrame(base | columns)


DAYS = [19727, 19723, 19724, 19782]


def read(table, **options):
    options = {"optional": ("amount", "order_id", "product", "quantity", "cost")} | options
    return read_transactions(table, **options)


def assert_read(table):
    found = read(table)
    assert found.day.tolist() == DAYS
    assert found.customer.tolist() == [1, 0, 1, 0]
    assert found.amount.tolist() == [1.5, 2.0, -1.0, 4.0]
    assert found.as_of == 19782
    assert found.rows_after_as_of == 0


class TestDates:
    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_every_resolution(self, unit):
        assert_read(log(date=log()["date"].astype(f"datetime64[{unit}]")))

    @pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York"])
    def test_zones_keep_their_own_calendar_day(self, zone):
        late = log()["date"] + pd.Timedelta("23h")
        assert_read(log(date=late.dt.tz_localize(zone)))

    def test_date_objects(self):
        assert_read(log(date=[stamp.date() for stamp in log()["date"]]))
        assert_read(log(date=[stamp.to_pydatetime() for stamp in log()["date"]]))

    def test_categories_of_dates(self):
        assert_read(log(date=log()["date"].astype("category")))

    @pytest.mark.parametrize("kind", ["date32[pyarrow]", "timestamp[us][pyarrow]"])
    def test_arrow_dates(self, kind):
        pytest.importorskip("pyarrow")
        dates = log()["date"].astype("timestamp[us][pyarrow]")
        if kind.startswith("date32"):
            import pyarrow as pa

            dates = dates.astype(pd.ArrowDtype(pa.date32()))
        assert_read(log(date=dates))

    def test_dates_before_1970(self):
        old = log(date=pd.to_datetime(["1969-12-31 12:00"] * 4))
        assert read(old).day.tolist() == [-1] * 4

    def test_text_and_numbers_are_no_dates(self):
        for wrong in (["2024-01-05"] * 4, [20240105] * 4, [1.7e9] * 4):
            with pytest.raises(InputError, match=r"`transactions`: column 'date' must hold dates"):
                read(log(date=wrong))

    def test_missing_dates_are_counted(self):
        dates = log()["date"].where([True, False, True, False])
        with pytest.raises(
            InputError, match=r"'date' is missing in 2 of 4 rows \(first at row 1, 3"
        ):
            read(log(date=dates))

    def test_parse_day(self):
        for value in (
            "2024-02-29",
            dt.date(2024, 2, 29),
            pd.Timestamp("2024-02-29 23:59"),
            np.datetime64("2024-02-29"),
            pd.Timestamp("2024-02-29", tz="Asia/Tokyo"),
        ):
            assert parse_day(value, "as_of") == 19782
        for wrong in ("soon", 19782, None, pd.NaT, np.nan):
            with pytest.raises(InputError, match="`as_of` must be a date"):
                parse_day(wrong, "as_of")
        assert str(day_column([19782])[0])[:10] == "2024-02-29"


class TestIds:
    def test_many_types(self):
        ids = pd.Series([2, 1, 2, 1])
        for kind in ("int32", "Int64", "float64", "category"):
            assert_read(log(customer_id=ids.astype(kind)))
        assert_read(log(customer_id=ids.map({1: "a", 2: "b"})))
        assert_read(log(customer_id=ids.map({1: "a", 2: "b"}).astype(object)))
        assert_read(log(customer_id=[UUID(int=i) for i in ids]))
        assert_read(log(customer_id=ids.map({1: 7, 2: "7"})))

    def test_unused_categories_are_no_customers(self):
        ids = pd.Categorical(["b", "a", "b", "a"], categories=["z", "b", "a"])
        found = read(log(customer_id=ids))
        assert list(found.customer_ids) == ["a", "b"]

    def test_mixed_types_sort_the_same_in_any_order(self):
        values = pd.Series(["b", 3, "a", 1.5, None, UUID(int=1)], dtype=object)
        codes, distinct = sorted_codes(values)
        assert codes[4] == -1
        back = values.iloc[::-1]
        codes_back, distinct_back = sorted_codes(back)
        assert list(distinct) == list(distinct_back) == [1.5, 3, UUID(int=1), "a", "b"]
        assert codes_back[::-1].tolist() == codes.tolist()

    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
    def test_missing_ids_are_counted(self, missing):
        table = log(customer_id=pd.Series([2, missing, missing, 1], dtype=object))
        with pytest.raises(InputError, match=r"'customer_id' is missing in 2 of 4 rows"):
            read(table)

    def test_all_problems_at_once(self):
        table = log(customer_id=[None, 1, 2, 3], amount=[1, np.nan, np.inf, 2])
        with pytest.raises(InputError) as caught:
            read(table)
        text = str(caught.value)
        assert "'customer_id' is missing in 1 of 4" in text
        assert "'amount' is missing in 1 of 4" in text
        assert "'amount' is infinite in 1 of 4" in text

    def test_customers_are_unique(self):
        with pytest.raises(InputError, match=r"repeats an earlier row in 1 of 3 rows .*: \[1\]"):
            read_customers(pd.DataFrame({"customer_id": [1, 2, 1]}))


class TestAmounts:
    def test_many_types(self):
        amounts = log()["amount"]
        for kind in ("float32", "Float64"):
            assert_read(log(amount=amounts.astype(kind)))
        assert_read(log(amount=[Decimal(str(a)) for a in amounts]))

    def test_arrow_types(self):
        pa = pytest.importorskip("pyarrow")
        amounts = log()["amount"]
        assert_read(log(amount=amounts.astype("double[pyarrow]")))
        assert_read(log(amount=amounts.astype(pd.ArrowDtype(pa.decimal128(9, 2)))))

    def test_text_is_no_number(self):
        with pytest.raises(InputError, match=r"'amount' is not a number in 4 of 4 .*'1,5'"):
            read(log(amount=["1,5"] * 4))
        with pytest.raises(
            InputError, match=r"'amount' is not a number in 1 of 4 rows \(first at row 2"
        ):
            read(log(amount=pd.Series([1, 2, "x", 3], dtype=object)))


class TestLog:
    def test_order_of_the_day(self):
        table = log(
            date=pd.to_datetime(
                ["2024-01-01 09:00", "2024-01-01 00:00", "2024-01-01 00:00", "2024-01-02 00:00"]
            )
        )
        found = read(table)
        assert len(np.unique(found.order)) == 3
        assert (found.order // found.order_span == found.customer).all()

    @pytest.mark.parametrize(
        "orders",
        [[9, 9, 9, 8], ["x", "x", "x", "y"], [1.5, 1.5, 1.5, 2.5], [2**62, 2**62, 2**62, -(2**62)]],
    )
    def test_an_order_belongs_to_one_customer(self, orders):
        found = read(log(order_id=orders))
        assert len(np.unique(found.order)) == 3
        assert (found.order // found.order_span == found.customer).all()

    def test_a_missing_order_id_is_an_order_of_the_day(self):
        found = read(log(order_id=["x", None, "x", None]))
        assert len(np.unique(found.order)) == 3

    def test_rows_after_as_of_are_left_out_and_counted(self):
        found = read(log(), as_of="2024-01-04")
        assert found.rows_after_as_of == 2
        assert found.as_of == 19726
        assert list(found.customer_ids) == [1, 2]
        assert read(log(), as_of="2024-01-01").n_customers == 1
        with pytest.raises(InputError, match="no row on or before `as_of`"):
            read(log(), as_of="2023-12-31")

    def test_missing_products_have_code_minus_one(self):
        found = read(log(product=["b", None, "a", "b"]))
        assert found.product.tolist() == [1, -1, 0, 1]

    def test_other_columns_come_along(self):
        found = read(log(shop=list("wxyz")), optional=("shop",), as_of="2024-01-04")
        assert found.column("shop").tolist() == ["x", "y"]
        assert found.has("shop")
        assert not found.has("amount")

    def test_a_missing_column_is_named_with_the_likely_slip(self):
        table = log().rename(columns={"customer_id": "CustomerID"})
        with pytest.raises(MissingColumnsError, match="did you mean 'CustomerID'"):
            read(table)
        with pytest.raises(MissingColumnsError, match="reset_index"):
            read(log().set_index("customer_id"))

    def test_other_engines(self):
        pl = pytest.importorskip("polars")
        duckdb = pytest.importorskip("duckdb")
        frame = pl.from_pandas(log())
        assert_read(frame)
        assert_read(frame.lazy())
        assert_read(frame.to_arrow())
        lines = frame.to_arrow()
        assert_read(duckdb.sql("select * from lines"))
        assert len(lines) == 4

    # ibis 12 asks pandas for an option that pandas 3 has deprecated.
    @pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")
    def test_a_warehouse_through_ibis(self):
        ibis = pytest.importorskip("ibis")
        table = log().assign(date=log()["date"].astype("datetime64[us]"))
        assert_read(ibis.memtable(table))

    def test_what_is_no_table_is_refused(self):
        for wrong in ([{"customer_id": 1}], 7, None, np.zeros(3), "log.csv"):
            with pytest.raises(InputError, match="`transactions` must be a DataFrame"):
                read(wrong)
        with pytest.raises(InputError, match="no rows"):
            read(log().iloc[:0])
        with pytest.raises(InputError, match="twice"):
            read(pd.concat([log(), log()], axis=1))


class TestAsTransactions:
    def test_renames_and_keeps_the_rest(self):
        raw = pd.DataFrame(
            {
                "No": [1.0, 2.0],
                "When": ["2024-01-05", "2024-01-06 10:00"],
                "Total": [1, 2],
                "shop": ["a", "b"],
            },
            index=[5, 5],
        )
        copy = raw.copy()
        found = crmkit.as_transactions(raw, customer_id="No", date="When", amount="Total")
        pd.testing.assert_frame_equal(raw, copy)
        assert list(found.columns) == ["customer_id", "date", "amount", "shop"]
        assert found["customer_id"].tolist() == [1, 2]
        assert isinstance(found.index, pd.RangeIndex)
        assert found.attrs["account"]["rows_read"] == 2

    def test_own_names_need_no_words(self):
        found = crmkit.as_transactions(log(product=list("abcd")))
        assert list(found.columns) == ["customer_id", "date", "amount", "product"]

    def test_policies_count_what_they_drop(self):
        raw = log(customer_id=[1, None, 2, 2]).iloc[[0, 0, 1, 2, 3]]
        found = crmkit.as_transactions(
            raw, missing_customers="drop", refunds="drop", duplicates="drop"
        )
        assert len(found) == 2
        account = found.attrs["account"]
        counted = {name: n for name, n in account.items() if name.endswith(("read", "kept", "ped"))}
        assert counted == {
            "rows_read": 5,
            "amount_read": 8.0,
            "missing_customers_dropped": 1,
            "refunds_dropped": 1,
            "duplicates_dropped": 1,
            "rows_kept": 2,
            "amount_kept": 5.5,
        }
        assert account["refunds_found"] == 1
        assert account["missing_customers_dropped_amount"] == 2.0
        assert account["refunds_dropped_amount"] == -1.0
        assert account["duplicates_dropped_amount"] == 1.5

    def test_missing_dates_and_amounts(self):
        raw = log(date=["2024-01-01", None, "2024-01-02", "2024-01-03"], amount=[1, 2, None, 4])
        with pytest.raises(InputError, match=r"'date' is missing in 1 of 4"):
            crmkit.as_transactions(raw)
        found = crmkit.as_transactions(raw, missing_dates="drop", missing_amounts="drop")
        assert found["amount"].tolist() == [1, 4]

    @pytest.mark.parametrize(
        ("text", "date_format"),
        [
            ("31-12-2025", "%d-%m-%Y"),
            ("12-31-2025", "%m-%d-%Y"),
            ("31-12-2025 23:30:00 +0100", "%d-%m-%Y %H:%M:%S %z"),
            ("31-12-2025 23:30:00", "%d-%m-%Y %H:%M:%S"),
        ],
    )
    def test_a_year_at_the_end_is_no_offset(self, text, date_format):
        raw = pd.DataFrame({"customer_id": [1, 2], "date": [text, text]})
        found = crmkit.as_transactions(raw, date_format=date_format)
        assert (found["date"].dt.normalize() == pd.Timestamp("2025-12-31")).all()

    def test_day_first_text_is_never_guessed(self):
        raw = log(date=["05/01/2024", "06/01/2024", "07/01/2024", "13/01/2024"])
        with pytest.raises(InputError, match=r"not a date in ISO form .* in 4 of 4 rows"):
            crmkit.as_transactions(raw)
        found = crmkit.as_transactions(raw, date_format="%d/%m/%Y")
        assert found["date"].dt.month.unique().tolist() == [1]

    def test_numbers_need_a_format(self):
        raw = log(date=[19970101, 19970102, 19970103, 19970104])
        with pytest.raises(InputError, match="date_format"):
            crmkit.as_transactions(raw)
        found = crmkit.as_transactions(raw, date_format="%Y%m%d")
        assert found["date"].iloc[0] == pd.Timestamp("1997-01-01")

    def test_mixed_zones_need_tz(self):
        raw = log(
            date=[
                "2024-01-01T23:30:00+00:00",
                "2024-01-01T23:30:00+01:00",
                "2024-01-02T10:00:00Z",
                "2024-01-02T10:00:00Z",
            ]
        )
        with pytest.raises(InputError, match="mixes time zones"):
            crmkit.as_transactions(raw)
        found = crmkit.as_transactions(raw, tz="Europe/Amsterdam")
        assert found["date"].dt.day.tolist() == [2, 1, 2, 2]

    def test_two_zones_behind_the_door_keep_each_its_own_day(self):
        stamps = [pd.Timestamp("2024-01-01 23:00", tz=zone) for zone in ("UTC", "Asia/Tokyo")] * 2
        assert read(log(date=pd.Series(stamps, dtype=object))).day.tolist() == [19723] * 4
        with pytest.raises(InputError, match="with and without an offset"):
            read(log(date=pd.Series([*stamps[:3], pd.Timestamp("2024-01-01")], dtype=object)))

    def test_one_offset_keeps_its_clock(self):
        raw = log(date=["2024-01-01T23:30:00+02:00"] * 4)
        assert (crmkit.as_transactions(raw)["date"].dt.hour == 23).all()

    def test_aware_columns(self):
        raw = log(date=log()["date"].dt.tz_localize("UTC"))
        assert crmkit.as_transactions(raw)["date"].iloc[0] == pd.Timestamp("2024-01-05")
        found = crmkit.as_transactions(raw, tz="America/New_York")
        assert found["date"].iloc[0] == pd.Timestamp("2024-01-04 19:00")

    def test_a_clash_of_names_is_refused(self):
        with pytest.raises(InputError, match="beside the one you name"):
            crmkit.as_transactions(log(Total=[1, 2, 3, 4]), amount="Total")

    def test_exact_duplicates_can_be_refused(self):
        with pytest.raises(InputError, match="repeats an earlier one in 1 of 5"):
            crmkit.as_transactions(log().iloc[[0, 1, 1, 2, 3]], duplicates="raise")

    def test_wrong_words_are_named(self):
        with pytest.raises(
            InputError, match=r"`refunds` must be one of \['keep', 'drop'\].*'drop'"
        ):
            crmkit.as_transactions(log(), refunds="dropp")

    def test_errors_are_of_one_family(self):
        assert issubclass(MissingColumnsError, InputError)
        assert issubclass(InputError, (CrmkitError, ValueError))


class TestAsCustomers:
    def test_renames_and_checks(self):
        raw = pd.DataFrame({"No": [1.0, None, 2.0, 2.0], "channel": ["a", "b", "c", "c"]})
        with pytest.raises(InputError, match="missing"):
            crmkit.as_customers(raw, customer_id="No")
        found = crmkit.as_customers(
            raw, customer_id="No", missing_customers="drop", duplicates="drop"
        )
        assert found["customer_id"].tolist() == [1, 2]
        assert found.attrs["account"]["duplicates_dropped"] == 1
        with pytest.raises(InputError, match="repeats"):
            crmkit.as_customers(raw.iloc[[0, 2, 3]], customer_id="No")
