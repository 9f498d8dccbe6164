//! `zkml-chain worker`: proves for a fleet.

use super::{queue::ObjectsArgs, signals::stop_on_signals};
use crate::{
    error::{Error, Result},
    show::{
        Ui,
        worker::{ended, events},
    },
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use zkml_service::{
    CancellationToken, DatabaseUrl, Queue, Worker, WorkerMetrics, WorkerSummary, serve_worker,
};
use zkml_workspace::{
    Error as StepError,
    fleet::{FleetIdentity, ModelHands},
};

/// Prove for a fleet: take a task from the queue of ZKML_DATABASE_URL, prove it, hand the result in, again and again
///
/// It keeps nothing that matters: it can be killed at any time, and another one takes its task over. SIGINT and SIGTERM end it in good order:
/// what it has is finished within the grace, or given back; a second one ends it at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    objects: ObjectsArgs,
    /// Folder for files of models; what is in it can be removed at any time
    #[arg(long, value_name = "DIR")]
    cache: PathBuf,
    /// The fleet's secret key, which opens sealed inputs
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Memory that proofs may take, as in 4GiB, 512MiB or a number of bytes
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: u64,
    /// Its name, which no other worker has [default: of the host and the process]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Seconds after which a task goes to another worker when this one is not heard of
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(3..=3_600))]
    lease: u64,
    /// Milliseconds between two looks at an empty queue
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    poll: u64,
    /// Seconds that a running proof is waited for at the end; then its task goes back
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    grace: u64,
    /// End when the queue says that it is to take nothing more
    #[arg(long)]
    until_drained: bool,
    /// Address at which /metrics, /healthz and /readyz are served; port 0 for any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9185")]
    listen: SocketAddr,
}

/// Bytes of a size as people write it.
fn size(text: &str) -> Result<u64, String> {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("", 0)];
    let found = units.iter().find_map(|(unit, shift)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(1 << shift)
    });
    found
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "a size like 4GiB, 512MiB or a number of bytes is expected".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(good) {
        return Ok(text.to_owned());
    }
    Err("1 to 64 letters, digits and -_. are expected".to_owned())
}

/// The host's name and the process's number: what no other worker has, where hosts have names of their own.
fn own_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String =
        host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(48).collect();
    format!("{}-{}", if host.is_empty() { "worker" } else { &host }, std::process::id())
}

/// Runs the command.
///
/// # Errors
/// Object storage or a key that is none, a server whose functions its role may not call.
pub fn run(ui: &Ui, args: Args) -> Result<()> {
    ui.tells_events();
    let objects = args.objects.open()?;
    let identity = args.identity.as_deref().map(FleetIdentity::read).transpose()?;
    if let Some(path) = args.identity.as_deref().filter(|path| FleetIdentity::is_open_to_all(path)) {
        ui.warn(format_args!("{} can be read by everybody on this machine: `chmod 600` it", path.display()));
    }
    std::fs::create_dir_all(&args.cache).map_err(|e| StepError::io("make the folder", &args.cache, e))?;
    let hands = Arc::new(ModelHands::new(objects, args.cache.clone(), identity, args.memory));
    let url = DatabaseUrl::environment()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| StepError::io("start", Path::new("threads"), e))?;
    let worked = runtime.block_on(work(ui, &args, hands, &url));
    // A proof that nobody waited for goes down with the process.
    runtime.shutdown_background();
    ended(ui, &worked?)
}

async fn work(ui: &Ui, args: &Args, hands: Arc<ModelHands>, url: &DatabaseUrl) -> Result<WorkerSummary> {
    let (metrics, shutdown, end) =
        (WorkerMetrics::new(args.memory), CancellationToken::new(), CancellationToken::new());
    let _served_until_here = end.clone().drop_guard();
    let address = serve_worker(args.listen, metrics.clone(), end).await.map_err(Error::from)?;
    let name = args.name.clone().unwrap_or_else(own_name);
    ui.say(format_args!("worker {name}; metrics on http://{address}/metrics"));
    stop_on_signals(
        *ui,
        shutdown.clone(),
        "ending: what is begun is finished or given back; once more to end at once",
    )?;
    let worker = Worker {
        queue: Queue::connect(url)?,
        name,
        memory: args.memory,
        hands,
        lease: Duration::from_secs(args.lease),
        poll: Duration::from_millis(args.poll),
        grace: Duration::from_secs(args.grace),
        until_drained: args.until_drained,
        metrics,
        observer: events(ui.json),
    };
    Ok(worker.run(shutdown).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_do() {
        assert_eq!((size("4GiB"), size("512 MiB"), size("10")), (Ok(4 << 30), Ok(512 << 20), Ok(10)));
        for none in ["", "0", "-1", "4GB", "1.5GiB", "99999999999GiB", "GiB"] {
            assert!(size(none).is_err(), "{none}");
        }
        assert!(name("a b").is_err() && name("").is_err() && name(&own_name()).is_ok());
    }
}
