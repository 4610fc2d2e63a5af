"""Measures how cost grows with the lake and draws it: `check`, one token's timeline, peak memory.

    python tests/benches/peers/growth.py LAKE... [--binary PATH] [--runs N] [--draw docs/growth.svg] [--what cpu]

Each lake is read as it lies. Figures go to target/bench/growth.json; with --draw and no lakes the chart is drawn from
there again. The standard library draws: two panels, both axes in powers of ten.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess

from measure import machine, run, spread

ROOT = pathlib.Path(__file__).resolve().parents[3]
FIGURES = ROOT / "target/bench/growth.json"
SERIES = {"check": ("#1f6feb", "check, whole pack"), "timeline": ("#d1570c", "one token's timeline")}
WIDTH, HEIGHT, LEFT, TOP, SPACE = 330, 230, 70, 60, 110


def events(lake):
    return sum(day["rows"] for day in json.loads((lake / "index.json").read_text())["days"])


def busiest(binary, lake):
    """A token of the middle: neither the busiest nor one that did nothing."""
    sql = "SELECT token_id, SUM(n) AS n FROM token_day WHERE token_id IS NOT NULL GROUP BY token_id ORDER BY n DESC NULLS LAST, token_id"
    told = subprocess.run([binary, "-q", "--lake", lake, "query", sql, "--format", "json"], check=True, stdout=subprocess.PIPE)
    rows = json.loads(told.stdout)
    rows = rows["rows"] if isinstance(rows, dict) else rows
    return rows[len(rows) // 2]["token_id"]


def measure(binary, lake, runs):
    begin = [binary, "-q", "--lake", lake]
    sql = f"SELECT time, action, project, network, client FROM events WHERE token_id = '{busiest(binary, lake)}' ORDER BY time"
    commands = {"check": [*begin, "check", "--format", "json"], "timeline": [*begin, "query", sql, "--format", "json"]}
    return {"lake": str(lake), "events": events(lake), "runs": {name: [run(c) for _ in range(runs)] for name, c in commands.items()}}


def ticks(low, high):
    return [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def shown(value):
    return f"{value:g}" if value < 1e3 else f"{value / 1e3:g} k" if value < 1e6 else f"{value / 1e6:g} M"


def panel(title, unit, value, results, at):
    points = {name: [(r["events"], statistics.median(value(one) for one in r["runs"][name])) for r in results] for name in SERIES}
    across = ticks(min(r["events"] for r in results), max(r["events"] for r in results))
    up = ticks(min(y for line in points.values() for _, y in line), max(y for line in points.values() for _, y in line))
    place = lambda v, scale, size: size * (math.log10(v) - math.log10(scale[0])) / max(math.log10(scale[-1]) - math.log10(scale[0]), 1e-9)
    x = lambda v: at + place(v, across, WIDTH)
    y = lambda v: TOP + HEIGHT - place(v, up, HEIGHT)
    out = [f'<text x="{at}" y="{TOP - 14}" font-weight="bold">{title}</text>']
    for v in across:
        out.append(f'<line x1="{x(v):.1f}" y1="{TOP}" x2="{x(v):.1f}" y2="{TOP + HEIGHT}" stroke="#ddd"/><text x="{x(v):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{shown(v)}</text>')
    for v in up:
        out.append(f'<line x1="{at}" y1="{y(v):.1f}" x2="{at + WIDTH}" y2="{y(v):.1f}" stroke="#ddd"/><text x="{at - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{shown(v)} {unit}</text>')
    for name, line in points.items():
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{SERIES[name][0]}" stroke-width="2.5"/>')
        for a, b in line:
            label = f"{b:.2g}" if b < 100 else f"{b:.0f}"
            out.append(f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="4" fill="{SERIES[name][0]}"/><text x="{x(a):.1f}" y="{y(b) - 9:.1f}" text-anchor="middle" fill="{SERIES[name][0]}">{label}</text>')
    return out


def draw(told, path, what):
    results = sorted(told["results"], key=lambda r: r["events"])
    right = LEFT + WIDTH + SPACE
    size = (right + WIDTH + 40, TOP + HEIGHT + 80)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="13" fill="#222">']
    out.append(f'<rect width="{size[0]}" height="{size[1]}" fill="white"/><text x="{LEFT}" y="22" font-size="14">Cost by events in the lake, 90-day window; {told["machine"]}</text>')
    out += panel({"wall": "Wall time", "cpu": "CPU time"}[what], "s", lambda one: one[what], results, LEFT)
    out += panel("Peak memory", "MB", lambda one: one["peak_mb"], results, right)
    for i, (colour, name) in enumerate(SERIES.values()):
        out.append(f'<rect x="{LEFT + i * 190}" y="{TOP + HEIGHT + 42}" width="22" height="5" fill="{colour}"/><text x="{LEFT + 30 + i * 190}" y="{TOP + HEIGHT + 50}">{name}</text>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*out, "</svg>", ""]))


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("lakes", nargs="*", type=pathlib.Path)
    ask.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/patwatch")
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--draw", type=pathlib.Path)
    ask.add_argument("--what", choices=["wall", "cpu"], default="wall", help="what to draw; CPU where the machine was shared")
    o = ask.parse_args()
    if o.lakes:
        results = []
        for lake in o.lakes:
            results.append(measure(o.binary, lake, o.runs))
            for name, runs in results[-1]["runs"].items():
                print(f"{results[-1]['events']:>11,} events {name:9}", *(f"{what} {spread([r[what] for r in runs])}" for what in ("wall", "cpu", "peak_mb")), flush=True)
        FIGURES.parent.mkdir(parents=True, exist_ok=True)
        FIGURES.write_text(json.dumps({"machine": machine().split(";")[0], "results": results}, indent=1))
    if o.draw:
        draw(json.loads(FIGURES.read_text()), o.draw, o.what)


if __name__ == "__main__":
    main()
