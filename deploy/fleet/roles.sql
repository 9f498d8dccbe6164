-- The fleet's three roles, in the database that psql is connected to. Run by an administrator, as often as one likes:
--
--     psql --no-psqlrc --file deploy/fleet/roles.sql 'host=… dbname=zkml user=postgres sslmode=verify-full'
--
-- Passwords come from the environment: ZKML_OWNER_PASSWORD, ZKML_WORKER_PASSWORD, ZKML_READER_PASSWORD. To change one, run it
-- again. Tables, functions and what the roles may do with each come from `zkml-chain queue migrate`, as zkml_owner.
--
--   zkml_owner   owns all of it: migrations, and the one `watch`
--   zkml_worker  executes the queue's functions (zkml.lease, zkml.beat, zkml.complete, zkml.fail, …), and reads no table
--   zkml_reader  reads the view zkml.queue, for KEDA and Grafana

\set ON_ERROR_STOP on
\set QUIET on
\getenv owner_password ZKML_OWNER_PASSWORD
\getenv worker_password ZKML_WORKER_PASSWORD
\getenv reader_password ZKML_READER_PASSWORD

-- An empty password would be none; a missing variable would be its name.
\if :{?owner_password} \else \set owner_password '' \endif
\if :{?worker_password} \else \set worker_password '' \endif
\if :{?reader_password} \else \set reader_password '' \endif

BEGIN;

-- Statements with passwords belong into no log, failed ones neither. Managed databases may not allow that.
DO $$
BEGIN
    PERFORM set_config('log_statement', 'none', true), set_config('log_min_duration_statement', '-1', true),
        set_config('log_min_error_statement', 'panic', true);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'this administrator cannot keep statements out of the log: look whether it has the passwords now';
END $$;
SET LOCAL password_encryption = 'scram-sha-256';

SELECT length(:'owner_password') < 16 OR length(:'worker_password') < 16 OR length(:'reader_password') < 16 AS weak \gset
\if :weak
    DO $$ BEGIN
        RAISE EXCEPTION 'a password is missing or has less than 16 characters'
            USING HINT = 'set ZKML_OWNER_PASSWORD, ZKML_WORKER_PASSWORD and ZKML_READER_PASSWORD';
    END $$;
\endif

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['zkml_owner', 'zkml_worker', 'zkml_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I', name);
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = name
                AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)) THEN
            RAISE EXCEPTION 'role % is there already and may do more than it should', name
                USING HINT = 'take its attributes away with ALTER ROLE, or drop it';
        END IF;
        EXECUTE format('ALTER ROLE %I LOGIN NOINHERIT', name);
    END LOOP;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        -- Default privileges of another role are for its members to change.
        EXECUTE format('GRANT zkml_owner TO %I', current_user);
    END IF;
END $$;
ALTER ROLE zkml_owner PASSWORD :'owner_password';
ALTER ROLE zkml_worker PASSWORD :'worker_password';
ALTER ROLE zkml_reader PASSWORD :'reader_password';

-- Settings that a role gave itself end here: each may change its own.
ALTER ROLE zkml_owner RESET ALL;
ALTER ROLE zkml_worker RESET ALL;
ALTER ROLE zkml_reader RESET ALL;
-- A worker that hangs in the middle of something keeps rows locked for nobody.
ALTER ROLE zkml_worker SET statement_timeout = '30s';
ALTER ROLE zkml_worker SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE zkml_reader SET statement_timeout = '10s';
ALTER ROLE zkml_reader SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE zkml_reader SET default_transaction_read_only = on;
-- Names that these two use are qualified: nobody's schema comes before.
ALTER ROLE zkml_worker SET search_path = pg_catalog;
ALTER ROLE zkml_reader SET search_path = pg_catalog;
ALTER ROLE zkml_reader CONNECTION LIMIT 20;
-- The owner has to get in, whoever else is there: raise it together with max_connections.
ALTER ROLE zkml_worker CONNECTION LIMIT 60;

-- PostgreSQL gives everybody the right to connect and to make temporary tables.
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO zkml_owner, zkml_worker, zkml_reader', current_database()) \gexec
-- Each journal is a schema that the owner makes.
SELECT format('GRANT CREATE ON DATABASE %I TO zkml_owner', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- And the right to execute each new function: ours run with their owner's rights.
ALTER DEFAULT PRIVILEGES FOR ROLE zkml_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Watch is alone by an advisory lock, and the backup is the owner's: locks and large objects are not for everybody.
DO $$
DECLARE
    named regprocedure;
BEGIN
    FOR named IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^(pg_(try_)?advisory|lo_|lowrite|loread)' LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', named);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO zkml_owner', named);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'this administrator cannot keep roles from advisory locks: whoever has the reader''s or a worker''s URL can keep watch out';
END $$;

COMMIT;

-- A session that was opened with an old password goes on for as long as it likes.
SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity WHERE usename IN ('zkml_worker', 'zkml_reader') AND pid <> pg_backend_pid() \gset
