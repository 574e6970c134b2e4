"""Prints the rows of Avro or Parquet files, one JSON object a line, in the order of their field `n`.

    rows.py READER DIRECTORY COLUMN...

READER: fastavro for Avro; arrow, duckdb, polars or spark for Parquet. Bytes are hexadecimal, decimals and dates text, times milliseconds of the day, timestamps
milliseconds since 1970, maps objects.
"""

import datetime
import decimal
import glob
import json
import sys


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
        return round((value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if hasattr(value, "asDict"):
        return plain(value.asDict())
    if isinstance(value, (list, tuple)):
        # Entries of a map.
        if value and all(isinstance(entry, dict) and entry.keys() == {"key", "value"} for entry in value):
            return {entry["key"]: plain(entry["value"]) for entry in value}
        return [plain(inner) for inner in value]
    return value


def files(directory, ending):
    return sorted(glob.glob(f"{directory}/**/*{ending}", recursive=True))


def fastavro(directory, columns):
    from fastavro import reader

    for name in files(directory, ".avro"):
        with open(name, "rb") as file:
            for row in reader(file):
                yield {column: row[column] for column in columns}


def arrow(directory, columns):
    from pyarrow import parquet

    for name in files(directory, ".parquet"):
        yield from parquet.ParquetFile(name).read(columns=columns).to_pylist(maps_as_pydicts="strict")


def duckdb(directory, columns):
    import duckdb

    names = ", ".join(f'"{column}"' for column in columns)
    for name in files(directory, ".parquet"):
        for row in duckdb.sql(f"select {names} from read_parquet('{name}')").fetchall():
            yield dict(zip(columns, row))


def polars(directory, columns):
    import polars

    for name in files(directory, ".parquet"):
        yield from polars.read_parquet(name, columns=columns).select(columns).to_dicts()


def spark(directory, columns):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    # Its fast reader has no decimals in bytes with a dictionary, which parquet-avro writes, too.
    builder = builder.config("spark.sql.parquet.enableVectorizedReader", "false")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for row in session.read.parquet(*files(directory, ".parquet")).select(columns).collect():
        yield row.asDict()


reader, directory, *columns = sys.argv[1:]
readers = {"fastavro": fastavro, "arrow": arrow, "duckdb": duckdb, "polars": polars, "spark": spark}
rows = [plain(row) for row in readers[reader](directory, columns)]
for row in sorted(rows, key=lambda row: row["n"]):
    print(json.dumps(row))
