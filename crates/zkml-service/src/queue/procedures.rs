//! Deeds that a worker is allowed: each a few statements, written once. In SQLite they are run one after the other in one transaction; in PostgreSQL they
//! are the bodies of functions, and a worker's role may call these and nothing else.

use crate::store::{Dialect, Row, Sql, StoreError, Value, postgres_text};

/// Statements that belong together, with parameters that they share. The rows are those of the last one.
pub(crate) struct Procedure {
    pub(crate) name: &'static str,
    /// Types of its parameters, as PostgreSQL names them.
    pub(crate) parameters: &'static [&'static str],
    /// Its rows, as PostgreSQL names them.
    pub(crate) rows: &'static str,
    pub(crate) statements: &'static [&'static str],
}

const TASKS: &str = "SETOF tasks";
/// A lease that counts: `?1` is the task, `?2` the token.
macro_rules! held {
    () => {
        "task = ?1 AND token = ?2 AND state = 'leased' AND lease_until >= now_ms()"
    };
}
/// Milliseconds before the next attempt, longer each time.
macro_rules! pause {
    () => {
        "1000 * CASE WHEN attempts < 30 THEN attempts * attempts ELSE 900 END"
    };
}

/// Tasks of vanished workers go back, and combining tasks whose parts are done are ready.
pub(crate) const TIDY: Procedure = Procedure {
    name: "tidy",
    parameters: &[],
    rows: TASKS,
    statements: &[
        "UPDATE tasks SET state = 'ready' WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM tasks AS parts \
         WHERE parts.journal = tasks.journal AND parts.request = tasks.request AND parts.statement = tasks.statement \
         AND parts.part > 0 AND parts.state <> 'done')",
        concat!(
            "UPDATE tasks SET state = CASE WHEN attempts >= most THEN 'dead' ELSE 'ready' END, token = NULL, lease_until = 0, lost = lost + 1, \
             reason = 'its worker ' || worker || ' vanished', next_try = now_ms() + ",
            pause!(),
            " WHERE state = 'leased' AND lease_until < now_ms()"
        ),
        // Others' tasks are nothing for whoever calls this.
        "SELECT * FROM tasks WHERE FALSE",
    ],
};

/// A worker is here: name, memory, warm programs, and the key whose sealed inputs it opens. Whether it is to take nothing more; one that is new
/// does as all were told. Its predecessor `greet` stays for workers of version 2 while they are there.
pub(crate) const ARRIVE: Procedure = Procedure {
    name: "arrive",
    parameters: &["text", "bigint", "text", "text"],
    rows: "TABLE (is_draining bigint)",
    statements: &[
        // Machines come and go under new names.
        "DELETE FROM workers WHERE seen_at < now_ms() - 86400000",
        "INSERT INTO workers (name, memory, warm, opens, seen_at, draining) SELECT ?1, ?2, ?3, ?4, now_ms(), (SELECT max(draining) FROM orders) \
         WHERE length(?1) <= 64 AND length(?3) <= 65536 AND length(?4) <= 64 ON CONFLICT (name) DO UPDATE \
         SET memory = excluded.memory, warm = excluded.warm, opens = excluded.opens, seen_at = excluded.seen_at",
        "SELECT draining AS is_draining FROM workers WHERE name = ?1",
    ],
};

/// The best task for a worker that fits there and whose input it can open: name, milliseconds, token. What is due within ten minutes comes first, then what its warm programs serve or
/// what has waited for ten seconds, then what pays most.
pub(crate) const LEASE: Procedure = Procedure {
    name: "lease",
    parameters: &["text", "bigint", "bigint"],
    rows: TASKS,
    statements: &[
        "UPDATE tasks SET state = 'leased', worker = ?1, lease_until = now_ms() + CASE WHEN ?2 < 0 THEN 0 WHEN ?2 > 3600000 THEN 3600000 ELSE ?2 END, token = ?3, attempts = attempts + 1 \
         WHERE state = 'ready' AND task = (SELECT free.task FROM tasks AS free JOIN workers ON workers.name = ?1 \
         WHERE free.state = 'ready' AND free.next_try <= now_ms() AND free.memory <= workers.memory AND workers.draining = 0 \
         AND (free.sealed_for = '' OR free.sealed_for = workers.opens) \
         ORDER BY CASE WHEN free.deadline <= now_ms() + 600000 THEN free.deadline ELSE 9000000000000000000 END, \
         CASE WHEN workers.warm LIKE '%' || free.program || '%' OR free.made_at <= now_ms() - 10000 THEN 0 ELSE 1 END, \
         free.reward_rank DESC, free.deadline, free.task LIMIT 1 /* FOR UPDATE OF free SKIP LOCKED */) RETURNING *",
    ],
};

