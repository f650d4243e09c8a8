"""What a parameter of a name may be and how it is told, wherever it stands: one owner for all."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAR", "RULES", "SENTENCES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """The limits of a number."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False
    integer: bool = False
    endless: bool = False  # infinity is right too: the rest of a relationship


FAR = 1e15  # beyond it a float has no cents
_ANY = Rule(-FAR, FAR)
_SHARE = Rule(0, 1)
_INNER_SHARE = Rule(0, 1, low_open=True, high_open=True)  # neither never nor always
_AT_LEAST_0 = Rule(0, FAR)
_ABOVE_0 = Rule(0, FAR, low_open=True)
# Counts end where no memory could hold what is counted, days after a hundred years, so that no
# sum of a day and a number of days leaves the calendar.
_COUNT = Rule(1, 1_000_000_000, integer=True)
_COUNT_FROM_0 = Rule(0, 1_000_000_000, integer=True)
_COUNT_FROM_2 = Rule(2, 1_000_000_000, integer=True)
_ROWS = Rule(1, 1_000_000, integer=True)
_ROWS_FROM_0 = Rule(0, 1_000_000, integer=True)
_ROWS_FROM_2 = Rule(2, 1_000_000, integer=True)
_DAYS = Rule(1, 36_525, integer=True)
_DAYS_FROM_0 = Rule(0, 36_525, integer=True)

# Of a mapping or a sequence the rule is that of its numbers.
_NAMES = (
    (_ANY, "cut gain_per_contact limits min_gain"),
    (
        _SHARE,
        "bundle_share lapsed margin min_confidence min_share min_stability p_churn "
        "refund_share save_rate shares thresholds",
    ),
    (
        _INNER_SHARE,
        "alpha at_risk base_rate confidence_level power propensity treated_share valuable_share",
    ),
    (
        _AT_LEAST_0,
        "acquisition_cost action_cost alive_in_days break_even budget contact_cost effect expected "
        "fixed_cost l2 penalizer spend tiers value",
    ),
    (
        _ABOVE_0,
        "half_life_days period_days purchase_parameters rate_days spend_parameters std_dev "
        "time_unit_days",
    ),
    (
        _COUNT,
        "customers_control customers_treated max_antecedent max_consequent max_itemsets "
        "max_length max_pairs max_sequences max_together min_customers min_gaps min_length "
        "min_support",
    ),
    (_COUNT_FROM_0, "capacity max_contacts"),
    (_COUNT_FROM_2, "max_bins max_levels max_segments n_segments sample_size"),
    (
        _ROWS,
        "contacts_per_customer max_frequency n_bands n_best n_bins n_bundles n_customers n_groups "
        "n_intervals n_items n_neighbours n_reasons n_repeats n_resamples n_rules n_splits n_train "
        "n_treatments n_variables n_windows",
    ),
    (_ROWS_FROM_0, "max_purchases n_labels"),
    (_ROWS_FROM_2, "n_folds n_points n_recencies"),
    (
        _DAYS,
        "acquisition_days active_days after_days before_days every_days horizon_days "
        "horizon_periods max_gap_days min_gap_days n_days n_periods recent_days retained_days "
        "span_periods washout_days window_days window_periods",
    ),
    (_DAYS_FROM_0, "age grace_days grace_periods lead_days max_age"),
    (Rule(0, 1, high_open=True), "correlation explained_share holdout_share"),
    (Rule(0, 0.5), "min_bin_share"),
    (Rule(1, FAR), "cluster_size"),
    (Rule(0, 1000, low_open=True), "looks"),  # shares of a plan, which may be overrun
    (Rule(-1, FAR), "change growth"),
    (Rule(-1, 1), "uplift"),
    (Rule(-1, 2, low_open=True), "annual_discount_rate"),
    (Rule(1, 12, integer=True), "k"),
    (Rule(3, 1_000_000, integer=True), "max_points"),
    (Rule(2, 10_000, integer=True), "n_placebos"),
    (Rule(0, FAR, low_open=True), "per"),
    (Rule(10, 1_000_000, integer=True), "n_draws n_products"),
    # What scikit-learn takes.
    (Rule(0, 2**32 - 1, integer=True), "random_state"),
    # A name with a second meaning, under a name of the meaning's own.
    (Rule(0, 2), "rate_ahead"),  # annual_discount_rate of a model; 3 was meant as per cent
    (Rule(0, FAR, endless=True), "days_ahead"),  # horizon_days of a model of whole relationships
    (_COUNT, "rows_per_part"),
    (Rule(1, 1024, integer=True), "n_jobs"),
    (Rule(2, 9, integer=True), "n_scores"),  # n_bins of scores, which are written as one figure
    (_ANY, "difference"),  # uplift of a rate or of an amount
    (_ROWS_FROM_0, "draws_kept"),  # n_draws of a model: none, unless they are asked for
    (_DAYS, "whole_days"),  # period_days of a table of days
    (Rule(0, 1, low_open=True), "share_of_baskets"),  # min_support, where it is no count
)
RULES = {name: rule for rule, names in _NAMES for name in names.split()}

# How the text of a parameter begins in every docstring that has it; a second beginning is a second
# meaning of the name.
SENTENCES = {
    "annual_discount_rate": ("Rate per year",),
    "as_of": ("Last day observed, inclusive", "Day of the "),
    "ax": ("Where to draw. The default is a new figure.",),
    "by": (
        "Columns that make the groups; customers without a value are a group of their own.",
        "Groups of customers with the same number of past purchases",  # forecast_table
    ),
    "confidence_level": ("Level of the ",),
    "control": ("Name of the control arm, where `treated` holds names other than",),
    "estimator": ("What learns",),
    "horizon_days": (
        "Days to look ahead",
        "Time to look ahead, in the unit of",
        "Days after `as_of`",
    ),
    "interval": ("Adds an interval for the ",),
    "l2": ("Ridge penalty",),
    "lead_days": ("Days between `as_of` and the outcome",),
    "margin": ("Share of ",),
    "min_support": ("Smallest support",),
    "n_bins": ("Number of parts", "Number of scores, 2 to 9"),
    "n_draws": ("Bootstrap draws", "Posterior draws"),
    "n_folds": ("Number of parts for cross-fitting.",),
    "outcome": ("Column with the outcome",),
    "period": ("Calendar period",),
    "prior": ("What is thought likely before the data",),
    "progress": ("Show a progress bar",),
    "random_state": ("Seed of ",),
    "since": ("First day counted, inclusive",),
    "tie": ("Groups of terms that are held equal",),
    "treated": ("Column that says who was treated",),
    "treatment": ("The arm to compare with the control group",),
    "weights": ("Column with the weight of each row",),
}
