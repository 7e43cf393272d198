"""Inside the production container: who runs it, what it may do, and what is not there.

The arguments are the names that belong into /app. Exits with 1 and one line where something is
wrong.
"""

import glob
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def check(good: object, otherwise: object) -> None:
    if not good:
        sys.exit(str(otherwise))


lines = pathlib.Path("/proc/1/status").read_text().splitlines()
status = dict(line.split(":", 1) for line in lines if ":" in line)
ids = os.getuid(), os.getgid()
check(ids == (10001, 10001), f"it runs as {ids}")
check(int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, "it has capabilities")
check(status["NoNewPrivs"].strip() == "1", "it may gain privileges")
for path in ("/app/probe", "/venv/probe", "/probe", "/etc/probe"):
    try:
        pathlib.Path(path).touch()
    except OSError:
        continue
    sys.exit(f"{path} can be written")

there = {path.name for path in pathlib.Path("/app").iterdir()} - {"__pycache__"}
check(there == set(sys.argv[1:]), f"/app: {sorted(there ^ set(sys.argv[1:]))}")
for name in ("gcc", "cc", "g++", "make", "pip", "pip3"):
    check(shutil.which(name) is None, f"{name} is there")
for python in ("/venv/bin/python", sys.base_prefix + "/bin/python3"):
    has_pip = subprocess.run([python, "-c", "import pip"], stderr=subprocess.DEVNULL, check=False)
    check(has_pip.returncode != 0, f"{python} has pip")
check(importlib.util.find_spec("ensurepip") is None, "ensurepip is there")
check(importlib.util.find_spec("pytest") is None, "pytest is there")
leftovers = (os.path.expanduser("~root/.cache"), f"{tempfile.gettempdir()}/pip*")
for pattern in (*leftovers, "/usr/src/*", "/build"):
    check(not glob.glob(pattern), f"{pattern} was left")
check(glob.glob("/app/__pycache__/app.*.pyc"), "there is no bytecode: every start compiles anew")
