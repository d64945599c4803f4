"""``python -m gaussmix.accel script.py`` runs a program under the patch, otherwise as Python itself does."""

from __future__ import annotations

import os
import runpy
import sys
import types
from importlib.machinery import SourceFileLoader
from types import TracebackType
from typing import NoReturn

from gaussmix.accel.patch import describe_patch, patch_sklearn

USAGE = """\
usage: python -m gaussmix.accel script.py [argument ...]
       python -m gaussmix.accel -m module [argument ...]

Runs a Python program with sklearn.mixture.GaussianMixture replaced by gaussmix's.
"""


def main(arguments: list[str]) -> None:
    """Run the program that the arguments name, and exit with its exit code."""
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return
    as_module = arguments[:1] == ["-m"]
    program = arguments[1:] if as_module else arguments
    if not program:
        _refuse("no module after -m" if as_module else "no program to run", usage=True)
    if program[0].startswith("-"):
        _refuse(f"unknown option {program[0]}", usage=True)
    code = None if as_module else _compile_program(program[0])
    patch_sklearn()
    sys.stderr.write(f"gaussmix.accel: {describe_patch()}\n")
    sys.argv = program
    try:
        if code is None:
            runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        else:
            _run(code)
    except Exception as error:
        _report(error)


def _compile_program(path: str) -> types.CodeType:
    """Compile the program of a file. Without a file, exit like Python: one line, and the exit code 2."""
    loader = SourceFileLoader("__main__", os.path.abspath(path))
    try:
        return loader.source_to_code(loader.get_data(loader.path), loader.path)
    except OSError as error:
        _refuse(f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}")
    except (SyntaxError, ValueError) as error:
        _report(error)


def _run(code: types.CodeType) -> None:
    """Run a program as the main module, with its own folder first on the search path of modules."""
    path = code.co_filename
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__loader__ = SourceFileLoader("__main__", path)
    sys.modules["__main__"] = module
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    exec(code, vars(module))


def _report(error: Exception) -> NoReturn:
    """Show an error as Python does, from the program's first frame on, and exit with 1."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith((__file__, "<frozen ")):
        frames = frames.tb_next
    if frames is None and isinstance(error, ImportError):  # runpy did not find the module
        _refuse(str(error), code=1)
    sys.excepthook(type(error), error.with_traceback(frames), frames)
    sys.exit(1)


def _refuse(message: str, *, usage: bool = False, code: int = 2) -> NoReturn:
    sys.stderr.write((USAGE if usage else "") + f"gaussmix.accel: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
