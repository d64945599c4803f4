"""`gaussmix detect`: check the files before the work, then read, fit, score, write and print."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from gaussmix._reading.named_rows import NamedRows
from gaussmix._text import make_printable
from gaussmix.apps.anomaly.detection import Detection, detect_rows
from gaussmix.apps.anomaly.thresholds import find_share_threshold
from gaussmix.cli.detect_display import print_detection
from gaussmix.cli.detect_options import AUTO, DetectTask
from gaussmix.cli.messages import print_message
from gaussmix.cli.outputs import check_files, list_files, write_command
from gaussmix.cli.progress import Stage, is_shown
from gaussmix.cli.saved_detector import load_detector
from gaussmix.cli.using import BLOCK_ROWS, name_data, number_rows, tell_notes
from gaussmix.data.several import read_matching_tables, read_tables
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.tables import Table
from gaussmix.data.writing import replace_file, write_table
from gaussmix.errors import FitError, InputError
from gaussmix.estimators.detector import GaussianMixtureDetector

EXIT_GOOD, EXIT_FAILED = 0, 1
#: Rows up to which p-values of --train come from folds.
FEW_ROWS = 5_000


def detect_table(task: DetectTask) -> int:
    """Fit or load, score, write and print; return the exit code."""
    check_files(_name_files(task), [*task.data, *task.train, *([task.model] if task.model else [])])
    seed = secrets.randbelow(2**31) if task.seed is None else task.seed
    try:
        if task.model is not None:
            detector, names = load_detector(task.model, task.options, seed)
            fitted, table = None, _read(task, task.data, names)
            share = task.options["contamination"]
            if share != AUTO:
                detector.offset_ = find_share_threshold(_score(detector, table, None).scores, share)
        else:
            fitted = table = _read(task, task.train or task.data)
            with Stage(is_shown(task.quiet), "fitting the normal rows"):
                detector = _fit(task, table, seed)
            if task.train:
                table = _read(task, task.data, table.names)
    except (FitError, ArithmeticError) as error:
        print_message("error", f"{(task.train or task.data)[0]}: the fit failed: {error}")
        return EXIT_FAILED
    with Stage(is_shown(task.quiet), "scoring"):
        found = _score(detector, table, task.fdr)
    _write(task, detector, table, found)
    if task.report is not None:
        _write_report(task.report, detector, table, fitted, found, seed)
    if not task.quiet:
        print_detection(detector, table, found, task, seed)
        for what, path in list_files(_name_files(task)):
            typer.echo(f"{what} saved in {make_printable(str(path))}")
    return EXIT_GOOD


def _read(task: DetectTask, data: Sequence[Path], names: Sequence[str] | None = None) -> Table:
    """The rows of tables; with names, the columns that a model knows."""
    with Stage(is_shown(task.quiet), f"reading {name_data(data)}"):
        if names is None:
            table = read_tables(data, task.reading)
        else:
            table = read_matching_tables(data, names, task.reading.of_model())
    if not task.quiet:
        tell_notes(table)
    return table


def _fit(task: DetectTask, table: Table, seed: int) -> GaussianMixtureDetector:
    calibration: str | None = None
    if task.train:
        few = "cross" if len(table.values) <= FEW_ROWS else "split"
        calibration = few if task.calibration == AUTO else task.calibration
    detector = GaussianMixtureDetector(**task.options, calibration=calibration, random_state=seed)
    try:
        detector.fit(NamedRows(table.values, table.names), sample_weight=table.weights)
    except FitError:
        raise
    except ValueError as error:
        raise InputError(f"{table.path}: {error}") from None
    return detector


def _score(detector: GaussianMixtureDetector, table: Table, fdr: float | None) -> Detection:
    if fdr is not None and detector.calibration_ is None:
        raise InputError("--fdr needs a model with a calibration: one saved by 'gaussmix detect --train'")
    starts = range(0, len(table.values), BLOCK_ROWS)
    return detect_rows(detector, (_name_rows(table, start) for start in starts), fdr)


def _name_rows(table: Table, start: int) -> NamedRows:
    return NamedRows(table.values[start : start + BLOCK_ROWS], table.names)


def _write(task: DetectTask, detector: GaussianMixtureDetector, table: Table, found: Detection) -> None:
    """Write the table, the detector and the picture that are asked for."""
    if task.save is not None:
        with refuse_os_errors(task.save, "written"):
            detector.save(task.save, info={"source": (task.train or task.data)[0].name})
    if task.output is not None:
        write_table(task.output, _list_blocks(detector, table, found, task.explain))
    if task.plot is not None:
        from gaussmix.plot.scores import save_scores

        with refuse_os_errors(task.plot, "written"), replace_file(task.plot) as temporary:
            save_scores(found.scores, found.threshold, temporary)


def _write_report(
    path: Path,
    detector: GaussianMixtureDetector,
    table: Table,
    fitted: Table | None,
    found: Detection,
    seed: int,
) -> None:
    """Write the page; `fitted` are the rows of the fit, unless a model was loaded."""
    from gaussmix.report import save_page
    from gaussmix.report.detecting import make_detection_report

    page = make_detection_report(
        detector,
        table.values,
        found=found,
        numbers=number_rows(table),
        fit_numbers=None if fitted is None else number_rows(fitted),
        feature_names=table.names,
        source=table.path.name,
        command=write_command(None if fitted is None else seed),
    )
    with refuse_os_errors(path, "written"):
        save_page(page, path)


def _list_blocks(
    detector: GaussianMixtureDetector, table: Table, found: Detection, n_features: int
) -> Iterator[dict[str, NDArray[Any]]]:
    """The columns of the output, some rows at a time; reasons are those of anomalies."""
    rows = number_rows(table)
    for start in range(0, len(rows), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        columns: dict[str, NDArray[Any]] = {"row": rows[block], "score": found.scores[block]}
        if found.pvalues is not None:
            columns["p_value"] = found.pvalues[block]
        anomalous = found.anomalous[block]
        columns["anomaly"] = anomalous
        if n_features:
            reasons = np.full(len(anomalous), "", dtype=object)
            if anomalous.any():
                values = NamedRows(table.values[block][anomalous], table.names)
                reasons[anomalous] = detector.explain(values).reasons(n_features)
            columns["reasons"] = reasons
        yield columns


def _name_files(task: DetectTask) -> dict[str, Path | None]:
    """The files to write, by what they are."""
    return {"table": task.output, "detector": task.save, "picture": task.plot, "report": task.report}
