"""The group of subcommands: whatever a user can cause ends in one line on stderr and an exit code."""

from __future__ import annotations

import inspect
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from gaussmix.cli.messages import print_message
from gaussmix.errors import DoubtfulFitWarning, InputError, ModelFileError

#: Exit codes beside 0.
EXIT_FAILED, EXIT_WRONG, EXIT_GIVEN_UP = 1, 2, 130
#: The end of a line within a paragraph.
SINGLE_BREAK = re.compile(r"(?<!\n)\n(?!\n)")
#: What messages call the standard output.
OUTPUT_NAME = "standard output"


class Commands(TyperGroup):
    """The group of subcommands."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run one of them, and end the process with its exit code."""
        try:
            with _turn_errors():
                code = super().main(*args, **{**extra, "standalone_mode": False})
                if not code and sys.stdout is not None:
                    sys.stdout.flush()  # here, where a full disk can still be told
        except typer.Exit as end:
            code = end.exit_code
        except SystemExit:  # how Typer and Rich end a help that nobody reads on (`--help | head -1`)
            _discard_output()
            code = 0
        except Exception as error:
            # The base class of Typer's own errors (a missing option, a word for a number) differs by version.
            if not hasattr(error, "format_message"):
                raise
            context = getattr(error, "ctx", None)
            command = context.command_path if context is not None else "gaussmix"
            code = EXIT_WRONG
            print_message("error", f"{error.format_message().rstrip('.')}; see {command} --help")
        _settle_output()
        sys.exit(code)

    def get_command(self, *args: Any, **extra: Any) -> Any:
        """The command of a name, with a help whose lines end where those of the terminal do."""
        command = super().get_command(*args, **extra)
        if command is not None and command.help:
            command.help = SINGLE_BREAK.sub(" ", inspect.cleandoc(command.help))
        return command

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the arguments; this prints the help and the version."""
        with _turn_errors():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        with _turn_errors(), warnings.catch_warnings():
            # Overflow and other causes of these warnings end in a status or an error of gaussmix.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("always", DoubtfulFitWarning)  # shown to the user at once
            warnings.showwarning = _show_warning
            return super().invoke(ctx)


@contextmanager
def _turn_errors() -> Iterator[None]:
    """In its block an error that a user can cause is printed, and becomes the exit of the command."""
    try:
        yield
    except (InputError, ModelFileError) as error:
        raise _fail(EXIT_WRONG, str(error)) from error
    except MemoryError as error:
        raise _fail(EXIT_FAILED, f"out of memory: {error}".rstrip(": ")) from error
    except KeyboardInterrupt as error:
        raise _fail(EXIT_GIVEN_UP, str(error) or "given up") from error
    except BrokenPipeError as error:  # the reader of the output has closed it (`| head`)
        _discard_output()
        raise typer.Exit(0) from error
    except ValueError as error:
        if "embedded null" not in str(error):  # what a system says of a file's name that holds it
            raise
        raise _fail(EXIT_WRONG, "the name of a file cannot hold the character \\x00") from error
    except OSError as error:
        reason = error.strerror or str(error)
        if error.filename is not None:
            raise _fail(EXIT_WRONG, f"{os.fsdecode(error.filename)}: {reason}") from error
        _discard_output()
        raise _fail(EXIT_WRONG, f"{OUTPUT_NAME}: cannot be written: {reason}") from error


def _fail(code: int, message: str) -> typer.Exit:
    print_message("error", message)
    return typer.Exit(code)


def _show_warning(message: Warning | str, *where: Any, **more: Any) -> None:
    """Print a warning without its place in the code."""
    print_message("warning", str(message))


def _discard_output() -> None:
    """Let what is still to be written to the standard output go nowhere, so that its end is no error."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):  # there is none, or none with a descriptor
        return


def _settle_output() -> None:
    """Write what a failed command has left in a buffer, or give it up: the end must not be a traceback."""
    try:
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        _discard_output()


def open_closed_streams() -> None:
    """Put something in the place of standard streams that are closed, so that no file takes their numbers.

    What is read is empty, what is written to the standard output is an error, and messages are lost.
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - never closed
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise
