"""Which prospects resemble the best customers, and which an offer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from crmkit._arguments import check_column, check_columns, columns_named
from crmkit._checks import listed
from crmkit._frames import read_customers
from crmkit._learn import FeatureEncoder, figures, with_outcome
from crmkit._learn.columns import column_table, judged_columns
from crmkit._learn.outcomes import read_arms
from crmkit._learn.score_model import ScoreModel
from crmkit._learn.seen import in_sample
from crmkit.churn._model.winback import WinBackModel
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._learn.scorer import Scorer


__all__ = ["ProspectModel"]

# What acquisition_table tells of a customer only after the first purchase.
_LATER = ("retained", "value", "valuable")
_FIRST = ("first_date", "first_month", "first_season", "first_product")


class ProspectModel(ScoreModel):
    """Score prospects by likeness to the best customers, by response, and by what an offer adds.

    All scores use only what is known before a prospect becomes a customer; columns that arise
    later are refused. Likeness is learned from customers whose first months are over
    (``acquisition_table``), response from prospects who were contacted before, and what the offer
    adds to it from these beside a control group of prospects who were left alone.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        What learns. The default is a ridge-penalised logistic regression.
    calibration : {"sigmoid", "isotonic", "none"}, default "sigmoid"
        How out-of-fold scores are turned into probabilities.
    n_folds : int, default 5
        Number of parts for cross-fitting.
    random_state : int, optional
        Seed of the parts and of the estimator. Without one the parts are fixed.

    Attributes
    ----------
    performance_ : pandas.DataFrame
        One row per score (``p_valuable`` and, with contacts, ``p_response``): ``customers``,
        ``rate``, ``p_mean``, ``auc``, ``average_precision``, ``brier``, ``calibration_error``,
        ``top_decile_lift``, all out of fold.
    columns_, contact_columns_ : pandas.DataFrame
        As in :class:`crmkit.churn.WinBackModel`; an honest column of such an area is named too.
        What ``acquisition_table`` adds stands there too, with why it was not used.
    base_rate_ : float
        Share of valuable customers the model learned from.
    account_ : dict
        ``rows`` given, and how many of them ``without_outcome`` were left out; likewise
        ``contacts_rows`` and ``contacts_without_outcome``.
    scorer_, response_scorer_ : object
        The fitted parts; the second is None without contacts.
    offer_model_ : WinBackModel or None
        What the offer adds, with its average and intervals; None without a control group.

    See Also
    --------
    acquisition_table : Makes the table of customers, with what they turned out to be worth.
    acquisition_profile : The same question level by level.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> shop = datasets.make_transactions(1500, random_state=0)
    >>> known = shop["customers"][["customer_id", "channel", "region", "age"]]
    >>> customers = churn.acquisition_table(shop["transactions"], customers=known)
    >>> model = churn.ProspectModel(random_state=0).fit(customers)
    >>> prospects = known.head(3)
    >>> list(model.predict(prospects).columns)
    ['customer_id', 'p_valuable', 'likeness', 'in_sample']
    """

    base_rate_: float
    response_scorer_: Scorer | None
    contact_columns_: pd.DataFrame | None
    offer_model_: WinBackModel | None

    _not_saved = (*ScoreModel._not_saved, "_seen_contacts_")

    def fit(
        self,
        customers: Any,
        contacts: Any = None,
        *,
        target: str = "valuable",
        responded: str = "responded",
        treated: str | None = None,
        control: Any = None,
        columns: Sequence[str] | None = None,
        progress: bool = False,
    ) -> Self:
        """Learn from customers, and from prospects contacted before.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with ``customer_id``, what was known before the first purchase
            and the target, as ``acquisition_table`` makes it.
        contacts : DataFrame, optional
            One row per prospect contacted, with the same columns and whether each responded.
            Rows with a missing response (not contacted) are left out.
        target : str, default "valuable"
            Column of `customers` with 1 for the customers to find more of: ``valuable`` or
            ``retained`` of ``acquisition_table``, or any other.
        responded : str, default "responded"
            Column of `contacts` with 1 for a response, 0 for none.
        treated : str, optional
            Column that says who was treated: 1 for prospects who got the offer, 0 for those
            of `contacts` who were left alone at random. Without it all were contacted.
        control : optional
            Name of the control arm, where `treated` holds names other than "control".
        columns : sequence of str, optional
            Columns to learn from. The default is all but the id, the target, dates and what
            ``acquisition_table`` adds to the customers' own columns.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        ProspectModel
            The model itself.

        Raises
        ------
        InputError
            If a column arises only after the first purchase, one outcome is too rare, or
            `treated` has no control group, several offers, or arms that visibly differ.
        """
        if columns is not None:
            columns = check_columns(columns, "columns")
        late = [name for name in columns or () if name in (*_LATER, *_FIRST)]
        if late:
            raise InputError(
                f"`columns` {late} are not known before the first purchase, so no prospect has "
                "them. Leave them out."
            )
        frame = read_customers(customers, needs=columns_named(target=target))
        frame, result, self.account_ = with_outcome(frame, target)
        # Whether prospects respond is asked; no score may be told.
        responded = check_column(responded, "responded")
        asked = [target] if contacts is None else [target, responded]
        if treated is not None:
            if contacts is None:
                raise InputError("`treated` is a column of `contacts`, which is not given.")
            asked.append(check_column(treated, "treated"))
        elif control is not None:
            raise InputError("`control` names an arm of `treated`, which is not given.")
        encoder = FeatureEncoder(columns=columns, exclude=[*asked, *_LATER, *_FIRST])
        valuable = self._learn(frame, result, encoder, progress=progress)
        rows = [{"model": "p_valuable", **figures(valuable.scores, result)}]
        self.scorer_, self.response_scorer_ = valuable.scorer, None
        self.contact_columns_ = self.offer_model_ = None
        self.base_rate_ = float(result.mean())
        looks: dict[str, Any] = {"certain_is_suspect": True, "warn": columns is None}
        encoder = valuable.scorer.encoder
        self.columns_ = judged_columns(
            frame, encoder.looked_at(frame), encoder.terms, result, target, **looks
        )
        late = [name for name in (*_LATER, *_FIRST) if name in frame.columns and name != target]
        if late:
            self.columns_ = pd.concat([self.columns_, _not_known(frame, late)], ignore_index=True)
        self._seen_, self._background_ = valuable.seen, valuable.background
        if contacts is not None:
            known = self.scorer_.encoder.used_columns
            needs = [*asked[1:], *known]
            seen = read_customers(contacts, needs=needs, name="contacts")
            if treated is not None:
                arms = read_arms(seen, treated, control, name="contacts")
                if len(arms.treatments) > 1:
                    raise InputError(
                        f"`contacts`: column {treated!r} has several offers "
                        f"{listed(arms.treatments[:10])}. Learn from one at a time."
                    )
                self.offer_model_ = WinBackModel(
                    estimator=self.estimator, n_folds=self.n_folds, random_state=self.random_state
                ).fit(
                    seen,
                    outcome=responded,
                    treated=treated,
                    control=control,
                    columns=known,
                    progress=progress,
                )
                seen = seen[arms.code > 0].reset_index(drop=True)
            seen, answer, account = with_outcome(seen, responded, name="contacts")
            self.account_ |= {f"contacts_{name}": number for name, number in account.items()}
            encoder = FeatureEncoder(columns=known)
            response = self._learn(seen, answer, encoder, name="contacts", progress=progress)
            rows.append({"model": "p_response", **figures(response.scores, answer)})
            self.response_scorer_ = response.scorer
            self._seen_contacts_ = response.seen
            encoder = response.scorer.encoder
            self.contact_columns_ = judged_columns(
                seen,
                encoder.looked_at(seen),
                encoder.terms,
                answer,
                responded,
                name="contacts",
                **looks,
            )
        self.performance_ = pd.DataFrame(rows)
        return self

    def predict(self, prospects: Any) -> pd.DataFrame:
        """Score prospects.

        Parameters
        ----------
        prospects : DataFrame
            One row per prospect with ``customer_id`` and the columns the model learned from.

        Returns
        -------
        pandas.DataFrame
            One row per prospect, in their order:

            * ``customer_id`` - as given.
            * ``p_valuable`` (float) - probability to turn out as the target says, once won.
            * ``likeness`` (float) - 100 x this over the share among customers.
            * ``p_response`` (float) - probability to respond if contacted; only if the model
              was fitted with contacts.
            * ``p_both`` (float) - the product of the two, which takes them as independent given
              the columns; only if the model was fitted with contacts.
            * ``expected_control`` (float) - probability to respond if left alone; only if the
              model was fitted with a control group.
            * ``uplift`` (float) - what the offer adds to this probability; only if the model was
              fitted with a control group.
            * ``in_sample`` (bool) - whether the model learned from this very row; such scores
              are refused where scores are judged. Missing in a model read from a file, which
              keeps nothing of its customers.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.
        """
        self._check_fitted()
        needs = self.scorer_.encoder.used_columns
        frame = read_customers(prospects, needs=needs, name="prospects")
        matrix = self.scorer_.encoder.transform(frame, name="prospects")
        valuable = self.scorer_.score(matrix)
        scores = pd.DataFrame(
            {
                "customer_id": frame["customer_id"],
                "p_valuable": valuable,
                "likeness": 100 * valuable / self.base_rate_,
            }
        )
        learned = in_sample(vars(self).get("_seen_"), frame, matrix)
        if self.response_scorer_ is not None:
            matrix = self.response_scorer_.encoder.transform(frame, name="prospects")
            scores["p_response"] = self.response_scorer_.score(matrix)
            scores["p_both"] = scores["p_valuable"] * scores["p_response"]
            learned |= in_sample(vars(self).get("_seen_contacts_"), frame, matrix)
        if self.offer_model_ is not None:
            effect = self.offer_model_.predict(frame)
            for name in ("expected_control", "uplift"):
                scores[name] = effect[name].to_numpy()
            learned |= effect["in_sample"].array
        return scores.assign(in_sample=learned)


def _not_known(frame: pd.DataFrame, late: list[str]) -> pd.DataFrame:
    """Return rows of ``columns_`` for what no prospect has."""
    told = column_table(frame, late, [])
    later = told["column"].isin(_LATER)
    why = later.map({True: "known only later", False: "the first purchase itself"})
    return told.assign(
        transformation="not used: " + why, alone_auc=float("nan"), rows_certain=0, likely_leak=False
    )
