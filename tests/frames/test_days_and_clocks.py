"""Days as arguments, clocks of columns, ends of the calendar: read in full or refused in words."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import churn, response, segmentation
from crmkit._frames import day_column, parse_day
from crmkit.errors import InputError

NINTH = 15317  # 9 December 2011


def log(dates, **columns):
    """A log of one row per date."""
    base = {"customer_id": range(len(dates)), "date": dates, "amount": 1.0}
    return pd.DataFrame(base | columns)


def days(dates, **options):
    """The calendar days that the door reads, in ISO form."""
    found = crmkit.as_transactions(log(dates), **options)["date"]
    return [f"{moment:%Y-%m-%d}" for moment in found]


def clock(dates, **options):
    found = crmkit.as_transactions(log(dates), **options)["date"]
    return [f"{moment:%d %H:%M}" for moment in found]


class TestOneDay:
    @pytest.mark.parametrize(
        "value",
        [
            "2011-12-09",
            " 2011-12-09 ",
            "2011-12-09 23:59",
            "2011-12-09T23:59:59.123456789",
            "2011-12-09T23:59:59+14:00",
            "2011-12-09 00:00:00 -0500",
            "2011-12-09T12:00Z",
            np.str_("2011-12-09"),
            dt.date(2011, 12, 9),
            dt.datetime(2011, 12, 9, 23, 59),
            dt.datetime(2011, 12, 9, 23, 59, tzinfo=ZoneInfo("Asia/Tokyo")),
            pd.Timestamp("2011-12-09 23:59:59.999999999"),
            pd.Timestamp("2011-12-09", tz="Asia/Tokyo"),
            np.datetime64("2011-12-09"),
            np.datetime64("2011-12-09T23", "h"),
        ],
    )
    def test_in_full_or_date_like(self, value):
        assert parse_day(value, "as_of") == NINTH

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("09/12/2011", "9 December 2011 or 12 September 2011: write 2011-12-09 or 2011-09-12"),
            ("09.12.2011", "9 December 2011 or 12 September 2011"),
            ("09-12-2011", "9 December 2011 or 12 September 2011"),
            ("13/12/2011", "It could mean 13 December 2011: write 2011-12-13"),
            ("12.09.2011", "12 September 2011 or 9 December 2011"),
            ("9 Dec 2011", "9 December 2011: write 2011-12-09"),
            ("December 9, 2011", "9 December 2011: write 2011-12-09"),
            ("2011/12/09", "9 December 2011 or 12 September 2011"),
            ("2011-12-9", "9 December 2011"),
            ("20111209", "9 December 2011: write 2011-12-09"),
            (20111209, "9 December 2011: write 2011-12-09"),
            ("09/12/11", "9 December 2011 or 12 September 2011 or 11 December 2009"),
            ("today", "clock is never read"),
            ("now", "clock is never read"),
            ("Today", "clock is never read"),
            ("2011", "must be a date such as '2025-06-30'; got '2011'"),
            ("2011-12", "got '2011-12'"),
            ("2011-W49-5", "got"),
            ("2011-12-09 25:00", "got"),
            ("2011-02-30", "got"),
            ("soon", "got 'soon'"),
            ("", "got ''"),
            (19782, "got 19782"),
            (1.3e9, "got"),
            (10**400, "got"),
            (True, "got True"),
            (None, "got None"),
            (np.nan, "got nan"),
            (pd.NaT, "got NaT"),
            (np.datetime64("NaT"), "got NaT"),
            (np.datetime64("2011"), "got 2011"),
            (np.datetime64("2011-12"), "got 2011-12"),
            (pd.Period("2011-12-09"), "got"),
            (dt.time(9), "got"),
            (["2011-12-09"], "got"),
            ("9999-12-31", "must lie in the years 1678 to 2261"),
            ("1677-12-31", "must lie in the years 1678 to 2261"),
            (dt.date(9999, 12, 31), "must lie in the years 1678 to 2261; got 9999-12-31"),
            (dt.datetime(1, 1, 1), "must lie in the years 1678 to 2261"),
            (np.datetime64("9999-12-31"), "must lie in the years 1678 to 2261"),
        ],
    )
    def test_anything_else_is_refused_with_its_readings(self, value, words):
        with pytest.raises(InputError, match="`as_of` must") as caught:
            parse_day(value, "as_of")
        assert words in str(caught.value)

    def test_everywhere(self):
        table = log(pd.to_datetime(["2011-09-01", "2011-12-09"]))
        for value in ("09/12/2011", "today", "20111209", 20111209):
            with pytest.raises(InputError, match="as_of"):
                segmentation.rfm_table(table, as_of=value)
        assert len(segmentation.rfm_table(table, as_of=np.str_("2011-12-09"))) == 2

    def test_far_days_are_written_too(self):
        assert str(day_column([2932896])[0])[:10] == "9999-12-31"
        assert str(day_column([-719162])[0])[:10] == "0001-01-01"


LATE = dt.datetime(2025, 6, 30, 23, 30)
ZONE = "Europe/Amsterdam"


class TestZones:
    def stamps(self, kind):
        if kind == "arrow":
            pytest.importorskip("pyarrow")
        aware = pd.Series(pd.to_datetime([LATE, None])).dt.tz_localize("UTC")
        return {
            "numpy": aware,
            "arrow": lambda: aware.astype("timestamp[us, tz=UTC][pyarrow]"),
            "category": aware.astype("category"),
            "objects": aware.astype(object),
            "python": pd.Series([LATE.replace(tzinfo=dt.UTC), None], dtype=object),
            "text": pd.Series(["2025-06-30T23:30Z", None]),
            "offsets": pd.Series(["2025-06-30 23:30:00+00:00", None]),
        }[kind]

    @pytest.mark.parametrize(
        "kind", ["numpy", "arrow", "category", "objects", "python", "text", "offsets"]
    )
    def test_a_stamp_with_a_zone_moves_to_that_of_the_day(self, kind):
        stamps = self.stamps(kind)
        stamps = stamps() if callable(stamps) else stamps
        given = stamps.iloc[[0, 0]].reset_index(drop=True)
        assert clock(given, tz=ZONE) == ["01 01:30"] * 2
        assert clock(given) == ["30 23:30"] * 2
        assert clock(stamps, tz=ZONE, missing_dates="drop") == ["01 01:30"]

    def test_an_arrow_zone_keeps_its_own_clock(self):
        pytest.importorskip("pyarrow")
        local = pd.Series(pd.to_datetime([LATE])).dt.tz_localize("America/New_York")
        arrow = local.astype("timestamp[us, tz=America/New_York][pyarrow]")
        assert clock(arrow) == clock(local) == ["30 23:30"]
        table = log(arrow)
        assert segmentation.rfm_table(table).attrs["as_of"] == "2025-06-30"

    @pytest.mark.parametrize(
        "dates",
        [
            ["2025-06-30 23:30", "2025-06-30T23:30:00"],
            pd.to_datetime(["2025-06-30 23:30"] * 2),
            [LATE, LATE],
            pd.Series([LATE, LATE], dtype=object),
        ],
    )
    def test_without_an_offset_nothing_moves(self, dates):
        assert clock(dates, tz=ZONE) == ["30 23:30"] * 2

    def test_formats_without_an_offset_do_not_move_either(self):
        assert clock(["30/06/2025 23:30"], date_format="%d/%m/%Y %H:%M", tz=ZONE) == ["30 23:30"]
        form = "%d/%m/%Y %H:%M %z"
        assert clock(["30/06/2025 23:30 +0000"], date_format=form, tz=ZONE) == ["01 01:30"]
        assert clock(["30/06/2025 23:30 +0000"], date_format=form) == ["30 23:30"]

    @pytest.mark.parametrize("tz", [None, ZONE])
    @pytest.mark.parametrize(
        "dates",
        [
            ["2025-06-30T10:00", "2025-06-30T10:00Z"],
            ["2025-06-30T10:00-05:00", "2025-06-30T10:00"],
            ["2025-06-30", "2025-06-30T10:00+02:00"],
            [LATE, LATE.replace(tzinfo=dt.UTC)],
        ],
    )
    def test_a_mixture_of_stamps_with_and_without_offset_is_refused(self, dates, tz):
        with pytest.raises(InputError, match=r"`raw`: column 'date' .*offset"):
            crmkit.as_transactions(log(pd.Series(dates, dtype=object)), tz=tz)
        if not isinstance(dates[0], str):
            with pytest.raises(InputError, match="with and without an offset"):
                segmentation.rfm_table(log(pd.Series(dates, dtype=object)))

    def test_objects_of_several_offsets_keep_each_its_own_clock(self):
        zone = ZoneInfo(ZONE)
        across = [dt.datetime(2025, month, 1, 0, 30, tzinfo=zone) for month in (1, 7)]
        two = [LATE.replace(tzinfo=dt.timezone(dt.timedelta(hours=h))) for h in (2, -5)]
        for given, own, in_utc in (
            (across, ["2025-01-01", "2025-07-01"], ["2024-12-31", "2025-06-30"]),
            (two, ["2025-06-30", "2025-06-30"], ["2025-06-30", "2025-07-01"]),
        ):
            dates = pd.Series(given, dtype=object)
            assert days(dates) == own
            assert days(dates, tz="UTC") == in_utc
            assert len(segmentation.rfm_table(log(dates))) == 2

    def test_text_of_several_offsets_needs_a_zone(self):
        for dates in (
            ["2025-01-01T00:30+01:00", "2025-07-01T00:30+02:00"],
            ["2025-01-01T00:30-05:00", "2025-07-01T00:30-04:00"],
            ["2025-01-01 00:30Z", "2025-07-01 00:30+02:00"],
        ):
            with pytest.raises(InputError, match=r"mixes time zones .*`tz`"):
                crmkit.as_transactions(log(dates))
        assert days(["2025-01-01T00:30-05:00", "2025-07-01T00:30-04:00"], tz="UTC") == [
            "2025-01-01",
            "2025-07-01",
        ]

    @pytest.mark.parametrize(
        ("tz", "hint"),
        [
            ("Amsterdam", "Did you mean 'Europe/Amsterdam'?"),
            ("europe/amsterdam", "Did you mean 'Europe/Amsterdam'?"),
            ("New York", "Did you mean 'America/New_York'?"),
            ("Mars", "got 'Mars'"),
            ("Europe", "got 'Europe'"),
            ("", "got ''"),
            ("../etc", "got '../etc'"),
            ("a\0b", "got"),
            (2, "got 2"),
            (["UTC"], "got"),
        ],
    )
    def test_a_zone_that_is_none(self, tz, hint):
        with pytest.raises(InputError, match="`tz` must name a time zone") as caught:
            crmkit.as_transactions(log(["2025-01-01"]), tz=tz)
        assert hint in str(caught.value)


class TestForms:
    @pytest.mark.parametrize(
        "form", ["%Q", "%", "%Y-%m-%d%", "mixed", "ISO8601", "", "%d/%m", "%Y %Y", 5, ["%Y"], b"%Y"]
    )
    def test_a_form_that_is_none(self, form):
        with pytest.raises(InputError, match="`date_format` must say how dates are written"):
            crmkit.as_transactions(log(["2025-01-01"]), date_format=form)

    @pytest.mark.parametrize("text", ["now", "today", "2025", "2025-06", "soon", "31/12/2025"])
    def test_no_text_is_guessed_or_read_off_the_clock(self, text):
        for dates in ([text, text], [text, "2025-06-30"], ["2025-06-30T10:00Z", text]):
            with pytest.raises(InputError, match=r"not a date in ISO form .* in \d of 2 rows"):
                crmkit.as_transactions(log(dates))

    @pytest.mark.parametrize(
        "text",
        [
            "2025-06-30",
            "20250630",
            "2025/06/30",
            "2025-06-30 10:00",
            " 2025-06-30",
            "2025-06-30T10",
        ],
    )
    def test_iso(self, text):
        assert days([text]) == days([text, text, "2025-06-30"])[:1] == ["2025-06-30"]

    def test_text_beside_dates(self):
        mixed = [dt.datetime(2025, 6, 30), "2025-06-30", dt.date(2025, 6, 30)]
        assert days(pd.Series(mixed, dtype=object)) == ["2025-06-30"] * 3
        with pytest.raises(InputError, match=r"in 1 of 2 rows \(first at row 1\): \[45000\]"):
            crmkit.as_transactions(log(pd.Series(["2025-06-30", 45000], dtype=object)))
        with pytest.raises(InputError, match="not a date"):
            crmkit.as_transactions(log(["2025-06-30", "?"]))
        with pytest.raises(InputError, match="holds lists"):
            crmkit.as_transactions(log([["2025-06-30"]]))

    def test_numbers_with_a_form(self):
        for kind in ("int64", "float64", "Int64", "category", object):
            dates = pd.Series([20250630, 20250701]).astype(kind)
            assert days(dates, date_format="%Y%m%d") == ["2025-06-30", "2025-07-01"]

    @pytest.mark.parametrize(
        ("number", "unit"),
        [(45_838, None), (1_751_241_600, "s"), (1_751_241_600_000, "ms"),
         (1_751_241_600_000_000, "us"), (1_751_241_600_000_000_000, "ns")],
    )  # fmt: skip
    def test_the_advice_on_numbers_leads_to_the_right_date(self, number, unit):
        column = pd.Series([number, number])
        with pytest.raises(InputError, match="holds numbers, not dates") as caught:
            crmkit.as_transactions(log(column))
        advice = str(caught.value)
        code = advice[advice.index("pandas.to_datetime") :].rstrip(".")
        found = eval(code, {"pandas": pd, "column": column})
        assert found.dt.strftime("%Y-%m-%d").tolist() == ["2025-06-30"] * 2
        assert ("1899-12-30" in advice) == (unit is None)

    def test_written_numbers(self):
        with pytest.raises(InputError, match=r"date_format='%Y%m%d'"):
            crmkit.as_transactions(log([20250630]))
        with pytest.raises(InputError, match="holds flags, not dates"):
            crmkit.as_transactions(log([True, False]))


FAR = [
    dt.date(9999, 12, 31),
    dt.datetime(1, 1, 1),
    dt.date(1677, 12, 31),
    dt.date(2262, 1, 1),
    np.datetime64("9999-12-31"),
]


class TestEnds:
    @pytest.mark.parametrize("far", FAR)
    def test_a_date_of_a_log_is_said_in_words(self, far):
        dates = pd.Series([dt.date(2025, 1, 1), far], dtype=object)
        year = str(far)[:4]
        for read in (crmkit.as_transactions, segmentation.rfm_table):
            with pytest.raises(InputError, match="outside the years 1678 to 2261") as caught:
                read(log(dates))
            assert f"in 1 of 2 rows (first at row 1): [{year}" in str(caught.value)

    @pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "1677-01-01"])
    def test_so_is_text(self, text):
        with pytest.raises(InputError, match="outside the years 1678 to 2261"):
            crmkit.as_transactions(log(["2025-01-01", text]))
        form = "%d.%m.%Y"
        written = ["01.01.2025", "31.12.9999"]
        with pytest.raises(InputError, match="outside the years 1678 to 2261"):
            crmkit.as_transactions(log(written), date_format=form)

    @pytest.mark.parametrize("unit", ["s", "us"])
    def test_so_are_wide_columns(self, unit):
        dates = np.array(["2025-01-01", "9999-12-31"], dtype=f"datetime64[{unit}]")
        with pytest.raises(InputError, match="outside the years 1678 to 2261"):
            segmentation.rfm_table(log(dates))

    def test_the_last_days_are_right(self):
        assert days(["1678-01-01", "2261-12-31"]) == ["1678-01-01", "2261-12-31"]

    @pytest.mark.parametrize("far", FAR)
    def test_an_end_of_a_contract_beyond_the_calendar_is_open(self, far):
        start = pd.to_datetime(["2025-01-01"] * 4)
        end = [dt.date(2025, 2, 15), None, None, dt.date(2025, 4, 1)]
        contracts = pd.DataFrame({"customer_id": range(4), "start_date": start, "end_date": end})
        expected = churn.retention_table(contracts, as_of="2025-05-31")
        end = pd.Series([end[0], far, far, end[3]], dtype=object)
        found = churn.retention_table(contracts.assign(end_date=end), as_of="2025-05-31")
        pd.testing.assert_frame_equal(found, expected)
        found = churn.retention_table(contracts.assign(end_date=end))
        assert found["period"].max() < pd.Timestamp("2025-06-01")

    def test_a_consent_may_hold_for_good_or_never(self):
        customers = pd.DataFrame({"customer_id": [1, 2, 3]})
        scores = customers.assign(score=0.5)
        consent = customers.assign(
            consent=True,
            since=pd.Series([dt.date(1, 1, 1), dt.date(2025, 1, 1), None], dtype=object),
            valid_until=pd.Series([dt.date(9999, 12, 31), dt.date(1, 1, 1), None], dtype=object),
        )
        found = response.select_targets(
            customers, scores, consent=consent, as_of="2025-06-30", holdout_share=0
        )
        assert found["reason"].tolist() == ["selected", "consent expired", "selected"]
