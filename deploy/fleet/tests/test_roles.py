"""roles.sql, pg_hba.conf and prepare.sh, on a real server."""

import os
import subprocess
import unittest

from .chart import one, render, values
from .common import FLEET
from .database import WithDatabase, binary

# A stand-in for what `zkml-chain queue migrate` makes as the owner: one table, one function, the view.
SCHEMA = """
CREATE SCHEMA zkml;
CREATE TABLE zkml.tasks (task bigint PRIMARY KEY, state text NOT NULL, made_at bigint NOT NULL);
CREATE FUNCTION zkml.lease() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS 'UPDATE zkml.tasks SET state = ''leased'' WHERE state = ''ready'' RETURNING task';
CREATE FUNCTION zkml.publish() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1::bigint';
CREATE VIEW zkml.queue AS SELECT state, count(*) AS tasks, max(60.5) AS oldest_seconds FROM zkml.tasks GROUP BY state;
GRANT USAGE ON SCHEMA zkml TO zkml_worker, zkml_reader;
GRANT EXECUTE ON FUNCTION zkml.lease() TO zkml_worker;
GRANT SELECT ON zkml.queue TO zkml_reader;
INSERT INTO zkml.tasks VALUES (7, 'ready', 0);
"""


class Roles(WithDatabase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database.psql("zkml_owner", SCHEMA)

    def test_a_second_run_changes_passwords_and_nothing_else(self):
        again = self.database.roles(reader="another-password-0123456789")
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertIn("authentication failed", self.database.refusal("zkml_reader"))
        self.assertEqual(self.database.psql("zkml_reader", "SELECT count(*) FROM zkml.queue", password="another-password-0123456789"), "1")
        self.assertEqual(self.database.roles().returncode, 0)
        self.assertEqual(self.database.psql("zkml_reader", "SELECT count(*) FROM zkml.queue"), "1")

    def test_the_compose_files_service_makes_the_roles(self):
        script = (FLEET / "postgres" / "roles.sh").read_text()
        here = {"/run/secrets": str(self.database.secrets), "/etc/fleet": str(FLEET), "host=database": f"host=localhost port={self.database.port}"}
        for there, place in here.items():
            self.assertIn(there, script)
            script = script.replace(there, place)
        self.database.psql("postgres", "ALTER ROLE zkml_worker PASSWORD 'something else'")
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.database.psql("zkml_worker", "SELECT 1"), "1")

    def test_the_owners_dump_is_a_backup(self):
        dump = self.database.folder / "dump"
        env = {**os.environ, "PGPASSWORD": self.database.password("zkml_owner")}
        where = ["--host=localhost", f"--port={self.database.port}", "--username=zkml_owner"]
        tls = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self.database.secrets / "ca.crt")}
        saved = [binary("pg_dump"), *where, "--format=custom", "--exclude-schema=public", f"--file={dump}", "zkml"]
        subprocess.run(saved, check=True, env={**env, **tls}, capture_output=True)
        self.database.psql("zkml_owner", "DROP SCHEMA zkml CASCADE")
        restored = [binary("pg_restore"), *where, "--dbname=zkml", "--single-transaction", dump]
        done = subprocess.run(restored, check=False, env={**env, **tls}, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.database.psql("zkml_worker", "BEGIN; SELECT zkml.lease(); ROLLBACK"), "7")
        self.assertIn("permission denied", self.database.refusal("zkml_worker", "SELECT * FROM zkml.tasks"))
        self.assertIn("permission denied", self.database.refusal("zkml_worker", "SELECT zkml.publish()"))
        self.assertEqual(self.database.psql("zkml_reader", "SELECT tasks FROM zkml.queue"), "1")

    def test_the_owner_makes_schemas_for_journals(self):
        self.database.psql("zkml_owner", "CREATE SCHEMA journal_1; DROP SCHEMA journal_1")
        self.assertIn("permission denied", self.database.refusal("zkml_owner", "CREATE ROLE other"))
        self.assertIn("permission denied", self.database.refusal("zkml_owner", "CREATE DATABASE other"))
        self.assertIn("permission denied", self.database.refusal("zkml_owner", "CREATE TABLE public.t (a int)"))

    def test_a_worker_executes_what_it_was_given_and_nothing_else(self):
        self.assertEqual(self.database.psql("zkml_worker", "BEGIN; SELECT zkml.lease(); ROLLBACK"), "7")
        for statement in (
            "SELECT * FROM zkml.tasks", "SELECT * FROM zkml.queue", "INSERT INTO zkml.tasks VALUES (8, 'ready', 0)",
            "DELETE FROM zkml.tasks", "SELECT zkml.publish()", "CREATE SCHEMA other", "CREATE TEMPORARY TABLE t (a int)",
            "CREATE TABLE zkml.t (a int)", "CREATE TABLE public.t (a int)", "SET ROLE zkml_owner",
        ):
            with self.subTest(statement):
                self.assertIn("permission denied", self.database.refusal("zkml_worker", statement))

    def test_a_reader_sees_the_view_and_nothing_else(self):
        self.assertEqual(self.database.psql("zkml_reader", "SELECT state, tasks FROM zkml.queue"), "ready|1")
        for statement in ("SELECT * FROM zkml.tasks", "SELECT zkml.lease()", "CREATE SCHEMA other", "SET ROLE zkml_worker"):
            with self.subTest(statement):
                self.assertRegex(self.database.refusal("zkml_reader", statement), "permission denied|read-only transaction")

    def test_the_queries_that_scale_are_the_readers(self):
        triggers = one(render(values("example")), "ScaledObject", "fleet-worker")["spec"]["triggers"]
        found = [self.database.psql("zkml_reader", trigger["metadata"]["query"]) for trigger in triggers]
        self.assertEqual(found, ["1", "60.5"])

    def test_what_hangs_is_ended(self):
        self.assertEqual(self.database.psql("zkml_worker", "SHOW statement_timeout"), "30s")
        self.assertEqual(self.database.psql("zkml_worker", "SHOW idle_in_transaction_session_timeout"), "30s")
        self.assertEqual(self.database.psql("zkml_reader", "SHOW statement_timeout"), "10s")

    def test_nobody_connects_without_tls_or_to_another_database(self):
        for user in ("zkml_owner", "zkml_worker", "zkml_reader", "postgres"):
            self.assertIn("pg_hba.conf rejects", self.database.refusal(user, sslmode="disable"))
        self.assertIn("pg_hba.conf rejects", self.database.refusal("zkml_worker", database="postgres"))
        self.assertEqual(self.database.psql("zkml_worker", "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "TLSv1.3")

    def test_passwords_are_long_stored_as_scram_and_in_no_log(self):
        for passwords in ({"worker": ""}, {"owner": "short"}, {"reader": "fifteen-letters"}):
            refused = self.database.roles(**passwords)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("less than 16 characters", refused.stderr)
        stored = self.database.psql("postgres", "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'zkml_%' AND rolpassword LIKE 'SCRAM-SHA-256$%'")
        self.assertEqual(stored, "3")
        log = self.database.log.read_text()
        self.assertTrue("CREATE DATABASE zkml" in log, "the server logs statements here")
        for role in ("owner", "worker", "reader"):
            self.assertFalse(self.database.password(f"zkml_{role}") in log, f"the password of {role} is in the log")

    def test_a_role_that_may_more_is_refused(self):
        self.database.psql("postgres", "ALTER ROLE zkml_worker CREATEDB")
        refused = self.database.roles()
        self.database.psql("postgres", "ALTER ROLE zkml_worker NOCREATEDB")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("zkml_worker is there already and may do more", refused.stderr)

    def test_an_administrator_of_a_managed_database_is_enough(self):
        self.database.psql("postgres", "CREATE ROLE managed LOGIN CREATEROLE")
        self.database.psql("postgres", "CREATE DATABASE other OWNER managed")
        done = self.database.run(
            "postgres", "-c", "SET SESSION AUTHORIZATION managed", "-f", FLEET / "roles.sql", database="other",
            env={f"ZKML_{role}_PASSWORD": "0123456789abcdef" for role in ("OWNER", "WORKER", "READER")},
        )
        # The passwords of the other tests again.
        self.assertEqual(self.database.roles().returncode, 0)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cannot keep statements out of the log", done.stderr)
