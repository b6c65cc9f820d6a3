"""A TimescaleDB for tests where none is given: from a Docker engine, else from Debian's package in a chroot.

Debian 13 carries `postgresql-17-timescaledb` (Apache edition). As root on any Debian-like Linux a minimal trixie with
it is unpacked once into a cache folder (about 40 s, 500 MB) and its server run there as user postgres, without
mounts and without a change to the host.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .stack import free_port

IMAGE = "timescale/timescaledb:2.19.3-pg17"
_PACKAGES = "postgresql-17,postgresql-17-timescaledb"
_PREFIX = "pg-"
_BIN = "/usr/lib/postgresql/17/bin"
_SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "0",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "512",
}


class NoTimescaleError(Exception):
    """No way to run TimescaleDB here; the message says what was tried."""


@contextlib.contextmanager
def start_timescale(cache: Path) -> Iterator[str]:
    """Run a fresh TimescaleDB server and yield the URL of its maintenance database.

    Args:
        cache: folder that keeps the unpacked system between runs.

    Raises:
        NoTimescaleError: neither Docker nor a chroot is possible.
    """
    if _docker_answers():
        with _in_docker() as url:
            yield url
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NoTimescaleError("no Docker engine answers, and the chroot needs Linux and root")
    root = prepare_chroot(cache)
    with _in_chroot(root) as url:
        yield url


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        return subprocess.run([docker, "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextlib.contextmanager
def _in_docker() -> Iterator[str]:
    port = free_port()
    command = ["docker", "run", "--detach", "--rm", "--publish", f"127.0.0.1:{port}:5432"]
    command += ["--env", "POSTGRES_HOST_AUTH_METHOD=trust", IMAGE]
    for name, value in _SETTINGS.items():
        if name.startswith("timescaledb.") or name in ("max_connections", "max_locks_per_transaction"):
            command += ["-c", f"{name}={value}"]
    container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        _wait_for_port(port, seconds=60)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(["docker", "stop", container], check=False, capture_output=True)


def prepare_chroot(cache: Path) -> Path:
    """Unpack Debian 13 with TimescaleDB below `cache` unless it is there already; return its root.

    Raises:
        NoTimescaleError: debootstrap is not to be had, or fails.
    """
    root = cache / "trixie"
    ready = cache / "trixie.ready"
    if ready.exists():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    command, environment = _debootstrap(cache)
    command += ["--variant=minbase", f"--include={_PACKAGES}", "trixie", str(root)]
    with (cache / "debootstrap.log").open("wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode:
        raise NoTimescaleError(f"debootstrap failed, see {cache / 'debootstrap.log'}")
    shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
    cache.parent.chmod(cache.parent.stat().st_mode | 0o011)  # user postgres walks through
    cache.chmod(0o755)
    ready.touch()
    return root


def _debootstrap(cache: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command, from the host or unpacked from its package without installing anything."""
    found = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is not None:
        return [found], dict(os.environ)
    unpacked = cache / "debootstrap"
    try:
        subprocess.run(["apt-get", "update"], check=False, capture_output=True)
        subprocess.run(["apt-get", "download", "debootstrap"], check=True, capture_output=True, cwd=cache)
        package = next(cache.glob("debootstrap_*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        raise NoTimescaleError(f"no debootstrap on the PATH and none to download: {error}") from error
    share = unpacked / "usr/share/debootstrap"
    return [str(unpacked / "usr/sbin/debootstrap")], {**os.environ, "DEBOOTSTRAP_DIR": str(share)}


@contextlib.contextmanager
def _in_chroot(root: Path) -> Iterator[str]:
    chroot = shutil.which("chroot", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if chroot is None:
        raise NoTimescaleError("no chroot command")
    # The server dies with the process that started it, however that ends.
    inside = [chroot, str(root), "/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    environment = {"PATH": f"{_BIN}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/tmp"}  # noqa: S108 - in the chroot
    _sweep(root / "tmp")
    data = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root / "tmp"))
    data.chmod(0o777)
    within = f"/tmp/{data.name}/data"  # noqa: S108 - a fresh folder, seen from inside
    server: subprocess.Popen[bytes] | None = None
    try:
        initdb = [*inside, f"{_BIN}/initdb", "-D", within, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, env=environment)
        port = free_port()
        command = [*inside, "--pdeathsig=INT", f"{_BIN}/postgres", "-D", within, "-p", str(port)]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with (data / "log").open("wb") as out:
            server = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        _wait_for_port(port, seconds=30)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # fast shutdown
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
        shutil.rmtree(data, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove the clusters of runs that were killed: those without a living server, older than an hour."""
    for left in folder.glob(f"{_PREFIX}*"):
        pid_file = left / "data" / "postmaster.pid"
        alive = pid_file.exists() and Path("/proc", pid_file.read_text().split()[0]).exists()
        if not alive and time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def _wait_for_port(port: int, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            time.sleep(0.3)  # a container's first server restarts once
            return
        time.sleep(0.1)
    raise NoTimescaleError(f"the server on port {port} did not answer within {seconds} s")


if __name__ == "__main__":
    with start_timescale(Path(sys.argv[1] if len(sys.argv) > 1 else ".servers/timescale")) as given:
        print(given, flush=True)
        signal.pause()
