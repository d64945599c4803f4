"""How far one mixture is from another: divergences, distances, optimal transport, barycentres."""
