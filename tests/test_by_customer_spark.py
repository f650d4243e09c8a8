"""What Spark's workers give for their parts is what the whole log gives."""

import os
import shutil

import pandas as pd
import pytest

import crmkit
from crmkit import basket, churn, clv, response, segmentation
from crmkit.errors import InputError
from test_by_customer import POOLS, a_log, of, people, same

pyspark = pytest.importorskip("pyspark", reason="needs the extra spark")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("Spark needs Java", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")  # Spark's own


@pytest.fixture(scope="module")
def spark():
    """Return a session, classic or through Connect, which do not go into one process."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", 4)
    connect = os.environ.get("CRMKIT_SPARK") == "connect"
    builder = builder.remote("local[2]") if connect else builder.master("local[2]")
    try:
        session = builder.getOrCreate()
    except Exception as error:
        pytest.skip(f"Spark does not start here: {str(error)[:200]}")
    yield session
    session.stop()


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (segmentation.rfm_table, {}),
        (clv.purchase_table, {"as_of": "2024-12-31"}),
        (churn.churn_table, {"as_of": ["2024-03-31", "2024-06-30"], "horizon_days": 90}),
        (churn.cohort_customers, {"cohort": "2024-02-01", "age": 2}),
        (churn.lifecycle_table, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_workers_give_what_the_whole_gives(spark, function, options):
    log = a_log()
    whole = function(log, **options)
    parts = crmkit.by_customer(function, spark.createDataFrame(log), rows_per_part=400, **options)
    keys = [column for column in ("customer_id", "as_of") if column in whole]
    parts = parts.toPandas().sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole, check_dtype=False)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (churn.retention_table, {"by": "channel"}),
        (churn.cohort_table, {"as_of": "2024-12-31"}),
        (segmentation.customer_profit, {"cost_pools": POOLS}),
        (clv.log_audit, {}),
        (basket.frequent_itemsets, {"min_support": 0.02}),
        (response.buyer_profile, {"customers": people, "product": "a"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_sums_of_the_workers_give_what_the_whole_gives(spark, function, options):
    log = a_log()
    options = of(options, log)
    parts = crmkit.by_customer(function, spark.createDataFrame(log), rows_per_part=400, **options)
    same(parts, function(log, **options))


def test_a_model_predicts_in_the_workers(spark):
    table = clv.purchase_table(a_log())
    model = clv.BGNBD().fit(table)
    parts = crmkit.by_customer(model.predict, spark.createDataFrame(table), horizon_days=90)
    parts = parts.toPandas().sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(parts, model.predict(table, horizon_days=90), check_dtype=False)


def test_faults_of_the_whole_are_told_before_the_work(spark):
    log = a_log()
    with pytest.raises(InputError, match=r"customer 249 has \d+ rows, more than the 200"):
        crmkit.by_customer(segmentation.rfm_table, spark.createDataFrame(log), rows_per_part=200)
    table = spark.createDataFrame(log).selectExpr("nullif(customer_id, 5) AS customer_id", "date")
    missing = (log["customer_id"] == 5).sum()
    with pytest.raises(InputError, match=f"'customer_id' is missing in {missing} of 3,000 rows"):
        crmkit.by_customer(clv.purchase_table, table)
