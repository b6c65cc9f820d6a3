"""Electricity behind one connection point by user: load, losses, generation used, and what remains to be drawn.

    unmetered = import + generation + discharge - charge - export - sum of metered loads      per interval
    drawn_u = load_u + losses_u - generation used_u                                           [1e-6 kWh]

Losses are the unmetered part where it is positive; a negative one is the meters' disagreement, reported and given to
nobody. Intervals in which any input is unknown are left out for everybody and counted.

References:
    accounting rules 5.1, 5.2, 5.6; 6.7 (unknown is not zero).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from parkcarbon.domain.readings import BoolArray, Int64Array

from .apportion import apportion
from .shared_pv import Shares, share_generation, sold
from .views import PARK, STORAGE

SharedPv = Literal["net_load", "pool", "none"]
Losses = Literal["use", "park"]


@dataclass(frozen=True)
class Plant:
    """A source of generation: its point, the tenant it serves first, and the entity that owns it."""

    point: str
    tenant: str | None = None
    owner: str = ""


@dataclass(frozen=True)
class Behind:
    """Everything metered behind one connection point; arrays over the same intervals [1e-6 kWh].

    Attributes:
        connection: name.
        tenants: with a load or none; row i of `load` is tenant i.
        load: tenants x intervals, metered loads.
        common: metered loads of nobody in particular.
        plants: sources of generation; row i of `generation` is plant i.
        generation: plants x intervals.
        imported: gross import.
        exported: gross export; None: no meter shows it.
        charged: into storage.
        discharged: out of storage.
        known: intervals in which every input is known.
        holder: entity that buys what is drawn here.
        storage_owner: entity whose storage it is.
    """

    connection: str
    tenants: tuple[str, ...]
    load: Int64Array
    common: Int64Array
    plants: tuple[Plant, ...]
    generation: Int64Array
    imported: Int64Array
    exported: Int64Array | None
    charged: Int64Array
    discharged: Int64Array
    known: BoolArray
    holder: str = ""
    storage_owner: str = ""

    @property
    def unmetered(self) -> Int64Array:
        """The part of each interval that no meter of use shows; may be negative."""
        exported = 0 if self.exported is None else self.exported
        supply = self.imported + self.generation.sum(axis=0) + self.discharged - self.charged - exported
        rest: Int64Array = supply - self.load.sum(axis=0) - self.common
        return rest

    def only_known(self) -> "Behind":
        """The same without the intervals in which anything is unknown."""
        keep = self.known
        if bool(keep.all()):
            return self
        return Behind(
            self.connection,
            self.tenants,
            self.load[:, keep],
            self.common[keep],
            self.plants,
            self.generation[:, keep],
            self.imported[keep],
            None if self.exported is None else self.exported[keep],
            self.charged[keep],
            self.discharged[keep],
            np.ones(int(keep.sum()), dtype=np.bool_),
            self.holder,
            self.storage_owner,
        )


@dataclass(frozen=True)
class PowerUse:
    """Sums over the known intervals by user [1e-6 kWh]; users are tenants, `_park` and `_storage`.

    Attributes:
        users: tenants first, then the park's own meters, then storage.
        load: metered use; of storage what it was charged with.
        losses: share of the unmetered part.
        own: generation used by whom it serves first.
        shared: generation used out of the pool.
        negative: sum of the negative unmetered intervals, given to nobody.
        intervals: how many there are.
        known: in how many everything is known.
        shares: of each interval, for who delivered to whom.
        serves: by plant, the row of the user it serves first.
    """

    users: tuple[str, ...]
    load: Int64Array
    losses: Int64Array
    own: Int64Array
    shared: Int64Array
    negative: int
    intervals: int
    known: int
    shares: Shares
    serves: tuple[int | None, ...]

    @property
    def drawn(self) -> Int64Array:
        """What generation did not cover: from the grid or out of storage, never negative."""
        drawn: Int64Array = self.load + self.losses - self.own - self.shared
        return drawn

    def generation_by(self) -> dict[str, int]:
        """Generation used by tenant and park."""
        used = (self.own + self.shared).tolist()
        return {user: int(amount) for user, amount in zip(self.users, used, strict=True) if user != STORAGE}

    def drawn_by(self) -> dict[str, int]:
        """Drawn power by tenant and park; storage gives back what it draws and is not among them."""
        return {
            user: int(drawn) for user, drawn in zip(self.users, self.drawn.tolist(), strict=True) if user != STORAGE
        }


def power_use(behind: Behind, *, shared_pv: SharedPv = "net_load", losses: Losses = "use") -> PowerUse:
    """Split what is behind a connection point by user.

    Args:
        behind: what is metered there.
        shared_pv: `net_load`: a plant serves its own tenant first; `pool`: all of it is shared; `none`: nobody is
            credited with generation.
        losses: `use`: in proportion to use, within each interval; `park`: the park's own.
    """
    part = behind.only_known()
    users = (*part.tenants, PARK, STORAGE)
    load = np.vstack([part.load, part.common[None, :], part.charged[None, :]])
    unmetered = part.unmetered
    lost = _losses(load, np.clip(unmetered, 0, None), losses)
    rank = _rank(users)
    use = load + lost
    generation = part.generation if shared_pv != "none" else np.zeros_like(part.generation)
    serves = tuple(
        users.index(plant.tenant) if shared_pv == "net_load" and plant.tenant in part.tenants else None
        for plant in part.plants
    )
    plant_rank = _rank([plant.point for plant in part.plants])
    shares = share_generation(use, generation, serves, export=part.exported, rank=rank, plant_rank=plant_rank)
    return PowerUse(
        users,
        load.sum(axis=1),
        lost.sum(axis=1),
        shares.own.sum(axis=1),
        shares.shared.sum(axis=1),
        int(np.clip(unmetered, None, 0).sum()),
        len(behind.known),
        len(part.known),
        shares,
        serves,
    )


def _losses(load: Int64Array, unmetered: Int64Array, losses: Losses) -> Int64Array:
    """Losses of each interval by user; what no use can carry is the park's. Storage carries none: it has its own."""
    lost = np.zeros_like(load)
    if losses == "use":
        use = load.copy()
        use[-1] = 0
        spread = np.minimum(unmetered, use.sum(axis=0))
        lost = apportion(spread, use, rank=range(len(load)))
        unmetered = unmetered - spread
    lost[-2] += unmetered
    return lost


