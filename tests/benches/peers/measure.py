"""Runs a command and says what it cost: wall and CPU seconds, peak memory. Shared by the comparisons."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def run(command, output=None, env=None, stdout=subprocess.DEVNULL):
    """Runs `command` in a process of its own; `output` is removed first. Times the whole process."""
    if output is not None:
        shutil.rmtree(output, ignore_errors=True) if output.is_dir() else output.unlink(missing_ok=True)
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=stdout, env={**os.environ, **(env or {})})
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command[0])
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss * 1024 / 1e6}


def child(code, output=None, env=None):
    """Runs Python `code` in a process of its own, times from after its imports to its end."""
    imports, _, body = code.strip().partition("\n")
    timed = (
        f"{imports}\nimport time, resource\n"
        f"start = time.perf_counter(); used = resource.getrusage(resource.RUSAGE_SELF)\n{body}\n"
        "now = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(time.perf_counter() - start, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)\n"
    )
    if output is not None:
        output.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-c", timed], stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "python")
    wall, cpu = map(float, said.split()[-2:])
    return {"wall": wall, "cpu": cpu, "peak_mb": usage.ru_maxrss * 1024 / 1e6}


def spread(values):
    """Least, median and greatest of some figures."""
    return f"{min(values):.2f}/{statistics.median(values):.2f}/{max(values):.2f}"


def machine():
    """One line on the machine and the versions of the peers."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if pathlib.Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    versions = []
    for name in ("duckdb", "polars"):
        try:
            versions.append(f"{name} {__import__(name).__version__}")
        except ImportError:
            versions.append(f"{name} missing")
    return f"{model}, {os.cpu_count()} cores; {', '.join(versions)}; figures are least/median/greatest"
