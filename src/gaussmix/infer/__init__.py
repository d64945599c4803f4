"""How sure a fit is: bootstrap, likelihood-ratio tests, observed information, stability of a choice."""
