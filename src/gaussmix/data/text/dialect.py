"""How a text table is written, found from its first lines: separator, decimal mark, comments, header."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from gaussmix.data.reading import Reading
from gaussmix.data.text.arff import COMMENT, read_arff
from gaussmix.data.text.body import RULER
from gaussmix.data.text.cells import PLAIN, Marks, find_marks, show_cell
from gaussmix.data.text.decimal_column import is_decimal_column, is_doubtful
from gaussmix.data.text.fixed_width import find_cuts
from gaussmix.data.text.header import Header, find_header, name_columns
from gaussmix.data.text.records import Dialect, collect_columns, cut_records
from gaussmix.errors import InputError

#: Lines and characters from which the separator is judged.
SNIFF_LINES, SNIFF_CHARACTERS = 60, 1 << 16
#: Separators, the likelier first.
SEPARATORS = ("\t", ",", ";", "|", " ")
#: What lines that are no rows may begin with.
COMMENTS = ("#", "%", "//", "!", "\\")
#: Excel's line that names the separator.
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
#: A number in quotes, as a cell.
QUOTED = re.compile(r"""(?:^|[,;\t |])"\s*[+-]?[.,]?\d[^"]*"(?:$|[,;\t |\r\n])""")
#: A first cell in quotes.
FIRST_QUOTED = re.compile(r'^\s*"[^"]*"')
#: A quotation mark within a cell, behind a backslash, as R and databases write it.
ESCAPED = re.compile(r'\\"(?![,;\t |\r\n]|$)')


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the first lines of a text table show."""

    dialect: Dialect
    header: Header
    #: The first rows: the number of the last line of each, and its cells.
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    #: What was found out that is not usual, in one sentence; "" where all is.
    note: str = ""


@dataclass
class _Findings:
    """Words on what was found, in order, and options that decide what is in doubt."""

    words: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)

    def tell(self) -> str:
        doubt = f"; if that is wrong, say {' or '.join(self.options)}" if self.options else ""
        return f"read with {', '.join(self.words)}{doubt}" if self.words else ""


def find_layout(path: Path, lines: Sequence[str], reading: Reading, whole: bool = False) -> Layout:
    """Find out how a text is written from its first lines; `whole` says that there are no others.

    Raises InputError where it is no table.
    """
    found = _Findings()
    declared = SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    arff = read_arff(path, lines)
    skipped = arff[1] if arff else 1 if declared else 0
    separator = reading.separator or (declared.group(1) if declared else None)
    comment = _find_comment(lines[skipped:]) if reading.comment is None else reading.comment
    comment = comment or (COMMENT if arff else "")
    comments = _list_comments(lines, comment)
    if comments:
        found.words.append(f"lines that begin with {comment!r} passed over")
    body = [line for line in lines[skipped:] if not comment or not line.lstrip().startswith(comment)]
    filled = list(islice((line for line in body if line.strip()), SNIFF_LINES))
    filled = filled[: max(3, SNIFF_CHARACTERS // max(map(len, filled), default=1))]
    if not filled:
        raise InputError(f"{path}: the file has no rows, only {'comments' if comments else 'blank lines'}")
    dialect = replace(_choose_separator(filled, separator, reading.decimal), comment=comment)
    if separator is None and (cuts := _find_cuts(filled, dialect)):
        dialect = replace(dialect, cuts=cuts, separator=" ")
        found.words.append("columns of fixed width")
        found.options.append("--separator")
    dialect = replace(dialect, escape="\\" if any(map(ESCAPED.search, lines)) else "")
    records = list(cut_records(path, lines, dialect, skip=skipped))
    if not records:
        raise InputError(f"{path}: the file has no rows, only blank lines")
    if arff is None:
        above = _list_comments(lines[: records[0][0] - 1], comment)
        header = find_header(path, records, dialect, reading, above, _is_quoted_above(filled), whole)
    else:
        header = name_columns(path, records, arff[0])
    end = records[header.end - 1][0] if header.end < len(records) else 0
    records = records[: header.end]
    rows = [cells for _, cells in records[header.n_records :]]
    numbers = [line for line, _ in records[header.n_records :]]
    marks, example = find_marks(
        collect_columns(rows, len(header.names)), dialect.separator, _find_decimal(dialect, reading)
    )
    marks = replace(marks, words=_list_words(reading), numbers=_list_numbers(reading))
    if not marks.plain and (marks.thousands or reading.decimal is None):
        thousands = f" and {show_cell(marks.thousands)} between thousands" if marks.thousands else ""
        found.words.append(f"{'decimal commas' if marks.decimal == ',' else 'decimal points'}{thousands}")
    if example:
        other = "." if marks.decimal == "," else ","
        found.words.append(f"{example!r} as {marks.read(example):.10g}")
        found.options.append(f"--decimal {other}")
    if separator is None and reading.decimal is None and dialect.separator == "," and is_doubtful(filled):
        found.words.append("whole numbers between commas")
        found.options.append("--decimal ,")
    found.words += header.words
    found.options += header.options
    start = records[header.n_records - 1][0] if header.n_records else skipped
    return Layout(
        dialect=replace(dialect, marks=marks, start=start, end=end),
        header=header,
        lines=numbers,
        rows=rows,
        note=found.tell(),
    )


def _list_comments(lines: Sequence[str], mark: str) -> list[str]:
    return [line.strip() for line in lines if mark and line.lstrip().startswith(mark)]


def _find_decimal(dialect: Dialect, reading: Reading) -> str | None:
    return (
        dialect.marks.decimal if reading.decimal is None and dialect.marks.decimal == "," else reading.decimal
    )


def _list_words(reading: Reading) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in reading.missing)


def _list_numbers(reading: Reading) -> frozenset[float]:
    return frozenset(
        number for word in reading.missing if (number := PLAIN.read(word)) is not None and number == number
    )


def _find_comment(lines: Sequence[str]) -> str:
    """What comments begin with: the first line of a text that is not all of such lines."""
    filled = [line.lstrip() for line in lines if line.strip()]
    for mark in COMMENTS:
        # A column of labels such as #1, #2 is no comment.
        marked = [line.startswith(mark) for line in filled]
        n_above = marked.index(False) if False in marked else len(marked)
        rest = marked[n_above:]
        if rest and 2 * sum(rest) < len(rest) and (n_above or (any(rest) and mark == "#")):
            return mark
    return ""


def _is_quoted_above(lines: Sequence[str]) -> bool:
    """Whether the first line alone has numbers in quotes, but for the names of the rows."""
    if len(lines) < 2 or not QUOTED.search(lines[0]):
        return False
    if not any(map(QUOTED.search, lines[1:])):
        return True
    first, *below = [FIRST_QUOTED.sub("", line, count=1).strip() for line in lines]
    return bool(not first or QUOTED.search(first)) and all(row and not QUOTED.search(row) for row in below)


def _choose_separator(lines: list[str], separator: str | None, decimal: str | None) -> Dialect:
    """Choose what cuts the most lines into equally many cells, and into the most numbers."""
    lines = [line for line in lines if not RULER.fullmatch(line)] or lines
    quote = _find_quote(lines)
    end = next((mark for mark in SEPARATORS[:4] if lines[0].rstrip("\r\n ").endswith(mark)), "")
    if separator is None and decimal != "." and is_decimal_column(lines, told=decimal == ","):
        return Dialect(separator=end.strip(",") or ";", quote=quote, marks=Marks(","))
    best, best_score, best_cells = Dialect(separator=separator or end or ",", quote=quote), (0.0, 0.0), (0, 0)
    for mark in SEPARATORS if separator is None else [separator]:
        dialect = Dialect(separator=mark, quote=quote, bordered=_is_bordered(lines, mark))
        rows = [cells for _, cells in cut_records(Path(), lines, dialect)]
        widths = Counter(len(cells) for cells in rows[1:] or rows if len(cells) > 1)
        if not widths:
            continue
        width, times = widths.most_common(1)[0]
        alike = (times + (len(rows[0]) == width and len(rows) > 1)) / len(rows)
        if (mark == ";" and alike == 1.0) or separator is not None:
            return dialect  # a comma is then the decimal mark: cutting at it would make false columns
        columns = collect_columns([cells for cells in rows[1:] or rows if len(cells) == width], width)
        if mark == "," and decimal == ",":
            continue
        marks, _ = find_marks(columns, mark, decimal)
        cells = [cell for column in columns for cell in column]
        n_numbers = sum(map(marks.is_number, cells))
        if mark == " " and best.separator == "\t" and best_cells == (width, n_numbers):
            continue  # tabs count as blanks, but blanks in names and titles are no tabs
        score = (alike, n_numbers / len(cells))
        # commas between cells and in their numbers make as many numbers beside text: 4,895|word
        tied = score == best_score and best.separator == "," and marks.decimal == ","
        if score > best_score or tied:
            best, best_score, best_cells = dialect, score, (width, n_numbers)
    return best


def _find_cuts(lines: Sequence[str], dialect: Dialect) -> tuple[int, ...]:
    """Where columns of fixed width begin, if blanks cut the lines into cells of different numbers."""
    below = lines[len(lines) // 3 :]
    if dialect.separator == " " or not any(dialect.separator in line for line in below):
        widths = {len(cells) for _, cells in cut_records(Path(), below, replace(dialect, separator=" "))}
        if len(widths) > 1:
            return find_cuts(lines)
    return ()


def _find_quote(lines: Sequence[str]) -> str:
    """The quotation mark: a single one where cells begin and end with it and there is no other."""
    if any('"' in line for line in lines):
        return '"'
    quoted = re.compile(r"(^|[,;\t| ])\s*'[^']*'\s*($|[,;\t| ])")
    return "'" if sum(bool(quoted.search(line.strip())) for line in lines) > len(lines) / 2 else '"'


def _is_bordered(lines: Sequence[str], mark: str) -> bool:
    marked = [line.strip() for line in lines if mark in line]
    return mark == "|" and all(line.startswith(mark) and line.endswith(mark) for line in marked)
