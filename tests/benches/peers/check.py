"""Compares `patwatch check` with DuckDB running the pack's own SQL on the same event files.

    python tests/benches/peers/check.py LAKE [--binary PATH] [--runs N] [--threads N] [--memory 8GB] [--only ID]

DuckDB (pip install duckdb) makes every table that the pack reads from the raw events of the lake, each once as
a temporary table: `activity`, `token_day`, `seen`, `notable` with the keys of its data, `actors`, `connection_runs`, the
views. What no SQL could make (who a token is, coverage, verdicts, places, which variables look like secrets in clear) it
is given as patwatch found it, and detections that count findings are given those of patwatch, which the same run compares.
Then it runs every detection. Rows are folded into findings as patwatch folds them, their events counted, and compared,
one for one: no time is printed before they agree. With --runs 0 nothing is timed, which makes this the test that the pack means the same in
both engines.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import duckdb

from measure import machine, run, spread

ROOT = pathlib.Path(__file__).resolve().parents[3]
GIVEN = ["tokens", "token_scopes", "credentials", "coverage", "gaps", "absences", "unclear_token_events", "users", "places", "actions", "scopes", "scope_includes", "action_scopes", "policy"]
# Text that only patwatch reads out of an event's data.
CLEAR = "SELECT event_id, d_clear_secrets FROM notable WHERE d_clear_secrets IS NOT NULL"
FOUND = {"org": "VARCHAR", "token_id": "VARCHAR", "detection": "VARCHAR", "slug": "VARCHAR", "family": "VARCHAR", "severity": "VARCHAR", "confidence": "VARCHAR", "first_time": "TIMESTAMP", "last_time": "TIMESTAMP", "n": "BIGINT", "fingerprint": "VARCHAR", "event_ids": "VARCHAR"}
MOST_IDS = 100
GRADES = ["info", "low", "medium", "high", "critical"]


def source(path):
    return (ROOT / path).read_text()


def lists():
    """What the tables are made of, read off the source: frequent actions, keys of data, keys of targets."""
    text = source("src/lake/derive/notable.rs")
    frequent = re.findall(r'"([^"]+)"', text.split("FREQUENT: &[&str] = &[")[1].split("];")[0])
    keys = {
        column: re.findall(r'"([^"]+)"', names)
        for column, names in re.findall(r'\("(d_\w+)", &\[([^\]]*)\]\)', text.split("pub const KEYS")[1].split("];")[0] + "])")
    }
    targets = re.findall(r'\\"(\w+)\\"', text.split("TARGETS: &[&str] = &[")[1].split("];")[0])
    return frequent, keys, targets


def quoted(names):
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def detections():
    found = []
    for path in sorted((ROOT / "queries/detections").glob("*/*.sql")):
        text = path.read_text()
        head = tomllib.loads("\n".join(line[3:] for line in text.splitlines() if line.startswith("--!")))
        sql = "\n".join(line for line in text.splitlines() if not line.startswith("--!"))
        found.append({**head, "family": path.parent.name, "sql": sql})
    return sorted(found, key=lambda d: d["id"])


def tables(con, lake, given, pack):
    """Makes every table that the pack reads, from the raw events."""
    frequent, keys, targets = lists()
    files = f"{lake}/events/*/*/events.parquet"
    for name in [*GIVEN, "clear", "findings"]:
        con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM '{given}/{name}.parquet'")
    window_from, as_of = con.execute("SELECT window_from, as_of FROM policy").fetchone()
    con.execute("CREATE TEMP TABLE owned AS SELECT org, credential, ANY_VALUE(token_id) AS token_id FROM credentials GROUP BY org, credential")
    events = f"(SELECT e.*, o.token_id FROM read_parquet('{files}', hive_partitioning = false) AS e LEFT JOIN owned AS o ON e.org = o.org AND e.credential = o.credential WHERE e.time <= TIMESTAMP '{as_of}')"
    within = f"time >= TIMESTAMP '{window_from}'"
    bits = "BIT_OR(1::BIGINT << EXTRACT(HOUR FROM time)::INT)"
    fold = "COUNT(*) AS n, COUNT(*) FILTER (WHERE origin) AS origins, MIN(time) AS first_time, MAX(time) AS last_time, ARG_MIN(event_id, (time, event_id)) AS first_event, ARG_MAX(event_id, (time, event_id)) AS last_event"
    con.execute(
        f"""CREATE TEMP TABLE activity AS SELECT org, credential, kind, class, token_id, actor, ANY_VALUE(service_actor) AS service_actor,
        ANY_VALUE(actor_id) AS actor_id, date, action, address, network, client, project, {bits} AS hour_bits, {fold}
        FROM {events} WHERE {within} GROUP BY org, credential, kind, class, token_id, actor, date, action, address, network, client, project"""
    )
    target = "CASE " + " ".join(
        f"WHEN data LIKE '%\"{t}\"%' AND REGEXP_EXTRACT(data, '\"{t}\"\\s*:\\s*\"?([^\",}}]*)', 1) NOT IN ('', 'null') THEN LOWER(REGEXP_EXTRACT(data, '\"{t}\"\\s*:\\s*\"?([^\",}}]*)', 1))"
        for t in targets
    ) + " END"
    con.execute(f"CREATE TEMP TABLE ids AS SELECT org, date, event_id FROM {events} WHERE {within}")
    con.execute(
        f"""CREATE TEMP TABLE busy AS SELECT e.org, e.credential, e.date, e.event_id, e.time, e.project, {target} AS target
        FROM {events} AS e LEFT JOIN ids AS i ON e.org = i.org AND e.date = i.date AND e.correlation_id = i.event_id AND NOT COALESCE(e.origin, FALSE)
        WHERE e.{within} AND e.kind = 'pat' AND e.credential IS NOT NULL AND e.folded <= 1 AND e.action <> 'AuditLog.AccessLog' AND i.event_id IS NULL"""
    )
    con.execute(
        """CREATE TEMP TABLE sliding AS SELECT org, credential, date, time, COUNT(*) OVER span AS peak, COUNT(DISTINCT project) OVER span AS projects,
        COUNT(DISTINCT target) OVER span AS targets, MIN(time) OVER span AS start_time FROM busy
        WINDOW span AS (PARTITION BY org, credential, date ORDER BY time RANGE BETWEEN INTERVAL '599999999 microseconds' PRECEDING AND CURRENT ROW)"""
    )
    con.execute(
        f"""CREATE TEMP TABLE token_day AS
        WITH peaks AS (SELECT org, credential, date, MAX(peak) AS peak, MAX(projects) AS projects, MAX(targets) AS targets,
            ARG_MIN(start_time, (-peak, time)) AS peak_time FROM sliding GROUP BY org, credential, date),
        days AS (SELECT org, credential, token_id, date, {bits} AS hour_bits, COUNT(*) AS n, COUNT(*) FILTER (WHERE origin) AS origins,
            MIN(time) AS first_time, MAX(time) AS last_time
            FROM {events} WHERE {within} AND kind = 'pat' AND credential IS NOT NULL GROUP BY org, credential, token_id, date)
        SELECT d.*, COALESCE(p.peak, 0) AS peak_10m, COALESCE(p.projects, 0) AS peak_projects_10m, COALESCE(p.targets, 0) AS peak_targets_10m,
            COALESCE(p.peak_time, d.first_time) AS peak_time
        FROM days AS d LEFT JOIN peaks AS p ON d.org = p.org AND d.credential = p.credential AND d.date = p.date"""
    )
    dimension = "SELECT org, credential, token_id, '{0}' AS dimension, {0} AS value, COUNT(DISTINCT date) AS active_days, {1} FROM {2} WHERE kind = 'pat' AND {0} IS NOT NULL GROUP BY org, credential, token_id, {0}"
    hour = f"""SELECT org, credential, token_id, 'hour', LPAD(EXTRACT(HOUR FROM time)::VARCHAR, 2, '0'), COUNT(DISTINCT date), COUNT(DISTINCT date), 0,
        MIN(date_trunc('hour', time)), MAX(date_trunc('hour', time)), NULL, NULL FROM {events} WHERE kind = 'pat' AND credential IS NOT NULL GROUP BY ALL"""
    parts = [dimension.format(name, fold, events) for name in ("action", "network", "client", "project")] + [hour]
    con.execute("CREATE TEMP TABLE seen AS " + " UNION ALL ".join(parts))
    sql = " ".join(d["sql"] for d in pack)
    confirmed = "org, token_id, time, event_id, action, network, client, project, address, correlation_id"
    con.execute(f"CREATE TEMP TABLE raw AS SELECT {confirmed} FROM {events} WHERE {within} AND token_id IS NOT NULL")
    wanted = {column: names for column, names in keys.items() if re.search(rf"\b{column}\b", sql)}
    con.execute(
        f"""CREATE TEMP TABLE plain AS SELECT org, event_id, time, date, action, category, actor, actor_id, kind, class, credential, token_id, service_actor,
        origin, correlation_id, address, network, client, user_agent, project, project_id, details, data
        FROM {events} WHERE {within} AND action NOT IN ({quoted(frequent)})"""
    )
    spelled = collections.defaultdict(list)
    for (key,) in con.execute("SELECT DISTINCT UNNEST(json_keys(data)) FROM plain WHERE data LIKE '{%'").fetchall():
        spelled[key.replace("_", "").lower()].append(key)

    def value(names):
        paths = [key for name in names for key in sorted(spelled.get(name, []))]
        one = "CASE WHEN json_type(data, '{0}') = 'ARRAY' AND json_type(data, '{0}[0]') = 'VARCHAR' THEN array_to_string(json_extract_string(data, '{0}[*]'), ' ') ELSE NULLIF(json_extract_string(data, '{0}'), '') END"
        return "COALESCE(" + ", ".join([one.format('$."' + key + '"') for key in paths] + ["NULL::VARCHAR"]) + ")"

    columns = "".join(f", {value(names)} AS {column}" for column, names in wanted.items())
    con.execute(f"CREATE TEMP TABLE notable AS SELECT p.* EXCLUDE (data){columns}, CASE WHEN action LIKE 'Search.%' THEN data END AS d_search, c.d_clear_secrets FROM plain AS p LEFT JOIN clear AS c ON p.event_id = c.event_id")
    con.execute(
        f"""CREATE TEMP TABLE actors AS SELECT org, date, kind, actor, actor_id, actor_cuid, actor_name, service_actor, COUNT(*) AS n, MIN(time) AS first_time, MAX(time) AS last_time
        FROM {events} WHERE {within} GROUP BY org, date, kind, actor, actor_id, actor_cuid, actor_name, service_actor"""
    )
    con.execute(
        f"""CREATE TEMP TABLE connection_runs AS SELECT org, date, project, SPLIT_PART(SPLIT_PART(data, '"ConnectionId":"', 2), '"', 1) AS connection_id,
        SPLIT_PART(REPLACE(SPLIT_PART(SPLIT_PART(data, '"DefinitionId":', 2), ',', 1), '"', ''), '}}', 1) AS definition_id, COUNT(*) AS n,
        MIN(time) AS first_time, MAX(time) AS last_time, MAX(event_id) AS event_id
        FROM {events} WHERE {within} AND action = 'Library.ServiceConnectionExecuted' GROUP BY ALL HAVING LENGTH(connection_id) > 0 AND LENGTH(definition_id) > 0"""
    )
    made(con, window_from)


def made(con, window_from):
    """Makes the tables that follow from others, as the engine makes them: stays, networks and clients of all, first times, views."""
    con.execute(
        """CREATE TEMP TABLE stays AS WITH folded AS (SELECT org, token_id, date, network, MIN(first_time) AS first_time, MAX(last_time) AS last_time
        FROM activity WHERE token_id IS NOT NULL AND network IS NOT NULL GROUP BY org, token_id, date, network)
        SELECT *, COALESCE(MAX(last_time) OVER (PARTITION BY org, token_id, date ORDER BY first_time, network ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) >= first_time, FALSE) AS crossed
        FROM folded"""
    )
    con.execute(
        """CREATE TEMP TABLE org_seen AS
        WITH comers AS (SELECT org, network, COALESCE(credential, actor) AS who, MIN(first_time) AS come_time
            FROM activity WHERE network IS NOT NULL AND NOT COALESCE(service_actor, FALSE) GROUP BY ALL),
        third AS (SELECT org, network, come_time, ROW_NUMBER() OVER (PARTITION BY org, network ORDER BY come_time) AS come_place FROM comers),
        networks AS (SELECT org, network, MIN(first_time) AS first_time, COUNT(DISTINCT date) AS days, COUNT(DISTINCT actor) AS actors, COUNT(DISTINCT credential) AS credentials
            FROM activity WHERE network IS NOT NULL GROUP BY org, network)
        SELECT n.org, 'network' AS dimension, n.network AS value, n.first_time, t.come_time AS third_time, n.days, n.actors, n.credentials
        FROM networks AS n LEFT JOIN third AS t ON n.org = t.org AND n.network = t.network AND t.come_place = 3
        UNION ALL
        SELECT org, 'client', client, MIN(first_time), NULL, NULL, NULL, NULL FROM activity WHERE client IS NOT NULL GROUP BY org, client"""
    )
    con.execute(
        f"""CREATE TEMP TABLE first_shown AS
        WITH merged AS (SELECT org, token_id, dimension, value, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS n, SUM(origins) AS origins,
            SUM(active_days) AS active_days, MIN(first_event) AS first_event FROM seen WHERE token_id IS NOT NULL GROUP BY org, token_id, dimension, value),
        starts AS (SELECT org, token_id, MIN(first_time) AS token_first FROM merged WHERE dimension <> 'hour' GROUP BY org, token_id),
        placed AS (SELECT *, CAST(first_time AS DATE) AS first_date,
            ROW_NUMBER() OVER (PARTITION BY org, token_id, dimension ORDER BY first_time, value) AS place FROM merged),
        fresh AS (SELECT org, token_id, dimension, first_date, ROW_NUMBER() OVER (PARTITION BY org, token_id, dimension ORDER BY first_date) AS fresh_place
            FROM (SELECT DISTINCT org, token_id, dimension, first_date FROM placed)),
        numbered AS (SELECT org, token_id, date AS first_date, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY date) AS day_number
            FROM (SELECT DISTINCT org, token_id, date FROM token_day WHERE token_id IS NOT NULL)),
        anybody AS (SELECT org, dimension, value, MIN(first_time) AS org_time FROM (SELECT org, dimension, value, first_time FROM org_seen
            UNION ALL SELECT org, dimension, value, first_time FROM merged) GROUP BY org, dimension, value)
        SELECT p.org, p.token_id, p.dimension, p.value, p.first_time, p.last_time, p.n, p.origins, p.active_days, p.first_event, s.token_first,
            p.place - 1 AS values_before, d.day_number - 1 AS active_before, GREATEST(f.fresh_place - 2, 0) AS fresh_before, a.org_time < p.first_time AS known_before, o.third_time
        FROM placed AS p JOIN fresh AS f USING (org, token_id, dimension, first_date) JOIN numbered AS d USING (org, token_id, first_date)
            JOIN starts AS s USING (org, token_id) JOIN anybody AS a USING (org, dimension, value)
            LEFT JOIN org_seen AS o ON p.org = o.org AND p.dimension = o.dimension AND p.value = o.value
        WHERE p.first_time >= TIMESTAMP '{window_from}'"""
    )
    for name in ("powerful", "token_dates", "firsts"):
        view = source(f"queries/views/{name}.sql")
        cross = "" if "CROSS JOIN policy" in view or "policy." not in view else " CROSS JOIN policy"
        con.execute(f"CREATE TEMP TABLE {name} AS {view}{cross}")


def rows_of(con, detection):
    result = con.execute(detection["sql"])
    names = [column[0].lower() for column in result.description]
    return [dict(zip(names, row)) for row in result.fetchall()]


def stamp(value):
    """Microseconds are all that either side holds."""
    return None if value is None else str(value)[:26].replace("T", " ").rstrip("Z").split("+")[0]


def fold(con, detection, rows):
    """Rows of one fingerprint become one finding, and its events are counted, as in src/engine/findings.rs."""
    found = {}
    for row in rows:
        key = (row["org"], str(row["subject"]), *(plain(row[k]) for k in detection.get("keys", [])))
        one = found.setdefault(key, {"count": 0, "severity": 0, "first": None, "last": None, "ids": [], "match": {}})
        one["ids"] += {part for name in ("event_ids", "event_id") for part in (row.get(name) or "").split()}
        for column in detection.get("confirm") or []:
            # A column that one of the rows leaves open stays open.
            value = row.get(column)
            held = one["match"].setdefault(column, set())
            one["match"][column] = None if held is None or value is None else held | {value}
        one["count"] += int(row.get("count") or 0) if row.get("count") is not None else 1
        one["severity"] = max(one["severity"], GRADES.index(row.get("severity") or detection["severity"]))
        first, last = stamp(row.get("first_time")), stamp(row.get("last_time") or row.get("first_time"))
        one["first"] = min(filter(None, (one["first"], first)), default=None)
        one["last"] = max(filter(None, (one["last"], last)), default=None)
    if detection.get("confirm") is not None and detection["subject"] == "token":
        counted(con, detection, found)
    for one in found.values():
        ids, _ = one.pop("ids"), one.pop("match")
        if one["count"] == len(ids):
            one["count"] = len(set(ids))
    return found


def counted(con, detection, found):
    """Counts the events that findings ask for, and those that their rows name beside them. A message that says how many were
    confirmed is of these alone: its finding lasts from the first of them to the last, as in src/engine/confirm.rs."""
    wishes = {name: [] for name in ("wish", "org", "token_id", "first", "last", "ids", *(f"match_{column}" for column in detection["confirm"]))}
    for wish, (key, one) in enumerate(found.items()):
        values = [wish, key[0], key[1], one["first"], one["last"], sorted(set(one["ids"]))]
        values += [one["match"].get(column) and sorted(one["match"][column]) for column in detection["confirm"]]
        for name, value in zip(wishes, values):
            wishes[name].append(value)
    kinds = {"wish": "BIGINT", "first": "TIMESTAMP", "last": "TIMESTAMP", "org": "VARCHAR", "token_id": "VARCHAR"}
    columns = ", ".join(f"UNNEST(${name}::{kinds.get(name, 'VARCHAR[]')}[]) AS {name}" for name in wishes)
    matches = "".join(f" AND (w.match_{column} IS NULL OR list_contains(w.match_{column}, r.{column}))" for column in detection["confirm"])
    rows = con.execute(
        f"""SELECT w.wish, COUNT(DISTINCT r.event_id), COUNT(DISTINCT r.event_id) FILTER (list_contains(w.ids, r.event_id)), MIN(r.time), MAX(r.time)
        FROM (SELECT {columns}) AS w JOIN raw AS r ON w.org = r.org AND w.token_id = r.token_id AND r.time >= w.first AND r.time <= w.last{matches}
        GROUP BY w.wish""",
        wishes,
    ).fetchall()
    ones = list(found.values())
    for wish, events, named, first, last in rows:
        one = ones[wish]
        # Where a finding lists but the newest, what its row names may be among the others.
        own = len(set(one["ids"])) - named if events <= MOST_IDS else 0
        one["count"], one["ids"] = events + own, []
        if "{confirmed}" in detection["message"]:
            one["first"], one["last"] = stamp(first), stamp(last)


def plain(value):
    return "" if value is None else str(value)


def theirs(findings, detection):
    found = {}
    for f in findings:
        if f["detection"] != detection["id"]:
            continue
        # The event of a finding stands among its event ids, not in its evidence.
        said = {"event_id": (f["event_ids"] or [None])[0], **f["evidence"]}
        key = (f["org"], f["subject"]["id"], *(plain(said.get(k)) for k in detection.get("keys", [])))
        found[key] = {"count": f["count"], "severity": GRADES.index(f["severity"]), "first": stamp(f.get("first_time")), "last": stamp(f.get("last_time"))}
    return found


def shown(one):
    """Fractions of a second are written to the digit that they need."""
    trim = lambda text: text and re.sub(r"\.?0+$", "", text) if text and "." in text else text
    return {**one, "first": trim(one["first"]), "last": trim(one["last"])}


def compare(pack, mine, findings):
    wrong = []
    for d in pack:
        a, b = mine[d["id"]], theirs(findings, d)
        state = d["family"] in ("use", "scope", "hygiene")
        for key in sorted(set(a) | set(b), key=str):
            x, y = a.get(key), b.get(key)
            if x and y and state:
                # A state is shown from its beginning to the run's instant, whatever the row says.
                x, y = ({k: v for k, v in one.items() if k in ("count", "severity")} for one in (x, y))
            elif x and y:
                x, y = shown(x), shown(y)
            if x != y:
                wrong.append(f"{d['id']} {key}: DuckDB {x}, patwatch {y}")
    return wrong


def connect(threads, memory):
    return duckdb.connect(config={"threads": threads, "memory_limit": memory, "temp_directory": tempfile.gettempdir(), "preserve_insertion_order": False})


def peer(lake, given, pack, threads, memory):
    """What is timed of DuckDB: making the tables and running the pack, in a fresh database. Its rows stay in tables of
    its own: neither findings nor a file are made of them, which patwatch's time holds."""
    con = connect(threads, memory)
    tables(con, lake, given, pack)
    for at, detection in enumerate(pack):
        con.execute(f"CREATE TEMP TABLE result_{at} AS {detection['sql']}")


