"""The rounds of a race: how many iterations, how many stay, how many moves; and what they may cost."""

from __future__ import annotations

from dataclasses import dataclass

from gaussmix.engines import Engine
from gaussmix.fit.race.budget import Budget, Effort, cost_start
from gaussmix.fit.race.field import FIRST, HIERARCHY, MORE
from gaussmix.fit.race.labelled import cost_hierarchy
from gaussmix.fit.race.moves import MOST_MOVES

#: Iterations of rounds, and how many stay after each.
Rounds = tuple[tuple[int, int], ...]
#: Iterations of the first round.
FIRST_ITER = 8
#: How many stay after it.
FIRST_STAY = 3
#: The rounds of those that join.
JOIN_ROUNDS: Rounds = ((5, 10), (5, 5))
#: The rounds of all that are left then.
LAST_ROUNDS: Rounds = ((8, 3), (8, 2))
#: The first rounds of what moves have made.
MOVE_ROUNDS: Rounds = ((4, 8), (4, 4))
#: The last ones.
LAST_MOVE_ROUNDS: Rounds = ((8, 2),)
#: In early rounds the score of a racer is its likelihood and so many times its last gain.
EAGER = 4.0
#: A start begins only if the budget allows it so many iterations.
SHORTEST = 12
#: Iterations of a racer that converges, at least, whatever is left to spend.
LEAST_POLISH = 30
#: Iterations of a racer that converges, at most.
MOST_POLISH = 100
#: Rounds of moves that may be in vain, one after the other, where some racers agree.
FEW_IN_VAIN = 2
#: The same where fewer racers agree.
MANY_IN_VAIN = 6
#: Factor of the racers that have to agree, and of the rounds of moves that may be in vain.
PATIENCE: dict[Effort, int] = {"fast": 1, "auto": 1, "thorough": 4}


@dataclass(frozen=True)
class Plan:
    """What the parts of a race cost if none of them ends it, in the units of its budget."""

    #: Starts that may begin.
    n_starts: int
    first: float
    #: One round of those that join, of `n_init`.
    join: float
    n_joins: int
    last: float
    #: One round of moves that is in vain.
    move: float
    n_moves: int
    #: The winner on all rows, where the race is over a sample; its rows and all rows.
    all_rows: float
    sizes: tuple[int, int]


def plan_race(
    budget: Budget, engine: Engine, effort: Effort, n_init: int, n_iter: int, *, short: bool
) -> Plan:
    """The plan of a race against a run of so many iterations over all rows of an engine."""
    rows, start = budget.rows, cost_start(budget.rows, budget.k)
    n_first, n_more = (sum(kind.n_starts for kind in kinds) for kinds in (FIRST, (*MORE, *HIERARCHY)))
    polish = budget.cost_polish(LEAST_POLISH, rows)
    moves = MOST_MOVES * start + _cost_rounds(budget, MOST_MOVES, (*MOVE_ROUNDS, *LAST_MOVE_ROUNDS))
    join = n_more * start + cost_hierarchy(budget.k) + _cost_rounds(budget, n_more, JOIN_ROUNDS)
    stay = FIRST_STAY + n_init * JOIN_ROUNDS[-1][1]
    on_all = 0.0 if rows is engine else budget.cost_polish(max(FIRST_ITER, 2 * n_iter), engine)
    return Plan(
        n_first + (0 if short else n_init * n_more),
        n_first * start + budget.cost_iterations(FIRST_ITER, n_first + 1),
        0.0 if short else join,
        n_init,
        0.0 if short else _cost_rounds(budget, stay, LAST_ROUNDS) + polish,
        0.0 if short else moves,
        PATIENCE[effort] * MANY_IN_VAIN,
        on_all,
        (rows.rows.shape[0], engine.rows.shape[0]),
    )


def _cost_rounds(budget: Budget, n_racers: int, rounds: Rounds) -> float:
    """Of so many racers that begin some rounds."""
    cost = 0.0
    for n_iter, stay in rounds:
        cost += budget.cost_iterations(n_iter, n_racers)
        n_racers = min(n_racers, stay)
    return cost
