"""The cases of crmkit.segmentation's overview of segments."""

from __future__ import annotations

from _suite import Case, Target, study
from crmkit import segmentation
from worlds import covered, grouped, money, rows


def overviews(rng, n_segments, size, sigma):
    """Segments of customers who earn 1 on average and spend 1.2 times what they spent before."""
    table = grouped(n_segments, size)
    n = len(table)
    table["customer_id"] = table["customer_id"].astype(str)
    spent = money(rng, n, sigma)
    customers = table.assign(
        profit=money(rng, n, sigma), total_amount=1.2 * spent * money(rng, n, sigma / 2)
    )
    found = segmentation.segment_overview(
        customers, by="group", before=table.assign(total_amount=spent)
    )
    return {
        "mean": rows(covered(found["mean_profit_low"], found["mean_profit_high"], 1.0)),
        "growth": rows(covered(found["growth_low"], found["growth_high"], 0.2)),
    }


@study("segments of 200 customers, who spend much alike and a fifth more than before",
       short=15, full=300)  # fmt: skip
def overview_of_large_segments(rng):
    return overviews(rng, 20, 200, 0.5)


@study(
    "segments of 15 customers, a tenth of whom bring half the money and spend a fifth more",
    corner=True,
    short=15,
    full=300,
)
def overview_of_small_segments(rng):
    return overviews(rng, 20, 15, 1.5)


OVERVIEW = Target(segmentation.segment_overview)
HELD = (0.93, 0.97)

CASES = [
    Case(OVERVIEW, "coverage", overview_of_large_segments, "mean", 0.95, HELD),
    Case(OVERVIEW, "coverage", overview_of_large_segments, "growth", 0.95, HELD),
    Case(
        OVERVIEW,
        "coverage",
        overview_of_small_segments,
        "mean",
        0.95,
        (0.7, 0.78),
        "does not hold: covers .74 of means of 15 amounts with heavy tails",
        "intervals of 95 % hold 74 %",
    ),
    Case(
        OVERVIEW,
        "coverage",
        overview_of_small_segments,
        "growth",
        0.95,
        (0.72, 0.8),
        "does not hold: covers .76 of the growth of 15 amounts with heavy tails",
        "and 76 % of the growth",
    ),
]
