"""Replace scikit-learn's `GaussianMixture` by ours, in programs that are not to be changed (docs/accel.md).

``python -m gaussmix.accel script.py`` runs a program under the patch; :func:`patch_sklearn` patches
a session.
"""

from gaussmix.accel.patch import patch_sklearn, unpatch_sklearn
from gaussmix.accel.stand_in import GaussianMixture, is_patched

__all__ = ["GaussianMixture", "is_patched", "patch_sklearn", "unpatch_sklearn"]
