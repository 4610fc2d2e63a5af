"""Runs a command and says what it cost: wall and CPU seconds, peak memory. Shared by the comparisons."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


# Linux counts the memory of whoever starts a process as that process's own peak, so a small one starts it and tells.
LAUNCH = """
import os, sys, time
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - start
os.write(int(sys.argv[1]), f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}".encode())
"""


def run(command, output=None, env=None, stdout=subprocess.DEVNULL):
    """Runs `command` in a process of its own; `output` is removed first. Times the whole process."""
    if output is not None:
        shutil.rmtree(output, ignore_errors=True) if output.is_dir() else output.unlink(missing_ok=True)
    told, tell = os.pipe()
    launch = [sys.executable, "-I", "-S", "-c", LAUNCH, str(tell), *(str(part) for part in command)]
    subprocess.run(launch, stdout=stdout, env={**os.environ, **(env or {})}, pass_fds=[tell], check=True)
    os.close(tell)
    with os.fdopen(told) as pipe:
        wall, cpu, peak, code = pipe.read().split()
    if int(code):
        raise subprocess.CalledProcessError(int(code), command[0])
    return {"wall": float(wall), "cpu": float(cpu), "peak_mb": int(peak) * 1024 / 1e6}


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
    with tempfile.TemporaryFile("w+") as said:
        whole = run([sys.executable, "-c", timed], env=env, stdout=said)
        said.seek(0)
        wall, cpu = map(float, said.read().split()[-2:])
    return {**whole, "wall": wall, "cpu": cpu}


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
