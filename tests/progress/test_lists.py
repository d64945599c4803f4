"""Messages about many components or features name a few of them, and say how many more there are."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import FitStatus, fit_mixture
from gaussmix._text import MOST_LISTED, list_some
from gaussmix.fit.advice import write_advice
from gaussmix.fit.component_names import name_components, rename_components


@pytest.mark.parametrize("n", [1, 2, 6, 7, 150])
def test_a_list_is_never_long(n):
    words = list_some(range(n)).replace(" and ", ", ").split(", ")
    assert words[:-1] == [str(i) for i in range(len(words) - 1)]
    assert (words[-1] == f"{n - 3} more" and len(words) == 4) if n > MOST_LISTED else words[-1] == str(n - 1)


def test_components_keep_their_names_when_they_change_places():
    n = 150
    places = list(np.random.default_rng(0).permutation(n))
    many = name_components(tuple(range(0, n, 2)))
    renamed = rename_components(f"C{many[1:]} collapsed.", places)
    first = ", ".join(map(str, sorted(places[k] for k in (0, 2, 4))))
    assert renamed == f"Components {first} and 72 more collapsed."
    of_old = (
        "Components " + ", ".join(map(str, range(n - 1))) + " and 149 collapsed."
    )  # as versions before had it
    assert rename_components(of_old, range(n)) == "Components 0, 1, 2 and 147 more collapsed."
    assert rename_components("Components 3 and 4 collapsed, and 2 more rows.", range(9)).endswith(
        "2 more rows."
    )


def test_advice_of_many_components_is_short():
    apart = {k: (1.0, np.zeros(3)) for k in range(40)}
    advice = write_advice(
        FitStatus.CONVERGED,
        tuple(range(150)),
        tuple(range(300)),
        bounded=True,
        holds_all=False,
        n_reseeds=0,
        apart=apart,
        coinciding=tuple((k, k + 1) for k in range(99)),
    )
    assert "Components 0, 1, 2 and 147 more collapsed" in advice
    assert "Components 0, 1, 2 and 97 more coincide" in advice
    assert "The same holds of 37 more." in advice
    assert len(advice) < 1500


def test_a_fit_of_which_most_components_collapse():
    X = np.repeat(np.arange(3.0), 20)[:, None]
    result = fit_mixture(X, 30, random_state=0, reg_covar=1e-6, init_params="random_from_data")
    assert len(result.advice) < 1000


def test_labels_that_leave_components_empty():
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match=r"start gives components 1, 2, 3 and 26 more no row"):
        fit_mixture(X, 30, start=np.zeros(40, dtype=int))
    with pytest.raises(ValueError, match=r"start gives component 1 no row"):
        fit_mixture(X, 2, start=np.zeros(40, dtype=int))
