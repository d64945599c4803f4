"""What pytest needs before it collects tests and the examples in the docstrings."""

from importlib.util import find_spec

# The examples of a part that needs a package run only where that package is installed.
NEEDS = {"matplotlib": "src/gaussmix/plot", "numba": "src/gaussmix/model/kernels/fused.py"}

collect_ignore = [path for package, path in NEEDS.items() if find_spec(package) is None]
