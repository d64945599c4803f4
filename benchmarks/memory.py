"""Extra memory of a fit at its peak, measured in a process of its own: ``python -m benchmarks.memory``."""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES, Case, make_problem
from benchmarks.programs import programs, silence_warnings

MIB = 2.0**20


def extra_mib(program: str, case: Case, what: str = "fit") -> float:
    """How far the resident memory rises above that of data, loaded libraries and compiled code, in MiB."""
    command = [sys.executable, "-m", "benchmarks.memory", program, case.name, what]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"measuring the memory of {program} on {case.name} failed:\n{answer.stderr}")
    return float(json.loads(answer.stdout))


def _measure(program_name: str, case: Case, what: str) -> float:
    silence_warnings()
    program = next(program for program in programs() if program.name == program_name)
    problem = make_problem(case)
    # The first fit loads libraries, starts threads and compiles. The memory that it keeps is no extra memory.
    model = program.fit(problem, 1)
    _give_back()
    _forget_peak()
    before = _resident()
    if what == "fit":
        program.fit(problem, 2)
    else:
        program.call(model, what, problem)
    return (_peak() - before) / MIB


def _give_back() -> None:
    """Return freed memory to the operating system, where the C library can."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _forget_peak() -> None:
    """Reset the kernel's high-water mark of the memory, where there is one."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def _resident() -> float:
    return _status("VmRSS") or _peak()


def _peak() -> float:
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def _status(field: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = (line.split() for line in status.read_text().splitlines())
    return next((1024.0 * float(words[1]) for words in lines if words[0] == f"{field}:"), 0.0)


def main() -> None:
    program_name, case_name, what = sys.argv[1:]
    case = next(case for case in CASES if case.name == case_name)
    print(json.dumps(_measure(program_name, case, what)))


if __name__ == "__main__":
    main()
