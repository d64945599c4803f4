"""Mixtures of experts: p(y | x) = sum_k g_k(z) p_k(y | x), of a gate's shares g and experts' densities p_k."""
