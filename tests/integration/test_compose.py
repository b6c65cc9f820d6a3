"""`deploy/compose.yaml`: against the schema of compose files, against itself, and its commands run here as they stand.

The schema is that of the Compose Specification as check-jsonschema 0.39.0 ships it (`tests/vectors/compose`).
"""

import asyncio
import base64
import copy
import json
import re
import subprocess
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement

from deploy.prepare import Folder, mosquitto_hash, prepare
from parkcarbon.kit.db import Database
from tests.fakes.brokers import has_mosquitto
from tests.fakes.compose_run import ROOT, ComposeRun, compose_file
from tests.fakes.postgres import Server

OURS = ("ingest", "api", "statements", "alerts")
DEPLOY = ROOT / "deploy"
SCHEMA = ROOT / "tests/vectors/compose/compose-spec.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    prepare(Folder(folder / "secrets"), [], ["mqtt.example.org", "192.0.2.7"], simulate=True)
    return folder


def test_the_file_fits_the_schema_of_compose_files(validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(compose_file())] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("services", "api", "ports"), "8080"),
        (("services", "api", "depends_on", "migrate", "condition"), "healthy"),
        (("services", "api", "comand"), []),
        (("secrets", "database_env"), "file"),
        (("services", "api", "healthcheck", "retries"), []),
    ],
)
def test_the_schema_finds_what_is_wrong(validator: Draft202012Validator, place: tuple[str, ...], value: object) -> None:
    broken: Any = copy.deepcopy(compose_file())
    inner = broken
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    assert list(validator.iter_errors(broken))


def test_what_a_service_names_is_there(prepared: Path) -> None:
    file = compose_file()
    services, volumes = file["services"], set(file["volumes"])
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"
        for secret in service.get("secrets", []):
            assert (secret if isinstance(secret, str) else secret["source"]) in file["secrets"]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./secrets"):
                assert (prepared / source).is_dir(), f"{name}: {source}"
            else:
                assert source in volumes or (DEPLOY / source).exists(), f"{name}: {source}"
    for secret in file["secrets"].values():
        assert (prepared / secret["file"]).is_file(), secret


def test_no_password_is_in_the_file_and_none_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    for service in compose_file()["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN", name):
                assert name.endswith("_FILE")
                assert str(value).startswith("/run/secrets/")
            assert "://" not in str(value) or "@" not in str(value)
    assert set(re.findall(r"\$\{(\w+)", text)) == {"PARKCARBON_PAGE_URL", "PARKCARBON_ENTITY"}


def test_grafana_is_given_what_its_provisioning_asks_for() -> None:
    grafana = compose_file()["services"]["grafana"]
    source = (DEPLOY / "grafana/provisioning/datasources/parkcarbon.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", source)) <= set(grafana["environment"])
    assert set(re.findall(r"/run/secrets/(\w+)", source)) <= set(grafana["secrets"])
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]


def test_only_the_broker_listens_to_the_network() -> None:
    for name, service in compose_file()["services"].items():
        for port in service.get("ports", []):
            assert name == "broker" or port.startswith("127.0.0.1:"), f"{name}: {port}"


def test_secrets_differ_each_time_stay_when_made_again_and_are_the_owners(tmp_path: Path) -> None:
    one, other = Folder(tmp_path / "one"), Folder(tmp_path / "other")
    for folder in (one, other):
        prepare(folder, [], [], simulate=False)
    kept = {path.name: path.read_bytes() for path in one.path.iterdir() if path.is_file()}
    prepare(one, [], [], simulate=False)
    same = {name for name in kept if (one.path / name).read_bytes() == kept[name]}
    assert set(kept) - same == {"broker_passwd"}, "its salt is new"
    secret = ("postgres_password", "ingest.password", "grafana_admin_password", "broker.key")
    assert all((one.path / name).read_bytes() != (other.path / name).read_bytes() for name in secret)
    assert one.path.stat().st_mode & 0o077 == 0
    assert (one.path / "broker_ca.key").stat().st_mode & 0o077 == 0


@pytest.mark.mosquitto
def test_passwords_are_kept_as_mosquitto_keeps_them(tmp_path: Path) -> None:
    if not has_mosquitto():
        pytest.skip("no mosquitto is installed")
    file = tmp_path / "passwd"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(file), "u", "secret"], check=True, capture_output=True)
    salt = file.read_text().split("$")[3]
    assert file.read_text().strip() == f"u:{mosquitto_hash('secret', base64.b64decode(salt))}"


def test_the_image_has_every_package_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    copied = {word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]}
    assert {f"{name}/" for name in packages} <= copied
    assert all((ROOT / name).exists() for name in copied)
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001"]
    assert all(
        ":" in image and not image.endswith(":latest") for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    )
    assert "deploy/secrets" in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()


def test_the_image_has_what_dashboards_need_beside_the_lock_of_the_demo() -> None:
    named = re.search(r"awk '/\^\(([^)]*)\)==/", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    assert named
    names = set(named[1].split("|"))
    locked = {line.split("==")[0] for line in (ROOT / "requirements/demo.txt").read_text().splitlines() if "==" in line}
    dev = {line.split("==")[0] for line in (ROOT / "requirements/dev.txt").read_text().splitlines() if "==" in line}
    assert names <= dev
    wanted = {"grafana-client", "grafana-foundation-sdk"}
    for name in names:
        for line in requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.add(requirement.name.lower())
    assert names <= wanted <= names | locked


@pytest.fixture
def empty_url(server: Server) -> Iterator[str]:
    url = server.empty()
    yield url
    server.drop(url)


async def _sources(url: str) -> set[str]:
    async with await Database.connect(url, max_size=1) as database:
        rows = await database.fetch(
            "select distinct s.source from batch b join source s using (source_id) where b.state = 'committed'"
        )
    return {row["source"] for row in rows}


@pytest.mark.mosquitto
async def test_every_command_of_the_file_comes_up_and_readings_go_through_tls_and_gateway(
    prepared: Path, empty_url: str
) -> None:
    if not has_mosquitto():
        pytest.skip("no mosquitto is installed")
    with ComposeRun(prepared, empty_url) as run:
        for name in ("migrate", "report-role", "keys", "keys"):
            run.once(name)
        run.start_broker("broker")
        run.start_broker("park-broker")
        took = {"broker": run.refuses_strangers("broker", "8883")}
        took |= {"park-broker": run.refuses_strangers("park-broker", "1883")}
        for name in OURS:
            run.start(name)
        took |= {name: run.healthy(name) for name in OURS}
        run.once("sim-park")
        for name in ("sim", "gateway", "edge-park", "edge-electronics", "edge-moulding"):
            run.start(name)
        wanted = {"edge-park", "edge-electronics", "edge-moulding"}
        deadline = time.monotonic() + 60
        while not wanted <= (seen := await _sources(empty_url)) and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
        assert wanted <= seen, "\n".join(run.log(name) for name in ("edge-park", "gateway", "edge-moulding", "ingest"))
        assert {name: run.stop(name) for name in OURS} == dict.fromkeys(OURS, 0)
    print({name: round(seconds, 1) for name, seconds in took.items()})
