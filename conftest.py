"""What pytest needs before it collects tests and the examples in the docstrings."""

from importlib.util import find_spec

# The examples of a part that needs a package run only where that package is installed.
NEEDS = {
    "matplotlib": ["src/gaussmix/plot", "docs/pictures.md"],
    "pandas": ["docs/frames.md", "docs/anomalies.md", "docs/pictures.md", "docs/pvalues.md"],
    "astropy": ["docs/frames.md"],
    "pyod": ["src/gaussmix/pyod.py"],
    "onnxruntime": [
        "src/gaussmix/model/mixture/exported.py",
        "src/gaussmix/estimators/_exporting.py",
        "src/gaussmix/estimators/_exporting_classes.py",
        "docs/onnx.md",
    ],
    "skl2onnx": ["src/gaussmix/onnx.py", "docs/onnx.md"],
    **{
        package: ["src/gaussmix/model/mixture/as_prior.py", "docs/mixture-priors.md"]
        for package in ("torch", "pymc", "numpyro")
    },
    "jinja2": ["src/gaussmix/report", "docs/report.md", "docs/anomalies.md"],
}
collect_ignore = [part for package, parts in NEEDS.items() if not find_spec(package) for part in parts]
# The settings of the site need what builds it.
collect_ignore_glob = ["docs/*.py", "docs/_ext/*.py"]


def pytest_configure(config):
    if find_spec("numba") is None:  # the compiled kernel's modules cannot be imported to look for examples
        config.option.doctest_ignore_import_errors = True
