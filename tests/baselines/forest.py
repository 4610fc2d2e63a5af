"""An isolation forest on daily token features, as findings that `patwatch evaluate` scores.

In: a patwatch lake. Out: findings.json with one `anomaly` finding of medium severity for each token-day that the
forest isolates. The share of days it may flag is the only choice, and it is made without the labels: the default
gives about as many alerts as one analyst can look at (two a day for each 1,000 tokens).
"""

import argparse
import json
from pathlib import Path

import duckdb
import numpy as np
from sklearn.ensemble import IsolationForest

FEATURES = ["n", "origins", "actions", "projects", "networks", "clients", "targets", "hours", "first_hour"]
AGAINST_PAST = ["n", "actions", "projects", "networks", "clients"]


def days(lake: Path):
    """One row a token and day, with the token's own median so far (the day itself left out)."""
    source = f"read_parquet('{lake}/token_day/**/*.parquet', hive_partitioning = true, union_by_name = true)"
    past = ", ".join(
        f"coalesce(median({name}) OVER past, {name}) AS {name}_before" for name in AGAINST_PAST
    )
    return duckdb.sql(
        f"""
        WITH day AS (
          SELECT credential, CAST(date AS VARCHAR) AS date, n, origins, actions, projects, networks, clients, targets,
            bit_count(hour_bits) AS hours, hour(first_time) AS first_hour,
            strftime(first_time, '%Y-%m-%dT%H:%M:%SZ') AS first_time, strftime(last_time, '%Y-%m-%dT%H:%M:%SZ') AS last_time
          FROM {source}
        )
        SELECT *, {past} FROM day
        WINDOW past AS (PARTITION BY credential ORDER BY date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ORDER BY credential, date
        """
    ).fetchnumpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--tokens", type=Path, required=True, help="tokens.json of the pack: ids, organisation")
    parser.add_argument("--findings", type=Path, required=True, help="findings.json of the pack: window and counts")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--alerts", type=float, default=2.0, help="alerts a day for each 1,000 tokens")
    args = parser.parse_args()

    frame = days(args.lake)
    known = [token["token_id"].lower() for token in json.loads(args.tokens.read_text())["tokens"]]
    pack = json.loads(args.findings.read_text())
    org = pack["findings"][0]["org"] if pack["findings"] else ""

    columns = [np.asarray(frame[name], dtype=float) for name in FEATURES]
    columns += [
        np.log1p(np.asarray(frame[name], dtype=float)) - np.log1p(np.asarray(frame[f"{name}_before"], dtype=float))
        for name in AGAINST_PAST
    ]
    matrix = np.column_stack(columns)
    span = len(set(frame["date"])) or 1
    share = min(0.5, max(1e-6, args.alerts * span * len(known) / 1_000 / len(matrix)))
    forest = IsolationForest(n_estimators=200, contamination=share, random_state=7, n_jobs=-1)
    flagged = forest.fit_predict(matrix) < 0

    findings = []
    for at in np.flatnonzero(flagged):
        credential = str(frame["credential"][at]).lower()
        owners = [token for token in known if token.startswith(credential)]
        if len(owners) != 1:
            continue
        findings.append(
            {
                "detection": "FOREST", "family": "anomaly", "severity": "medium", "org": org,
                "subject": {"kind": "token", "id": owners[0], "name": None},
                "first_time": str(frame["first_time"][at]), "last_time": str(frame["last_time"][at]),
            }
        )
    body = {"window": pack["window"], "counts": pack["counts"], "findings": findings, "not_run": []}
    args.output.write_text(json.dumps(body, indent=1) + "\n")


if __name__ == "__main__":
    main()
