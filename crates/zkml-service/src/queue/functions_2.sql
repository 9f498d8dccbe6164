-- Functions of versions 1 and 2, for whoever goes back to them.
CREATE OR REPLACE FUNCTION tidy() RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
UPDATE tasks SET state = 'ready' WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM tasks AS parts WHERE parts.journal = tasks.journal AND parts.request = tasks.request AND parts.statement = tasks.statement AND parts.part > 0 AND parts.state <> 'done');
UPDATE tasks SET state = CASE WHEN attempts >= most THEN 'dead' ELSE 'ready' END, token = NULL, lease_until = 0, lost = lost + 1, reason = 'its worker ' || worker || ' vanished', next_try = now_ms() + 1000 * CASE WHEN attempts < 30 THEN attempts * attempts ELSE 900 END WHERE state = 'leased' AND lease_until < now_ms();
SELECT * FROM tasks WHERE FALSE
$body$;
REVOKE ALL ON FUNCTION tidy FROM PUBLIC;

CREATE OR REPLACE FUNCTION greet(text, bigint, text) RETURNS TABLE (is_draining bigint) LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
DELETE FROM workers WHERE seen_at < now_ms() - 86400000;
INSERT INTO workers (name, memory, warm, seen_at) SELECT $1, $2, $3, now_ms() WHERE length($1) <= 64 AND length($3) <= 65536 ON CONFLICT (name) DO UPDATE SET memory = excluded.memory, warm = excluded.warm, seen_at = excluded.seen_at;
SELECT draining AS is_draining FROM workers WHERE name = $1
$body$;
REVOKE ALL ON FUNCTION greet FROM PUBLIC;

CREATE OR REPLACE FUNCTION lease(text, bigint, bigint) RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
UPDATE tasks SET state = 'leased', worker = $1, lease_until = now_ms() + CASE WHEN $2 < 0 THEN 0 WHEN $2 > 3600000 THEN 3600000 ELSE $2 END, token = $3, attempts = attempts + 1 WHERE state = 'ready' AND task = (SELECT free.task FROM tasks AS free JOIN workers ON workers.name = $1 WHERE free.state = 'ready' AND free.next_try <= now_ms() AND free.memory <= workers.memory AND workers.draining = 0 ORDER BY CASE WHEN free.deadline <= now_ms() + 600000 THEN free.deadline ELSE 9000000000000000000 END, CASE WHEN workers.warm LIKE '%' || free.program || '%' OR free.made_at <= now_ms() - 10000 THEN 0 ELSE 1 END, free.reward_rank DESC, free.deadline, free.task LIMIT 1 FOR UPDATE OF free SKIP LOCKED) RETURNING *
$body$;
REVOKE ALL ON FUNCTION lease FROM PUBLIC;

CREATE OR REPLACE FUNCTION beat(bigint, bigint, bigint) RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
UPDATE workers SET seen_at = now_ms() WHERE name = (SELECT worker FROM tasks WHERE task = $1 AND token = $2 AND state = 'leased' AND lease_until >= now_ms());
UPDATE tasks SET lease_until = now_ms() + CASE WHEN $3 < 0 THEN 0 WHEN $3 > 3600000 THEN 3600000 ELSE $3 END WHERE task = $1 AND token = $2 AND state = 'leased' AND lease_until >= now_ms() RETURNING *
$body$;
REVOKE ALL ON FUNCTION beat FROM PUBLIC;

CREATE OR REPLACE FUNCTION parts(bigint, bigint) RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
SELECT parts.* FROM tasks AS parts JOIN (SELECT * FROM tasks WHERE task = $1 AND token = $2 AND state = 'leased' AND lease_until >= now_ms()) AS whole ON parts.journal = whole.journal AND parts.request = whole.request AND parts.statement = whole.statement WHERE whole.part = 0 AND parts.part > 0 ORDER BY parts.part
$body$;
REVOKE ALL ON FUNCTION parts FROM PUBLIC;

CREATE OR REPLACE FUNCTION complete(bigint, bigint, bytea) RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
UPDATE tasks SET state = 'done', lease_until = 0, result = $3, done_at = now_ms(), reason = NULL WHERE task = $1 AND token = $2 AND state = 'leased' AND lease_until >= now_ms() AND length($3) <= 4194304;
SELECT * FROM tasks WHERE task = $1 AND token = $2 AND state = 'done'
$body$;
REVOKE ALL ON FUNCTION complete FROM PUBLIC;

CREATE OR REPLACE FUNCTION fail(bigint, bigint, text, bigint) RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
UPDATE tasks SET state = CASE WHEN $4 = 1 OR attempts >= most THEN 'dead' ELSE 'ready' END, token = NULL, lease_until = 0, reason = substr($3, 1, 1000), next_try = now_ms() + 1000 * CASE WHEN attempts < 30 THEN attempts * attempts ELSE 900 END WHERE task = $1 AND token = $2 AND state = 'leased' AND lease_until >= now_ms() RETURNING *
$body$;
REVOKE ALL ON FUNCTION fail FROM PUBLIC;

CREATE OR REPLACE FUNCTION release(bigint, bigint) RETURNS SETOF tasks LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = zkml, pg_temp AS $body$
UPDATE tasks SET state = 'ready', token = NULL, lease_until = 0, attempts = attempts - 1, next_try = 0 WHERE task = $1 AND token = $2 AND state = 'leased' AND lease_until >= now_ms() RETURNING *
$body$;
REVOKE ALL ON FUNCTION release FROM PUBLIC;
