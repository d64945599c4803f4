"""The classifier that `gaussmix classify --model` and `gaussmix show` name."""

from __future__ import annotations

from pathlib import Path

import typer

from gaussmix._text import make_printable
from gaussmix.apps.classes.describing import describe_model
from gaussmix.cli.classify_display import write_class
from gaussmix.cli.display import print_model
from gaussmix.data.source import refuse_os_errors
from gaussmix.errors import InputError
from gaussmix.estimators.classifier import GaussianMixtureClassifier


def load_classifier(path: Path) -> GaussianMixtureClassifier:
    """The classifier of a file. Raises InputError or ModelFileError where there is none."""
    if path.is_dir():
        raise InputError(f"{path}: is a directory; expected a classifier")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    with refuse_os_errors(path, "read"):
        return GaussianMixtureClassifier.load(path)


def show_classifier(path: Path, *, everything: bool) -> None:
    """Print what a classifier knows: its classes, and the mixture of their components."""
    model = load_classifier(path)
    shares = zip(model.classes_.tolist(), model.class_prior_.tolist(), strict=True)
    facts = {f"class {write_class(name)}": f"{100.0 * share:.3g} % of the rows" for name, share in shares}
    owners = ", ".join(
        f"{k}: {write_class(name)}" for k, name in enumerate(model.class_of_component_.tolist())
    )
    typer.echo(make_printable(f"Classifier. {describe_model(model)}"))
    print_model(
        model.mixture_,
        facts | {"class of component": owners},
        everything=everything,
        see_all=f"gaussmix show {path} --all",
    )
