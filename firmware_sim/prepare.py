"""`prepare`: a scenario, a seed and a moment become the files of a park.

In a folder that was prepared before, the park goes on: scenario, seed, registers and history stay, only ports that
were taken meanwhile and the brokers' addresses are renewed.
"""

import socket
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from .documents import HOST, Document, edge_config, gateway_config, park_document
from .history import write_histories
from .localtime import DAY_MS
from .park import SCENARIO_FILE, STATE_FILE, SimulatedPark, State, new_state
from .scenario import Scenario, load_scenario, scenario_text

PARK_FILE = "park.yaml"


@dataclass(frozen=True, slots=True)
class Order:
    """What to prepare.

    Attributes:
        scenario: name of one of ours or path of a file.
        seed: of loads, clouds and noise.
        folder: where to.
        now_ms: where the history ends [ms UTC].
        cloud_broker: URL of the broker on the cloud's side.
        park_broker: URL of the broker on the park's side of the gateway.
        history: whether to write what the data loggers kept.
        journal: whether the agents shall journal what they kept.
    """

    scenario: str
    seed: int
    folder: Path
    now_ms: int
    cloud_broker: str
    park_broker: str
    history: bool = True
    journal: bool = False


def prepare(order: Order) -> dict[str, int]:
    """Write the files and return the number of readings of each source's history."""
    order.folder.mkdir(parents=True, exist_ok=True)
    folder = order.folder.resolve()
    going_on = (folder / STATE_FILE).exists()
    park = SimulatedPark.load(folder) if going_on else _new(order, folder)
    park.state = msgspec.structs.replace(park.state, ports=_ports(park.scenario, park.state.ports))
    histories = {source.source: folder / f"history-{source.source}.npz" for source in park.scenario.sources}
    counts = write_histories(park, order.now_ms, histories) if order.history and not going_on else {}
    for source in park.scenario.sources:
        history = histories[source.source]
        broker = order.park_broker if source.via else order.cloud_broker
        backfill = history if history.exists() else None
        config = edge_config(park, source, folder, broker=broker, journal=order.journal, backfill=backfill)
        _write(folder / f"edge-{source.source.removeprefix('edge-')}.yaml", config)
    if park.scenario.gateway:
        relay = gateway_config(park, folder, cloud_broker=order.cloud_broker, park_broker=order.park_broker)
        _write(folder / f"gateway-{park.scenario.gateway}.yaml", relay)
    if not going_on:
        _write(folder / PARK_FILE, park_document(park))
    park.ledger.block((order.now_ms - park.state.epoch_ms) // DAY_MS)
    park.save_totals(folder)
    _replace(folder / STATE_FILE, msgspec.json.format(msgspec.json.encode(park.state)))
    return counts


def _new(order: Order, folder: Path) -> SimulatedPark:
    text = scenario_text(order.scenario)
    scenario = load_scenario(text)
    _replace(folder / SCENARIO_FILE, text.encode())
    state: State = new_state(scenario, order.seed, order.now_ms)
    return SimulatedPark(scenario, state)


def _ports(scenario: Scenario, before: dict[str, int]) -> dict[str, int]:
    """A free port for each TCP bus: the one it had, where it is still free."""
    ports: dict[str, int] = {}
    held: list[socket.socket] = []
    try:
        for bus in scenario.buses:
            if bus.kind == "tcp":
                probe = _bind(before.get(bus.bus, 0))
                held.append(probe)
                ports[bus.bus] = int(probe.getsockname()[1])
    finally:
        for probe in held:
            probe.close()
    return ports


def _bind(port: int) -> socket.socket:
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HOST, port))
    except OSError:
        probe.bind((HOST, 0))
    return probe


def _write(path: Path, document: Document) -> None:
    _replace(path, yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120).encode())


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(data)
    temporary.replace(path)
