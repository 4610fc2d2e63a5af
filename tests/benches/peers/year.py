"""Measures patwatch on a great lake that grows by a day: whole against new, one token's timeline, report, start-up.

    python tests/benches/peers/year.py --work DIR [--events 36000000 --days 365] [--binary PATH] [--runs N] [--uniform]

A lake of all days but the last is imported month by month (a month's events lie on disk only while it is imported), with
5,000 PATs in an inventory. Then the last day is imported into a copy of it and checked, as often as --runs says. What that
cost is set against importing and checking everything. The lake stays in DIR and is used again. The timeline of one token is
compared with DuckDB reading the same day files, row for row, before any time is printed. A report is made from the great
lake, and from a simulated organisation of 5,000 PATs. Figures go to DIR/year.json.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess

from measure import HERE, child, machine, run, spread

ROOT = HERE.parents[2]
TOKENS = 8_334
TIMELINE = "time, action, project, network, client"
PEER = """
import duckdb
db = duckdb.connect(config={{"threads": 2}})
rows = db.execute({sql!r}).fetchall()
"""


def made(work, name, command):
    """The output of a command as a file, made once."""
    path = work / name
    if not path.exists():
        with open(path, "wb") as target:
            subprocess.run(command, stdout=target, check=True)
    return path


def total(runs):
    return {"wall": sum(r["wall"] for r in runs), "cpu": sum(r["cpu"] for r in runs), "peak_mb": max(r["peak_mb"] for r in runs)}


def build(o, generate, begin, lake):
    """Imports all days but the last, month by month; returns what it cost."""
    told = o.work / "built.json"
    if lake.exists() and told.exists():
        return json.loads(told.read_text())
    shutil.rmtree(lake, ignore_errors=True)
    inventory = made(o.work, "inventory.json", ["python3", HERE / "inventory.py", "--tokens", str(TOKENS)])
    day, costs = o.events // o.days, []
    for first in range(0, o.days - 1, 30):
        part = o.work / "part.ndjson"
        with open(part, "wb") as target:
            bounds = ["--from", str(first * day), "--to", str(min(first + 30, o.days - 1) * day)]
            subprocess.run([*generate, *bounds], stdout=target, check=True)
        costs.append(run([*begin, lake, "import", part]))
        print(f"  month from day {first}: {part.stat().st_size / 1e9:.1f} GB, wall {costs[-1]['wall']:.1f} s, peak {costs[-1]['peak_mb']:.0f} MB", flush=True)
        part.unlink()
    costs.append(run([*begin, lake, "import", inventory]))
    told.write_text(json.dumps(total(costs)))
    return total(costs)


def organisation(o):
    """A lake of a simulated organisation of 5,000 PATs over 90 days: findings as an organisation has them, where the tokens
    of the generator raise as many as they can."""
    files, lake = o.work / "organisation", o.work / "organisation-lake"
    if not lake.exists():
        subprocess.run([o.binary, "-q", "simulate", "--tokens", "5000", "--days", "90", "--output", files], check=True)
        subprocess.run([o.binary, "-q", "--lake", lake, "import", files], check=True)
    return lake


def token(o, lake):
    """A token of the middle: neither the busiest nor one that did nothing."""
    sql = "SELECT token_id, credential, SUM(n) AS n FROM token_day WHERE token_id IS NOT NULL GROUP BY token_id, credential ORDER BY n DESC NULLS LAST, token_id"
    told = json.loads(subprocess.run([o.binary, "-q", "--lake", lake, "query", sql, "--format", "json"], check=True, stdout=subprocess.PIPE).stdout)
    rows = told["rows"] if isinstance(told, dict) else told
    return rows[len(rows) // 2]


def timeline(o, lake):
    one = token(o, lake)
    command = [o.binary, "-q", "--lake", lake, "query", f"SELECT {TIMELINE} FROM events WHERE token_id = '{one['token_id']}' ORDER BY time, event_id", "--format", "json"]
    since = subprocess.run([o.binary, "-q", "--lake", lake, "query", "SELECT window_from FROM policy", "--format", "csv"], check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")[1]
    sql = (
        f"SELECT {TIMELINE} FROM read_parquet('{lake}/events/*/*/events.parquet', hive_partitioning = false) "
        f"WHERE credential = '{one['credential']}' AND time >= TIMESTAMP '{since.strip().rstrip('Z').replace('T', ' ')}' ORDER BY time, event_id"
    )
    import duckdb

    ours = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    ours = ours["rows"] if isinstance(ours, dict) else ours
    theirs = duckdb.sql(sql).fetchall()
    assert [(r["action"], r["project"], r["network"], r["client"]) for r in ours] == [r[1:] for r in theirs], "timelines differ, so no time is shown"
    return {
        "rows": len(ours),
        "patwatch": [run(command) for _ in range(o.runs)],
        "duckdb": [child(PEER.format(sql=sql)) for _ in range(o.runs)],
    }


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=pathlib.Path, required=True)
    ask.add_argument("--events", type=int, default=36_000_000)
    ask.add_argument("--days", type=int, default=365)
    ask.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/patwatch")
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--uniform", action="store_true", help="tokens that are alike and do anything from anywhere")
    o = ask.parse_args()
    o.work.mkdir(parents=True, exist_ok=True)
    o.work, o.binary = o.work.resolve(), o.binary.resolve()
    tool = o.work / "events"
    if not tool.exists():
        subprocess.run(["rustc", "-O", "--edition", "2024", HERE.parent / "events.rs", "-o", tool], check=True)
    generate = [tool, "--events", str(o.events), "--days", str(o.days), "--tokens", str(TOKENS), *(["--uniform"] if o.uniform else [])]
    begin, lake = [o.binary, "-q", "--lake"], o.work / "lake"
    print(machine(), flush=True)
    figures = {"import": [build(o, generate, begin, lake)]}
    last = made(o.work, "last.ndjson", [*generate, "--from", str((o.days - 1) * (o.events // o.days))])
    grown = o.work / "grown"
    figures["check"], figures["new day"], figures["check again"] = [], [], []
    for _ in range(o.runs):
        shutil.rmtree(grown, ignore_errors=True)
        # Files are replaced, never changed, so links are as good as copies.
        subprocess.run(["cp", "-al", lake, grown], check=True)
        figures["check"].append(run([*begin, lake, "check", "--format", "json"]))
        figures["new day"].append(run([*begin, grown, "import", last]))
        figures["check again"].append(run([*begin, grown, "check", "--format", "json"]))
    figures["report"] = [run([*begin, grown, "report", "--output", o.work / "report"], o.work / "report") for _ in range(o.runs)]
    people = organisation(o)
    figures["report, simulated"] = [run([*begin, people, "report", "--output", o.work / "report"], o.work / "report") for _ in range(o.runs)]
    figures["--version"] = [run([o.binary, "--version"]) for _ in range(20)]
    figures["detections list"] = [run([o.binary, "detections", "list"]) for _ in range(20)]
    told = timeline(o, grown)
    figures["timeline"], figures["timeline, DuckDB"] = told["patwatch"], told["duckdb"]
    for name, runs in figures.items():
        print(f"{name:17}", *(f"{what} {spread([r[what] for r in runs])}" for what in ("wall", "cpu", "peak_mb")), flush=True)
    for what in ("wall", "cpu"):
        everything = figures["import"][0][what]
        ratios = [(a[what] + b[what]) / (everything + c[what]) for a, b, c in zip(figures["new day"], figures["check again"], figures["check"])]
        print(f"a new day against everything, {what}: 1/{1 / statistics.median(ratios):.0f}")
    print(f"timeline: {told['rows']} rows, equal in DuckDB")
    size = lambda table: sum(f.stat().st_size for f in (grown / table).rglob("*.parquet")) / 1e6
    tables = {table.name: size(table.name) for table in grown.iterdir() if table.is_dir()}
    print("MB on disk:", ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(tables.items(), key=lambda t: -t[1]) if mb >= 0.5))
    (o.work / "year.json").write_text(json.dumps({"machine": machine(), "events": o.events, "days": o.days, "uniform": o.uniform, "mb": tables, "runs": figures}, indent=1))


if __name__ == "__main__":
    main()