/// The lease goes on for so many milliseconds, and the worker is here.
pub(crate) const BEAT: Procedure = Procedure {
    name: "beat",
    parameters: &["bigint", "bigint", "bigint"],
    rows: TASKS,
    statements: &[
        concat!(
            "UPDATE workers SET seen_at = now_ms() WHERE name = (SELECT worker FROM tasks WHERE ",
            held!(),
            ")"
        ),
        concat!(
            "UPDATE tasks SET lease_until = now_ms() + CASE WHEN ?3 < 0 THEN 0 WHEN ?3 > 3600000 THEN 3600000 ELSE ?3 END WHERE ",
            held!(),
            " RETURNING *"
        ),
    ],
};

/// Results of the parts that a leased task combines.
pub(crate) const PARTS: Procedure = Procedure {
    name: "parts",
    parameters: &["bigint", "bigint"],
    rows: TASKS,
    statements: &[concat!(
        "SELECT parts.* FROM tasks AS parts JOIN (SELECT * FROM tasks WHERE ",
        held!(),
        ") AS whole ON parts.journal = whole.journal AND parts.request = whole.request AND parts.statement = whole.statement \
         WHERE whole.part = 0 AND parts.part > 0 ORDER BY parts.part"
    )],
};

/// The task is done. Saying so twice is the same as once.
pub(crate) const COMPLETE: Procedure = Procedure {
    name: "complete",
    parameters: &["bigint", "bigint", "bytea"],
    rows: TASKS,
    statements: &[
        concat!(
            "UPDATE tasks SET state = 'done', lease_until = 0, result = ?3, done_at = now_ms(), reason = NULL WHERE ",
            held!(),
            // The owner reads results whole.
            " AND length(?3) <= 4194304"
        ),
        "SELECT * FROM tasks WHERE task = ?1 AND token = ?2 AND state = 'done'",
    ],
};

/// There is no proof: why, and whether there will never be one.
pub(crate) const FAIL: Procedure = Procedure {
    name: "fail",
    parameters: &["bigint", "bigint", "text", "bigint"],
    rows: TASKS,
    statements: &[concat!(
        "UPDATE tasks SET state = CASE WHEN ?4 = 1 OR attempts >= most THEN 'dead' ELSE 'ready' END, token = NULL, lease_until = 0, \
         reason = substr(?3, 1, 1000), next_try = now_ms() + ",
        pause!(),
        " WHERE ",
        held!(),
        " RETURNING *"
    )],
};

/// The worker gives the task back as it was.
pub(crate) const RELEASE: Procedure = Procedure {
    name: "release",
    parameters: &["bigint", "bigint"],
    rows: TASKS,
    statements: &[concat!(
        "UPDATE tasks SET state = 'ready', token = NULL, lease_until = 0, attempts = attempts - 1, next_try = 0 WHERE ",
        held!(),
        " RETURNING *"
    )],
};

/// All of them.
pub(crate) const ALL: [&Procedure; 8] = [&TIDY, &ARRIVE, &LEASE, &BEAT, &PARTS, &COMPLETE, &FAIL, &RELEASE];

impl Procedure {
    /// Runs it within a transaction.
    pub(crate) fn run(&self, sql: &mut dyn Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        match sql.dialect() {
            Dialect::Postgres => {
                let places: Vec<_> = (1..=values.len()).map(|place| format!("?{place}")).collect();
                sql.query(&format!("SELECT * FROM zkml.{}({})", self.name, places.join(", ")), values)
            }
            Dialect::Sqlite => {
                let mut rows = Vec::new();
                for statement in self.statements {
                    rows = sql.query(statement, values)?;
                }
                Ok(rows)
            }
        }
    }

    /// It as a function of PostgreSQL, which works with its owner's rights and looks for tables in one schema.
    pub(crate) fn function(&self) -> String {
        let Self { name, parameters, rows, statements } = self;
        let body =
            postgres_text(&statements.join(";\n")).replace("/* FOR", "FOR").replace("LOCKED */", "LOCKED");
        format!(
            "CREATE OR REPLACE FUNCTION {name}({}) RETURNS {rows} LANGUAGE sql VOLATILE SECURITY DEFINER \
             SET search_path = zkml, pg_temp AS $body$\n{body}\n$body$;\n\
             REVOKE ALL ON FUNCTION {name} FROM PUBLIC;\n",
            parameters.join(", ")
        )
    }
}