def answers(lake, given, pack, threads, memory):
    con = connect(threads, memory)
    tables(con, lake, given, pack)
    return {d["id"]: fold(con, d, rows_of(con, d)) for d in pack}


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("lake", type=pathlib.Path)
    ask.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/patwatch")
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--memory", default="8GB", help="memory that DuckDB may fill before it spills")
    ask.add_argument("--only")
    ask.add_argument("--given", help=argparse.SUPPRESS)
    o = ask.parse_args()
    pack = [d for d in detections() if o.only in (None, d["id"])]
    if o.given:
        peer(o.lake, o.given, pack, o.threads, o.memory)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for name in GIVEN:
            command = [o.binary, "-q", "--lake", o.lake, "query", f"SELECT * FROM {name}", "--format", "json"]
            rows = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            given(o.binary, name, rows, folder)
        clear = json.loads(subprocess.run([o.binary, "-q", "--lake", o.lake, "query", CLEAR, "--format", "json"], check=True, stdout=subprocess.PIPE).stdout)
        write("clear", clear, {"event_id": "VARCHAR", "d_clear_secrets": "VARCHAR"}, folder)
        checked = [o.binary, "-q", "--lake", o.lake, "check", "--format", "json", "--output", f"{folder}/findings.json"]
        run(checked)
        findings = json.loads(pathlib.Path(folder, "findings.json").read_text())["findings"]
        write("findings", [found(f) for f in findings if f["subject"]["kind"] == "token"], FOUND, folder)
        mine = answers(o.lake, folder, pack, o.threads, o.memory)
        wrong = compare(pack, mine, findings)
        total = sum(map(len, mine.values()))
        if o.only:
            checked += ["--select", o.only]
        if wrong:
            print(*wrong[:40], f"{len(wrong)} of {total} findings differ", sep="\n")
            return 1
        print(f"{len(pack)} detections, {total} findings: DuckDB and patwatch agree")
        if not o.runs:
            return 0
        figures = {"patwatch": [], "duckdb": []}
        for _ in range(o.runs):
            figures["patwatch"].append(run(checked))
            again = [sys.executable, __file__, o.lake, "--given", folder, "--threads", o.threads, "--memory", o.memory, *(["--only", o.only] if o.only else [])]
            figures["duckdb"].append(run(again))
        print(machine())
        for name, runs in figures.items():
            print(name, *(f"{what} {spread([r[what] for r in runs])}" for what in ("wall", "cpu", "peak_mb")))
        for what in ("wall", "cpu"):
            ratios = [a[what] / b[what] for a, b in zip(figures["patwatch"], figures["duckdb"])]
            print(f"patwatch / duckdb, {what}: {spread(ratios)}")
    return 0


def found(f):
    """A finding as a row of the table that detections over findings read."""
    row = {name: f.get(name) for name in FOUND}
    stamps = {name: stamp(f.get(name)) for name in ("first_time", "last_time")}
    return {**row, **stamps, "token_id": f["subject"]["id"], "n": f["count"], "event_ids": " ".join(f["event_ids"])}


def given(binary, name, rows, folder):
    """Writes a table of the analysis for DuckDB, with the types that `query --tables` tells."""
    told = json.loads(subprocess.run([binary, "query", "--tables", "--format", "json"], check=True, stdout=subprocess.PIPE).stdout)
    told = told["rows"] if isinstance(told, dict) else told
    write(name, rows, {r["column"]: r["type"] for r in told if r["table"] == name and r["column"]}, folder)


def write(name, rows, columns, folder):
    """Writes rows as a Parquet file of that name."""
    rows = rows["rows"] if isinstance(rows, dict) else rows
    path = pathlib.Path(folder, f"{name}.ndjson")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    typed = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    con = duckdb.connect()
    con.execute(f"COPY (SELECT * FROM read_json('{path}', columns = {{{typed}}}, format = 'newline_delimited')) TO '{folder}/{name}.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    sys.exit(main())
