"""Python in a process of its own, the package on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import gaussmix


def run_python(*arguments, cwd, **variables):
    paths = [str(Path(gaussmix.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
