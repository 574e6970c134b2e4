"""Reads objects in a Hive layout and prints what is in each combination of partition columns.

    read.py READER DIRECTORY COLUMN...

READER: duckdb, arrow, polars or spark. Prints JSON: rows of the columns' values (text or null), how many records, and the sum of their field `n`.
"""

import json
import sys


def duckdb(directory, columns):
    import duckdb

    names = ", ".join(columns)
    options = "hive_partitioning=true, hive_types_autocast=false"
    return duckdb.sql(f"select {names}, count(*), sum(n) from read_json('{directory}/**/*.json', {options}) group by all").fetchall()


def dataset(directory, columns):
    import pyarrow
    from pyarrow import dataset

    schema = pyarrow.schema([(column, pyarrow.string()) for column in columns])
    return dataset.dataset(directory, format="json", partitioning=dataset.partitioning(schema, flavor="hive"))


def arrow(directory, columns):
    grouped = dataset(directory, columns).to_table().group_by(columns).aggregate([("n", "count"), ("n", "sum")])
    return [[row[name] for name in [*columns, "n_count", "n_sum"]] for row in grouped.to_pylist()]


def polars(directory, columns):
    import polars

    scanned = polars.scan_pyarrow_dataset(dataset(directory, columns))
    return scanned.group_by(columns).agg(polars.len(), polars.col("n").sum()).collect().rows()


def spark(directory, columns):
    from pyspark.sql import SparkSession, functions

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    # Else `07` is read as 7.
    session = builder.config("spark.sql.sources.partitionColumnTypeInference.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session.read.json(directory).groupBy(columns).agg(functions.count("n"), functions.sum("n")).collect()


reader, directory, *columns = sys.argv[1:]
rows = {"duckdb": duckdb, "arrow": arrow, "polars": polars, "spark": spark}[reader](directory, columns)
print(json.dumps([[None if value is None else str(value) for value in row] for row in rows]))
