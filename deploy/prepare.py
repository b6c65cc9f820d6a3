"""Make what `deploy/compose.yaml` needs and nobody may know: passwords, certificates and lists of the broker.

```
python -m deploy.prepare --host mqtt.example.org PARK.yaml   # writes deploy/secrets
python -m deploy.prepare --simulate                          # with a park without hardware
```

Run it again after a change of the park document: what is there stays, what is derived from it (access list, accounts)
is written anew. There are no default passwords: without this folder nothing starts.
"""

import argparse
import base64
import datetime as dt
import hashlib
import ipaddress
import secrets
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from parkcarbon.catalog.park import Park, decode_park

from .mosquitto.acl import INGEST, render

FOLDER = Path(__file__).resolve().parent / "secrets"
CA_DAYS, SERVER_DAYS = 3650, 825
_ROUNDS = 101  # of Mosquitto's PBKDF2-SHA512


class Folder:
    """The folder of secrets: readable by its owner alone; files in it by whoever a container runs as."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)

    def write(self, name: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file anew."""
        file = self.path / name
        file.unlink(missing_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    def password(self, name: str) -> str:
        """A password: the one that is there, or a new one."""
        file = self.path / name
        if not file.exists():
            self.write(name, secrets.token_urlsafe(24))
        return file.read_text(encoding="utf-8").strip()


def mosquitto_hash(password: str, salt: bytes) -> str:
    """A password as Mosquitto keeps it.

    >>> mosquitto_hash("secret", b"0123456789ab")[:28]
    '$7$101$MDEyMzQ1Njc4OWFi$EO/l'
    """
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def accounts(folder: Folder, parks: Iterable[Park]) -> dict[str, str]:
    """Broker accounts and their passwords: ingest, and each source; a source's is in `source-PARK-SOURCE.password`."""
    found = {INGEST: folder.password("ingest.password")}
    for park in parks:
        for source in park.sources:
            name = f"source-{park.park}-{source.source}.password"
            found[f"{park.park}/{source.source}"] = folder.password(name)
    return found


def certificates(folder: Folder, hosts: Sequence[str]) -> None:
    """An authority and the broker's certificate, where they are not there."""
    if not (folder.path / "broker_ca.key").exists():
        key, ca = _authority()
        folder.write("broker_ca.key", _pem(key), 0o600)
        folder.write("broker_ca.crt", ca.public_bytes(serialization.Encoding.PEM))
    if not (folder.path / "broker.crt").exists():
        signer = serialization.load_pem_private_key((folder.path / "broker_ca.key").read_bytes(), None)
        ca = x509.load_pem_x509_certificate((folder.path / "broker_ca.crt").read_bytes())
        assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101 - what `_authority` made
        key = ec.generate_private_key(ec.SECP256R1())
        folder.write("broker.key", _pem(key))
        folder.write("broker.crt", _server(key, ca, signer, hosts).public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = "ParkCarbon broker authority"
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    built = (
        _builder(name, name, key, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, built.sign(key, hashes.SHA256())


def _server(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, signer: ec.EllipticCurvePrivateKey, hosts: Sequence[str]
) -> x509.Certificate:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    issuer = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    built = (
        _builder(hosts[0], str(issuer), key, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
    )
    return built.sign(signer, hashes.SHA256())


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def environments(folder: Folder) -> None:
    """What each process is told that others may not know; the addresses of alarm channels are written by people."""
    database = f"PARKCARBON_DATABASE_URL=postgresql://parkcarbon:{folder.password('postgres_password')}@database:5432/parkcarbon\n"
    broker = f"PARKCARBON_BROKER_URL=mqtts://{INGEST}:{folder.password('ingest.password')}@broker:8883\n"
    folder.write("database.env", database)
    folder.write("ingest.env", database + broker)
    folder.password("grafana_admin_password")
    folder.password("report_password")
    if not (folder.path / "alerts.env").exists():
        folder.write(
            "alerts.env",
            database + "# Where alarms go, one line for each channel that the rules name:\n"
            "# PARKCARBON_ALARM_CHANNEL_DESK=mailtos://user:password@smtp.example.org?to=desk@example.org\n"
            "# PARKCARBON_ALARM_CHANNEL_SHIFT=dingtalk://SECRET@TOKEN\n",
        )


def simulated(folder: Folder) -> Park:
    """A park without hardware, whose agents and gateway speak to the brokers of the compose file."""
    there = folder.path / "park"
    if not there.exists():
        now = dt.datetime.now(dt.UTC).isoformat()
        brokers = ["--cloud-broker", "mqtts://broker:8883", "--park-broker", "mqtt://park-broker:1883"]
        _run("firmware_sim", "prepare", "--dir", str(there), "--now", now, *brokers, "--no-history")
    park = decode_park((there / "park.yaml").read_bytes())
    known = accounts(folder, [park])
    for path in sorted(there.glob("edge-*.yaml")):
        _patch_agent(path, known)
    for path in sorted(there.glob("gateway-*.yaml")):
        _patch_gateway(path, known)
    lines = (f"{name}:{mosquitto_hash(word, secrets.token_bytes(12))}\n" for name, word in known.items())
    folder.write("park_broker_passwd", "".join(lines))
    there.chmod(0o777)
    return park


def _patch_agent(path: Path, known: dict[str, str]) -> None:
    agent = yaml.safe_load(path.read_text(encoding="utf-8"))
    name = f"{agent['park']}/{agent['source']}"
    agent |= {"username": name, "password_file": f"{path.stem}.password", "data": f"/var/lib/parkcarbon/{path.stem}"}
    if agent["broker"].startswith("mqtts:"):
        agent["ca_file"] = "/run/secrets/broker_ca"
    (path.parent / f"{path.stem}.password").write_text(known[name], encoding="utf-8")
    path.write_text(yaml.safe_dump(agent, sort_keys=False), encoding="utf-8")


def _patch_gateway(path: Path, known: dict[str, str]) -> None:
    gateway = yaml.safe_load(path.read_text(encoding="utf-8"))
    name = f"{gateway['park']}/{gateway['gateway']}"
    account = f"{quote(name, safe='')}:{known[name]}@"
    gateway |= {
        "local_broker": f"mqtt://{account}park-broker:1883",
        "uplink_broker": f"mqtts://{account}broker:8883",
        "uplink_ca_file": "/run/secrets/broker_ca",
        "data": f"/var/lib/parkcarbon/{gateway['gateway']}",
    }
    path.write_text(yaml.safe_dump(gateway, sort_keys=False), encoding="utf-8")


def _run(*argv: str) -> None:
    subprocess.run([sys.executable, "-m", *argv], check=True, stdout=subprocess.DEVNULL)


def prepare(folder: Folder, documents: Sequence[Path], hosts: Sequence[str], *, simulate: bool) -> None:
    """Write all of it."""
    parks = [decode_park(path.read_bytes()) for path in documents]
    if simulate:
        parks.append(simulated(folder))
    certificates(folder, ["broker", "localhost", "127.0.0.1", *hosts])
    known = accounts(folder, parks)
    passwd = (f"{name}:{mosquitto_hash(word, secrets.token_bytes(12))}\n" for name, word in known.items())
    folder.write("broker_passwd", "".join(passwd))
    folder.write("broker_acl", render(parks))
    environments(folder)


def main() -> None:
    """Write the folder of secrets."""
    parser = argparse.ArgumentParser(description="Make passwords, certificates and lists for deploy/compose.yaml.")
    parser.add_argument("park", type=Path, nargs="*", help="park documents")
    parser.add_argument("--dir", type=Path, default=FOLDER, help="folder that takes them")
    parser.add_argument("--host", action="append", default=[], help="name or address that agents reach the broker by")
    parser.add_argument("--simulate", action="store_true", help="with a park without hardware, for profile `sim`")
    options = parser.parse_args()
    prepare(Folder(options.dir), options.park, options.host, simulate=options.simulate)
    sys.stdout.write(f"{options.dir}: ready\n")


if __name__ == "__main__":
    main()
