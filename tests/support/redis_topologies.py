"""Redis as companies run it: behind TLS, on a socket, watched by Sentinel, as a Cluster."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.harness import Program, Redis, free_port

PASSWORD = "p@ss/word,1"


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def ask(port: int, *words: str, password: str = "", authority: Path | None = None) -> str:
    """Ask a Redis something, as an administrator does; by TLS where there is an authority."""
    options = ["-a", password, "--no-auth-warning"] if password else []
    options += ["--tls", "--cacert", str(authority)] if authority else []
    command = ["redis-cli", "-h", "localhost", "-p", str(port), *options, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout


def low_port() -> int:
    """A port whose cluster bus (10,000 higher) is one as well, and free."""
    while True:
        port = free_port()
        with socket.socket() as bus:
            try:
                bus.bind(("127.0.0.1", port + 10_000))
            except (OSError, OverflowError):
                continue
            return port


class Certificate:
    """A certificate for this machine that no public authority signed, and its key."""

    def __init__(self, folder: Path) -> None:
        self.path, self.key = make_certificate(folder)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path


def speak_tls(program: Program, certificate: Certificate) -> None:
    """Have a Redis or Sentinel take all connections by TLS, and none without."""
    port = program.command.index("--port")
    program.command[port] = "--tls-port"
    program.command += ["--port", "0", "--tls-auth-clients", "no"]
    program.command += ["--tls-cert-file", str(certificate.path)]
    program.command += ["--tls-key-file", str(certificate.key)]
    program.command += ["--tls-ca-cert-file", str(certificate.path)]
    program.command += ["--tls-replication", "yes", "--tls-cluster", "yes"]


class TlsRedis(Redis):
    def __init__(self, folder: Path) -> None:
        certificate = Certificate(folder)
        super().__init__(folder, "--requirepass", PASSWORD)
        speak_tls(self, certificate)
        self.certificate = certificate.path


class ClusterNode(Redis):
    def __init__(self, folder: Path, certificate: Certificate | None) -> None:
        super().__init__(folder, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        self.port = low_port()
        self.command[self.command.index("--port") + 1] = str(self.port)
        if certificate:
            speak_tls(self, certificate)


@contextmanager
def running_cluster(
    folder: Path, certificate: Certificate | None = None
) -> Iterator[list[ClusterNode]]:
    """Three masters that share the slots; by TLS where there is a certificate."""
    authority = certificate.path if certificate else None
    tls = ["--tls", "--cacert", str(authority)] if authority else []
    with ExitStack() as running:
        nodes = []
        for n in range(3):
            (folder / f"node{n}").mkdir()
            nodes.append(running.enter_context(ClusterNode(folder / f"node{n}", certificate)))
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes", *tls],
            check=True,
            capture_output=True,
            timeout=60,
        )
        until(
            lambda: all(
                "cluster_state:ok" in ask(n.port, "cluster", "info", authority=authority)
                for n in nodes
            ),
            "the cluster did not form",
        )
        yield nodes


class Sentinel(Program):
    """One that watches a master, alone."""

    def __init__(self, folder: Path, master_port: int, certificate: Certificate | None) -> None:
        port = free_port()
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"port {port}\nbind 127.0.0.1 ::1\ndir {folder}\nloglevel warning\n"
            f"sentinel monitor sessions 127.0.0.1 {master_port} 1\n"
            f"sentinel auth-pass sessions {PASSWORD}\n"
            "sentinel down-after-milliseconds sessions 1000\n"
            "sentinel failover-timeout sessions 5000\n"
        )
        super().__init__(["redis-server", str(configuration), "--sentinel"], port)
        if certificate:
            self.command += ["--port", str(port)]
            speak_tls(self, certificate)


class Watched:
    """A master and its replica, both with a password, and a Sentinel."""

    def __init__(
        self, master: Redis, replica: Redis, sentinel: Sentinel, authority: Path | None
    ) -> None:
        self.master, self.replica, self.sentinel = master, replica, sentinel
        self.authority = authority

    def says(self, redis: Redis, *words: str) -> str:
        return ask(redis.port, *words, password=PASSWORD, authority=self.authority)

    def sentinel_says(self, *words: str) -> str:
        return ask(self.sentinel.port, "sentinel", *words, authority=self.authority)


@contextmanager
def running_sentinel(folder: Path, certificate: Certificate | None = None) -> Iterator[Watched]:
    options = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    options += ("--repl-diskless-sync-delay", "0")
    for name in ("master", "replica"):
        (folder / name).mkdir()
    master = Redis(folder / "master", *options)
    replica = Redis(folder / "replica", *options, "--replicaof", f"127.0.0.1 {master.port}")
    for redis in (master, replica):
        if certificate:
            speak_tls(redis, certificate)
    with master, replica, Sentinel(folder, master.port, certificate) as sentinel:
        watched = Watched(master, replica, sentinel, certificate.path if certificate else None)
        until(
            lambda: "master_link_status:up" in watched.says(replica, "info", "replication"),
            "the replica did not follow",
        )
        until(
            lambda: "num-slaves\n1\n" in watched.sentinel_says("master", "sessions"),
            "the sentinel did not see the replica",
        )
        yield watched