def _rank(names: Sequence[str]) -> list[int]:
    position: Mapping[str, int] = {name: at for at, name in enumerate(sorted(names))}
    return [position[name] for name in names]


@dataclass(frozen=True)
class EntityPower:
    """Electricity of the entities at one connection point [1e-6 kWh].

    Attributes:
        drawn: bought from the grid or, by everybody but the holder, from the holder; adds up to the import.
        generation: (owner, user): generation used by whom; the diagonal is own use.
        imported: gross import of the known intervals.
    """

    drawn: Mapping[str, int]
    generation: Mapping[tuple[str, str], int] = field(default_factory=dict)
    imported: int = 0


def entity_power(behind: Behind, use: PowerUse, entity_of: Mapping[str, str], entities: Sequence[str]) -> EntityPower:
    """Who bought what at one connection point.

    The holder buys the import and sells to each other entity what that one drew; whatever remains is the holder's own
    use: common meters, losses, and what storage kept.

    Args:
        behind: what is metered there.
        use: of the same, with losses at the park.
        entity_of: tenant to entity.
        entities: all of them.
    """
    part = behind.only_known()
    whose = {user: entity_of.get(user, part.holder) for user in use.users}
    whose |= {PARK: part.holder, STORAGE: part.storage_owner or part.holder}
    position = {entity: at for at, entity in enumerate(entities)}
    user_of = [position[whose[user]] for user in use.users]
    owner = [position[plant.owner] for plant in part.plants]
    drawn = dict.fromkeys(entities, 0)
    for user, amount in zip(use.users, use.drawn.tolist(), strict=True):
        drawn[whose[user]] += int(amount)
    drawn[whose[STORAGE]] -= int(part.discharged.sum())
    imported = int(part.imported.sum())
    drawn[part.holder] = imported - sum(amount for entity, amount in drawn.items() if entity != part.holder)
    matrix = sold(use.shares, owner, use.serves, user_of, len(entities))
    generation = {
        (seller, buyer): int(matrix[i, j])
        for i, seller in enumerate(entities)
        for j, buyer in enumerate(entities)
        if matrix[i, j]
    }
    return EntityPower(drawn, generation, imported)
