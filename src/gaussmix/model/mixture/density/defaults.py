"""How exactly integrals are computed unless a caller says it; by itself, since it loads nothing else."""

from __future__ import annotations

#: Relative standard error of boxes of three and more correlated features.
TOLERANCE = 1e-4
#: Points for one box and component at most.
MOST_POINTS = 1 << 16
#: Draws of integrals over a whole mixture.
N_DRAWS = 1 << 16
#: What points and draws of integrals begin with: the same question has the same answer.
SEED = 0
