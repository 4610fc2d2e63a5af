"""Compares the findings of the test `sizes` with DuckDB running the pack's own SQL on the same files.

    cargo test --test it sizes
    python tests/benches/peers/sizes.py FOLDER

FOLDER is `tmp/sizes` in Cargo's target folder, where the test leaves a folder for every size with the Parquet files of the
tables that a lake stores, the other tables as JSON lines, and what patwatch found. DuckDB (pip install duckdb) reads the
same, makes what follows from it and runs every detection; findings are compared one for one as in `check.py`.
"""

import argparse
import json
import pathlib
import sys
import time

import duckdb

import check

DAY_TABLES = ["events", "activity", "token_day", "notable", "actors", "connection_runs"]
MADE = ["stays", "org_seen", "first_shown", "powerful", "token_dates", "firsts"]


def tables(con, folder, schema, findings):
    """Makes every table that the pack reads, as a run of patwatch sees it."""
    typed = lambda name: "{" + ", ".join(f"'{column}': '{kind}'" for column, kind in schema[name].items()) + "}"
    rows = lambda path, name: f"SELECT * FROM read_json('{path}', columns = {typed(name)}, format = 'newline_delimited')"
    con.execute(f"CREATE TEMP TABLE policy AS {rows(folder.parent / 'policy.ndjson', 'policy')}")
    window_from, as_of = con.execute("SELECT window_from, as_of FROM policy").fetchone()
    stored = [*DAY_TABLES, "seen"]
    for name in schema:
        if name in (*stored, *MADE, "policy"):
            continue
        path = folder / f"{name}.ndjson"
        if path.exists() and path.stat().st_size:
            con.execute(f"CREATE TEMP TABLE {name} AS {rows(path, name)}")
        else:
            con.execute(f"CREATE TEMP TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in schema[name].items())})")
    if not (folder / "findings.ndjson").exists():
        path = folder / "found.ndjson"
        path.write_text("".join(json.dumps(check.found(f)) + "\n" for f in findings if f["subject"]["kind"] == "token"))
        con.execute(f"INSERT INTO findings BY NAME {rows(path, 'findings')}")
    con.execute("CREATE TEMP TABLE owned AS SELECT org, credential, ANY_VALUE(token_id) AS token_id FROM credentials GROUP BY org, credential")
    for name in stored:
        columns = ", ".join("o.token_id" if column == "token_id" else f"CAST(t.{column} AS {kind}) AS {column}" for column, kind in schema[name].items())
        clock = "time" if "time" in schema[name] else "first_time"
        begin = {"time": f"t.time >= TIMESTAMP '{window_from}'", "first_time": f"t.date >= CAST(TIMESTAMP '{window_from}' AS DATE)"}[clock]
        owned = "LEFT JOIN owned AS o ON t.org = o.org AND t.credential = o.credential" if "token_id" in schema[name] else ""
        if not list(folder.glob(f"{name}/*/*.parquet")):
            con.execute(f"CREATE TEMP TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in schema[name].items())})")
            continue
        con.execute(
            f"""CREATE TEMP TABLE {name} AS SELECT {columns} FROM read_parquet('{folder}/{name}/*/*.parquet', hive_partitioning = false) AS t {owned}
            WHERE t.{clock} <= TIMESTAMP '{as_of}' AND {'TRUE' if name == 'seen' else begin}"""
        )
    con.execute("CREATE TEMP TABLE raw AS SELECT org, token_id, time, event_id, action, network, client, project, address, correlation_id FROM events WHERE token_id IS NOT NULL")
    check.made(con, window_from)


def differences(folder, schema, pack):
    """What the two found otherwise, and how many findings DuckDB has."""
    answer = json.loads((folder / "findings-1.json").read_text())
    pack = [d for d in pack if d["id"] in answer["select"] or not answer["select"]]
    con = duckdb.connect()
    tables(con, folder, schema, answer["findings"])
    mine = {d["id"]: check.fold(con, d, check.rows_of(con, d)) for d in pack}
    return check.compare(pack, mine, answer["findings"]), sum(map(len, mine.values()))


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("folder", type=pathlib.Path)
    root = ask.parse_args().folder
    schema = json.loads((root / "schema.json").read_text())
    pack, started, wrong, total = check.detections(), time.monotonic(), [], 0
    folders = sorted((path.parent for path in root.glob("*/findings-1.json")), key=lambda folder: folder.stat().st_mtime)
    if not folders:
        sys.exit(f"{root} holds no findings: run `cargo test --test it sizes` first")
    for folder in folders:
        differ, found = differences(folder, schema, pack)
        wrong += [f"{folder.name}: {line}" for line in differ]
        total += found
    if wrong:
        print(*wrong[:60], f"{len(wrong)} of {total} findings differ", sep="\n")
        return 1
    print(f"{len(folders)} sizes, {total} findings in {time.monotonic() - started:.0f} s: DuckDB and patwatch agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
