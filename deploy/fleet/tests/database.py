"""A PostgreSQL of its own for the checks, as compose.yaml starts it: TLS, pg_hba.conf, nobody without a password."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from .common import FLEET, as_somebody_else, program

PLACE = "/usr/lib/postgresql/*/bin/"


def binary(name):
    return program(name, "postgresql", PLACE + name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Database:
    """A server in a folder of its own; `with` ends it and removes the folder."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zkml-fleet-"))
        self.secrets = self.folder / "secrets"
        subprocess.run(["sh", FLEET / "prepare.sh", self.secrets], check=True, stderr=subprocess.DEVNULL)
        self.port = free_port()
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        for name in ("server.key", "server.crt", "admin.password"):
            shutil.copy(self.secrets / name, data / name)
            (data / name).chmod(0o600)
        if as_somebody_else():
            self.folder.chmod(0o755)
            shutil.chown(data, "postgres", "postgres")
            for path in data.iterdir():
                shutil.chown(path, "postgres", "postgres")
        # initdb wants an empty folder.
        cluster = data / "cluster"
        initdb = [binary("initdb"), "-D", cluster, "-U", "postgres", "--pwfile", data / "admin.password"]
        initdb += ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **as_somebody_else())
        settings = {
            "port": self.port, "listen_addresses": "localhost", "unix_socket_directories": "", "fsync": "off",
            "ssl": "on", "ssl_cert_file": data / "server.crt", "ssl_key_file": data / "server.key",
            "ssl_min_protocol_version": "TLSv1.3", "hba_file": FLEET / "postgres" / "pg_hba.conf",
            "log_statement": "all", "log_min_duration_statement": 0,
        }
        command = [binary("postgres"), "-D", cluster]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.log = self.folder / "log"
        with self.log.open("w") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, **as_somebody_else())
        for _ in range(100):
            if subprocess.run([binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0:
                break
            time.sleep(0.1)
        self.psql("postgres", "CREATE DATABASE zkml", database="postgres")
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(30)
        shutil.rmtree(self.folder)

    def password(self, user):
        return (self.secrets / f"{'admin' if user == 'postgres' else user.removeprefix('zkml_')}.password").read_text().strip()

    def url(self, user):
        """The URL with which a program connects as a role."""
        return f"postgres://{user}:{self.password(user)}@localhost:{self.port}/zkml?sslmode=verify-full&sslrootcert={self.secrets}/ca.crt"

    def run(self, user, *arguments, database="zkml", sslmode="verify-full", password=None, env=None):
        """A run of psql as a role."""
        where = f"host=localhost port={self.port} dbname={database} user={user} sslmode={sslmode} sslrootcert={self.secrets}/ca.crt"
        given = {**os.environ, "PGPASSWORD": self.password(user) if password is None else password, **(env or {})}
        command = [binary("psql"), "--no-psqlrc", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", where, *map(str, arguments)]
        return subprocess.run(command, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def psql(self, user, statement, **options):
        """What a statement gives; an error if it fails."""
        done = self.run(user, "-c", statement, **options)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def refusal(self, user, statement="SELECT 1", **options):
        """What the server says to a statement that it must refuse."""
        done = self.run(user, "-c", statement, **options)
        if done.returncode == 0:
            raise AssertionError(f"{user} may {statement}")
        return done.stderr

    def roles(self, **passwords):
        """A run of roles.sql with these passwords, else with those of the secrets."""
        named = {f"ZKML_{role.upper()}_PASSWORD": passwords.get(role, self.password(f"zkml_{role}")) for role in ("owner", "worker", "reader")}
        return self.run("postgres", "-f", FLEET / "roles.sql", env=named)


class WithDatabase(unittest.TestCase):
    """Tests on a server that has the roles."""

    @classmethod
    def setUpClass(cls):
        cls.database = Database()
        cls.database.__enter__()
        cls.addClassCleanup(cls.database.__exit__)
        made = cls.database.roles()
        assert made.returncode == 0, made.stderr
