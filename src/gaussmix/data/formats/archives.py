"""Archives (.zip, and what is made like one): their members, with sizes that are possible."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from gaussmix.data.content import Content
from gaussmix.data.formats.typed_tables import refuse_damage
from gaussmix.errors import InputError

MARK = b"PK\x03\x04"
#: An archive without a member.
EMPTY_MARK = b"PK\x05\x06"
#: Most by which a member can grow when it is unpacked: the limit of deflate.
MOST_GROWTH = 1032
#: Names of members that systems add.
ADDED = ("__MACOSX/", ".")


@dataclass(frozen=True)
class Archive:
    """An archive whose list of members has been read."""

    content: Content
    sizes: dict[str, int]  # bytes of each member, unpacked, in the archive's order

    @contextmanager
    def open(self, member: str) -> Iterator[BinaryIO]:
        """A stream of a member's bytes."""
        with self.content.open() as file, zipfile.ZipFile(file) as archive, archive.open(member) as stream:
            yield cast(BinaryIO, stream)

    def read(self, member: str, most: int) -> bytes:
        """All bytes of a member. Raises InputError if they are damaged, or more than `most`."""
        path = self.content.path
        if self.sizes[member] > most:
            raise InputError(
                f"{path}: {member!r} unpacks to more than {most >> 20} MiB; unpack it into a file"
            )
        with refuse_damage(path, "a damaged archive"), self.open(member) as stream:
            return stream.read(self.sizes[member] + 1)


def open_archive(content: Content) -> Archive:
    """Read the list of members. Raises InputError where a member says that it is larger than it can be."""
    path = content.path
    if content.head.startswith(EMPTY_MARK):
        raise InputError(f"{path}: the archive holds nothing")
    sizes = {}
    with (
        refuse_damage(path, "a damaged or truncated archive (.zip, .npz or .xlsx)"),
        content.open() as file,
        zipfile.ZipFile(file) as archive,
    ):
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.compress_size > content.size or member.file_size > MOST_GROWTH * (
                member.compress_size + 64
            ):
                raise ValueError(f"{member.filename!r} cannot have {member.file_size} bytes")
            if member.flag_bits & 1:
                raise InputError(f"{path}: {member.filename!r} is encrypted; unpack it first")
            sizes[member.filename] = member.file_size
    if not sizes:
        raise InputError(f"{path}: the archive holds nothing")
    return Archive(content, sizes)


def list_tables(archive: Archive) -> list[str]:
    """The members that people put there: not those that systems add."""
    return [
        name
        for name in archive.sizes
        if not name.startswith(ADDED[0]) and not name.rsplit("/", 1)[-1].startswith(ADDED[1])
    ]
