#!/usr/bin/env bash
# Has DuckDB, Arrow, Polars, fastavro and Spark read what the sink writes. Needs Python 3, Java 17 for Spark, and the exports of scripts/services.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
python="target/readers/bin/python"
if ! "$python" -c 'import duckdb, fastavro, polars, pyarrow, pyspark' 2>/dev/null; then
    echo "installing the readers into target/readers" >&2
    python3 -m venv target/readers
    "$python" -m pip install --quiet duckdb==2.0.1 fastavro==1.13.1 polars==2.1.0 pyarrow==26.0.1 pyspark==4.3.0
fi
CONNECT_TEST_READERS="$PWD/$python" cargo test --locked --test it readers -- --nocapture
