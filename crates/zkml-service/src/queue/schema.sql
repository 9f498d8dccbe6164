-- Proofs that are wanted. In SQLite they are in the journal's file, in PostgreSQL in a schema that all journals share.
CREATE TABLE tasks (
    task INTEGER PRIMARY KEY,
    -- Whose request it is: the schema of its journal.
    journal TEXT NOT NULL,
    request BLOB NOT NULL,
    -- Digest of the context that the proof is bound to. Nothing is proven twice.
    statement BLOB NOT NULL,
    -- 0 is the whole, or what makes one proof of parts 1, 2 and so on.
    part INTEGER NOT NULL DEFAULT 0,
    -- Digest of the artifacts that it takes, in hexadecimal digits.
    program TEXT NOT NULL,
    -- Bytes that proving takes.
    memory INTEGER NOT NULL,
    -- All that a worker is told. Inputs that are committed to are sealed, and elsewhere.
    job BLOB NOT NULL,
    -- In milliseconds since 1970.
    deadline INTEGER NOT NULL,
    -- The more it pays, the higher.
    reward_rank INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'leased', 'done', 'dead')),
    -- The fencing token of its lease, chosen anew each time: nothing that comes with another one counts.
    token INTEGER,
    worker TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    -- How often it was leased, and how often it may be.
    attempts INTEGER NOT NULL DEFAULT 0,
    most INTEGER NOT NULL,
    -- How often its worker vanished.
    lost INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL DEFAULT 0,
    -- Why it is dead, or why its last attempt failed.
    reason TEXT,
    result BLOB,
    made_at INTEGER NOT NULL,
    done_at INTEGER NOT NULL DEFAULT 0,
    CHECK ((state = 'leased') = (lease_until > 0)),
    CHECK ((state = 'done') = (result IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX one_task_for_a_statement ON tasks (journal, request, statement, part);
CREATE INDEX tasks_by_state ON tasks (state, next_try);

-- Who proves, what fits there, and what is loaded already.
CREATE TABLE workers (
    name TEXT NOT NULL PRIMARY KEY,
    memory INTEGER NOT NULL,
    -- Digests of programs, with spaces between them.
    warm TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    draining INTEGER NOT NULL DEFAULT 0
) STRICT;
