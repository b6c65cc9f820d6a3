"""Who used the roof's power: per interval, in proportion to simultaneous net load behind the same connection point.

    own_u = min(generation that serves u first, load_u)             net_u = load_u - own_u
    pool = all generation - sum of own_u - metered export, never above the sum of net loads
           (export above what is left lowers own_u: power that left within the interval was not used)
    shared_u = pool x net_u / sum of net loads                      surplus = generation - own - shared: export

Nobody is credited with more than the load of the same interval; all parts are integers of 1e-6 kWh that add up.

References:
    accounting rules 5.1 (self-used generation lowers purchases, no more), 5.2 (exports are never netted), 5.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parkcarbon.domain.readings import Int64Array

from .apportion import apportion


@dataclass(frozen=True)
class Shares:
    """Generation of each interval by user [1e-6 kWh]; rows are users or plants in the order given, columns intervals.

    Attributes:
        own: used by whom the plant serves first.
        shared: used out of the pool.
        surplus: of each interval: not used behind this connection point.
        own_of: by plant: what whom it serves first used of it.
        pool_of: by plant: what of the pool came from it.
    """

    own: Int64Array
    shared: Int64Array
    surplus: Int64Array
    own_of: Int64Array
    pool_of: Int64Array

    @property
    def used(self) -> Int64Array:
        """Self-used generation by user and interval."""
        return self.own + self.shared


def share_generation(
    load: Int64Array,
    generation: Int64Array,
    serves: Sequence[int | None],
    *,
    export: Int64Array | None = None,
    rank: Sequence[int] | None = None,
    plant_rank: Sequence[int] | None = None,
) -> Shares:
    """Share the generation behind one connection point.

    Args:
        load: users x intervals, >= 0 [1e-6 kWh].
        generation: plants x intervals, >= 0 [1e-6 kWh].
        serves: by plant: the row of the user it serves first; None: it goes to the pool at once.
        export: metered export of each interval [1e-6 kWh]; None: not metered, the surplus is export.
        rank: of users, breaks ties; their names in order.
        plant_rank: of plants.
    """
    own_of = _own_use(load, generation, serves, plant_rank)
    whole = generation.sum(axis=0)
    if export is not None:  # what left by the meter within an interval was not used, whoever it was meant for
        excess = np.clip(np.minimum(export, whole) - (whole - own_of.sum(axis=0)), 0, None)
        own_of -= apportion(excess, own_of, rank=plant_rank)
    own = np.zeros_like(load)
    for plant, user in enumerate(serves):
        if user is not None:
            own[user] += own_of[plant]
    rest, net = generation - own_of, load - own
    offered = rest.sum(axis=0)
    if export is not None:
        offered = np.clip(offered - export, 0, None)
    pool = np.minimum(offered, net.sum(axis=0))
    shared = apportion(pool, net, rank=rank)
    pool_of = apportion(pool, rest, rank=plant_rank)
    return Shares(own, shared, rest.sum(axis=0) - pool, own_of, pool_of)


def _own_use(
    load: Int64Array, generation: Int64Array, serves: Sequence[int | None], plant_rank: Sequence[int] | None
) -> Int64Array:
    """By plant: what the user it serves first takes of it at once."""
    own_of = np.zeros_like(generation)
    net = load.copy()
    order = np.arange(len(generation)) if plant_rank is None else np.argsort(np.asarray(plant_rank), kind="stable")
    for plant in order.tolist():
        user = serves[plant]
        if user is not None:
            own_of[plant] = np.minimum(generation[plant], net[user])
            net[user] -= own_of[plant]
    return own_of


def sold(
    shares: Shares, owner: Sequence[int], serves: Sequence[int | None], user_of: Sequence[int], parties: int
) -> Int64Array:
    """Generation by owner and user: who delivered how much to whom [1e-6 kWh]; both margins are exact.

    Args:
        shares: what each user took and each plant gave.
        owner: by plant: index of its owner.
        serves: by plant: the row of the user it serves first.
        user_of: by user: index of who it belongs to.
        parties: how many owners and users there are.
    """
    left = np.zeros((parties, shares.shared.shape[1]), dtype=np.int64)
    np.add.at(left, np.asarray(user_of, dtype=np.int64), shares.shared)
    given = np.zeros_like(left)
    np.add.at(given, np.asarray(owner, dtype=np.int64), shares.pool_of)
    matrix = np.zeros((parties, parties), dtype=np.int64)
    for party in range(parties):
        taken = apportion(given[party], left)
        left -= taken
        matrix[party] = taken.sum(axis=1)
    for plant, user in enumerate(serves):
        if user is not None:
            matrix[owner[plant], user_of[user]] += shares.own_of[plant].sum()
    return matrix
