"""The M-step: from moments to a mixture, what keeps its covariances regular, priors and constraints."""
