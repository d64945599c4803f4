"""prototype"""
from __future__ import annotations
import numpy as np
from gaussmix.fit.regularise import make_regularise
from gaussmix.model.mixture import Mixture

OPT = dict(beta0=0.15, steps=8, per=5, noise=0.05, start="random", top=1.0, final=1)

def m_step(structure, regularise, stats, warm):
    shares = stats.counts / stats.counts.sum()
    cov, fac = regularise(structure.moments(stats), shares, warm)
    return Mixture._trusted(structure, shares, stats.means(), cov, fac)

def annealed(engine, rng, turn, **o):
    o = OPT | o
    k, d = engine.n_components, engine.X.shape[1]
    structure = engine.structure
    reg = make_regularise("auto", structure, engine)
    def draw(rows):
        return np.full((k, rows.stop - rows.start), 1.0 / k)
    from gaussmix.fit import start as S
    if o["start"] == "random":
        mix = m_step(structure, reg, engine.statistics_of(draw), None)
    else:
        stats, chosen = S.STARTS[o["start"]](engine, rng, turn)
        mix = m_step(structure, reg, stats, None)
    if o.get("means"):
        pooled = mix.covariances, mix.precisions_cholesky
        if o["start"] != "random":
            base = m_step(structure, reg, engine.statistics_of(draw), None); pooled = base.covariances, base.precisions_cholesky
        low = (o["means"] * k ** (-2.0 / d))
        for s in np.geomspace(1.1, low, o["steps"]):
            f = structure.mapped(pooled[0], np.asarray(np.sqrt(s))), structure.mapped_factor(pooled[1], np.asarray(s ** -0.5))
            sd = np.sqrt(s * np.asarray(structure.variances(pooled[0], k, d)))
            mix = Mixture._trusted(structure, mix.weights, mix.means + o["noise"] * sd * rng.standard_normal((k, d)), *f)
            for _ in range(o["per"]):
                st = engine.accumulate(mix)
                shares = st.counts / st.counts.sum()
                if o.get("eq"): shares = np.full(k, 1/k)
                mix = Mixture._trusted(structure, shares, st.means(), *f)
        mix = m_step(structure, reg, engine.accumulate(mix), None)
        if not o.get("then"):
            return engine.accumulate(mix), None
    up = o["beta0"] ** (1 - np.arange(o["steps"]) / (o["steps"]-1))
    betas = list(up)
    if o["top"] > 1.0:
        betas = list(o["beta0"] * (o["top"]/o["beta0"]) ** (np.arange(o["steps"]) / (o["steps"]-1)))
        betas += list(o["top"] ** (1-np.arange(1, 4)/3))
    for beta in betas:
        sd = np.sqrt(np.asarray(structure.variances(mix.covariances, k, d)))
        mix = Mixture._trusted(structure, mix.weights, mix.means + o["noise"] * sd * rng.standard_normal((k, d)), mix.covariances, mix.precisions_cholesky)
        for _ in range(o["per"]):
            mix = m_step(structure, reg, engine.accumulate(mix, beta), mix.covariances)
        if o.get("trace"):
            print(f"{beta:.2f}", np.round(mix.weights,2), np.round(mix.means.std(0),3))
    return engine.accumulate(mix), None
