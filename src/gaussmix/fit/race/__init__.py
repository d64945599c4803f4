"""The race of starts: who begins, who goes on, what it may cost, and which optima are sound."""
