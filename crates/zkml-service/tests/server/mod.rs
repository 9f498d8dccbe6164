//! A PostgreSQL server of the tests' own: Debian's package `postgresql` has all that it needs.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// A server, which ends with this process.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    child: Child,
}

static DATABASES: AtomicU64 = AtomicU64::new(0);

/// Where PostgreSQL's programs are, the newest version's.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed: apt-get install postgresql")
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL's programs")
}

/// A command of the user `postgres` if we are root, whom the server refuses; it is killed when we are.
fn command(program: &Path) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0);
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if root {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    command
}

impl Server {
    /// Starts one in a folder of its own.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let data = folder.join("data");
        let mut initdb = command(&programs().join("initdb"));
        initdb
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data);
        assert!(initdb.status().expect("setpriv of util-linux").success(), "initdb");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Self::run(&folder, port);
        let server = Self { folder, port, child };
        server.wait();
        server
    }

    fn run(folder: &Path, port: u16) -> Child {
        let mut postgres = command(&programs().join("postgres"));
        let port = port.to_string();
        // What a process writes is there when another reads, whoever is killed: only a machine that fails needs fsync.
        let options =
            ["-p", &port, "-h", "127.0.0.1", "-F", "-c", "max_connections=60", "-c", "shared_buffers=16MB"];
        postgres.arg("-D").arg(folder.join("data")).args(options).arg("-k").arg(folder);
        // It dies with the thread that made it, and a test's thread ends with the test.
        let (made, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            made.send(postgres.spawn()).unwrap();
            loop {
                std::thread::park();
            }
        });
        wait.recv().unwrap().unwrap()
    }

    /// One for all tests of this process that do not harm it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.says("SELECT 1", "postgres") {
            assert!(Instant::now() < end, "the server does not start");
            sleep(Duration::from_millis(50));
        }
    }

    fn psql(&self, sql: &str, database: &str) -> Command {
        self.psql_as(sql, "postgres", database)
    }

    fn psql_as(&self, sql: &str, role: &str, database: &str) -> Command {
        let mut psql = Command::new(programs().join("psql"));
        let port = self.port.to_string();
        psql.args([
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            role,
            "-d",
            database,
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ]);
        psql
    }

    fn says(&self, sql: &str, database: &str) -> bool {
        self.psql(sql, database).output().is_ok_and(|output| output.status.success())
    }

    /// Answer of a query in a database, a line a row.
    pub(crate) fn ask(&self, sql: &str, database: &str) -> String {
        self.ask_as(sql, "postgres", database)
    }

    /// The same, asked by a role.
    pub(crate) fn ask_as(&self, sql: &str, role: &str, database: &str) -> String {
        let output = self.psql_as(sql, role, database).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Why a role may not do something.
    pub(crate) fn refuses(&self, sql: &str, role: &str, database: &str) -> String {
        let output = self.psql_as(sql, role, database).output().unwrap();
        assert!(!output.status.success(), "{sql} was allowed");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// All that a database holds, as text.
    pub(crate) fn dump(&self, database: &str) -> Vec<u8> {
        let port = self.port.to_string();
        let mut dump = Command::new(programs().join("pg_dump"));
        let output =
            dump.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", database]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// A database of its own, by its name.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.ask(&format!("CREATE DATABASE {name}"), "postgres");
        name
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    pub(crate) fn url_as(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// Kills it with all of its processes, and starts it again.
    pub(crate) fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // Its children see that it is gone; until they are, nobody else may open the files.
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let _ = fs::remove_file(self.folder.join("data/postmaster.pid"));
            self.child = Self::run(&self.folder, self.port);
            sleep(Duration::from_millis(300));
            if self.child.try_wait().unwrap().is_none() {
                break;
            }
            assert!(Instant::now() < end, "the server does not start again");
        }
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
