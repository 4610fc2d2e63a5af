#!/usr/bin/env python3
"""Reads what patwatch writes for other programs with readers that other people wrote.

SARIF goes to Microsoft's multitool (which holds the public schema), OCSF to the models of py-ocsf-models, JUnit to
junitparser, CSV to Python's own reader; each must find as many findings as findings.json holds.

Usage: check.py PATWATCH INPUT SARIF_MULTITOOL
"""

import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from junitparser import Failure, JUnitXml, Skipped
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

patwatch, source, multitool = sys.argv[1:4]
place = pathlib.Path(tempfile.mkdtemp(prefix="patwatch-formats-"))
files = {}
for name in ("json", "sarif", "junit", "ocsf", "csv"):
    files[name] = place / f"findings.{name}"
    subprocess.run([patwatch, "-q", "check", "--from", source, "--format", name, "--output", files[name]], check=True)
findings = json.loads(files["json"].read_text())["findings"]
assert findings, "the input gives no findings, so there is nothing to check"

done = subprocess.run(
    [multitool, "validate", files["sarif"], "--output", place / "validation.sarif"],
    capture_output=True,
    text=True,
    env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
)
assert done.returncode == 0 and "error" not in done.stdout, done.stdout + done.stderr
results = json.loads(files["sarif"].read_text())["runs"][0]["results"]
assert len(results) == len(findings)
for result, finding in zip(results, findings):
    assert result["properties"]["severity"] == finding["severity"], finding
    assert result["properties"]["confidence"] == finding["confidence"], finding
print(f"SARIF: the multitool accepts {len(results)} results; severity and confidence are kept")

events = json.loads(files["ocsf"].read_text())
assert len(events) == len(findings)
for event in events:
    read = DetectionFinding.model_validate(event)
    assert read.finding_info.uid == event["finding_info"]["uid"]
print(f"OCSF: {len(events)} detection findings fit the models")

suites = JUnitXml.fromfile(str(files["junit"]))
failed = skipped = 0
for suite in suites:
    for case in suite:
        failed += any(isinstance(r, Failure) for r in case.result)
        skipped += any(isinstance(r, Skipped) for r in case.result)
# A test fails for a finding from medium up.
alarming = [f for f in findings if f.get("suppressed") is None and f["severity"] in ("medium", "high", "critical")]
assert failed == len(alarming), (failed, len(alarming))
names = [(case.classname, case.name) for suite in suites for case in suite]
assert len(names) == len(set(names)), "two tests have one name"
assert failed == suites.failures
print(f"JUnit: {suites.tests} cases, {failed} failures, {skipped} skipped")

with open(files["csv"], newline="", encoding="utf-8-sig") as text:
    rows = list(csv.DictReader(text))
assert len(rows) == len(findings)
for row in rows:
    assert None not in row and None not in row.values(), f"a row with another number of cells: {row}"
    assert not any(value[:1] in "=+-@\t\r" for value in row.values() if value), f"a formula: {row}"
print(f"CSV: {len(rows)} rows, no cell that a spreadsheet would run")
