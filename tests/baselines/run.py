"""The pack, Sentinel's PAT rules and an isolation forest over simulated organisations, scored side by side.

In: a patwatch binary, the seeds. Out: the table on stdout as Markdown, evaluation.json and evaluation.png in the
work folder. Organisations are made anew; with `--reuse` those of an earlier run in the same folder are scored again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="patwatch")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--reuse", action="store_true")
    args = parser.parse_args()

    sentinel = "Sentinel PAT rules"
    if not args.reuse:
        command = [args.binary, "evaluate", "--seeds", args.seeds, "--first-seed", args.first_seed]
        command += ["--tokens", args.tokens, "--days", args.days, "--keep", args.work]
        command += ["--baseline", f"{sentinel}={HERE / 'sentinel'}"]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    score = [args.binary, "evaluate", "--format", "markdown", "--chart", args.work / "evaluation.png"]
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        folder = args.work / str(seed)
        forest = folder / "forest.json"
        subprocess.run(
            [sys.executable, HERE / "forest.py", folder / "lake", "--tokens", folder / "tokens.json",
             "--findings", folder / "findings.json", "--output", forest],
            check=True,
        )
        score += ["--truth", folder / "org" / "truth.json", "--findings", folder / "findings.json"]
        score += ["--baseline", f"{sentinel}={folder / (sentinel + '.json')}", "--baseline", f"isolation forest={forest}"]
    score = [str(part) for part in score]
    subprocess.run(score, check=True)
    json_score = ["json" if part == "markdown" else part for part in score]
    with open(args.work / "evaluation.json", "w", encoding="utf-8") as file:
        subprocess.run(json_score, check=True, stdout=file)


if __name__ == "__main__":
    main()
