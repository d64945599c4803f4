"""What pytest needs before it collects tests and the examples in the docstrings."""

from importlib.util import find_spec

# The examples of an optional part run only where its package is installed.
collect_ignore = [] if find_spec("matplotlib") else ["src/gaussmix/plot"]
