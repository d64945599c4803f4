"""Run a command as another machine would: another kernel of OpenBLAS, NumPy without its vector loops, and so on.

    python -m tests.machines haswell pytest tests/laws

runs the tests as an older processor would; a machine whose kernels this processor cannot run is skipped, and the
last line says so. `make test-machines` runs what rounding can reach, as each of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field

#: What OpenBLAS asks of a processor, in NumPy's words.
NEEDS = {"Nehalem": ("SSE42",), "Haswell": ("AVX2", "FMA3"), "SkylakeX": ("AVX512_SKX",)}


@dataclass(frozen=True)
class Machine:
    """A machine in the environment variables that make this one like it.

    Parameters
    ----------
    kernel : str
        Of OpenBLAS (OPENBLAS_CORETYPE).
    without : str
        NumPy's features from this one on are switched off (NPY_DISABLE_CPU_FEATURES); "" leaves all on.
    variables : dict
        Further variables.
    """

    kernel: str
    without: str = ""
    variables: dict[str, str] = field(default_factory=dict)


ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "GAUSSMIX_NUM_THREADS": "1"}
MACHINES = {
    # an old or a small one: SSE only, and compiled code for any x86-64
    "nehalem": Machine("Nehalem", "AVX", {"NUMBA_CPU_NAME": "generic", **ONE_THREAD}),
    # most laptops, and AMD's up to Zen 3, for which OpenBLAS has the same kernel
    "haswell": Machine("Haswell", "AVX512F"),
    # servers
    "skylakex": Machine("SkylakeX"),
}


def why_not(machine: Machine) -> str:
    """Why this machine cannot be run here; "" if it can."""
    from numpy._core._multiarray_umath import __cpu_features__ as features

    missing = [feature for feature in NEEDS[machine.kernel] if not features.get(feature)]
    return f"this processor has no {', '.join(missing)}" if missing else ""


def disabled(first: str) -> list[str]:
    """NumPy's switchable features from `first` on; newer NumPys name whole levels, "X86_V3" for AVX to AVX2."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as known
    from numpy._core._multiarray_umath import __cpu_features__ as features

    level = {"AVX": "X86_V3", "AVX512F": "X86_V4"}[first]
    begin = min((known.index(name) for name in (first, level) if name in known), default=len(known))
    return [name for name in known[begin:] if features.get(name)]


def environment_of(machine: Machine) -> dict[str, str]:
    """The variables of the machine. Numba keeps what it compiles for each processor apart."""
    variables = {"OPENBLAS_CORETYPE": machine.kernel, **machine.variables}
    if machine.without:
        variables["NPY_DISABLE_CPU_FEATURES"] = " ".join(disabled(machine.without))
    return variables


def running_kernels(variables: dict[str, str]) -> set[str]:
    """The kernels that NumPy's and SciPy's OpenBLAS have in a process with the variables."""
    code = (
        "import numpy, scipy.linalg, threadpoolctl\n"
        "for library in threadpoolctl.threadpool_info():\n"
        "    if library['internal_api'] == 'openblas': print(library['architecture'])"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    return set(
        subprocess.run(
            command, env=os.environ | variables, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def reason_to_skip(name: str) -> str:
    """Why there is nothing to run, or nothing new; "" if there is."""
    machine = MACHINES[name]
    if reason := why_not(machine):
        return reason
    variables = environment_of(machine)
    if set(variables) == {"OPENBLAS_CORETYPE"} and running_kernels({}) == {machine.kernel}:
        return "this processor is one, and the main run of the tests has it"
    kernels = running_kernels(variables)
    return (
        ""
        if kernels == {machine.kernel}
        else f"OpenBLAS runs {', '.join(sorted(kernels)) or 'nowhere'} instead"
    )


def main(name: str, *command: str) -> int:
    """Run the command as the machine, or say why not; with --anyway before it, then as this one."""
    anyway = command[0] == "--anyway"
    run = [sys.executable, "-m", *command[anyway:]]
    reason, variables = reason_to_skip(name), {}
    if reason:
        print(f"{name}: skipped, {reason}", flush=True)
        if not anyway:
            return 0
    else:
        variables = environment_of(MACHINES[name])
        print(name, *(f"{variable}={value!r}" for variable, value in variables.items()), flush=True)
    return subprocess.run(run, env=os.environ | variables, check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in MACHINES:
        sys.exit(f"usage: python -m tests.machines {{{','.join(MACHINES)}}} [--anyway] MODULE [ARGUMENT...]")
    sys.exit(main(*sys.argv[1:]))
