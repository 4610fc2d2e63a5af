#!/usr/bin/env python3
"""Times `patwatch import` against DuckDB and Polars reading the same event files into Parquet.

In: a patwatch binary and rustc (for the generator). Out: a table of ratios on stdout, and every figure as JSON.
The peers copy: no dedupe, no day files, no derived tables. Results are compared before any time is shown.
A time of patwatch is that of the whole process; a time of a peer leaves out the start of Python.

    cargo build --release && python3 tests/benches/peers/import.py          (needs: pip install duckdb polars)
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from measure import HERE, child, machine, run, spread

COLUMNS = [
    "id", "correlationId", "activityId", "actorCUID", "actorUserId", "actorClientId", "actorUPN",
    "authenticationMechanism", "timestamp", "scopeType", "scopeDisplayName", "scopeId", "projectId", "projectName",
    "ipAddress", "userAgent", "actionId", "data", "details", "area", "category", "categoryDisplayName",
    "actorDisplayName",
]
PASCAL = [("Actor" + c[5:]) if c.startswith("actor") else c[0].upper() + c[1:] for c in COLUMNS]

DUCKDB = """
import duckdb
db = duckdb.connect(config={{"threads": {threads}}})
db.execute("SET preserve_insertion_order = false")
db.execute({sql!r})
"""

POLARS = """
import polars as pl
schema = {{c: pl.String for c in {columns!r}}}
pl.{scan}.sink_parquet({output!r}, compression="zstd", compression_level=1)
"""


def duckdb_sql(shape, path, output):
    """The plain copy in DuckDB, every column named and typed beforehand so that nothing is guessed."""
    text = "{" + ", ".join(f"'{c}': '{'JSON' if c == 'data' else 'VARCHAR'}'" for c in COLUMNS) + "}"
    if shape == "csv":
        names = "{" + ", ".join(f"'{c}': 'VARCHAR'" for c in PASCAL) + "}"
        source = f"SELECT * FROM read_csv('{path}', header = true, delim = ',', quote = '\"', escape = '\"', columns = {names}, auto_detect = false)"
    elif shape == "page":
        struct = "STRUCT(" + ", ".join(f'"{c}" {"JSON" if c == "data" else "VARCHAR"}' for c in COLUMNS) + ")[]"
        source = (
            f"SELECT unnest(decoratedAuditLogEntries, recursive := false) AS e FROM read_json('{path}/*.json', "
            f"format = 'unstructured', maximum_object_size = 67108864, columns = {{'decoratedAuditLogEntries': '{struct}'}})"
        )
        source = f"SELECT e.* FROM ({source})"
    else:
        source = f"SELECT * FROM read_json('{path}', format = 'newline_delimited', columns = {text})"
    return f"COPY ({source}) TO '{output}' (FORMAT parquet, COMPRESSION zstd)"


def make(args, shape, scratch):
    """Makes the input of a shape where it is not there yet; returns its path."""
    tool = scratch / "events"
    if not tool.exists():
        subprocess.run(["rustc", "-O", "--edition", "2024", HERE.parent / "events.rs", "-o", tool], check=True)
    options = ["--events", str(args.events)] + (["--uniform"] if args.uniform else [])
    stem = f"{'uniform' if args.uniform else 'skew'}-{args.events}"
    # The peers go by the ending of a name where patwatch looks inside.
    path = scratch / f"{stem}.{'ndjson.gz' if shape == 'gzip' else shape}"
    if path.exists():
        return path
    if shape == "gzip":
        plain = make(args, "ndjson", scratch)
        with open(plain, "rb") as source, open(path, "wb") as target:
            subprocess.run(["gzip", "-6", "-c"], stdin=source, stdout=target, check=True)
    elif shape == "page":
        path.mkdir()
        for n, start in enumerate(range(0, args.events, 1000)):
            part = ["--shape", "page", "--from", str(start), "--to", str(start + 1000)]
            with open(path / f"{n:06}.json", "wb") as target:
                subprocess.run([tool, *options, *part], stdout=target, check=True)
    else:
        with open(path, "wb") as target:
            subprocess.run([tool, *options, "--shape", shape], stdout=target, check=True)
    return path


def size(path):
    return sum(f.stat().st_size for f in path.rglob("*")) if path.is_dir() else path.stat().st_size


def checks(lake, copy, shape):
    """What both results must agree on: rows without copies, and lengths of columns that pass through unchanged."""
    import duckdb

    ours = duckdb.sql(
        f"SELECT count(*), count(DISTINCT event_id), sum(length(details)), sum(length(data)), sum(length(user_agent)), "
        f"sum(length(mechanism)), sum(length(correlation_id)), count(DISTINCT action), min(event_id), max(event_id) "
        f"FROM read_parquet('{lake}/events/*/*/events.parquet', hive_partitioning = false)"
    ).fetchall()[0]
    name = (lambda c: c[0].upper() + c[1:]) if shape == "csv" else (lambda c: c)
    theirs = duckdb.sql(
        f"WITH one AS (SELECT DISTINCT ON (guid) *, FROM (SELECT *, split_part({name('id')}, ';', -1) AS guid FROM '{copy}')) "
        f"SELECT count(*), count(DISTINCT guid), sum(length({name('details')})), sum(CASE WHEN {name('data')} IS NULL THEN NULL ELSE length({name('data')}) END), "
        f"sum(length({name('userAgent')})), sum(length({name('authenticationMechanism')})), sum(length({name('correlationId')})), "
        f"count(DISTINCT {name('actionId')}), min(guid), max(guid) FROM one"
    ).fetchall()[0]
    if ours != theirs:
        sys.exit(f"results differ, so no time is shown:\n  patwatch {ours}\n  DuckDB   {theirs}")
    return ours[0]


def compare(args, shape, scratch):
    """Runs patwatch and the peers by turns on one shape; returns the figures."""
    path = make(args, shape, scratch)
    work = scratch / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    lake, copy, other = work / "lake", work / "duckdb.parquet", work / "polars.parquet"
    contenders = {"patwatch": lambda: run([args.patwatch, "-q", "--lake", lake, "import", path], lake)}
    sql = duckdb_sql(shape, path, copy)
    contenders["duckdb"] = lambda: child(DUCKDB.format(threads=args.threads, sql=sql), copy)
    if shape in ("ndjson", "csv"):
        scan = f"scan_ndjson({str(path)!r}, schema=schema)" if shape == "ndjson" else f"scan_csv({str(path)!r}, infer_schema=False)"
        code = POLARS.format(columns=COLUMNS, scan=scan, output=str(other))
        contenders["polars"] = lambda: child(code, other, {"POLARS_MAX_THREADS": str(args.threads)})
    figures = {name: [] for name in contenders}
    rows = None
    for turn in range(args.runs + 1):
        for name, go in list(contenders.items()):
            try:
                figure = go()
            except subprocess.CalledProcessError as error:
                print(f"{name} cannot read {shape}: {error}", file=sys.stderr)
                del contenders[name], figures[name]
                continue
            # The first turn warms the page cache and is checked, not counted.
            if turn:
                figures[name].append(figure)
        if rows is None and "duckdb" in contenders:
            rows = checks(lake, copy, shape)
    shutil.rmtree(work, ignore_errors=True)
    return {"shape": shape, "bytes": size(path), "rows": rows, "runs": figures}


def show(result):
    mb = result["bytes"] / 1e6
    for name, runs in result["runs"].items():
        wall, cpu = [r["wall"] for r in runs], [r["cpu"] for r in runs]
        peak = max(r["peak_mb"] for r in runs)
        ours = result["runs"]["patwatch"]
        line = f"{result['shape']:7} {name:9} wall {spread(wall)} s, CPU {spread(cpu)} s, {mb / statistics.median(wall):5.0f} MB/s, peak {peak:.0f} MB"
        if name != "patwatch":
            line += f"; patwatch takes {spread([a['wall'] / b['wall'] for a, b in zip(ours, runs)])} of its wall time"
            line += f", {spread([a['cpu'] / b['cpu'] for a, b in zip(ours, runs)])} of its CPU time"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patwatch", type=pathlib.Path, default=HERE.parent.parent.parent / "target/release/patwatch")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of the peers")
    parser.add_argument("--shape", nargs="+", default=["ndjson"], choices=["ndjson", "page", "csv", "gzip"])
    parser.add_argument("--uniform", action="store_true", help="every token as busy as the others")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parent.parent.parent / "target/bench", help="folder for inputs and results")
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    results = []
    print(machine())
    for shape in args.shape:
        results.append(compare(args, shape, args.data.resolve()))
        show(results[-1])
    output = args.data / "import.json"
    output.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))
    print(f"all figures: {output}")


if __name__ == "__main__":
    main()
