"""``python -m benchmarks``: see ``--help``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from benchmarks.cases import CASES, Case, make_problem
from benchmarks.memory import extra_mib
from benchmarks.programs import Program, programs, silence_warnings
from benchmarks.table import WHAT, Row, Table, machine
from benchmarks.timing import Effort, gemm_peak, per_call, per_iteration

DEFAULT_WHAT = ("fit", "converge")
#: Matrix products of a pass: an iteration of EM multiplies by H and by T', an evaluation by H only.
PASSES = {"fit": 2, "score_samples": 1, "predict_proba": 1}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time gaussmix beside scikit-learn: same data, same start, alternating in one run.",
    )
    parser.add_argument(
        "--rows", nargs="+", metavar="TEXT", help="only rows whose name has one of these: 200k,8,16"
    )
    parser.add_argument("--dtype", choices=["float64", "float32"], help="only rows of this type")
    parser.add_argument("--what", nargs="+", choices=[*WHAT, "all"], default=list(DEFAULT_WHAT))
    parser.add_argument("--quick", action="store_true", help="few repeats, float64, no memory")
    parser.add_argument("--no-numba", action="store_true", help="the BLAS executor only")
    parser.add_argument("--no-memory", action="store_true", help="leave the memory columns out")
    parser.add_argument("--no-other", action="store_true", help="gaussmix alone, for work on gaussmix")
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="at most this many (default 7)")
    parser.add_argument(
        "--seconds", type=float, default=15.0, metavar="S", help="for each program and row (default 15)"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables to a file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    return parser.parse_args()


def choose_cases(options: argparse.Namespace) -> list[Case]:
    cases = [case for case in CASES if not options.rows or any(text in case.name for text in options.rows)]
    dtype = "float64" if options.quick and not options.dtype else options.dtype
    cases = [case for case in cases if dtype in (None, case.dtype)]
    if not cases:
        raise SystemExit(
            f"no row has one of {options.rows} in its name; rows: {' '.join(case.name for case in CASES)}"
        )
    return cases


def choose_cases_of(what: str, cases: list[Case]) -> list[Case]:
    """The cases of an operation. Fits to convergence are timed on small data alone: others take minutes."""
    return [case for case in cases if what != "converge" or case.n < 1000]


def measure(case: Case, what: str, found: list[Program], effort: Effort, peak: float, *, memory: bool) -> Row:
    problem = make_problem(case)
    able = [program for program in found if program.can(case, what)]
    if what == "fit":
        seconds = per_iteration(able, problem, effort)
    else:
        seconds = per_call(able, problem, effort, what)
    share = case.flops(passes=PASSES[what]) / seconds["gaussmix"] / peak if what in PASSES else None
    names = [program.name for program in able[:2]] if memory else []
    return Row(case, what, seconds, share, {name: extra_mib(name, case, what) for name in names})


def main() -> None:
    options = arguments()
    if options.no_numba:
        os.environ["GAUSSMIX_EXECUTOR"] = "blas"  # the processes that measure memory inherit it
    silence_warnings()
    cases = choose_cases(options)
    found = programs()[:1] if options.no_other else programs()
    effort = Effort(5.0, 3) if options.quick else Effort(options.seconds, options.repeats)
    peaks = {dtype: gemm_peak(dtype) for dtype in sorted({case.dtype for case in cases}, reverse=True)}
    memory = not (options.no_memory or options.quick)
    table, rows = Table([program.name for program in found], memory=memory), []
    about = machine(peaks)
    table.say("; ".join(f"{key}: {value}" for key, value in about.items()))
    for what in WHAT if "all" in options.what else options.what:
        if choose_cases_of(what, cases):
            table.begin(what)
        for case in choose_cases_of(what, cases):
            row = measure(case, what, found, effort, peaks[case.dtype], memory=memory and what != "converge")
            table.add(row)
            rows.append(row)
    if options.markdown:
        options.markdown.write_text("\n".join(table.lines) + "\n", encoding="utf-8")
    if options.json:
        options.json.write_text(
            json.dumps({"machine": about, "rows": [row.as_dict() for row in rows]}, indent=1)
        )


if __name__ == "__main__":
    main()
