"""The oldest supported versions, as constraints for pip: every floor that pyproject.toml has for a user or a test.

python tests/oldest.py > oldest.txt
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def floors() -> dict[str, str]:
    """The floor of each package that gaussmix or its tests need, "numpy" -> "2.0"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    found = {}
    for requirement in [
        *project["dependencies"],
        *extras["plot"],
        *extras["arrow"],
        *extras["fits"],
        *extras["excel"],
        *extras["report"],
        *extras["onnx"],
        *extras["test"],
    ]:
        if requirement.startswith("gaussmix["):  # other extras, by name
            continue
        match = re.fullmatch(r"([A-Za-z0-9-]+)>=([0-9.]+)(?:\s*;.*)?", requirement)
        if match is None:
            raise ValueError(f"expected name>=version in pyproject.toml, got {requirement!r}")
        found[match[1]] = match[2]
    return found


#: Packages that those need in versions of their own time.
OF_THEIR_TIME = ("pyparsing<3.3",)  # of which matplotlib 3.9 uses names that newer ones warn of

if __name__ == "__main__":
    for name, version in floors().items():
        print(f"{name}=={version}")
    print(*OF_THEIR_TIME, sep="\n")
