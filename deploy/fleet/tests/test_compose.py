"""compose.yaml with the settings of .env.example, and the files that it hands to its services."""

import os
import re
import subprocess
import tempfile
import pathlib
import unittest

import yaml
from compose_spec import PyCompose

from .common import FLEET, ROOT, environment, interpolate, program

EXAMPLE = environment(FLEET / ".env.example")


def compose():
    return interpolate((FLEET / "compose.yaml").read_text(), EXAMPLE)


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.services = yaml.safe_load(compose())["services"]

    def test_it_is_a_compose_file(self):
        document = yaml.safe_load(compose())
        # YAML's merges are resolved first: the parser is of the merged document.
        PyCompose.from_yaml(yaml.safe_dump(document))
        with self.assertRaises(Exception):
            PyCompose.from_yaml(yaml.safe_dump({**document, "services": {"watch": {"image": "x", "restart": "sometimes"}}}))

    def test_every_setting_has_an_example_and_secrets_have_none(self):
        used = set(re.findall(r"\$\{(\w+)", (FLEET / "compose.yaml").read_text()))
        self.assertEqual(used - set(EXAMPLE), {"ZKML_VERSION", "ZKML_LOG"})
        self.assertEqual(set(EXAMPLE) - used, set())
        self.assertFalse([name for name in EXAMPLE if re.search("PASSWORD|SECRET|KEY|URL", name)])
        with self.assertRaises(KeyError):
            interpolate((FLEET / "compose.yaml").read_text(), {})

    def test_secrets_are_files_and_never_arguments(self):
        for name, service in self.services.items():
            for variable, value in service.get("environment", {}).items():
                if re.search("PASSWORD|URL", variable):
                    self.assertRegex(variable, "_FILE$", name)
                    self.assertRegex(value, "^/run/secrets/", name)
            for argument in service.get("command", []):
                self.assertNotRegex(argument, "postgres://|password=", name)

    def test_every_mounted_secret_is_declared_and_read_by_its_service(self):
        declared = yaml.safe_load(compose())["secrets"]
        used = set()
        for name, service in self.services.items():
            given = set(service.get("secrets", []))
            self.assertLessEqual(given, set(declared), name)
            used |= given
        self.assertEqual(used, set(declared))
        worker = set(self.services["worker"]["secrets"])
        self.assertEqual(worker, {"worker.url", "ca.crt", "fleet.identity"}, "a worker sees no keystore, endpoint or owner")
        self.assertNotIn("fleet.identity", self.services["watch"]["secrets"], "who seals opens nothing")

    def test_all_that_runs_is_confined(self):
        for name, service in self.services.items():
            self.assertTrue(service["read_only"], name)
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertEqual(service["security_opt"], ["no-new-privileges:true"], name)
            self.assertTrue("user" in service or name == "database", name)
            self.assertRegex(service["image"], r":v?\d+\.\d+", f"{name} names no version")
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name} is open to the network")
            if service["restart"] != "no":
                self.assertIn("healthcheck", service, name)

    def test_workers_cannot_leave_and_the_watch_is_one(self):
        self.assertEqual(self.services["worker"]["networks"], ["fleet"])
        self.assertTrue(yaml.safe_load(compose())["networks"]["fleet"]["internal"])
        self.assertEqual(self.services["watch"]["deploy"]["replicas"], 1)
        self.assertIn("objects:/var/lib/zkml/objects:ro", self.services["worker"]["volumes"])

    def test_what_is_mounted_is_there(self):
        for name, service in self.services.items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("./"):
                    self.assertTrue((FLEET / source).is_file(), f"{name}: {source}")
        settings = yaml.safe_load((FLEET / "prometheus.yaml").read_text())
        self.assertEqual({job["job_name"] for job in settings["scrape_configs"]}, {"watch", "worker"})

    def test_the_image_is_built_from_all_that_the_program_includes(self):
        allowed = [line[1:] for line in (FLEET / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")]
        included = set()
        for source in sorted((ROOT / "crates").glob("*/src/**/*.rs")):
            for path in re.findall(r'"((?:\.\./)+[^"]+)"', source.read_text()):
                place = os.path.normpath(source.parent / path)
                if os.path.exists(place):
                    included.add(os.path.relpath(place, ROOT))
        self.assertIn("deploy/chains.toml", included)
        # Those of unit tests are in no program.
        included = {path for path in included if not path.startswith("tests/")}
        left_out = [path for path in sorted(included) if not any(f"{path}/".startswith(f"{name}/") for name in allowed)]
        self.assertEqual(left_out, [])
        for member in ("Cargo.toml", "Cargo.lock", "crates", "bindings"):
            self.assertIn(member, allowed, "cargo reads the manifest of every member")

    def test_images_have_versions(self):
        for line in (FLEET / "Dockerfile").read_text().splitlines():
            if line.startswith("FROM"):
                self.assertRegex(line, r"^FROM [a-z]+:[a-z]*-?\d[\w.-]+", line)
        self.assertIn("USER 10001:10001", (FLEET / "Dockerfile").read_text())


class Scripts(unittest.TestCase):
    def test_secrets_are_for_their_owner_and_stay(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "secrets"
            run = lambda: subprocess.run(["sh", FLEET / "prepare.sh", folder], check=True, capture_output=True, text=True)
            self.assertIn("keystore.json: still missing", run().stderr)
            before = {path.name: path.read_bytes() for path in folder.iterdir()}
            run()
            self.assertEqual(before, {path.name: path.read_bytes() for path in folder.iterdir()})
            for path in folder.iterdir():
                if path.suffix != ".crt":
                    self.assertEqual(path.stat().st_mode & 0o077, 0, path.name)
            self.assertRegex((folder / "worker.url").read_text(), "^postgres://zkml_worker:[0-9a-f]{48}@database/zkml\\?sslmode=verify-full")
            openssl = [program("openssl", "openssl"), "verify", "-CAfile", folder / "ca.crt", "-verify_hostname", "database"]
            subprocess.run([*openssl, folder / "server.crt"], check=True, capture_output=True)

    def entry(self, **env):
        """What the entry point hands to the program, which is a script that shows it."""
        with tempfile.TemporaryDirectory() as scratch:
            fake = pathlib.Path(scratch) / "zkml-chain"
            fake.write_text('#!/bin/sh\nprintf "%s|" "$@"; env | sort\n')
            fake.chmod(0o755)
            return subprocess.run(
                ["sh", FLEET / "entrypoint.sh", "worker", "--name", "a b"], env={"PATH": f"{scratch}:/usr/bin:/bin", **env},
                capture_output=True, text=True, check=False)

    def test_secret_files_become_variables(self):
        with tempfile.NamedTemporaryFile("w") as url, tempfile.NamedTemporaryFile("w") as rpc:
            url.write("postgres://a:b'$(c)@d/e\n")
            url.flush()
            rpc.write("https://node/key\n")
            rpc.flush()
            done = self.entry(ZKML_DATABASE_URL_FILE=url.name, ZKML_RPC_URL_FILE=rpc.name, ZKML_RPC_VARIABLE="SEPOLIA_RPC_URL")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("worker|--name|a b|"), done.stdout)
        lines = done.stdout.splitlines()
        self.assertIn("ZKML_DATABASE_URL=postgres://a:b'$(c)@d/e", lines)
        self.assertIn("SEPOLIA_RPC_URL=https://node/key", lines)
        self.assertFalse([line for line in lines if "_FILE=" in line or line.startswith("ZKML_RPC_URL=")])

    def test_a_secret_that_cannot_be_read_is_named(self):
        done = self.entry(ZKML_DATABASE_URL_FILE="/nowhere")
        self.assertEqual((done.returncode, done.stderr), (5, "ZKML_DATABASE_URL: cannot read /nowhere\n"))


if __name__ == "__main__":
    unittest.main()
