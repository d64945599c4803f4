"""Writing files atomically: a file has all of its new content or all of its old. Every writer uses it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Characters of the file's name that its temporary name repeats: names have a length limit.
REPEATED = 40


@contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside `path`, which takes the place of `path` when the block ends well.

    The content reaches the disk before the name does. When the block raises, or the disk is full, the
    temporary file is removed and whatever was at `path` stays. A link stays a link: the file that it points
    to is replaced. A file that is replaced keeps its permissions; a new one has the user's usual ones.

    Raises
    ------
    OSError
        If the file cannot be written, or `path` is a directory, a pipe or a device.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replace_file(Path(folder) / "out.txt") as temporary:
    ...         _ = temporary.write_text("all of it")
    ...     print([p.name for p in Path(folder).iterdir()])
    ['out.txt']
    """
    target = Path(os.path.realpath(path))
    mode = _read_permissions(target, path)
    temporary = _make_file_beside(target, private=mode is not None)
    try:
        yield temporary
        _flush(temporary, os.O_RDWR)
        if mode is not None:
            temporary.chmod(mode)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):  # the first error is the one that the caller should see
            temporary.unlink()
        raise
    with suppress(OSError):  # some systems cannot flush a folder: the new name then reaches the disk later
        _flush(target.parent, os.O_RDONLY)


def _read_permissions(target: Path, path: str | os.PathLike[str]) -> int | None:
    """The permissions of the file to be replaced, None if there is none. Raises OSError for other things."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISREG(mode):
        return stat.S_IMODE(mode)
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if stat.S_ISLNK(mode):  # realpath leaves a link only where links lead in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    # A rename would replace /dev/null by a file.
    raise OSError(errno.EINVAL, "it is not an ordinary file", os.fspath(path))


def _make_file_beside(target: Path, private: bool) -> Path:
    """A new empty file with a unique name, on the same disk, so that a rename can put it in place."""
    # writers of pictures and tables choose the format by the suffix
    suffix = target.suffix if len(target.suffix) <= REPEATED else ""
    temporary = target.with_name(f".{target.name[:REPEATED]}.{os.urandom(8).hex()}.part{suffix}")
    # The system applies the umask: a process can read it only by changing it for all its threads.
    # A file that replaces a private one is private from its first byte.
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)
    os.close(os.open(temporary, flags, 0o600 if private else 0o666))
    return temporary


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
