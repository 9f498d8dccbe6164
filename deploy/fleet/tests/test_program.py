"""`zkml-chain queue migrate` with the roles of roles.sql: what each may do with what the program makes.

ZKML_CHAIN names the program; target/release/zkml-chain where it does not.
"""

import os
import pathlib
import subprocess
import unittest

import yaml

from .chart import one, render, values
from .common import FLEET, ROOT, environment, interpolate
from .database import WithDatabase

PROGRAM = pathlib.Path(os.environ.get("ZKML_CHAIN", ROOT / "target/release/zkml-chain"))

RELATIONS = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'zkml' AND c.relkind IN ('r', 'v', 'S', 'm', 'p')
AND has_table_privilege('{role}', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') ORDER BY 1
"""
FUNCTIONS = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'zkml'
AND has_function_privilege('{role}', p.oid, 'EXECUTE') ORDER BY 1
"""
# Those that work with their owner's rights, and could be led to other tables by a caller's search path.
LED_ASTRAY = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'zkml' AND p.prosecdef
AND NOT coalesce(array_to_string(p.proconfig, ',') LIKE '%search_path=%', false)
"""


def has_queue():
    """The program is built, and knows the queue."""
    if not PROGRAM.exists():
        return False
    return subprocess.run([PROGRAM, "queue", "--help"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(has_queue(), f"{PROGRAM} is not built, or has no command `queue`")
class Program(WithDatabase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = cls.queue("owner", "migrate")
        assert done.returncode == 0, done.stderr

    @classmethod
    def queue(cls, role, *arguments):
        """A run of `queue` as a role."""
        return subprocess.run(
            [PROGRAM, "queue", *arguments], env={**os.environ, "ZKML_DATABASE_URL": cls.database.url(f"zkml_{role}")},
            capture_output=True, text=True, check=False, timeout=120)

    def listed(self, query, role):
        return self.database.psql("postgres", query.format(role=role)).split()

    def test_a_worker_executes_the_queues_functions_and_has_no_table(self):
        self.assertEqual(self.listed(RELATIONS, "zkml_worker"), [])
        functions = set(self.listed(FUNCTIONS, "zkml_worker"))
        self.assertLessEqual({"lease", "beat", "complete", "fail"}, functions)
        self.assertLessEqual(functions, {"arrive", "greet", "tidy", "lease", "beat", "parts", "complete", "fail", "release"})

    def test_the_reader_has_the_view(self):
        self.assertEqual(self.listed(RELATIONS, "zkml_reader"), ["queue"])
        self.assertLessEqual(set(self.listed(FUNCTIONS, "zkml_reader")), {"now_ms"})
        for trigger in one(render(values("example")), "ScaledObject", "fleet-worker")["spec"]["triggers"]:
            self.assertEqual(float(self.database.psql("zkml_reader", trigger["metadata"]["query"])), 0)

    def test_functions_of_the_owner_look_where_they_should(self):
        self.assertEqual(self.listed(LED_ASTRAY, ""), [])
        self.assertTrue(self.listed("SELECT 1 FROM pg_proc WHERE prosecdef AND proname = 'lease'", ""))

    def test_the_schema_goes_back_and_forward_again(self):
        for arguments in (("migrate", "--to", "0"), ("migrate",), ("status", "--json")):
            done = self.queue("owner", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.test_a_worker_executes_the_queues_functions_and_has_no_table()
        self.test_the_reader_has_the_view()

    def test_it_knows_the_arguments_that_compose_file_and_chart_give(self):
        services = yaml.safe_load(interpolate((FLEET / "compose.yaml").read_text(), environment(FLEET / ".env.example")))["services"]
        given = {f"compose {name}": services[name]["command"] for name in ("migrate", "publish", "watch", "worker")}
        for example in ("example", "minimal"):
            for document in render(values(example)):
                if document["kind"] in ("Deployment", "Job"):
                    pod = document["spec"]["template"]["spec"]
                    for container in [*pod.get("initContainers", []), *pod["containers"]]:
                        given[f"{example} {container['name']}"] = container["args"]
        self.assertEqual(len(given), 12)
        for name, arguments in given.items():
            # The cluster puts the pod's name in. Help is asked for last: what comes before it is read first.
            command = [PROGRAM, *(argument.replace("$(POD_NAME)", "pod-1") for argument in arguments), "--help"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")
        unknown = subprocess.run([PROGRAM, "worker", "--unknown", "--help"], capture_output=True, check=False)
        self.assertNotEqual(unknown.returncode, 0)

    def test_only_the_owner_migrates_and_no_password_is_shown(self):
        for role in ("worker", "reader"):
            done = self.queue(role, "migrate", "--to", "0")
            self.assertNotEqual(done.returncode, 0, role)
            self.assertNotIn(self.database.password(f"zkml_{role}"), done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
