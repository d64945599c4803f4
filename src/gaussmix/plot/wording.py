"""What a picture of a view shows, in the words of its caption."""

from __future__ import annotations

import numpy as np

from gaussmix.plot.captions import join_words
from gaussmix.plot.plane import DOUBTS, MASSES
from gaussmix.plot.points import Artists, Style
from gaussmix.plot.view import View, tell_features


def describe_view(view: View, style: Style, drawn: Artists) -> str:
    """What a picture of a view shows, in short sentences."""
    sentences = [tell_features(view.n_shown, view.n_features, view.choice), _tell_rows(view, style)]
    if view.n_shown > 1:
        sentences += _tell_plane(view, style)
    if view.n_shown != 2:
        sentences += _tell_curves(view, style)
    if drawn.cut:
        sentences.append("What is higher than the panel is cut off.")
    return " ".join(sentence for sentence in sentences if sentence)


def _tell_rows(view: View, style: Style) -> str:
    """How many rows there are, and how they are drawn; nothing where they are bars alone."""
    if not view.n_rows or view.n_shown == 1:
        return ""
    number = _count_rows(view)
    label = _name_label(view)
    if view.rasters:
        by_kind = {
            "classification": f", in the colour of their {label}",
            "uncertainty": f", redder and darker where their {label} is less certain",
        }
        return f"Raster of {number}, fuller where there are more{by_kind.get(style.kind, '')}."
    fainter = ", fainter where it is less certain" if view.mixture is not None else ""
    by_kind = {
        "classification": f" by {label}{fainter}",
        "uncertainty": f", larger and darker where their {label} is less certain",
    }
    weighted = view.points is not None and view.points.weights is not None
    return f"Points: {number}{by_kind.get(style.kind, '')}{'; areas are weights' if weighted else ''}."


def _count_rows(view: View) -> str:
    return f"all {view.n_rows:,} rows" if view.n_rows > 1 else "the one row"


def _name_label(view: View) -> str:
    if view.mixture is None:
        return "label"
    return f"most probable {'component' if _is_plain(view) else 'cluster'}"


def _is_plain(view: View) -> bool:
    """Whether each component is a cluster by itself."""
    return len(np.unique(view.clusters)) == len(view.clusters)


def _tell_plane(view: View, style: Style) -> list[str]:
    if view.mixture is None:
        return []
    told = []
    radii = [f"{r:g}" for r in style.standard_deviations]
    if radii:
        shares = join_words([f"{-100.0 * np.expm1(-(r**2) / 2.0):.0f}" for r in style.standard_deviations])
        deviations = "standard deviation" + ("" if radii == ["1"] else "s")
        told.append(f"Ellipses: {join_words(radii)} {deviations} ({shares} % of a component).")
    alone = view.n_shown == 2
    if style.kind == "density":
        told.append(_tell_masses("Blue"))
    elif alone and style.kind == "classification":
        told.append(_tell_masses("Grey"))
    if (
        alone
        and view.whole is not None
        and view.n_labels + (view.noise > 0.0) > 1
        and style.kind != "density"
    ):
        if style.kind == "uncertainty":
            told.append(f"Grey: where rows would be uncertain by {100 * DOUBTS[0]:.0f} % and more.")
        told.append(f"Thin lines: borders between {'components' if _is_plain(view) else 'clusters'}.")
    return told


def _tell_masses(colour: str) -> str:
    masses = join_words([f"{100 * mass:.0f}" for mass in MASSES[::-1]])
    return f"{colour}: the densest regions, with {masses} % of the mixture."


def _tell_curves(view: View, style: Style) -> list[str]:
    """One feature, or those on the diagonal of pairs."""
    curves = _tell_density(view, style)
    if view.n_shown > 1:
        parts = [*(["histogram of the rows (grey)"] if view.n_rows else []), *curves]
        return [f"Diagonal: {'; '.join(parts)}."] if parts else []
    told = []
    if view.n_rows:
        told.append(f"Bars: histogram of {_count_rows(view)}.")
    told += [f"Curve{'' if style.kind == 'density' else 's'}: {curve}." for curve in curves]
    if curves and style.kind == "density":
        told.append(_tell_masses("Blue"))
    if view.whole is None or view.n_labels + (view.noise > 0.0) < 2 or style.kind == "density":
        return told
    if style.kind == "uncertainty":
        told.append(f"Strip: how uncertain a value is. Dashed: where the {_name_label(view)} changes.")
    else:
        told.append(f"Strip: the {_name_label(view)}; dashed: where it changes.")
    return told


def _tell_density(view: View, style: Style) -> list[str]:
    if view.mixture is None:
        return []
    noise = ", without the noise" if view.noise else ""
    if style.kind == "density":
        return [f"density of the mixture (black){noise}"]
    return [f"density of each component by its weight, and of the mixture (black){noise}"]
