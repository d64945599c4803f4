"""Mixtures of experts, p(y | x) = sum_k g_k(z) p_k(y | x): shares g of a gate, densities p_k of experts."""
