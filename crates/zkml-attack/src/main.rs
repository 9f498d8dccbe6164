//! `make attack`: tries to forge proofs, prints what it tried by kind, and fails if anything false was accepted.

#![forbid(unsafe_code)]

use std::{
    io::Write,
    process::ExitCode,
    sync::Mutex,
    time::{Duration, Instant},
};

use clap::Parser;
use zkml_attack::{
    Backend, agree,
    campaign::{self, Order, Report},
    halo2::{Halo2, mutants},
    report,
    sumcheck::Sumcheck,
};

/// Tries to forge proofs of every operator, all pairs of operators, and random graphs.
#[derive(Debug, Parser)]
struct Args {
    /// Time to attack for: 90s, 10m, 2h.
    #[arg(long, default_value = "10m", value_parser = budget)]
    budget: Duration,
    /// Seed of graphs and forgeries.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Largest number of random graphs, after all operators and pairs.
    #[arg(long, default_value_t = 100_000)]
    random: u64,
    /// The back end that is attacked.
    #[arg(long, default_value = "halo2")]
    backend: Attacked,
    /// Try every so many-th forgery only.
    #[arg(long, default_value_t = 1)]
    stride: usize,
    /// Remove the circuit's checks one at a time instead, and see that forgeries are then accepted.
    #[arg(long)]
    mutants: bool,
    /// Compare honest runs of so many random graphs instead: `eval`, relations, circuit, and for some the contract.
    #[arg(long, value_name = "GRAPHS")]
    agree: Option<u64>,
    /// With --agree: make real proofs and a contract of every so many-th graph.
    #[arg(long, value_name = "N", default_value_t = 200)]
    contracts: u64,
    /// Print the report over the tables of this folder as Markdown instead.
    #[arg(long, value_name = "DIR")]
    report: Option<std::path::PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Attacked {
    Halo2,
    Sumcheck,
}

fn budget(text: &str) -> Result<Duration, String> {
    let unit = |c: char| match c {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        _ => None,
    };
    let (number, seconds) = match text.char_indices().last() {
        Some((at, c)) => unit(c).map_or((text, 1), |u| (&text[..at], u)),
        None => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is no time like 90s, 10m or 2h"))?;
    Ok(Duration::from_secs(number * seconds))
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(folder) = &args.report {
        return match report::markdown(folder) {
            Ok(page) => {
                print!("{page}");
                ExitCode::SUCCESS
            }
            Err(e) => {
                eprintln!("{e}");
                ExitCode::from(2)
            }
        };
    }
    let backend = match Halo2::new() {
        Ok(b) => b,
        Err(e) => {
            eprintln!("the halo2 back end cannot be attacked: {e}");
            return ExitCode::from(2);
        }
    };
    let Args { budget, seed, random, stride, .. } = args;
    let started = Instant::now();
    if args.mutants {
        return remove(&backend, started + budget, args.json);
    }
    if let Some(graphs) = args.agree {
        return agree(&backend, agree::Order { graphs, every: args.contracts, budget, seed }, args.json);
    }
    let shown = Shown::default();
    let attacked: &dyn Backend = match args.backend {
        Attacked::Halo2 => &backend,
        Attacked::Sumcheck => &Sumcheck,
    };
    let report = campaign::run(attacked, Order { budget, seed, random, stride }, &|r, done, all| {
        shown.now_and_then(|| {
            let (t, s) = (r.total(), started.elapsed().as_secs());
            format!(
                "{done} of {all} graphs, {} forgeries ({}/s), {} wrongly accepted, {s} s of {} s",
                t.tried,
                t.tried / s.max(1),
                t.wrongly,
                budget.as_secs()
            )
        });
    });
    eprintln!();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print(&report, started.elapsed());
    }
    if report.total().wrongly > 0 || !report.refusals.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn print(report: &Report, time: Duration) {
    let line = |forged: &str, broken: &str, t: campaign::Tally| {
        println!(
            "{forged:<14}{broken:<12}{:>10}{:>10}{:>10}{:>10}",
            t.tried, t.refused, t.rightly, t.wrongly
        );
    };
    println!(
        "{:<14}{:<12}{:>10}{:>10}{:>10}{:>10}",
        "forged", "broken", "tried", "refused", "rightly", "wrongly"
    );
    report.kinds.iter().for_each(|((forged, broken), t)| line(forged, broken, *t));
    line("all", "", report.total());
    println!(
        "\n{}: {} graphs in {:.0} s, {} do not go together; {}",
        report.backend,
        report.graphs,
        time.as_secs_f64(),
        report.skipped,
        if report.complete {
            "all operators and pairs"
        } else {
            "the budget ended before all operators and pairs"
        }
    );
    for f in &report.findings {
        println!("\nACCEPTED: {}, seed {}, layout {}: {}", f.graph, f.seed, f.variant, f.finding);
        println!("  `{}` forged, broken: {}", f.variable, f.broken);
    }
    for r in &report.refusals {
        println!("\nNOT TAKEN: {r}");
    }
}

/// A line of progress that is renewed every other second.
struct Shown(Mutex<Instant>);

impl Default for Shown {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Shown {
    fn now_and_then(&self, line: impl Fn() -> String) {
        let Ok(mut last) = self.0.lock() else { return };
        if last.elapsed() >= Duration::from_secs(2) {
            *last = Instant::now();
            eprint!("\r{} ", line());
            let _ = std::io::stderr().flush();
        }
    }
}

fn agree(backend: &Halo2, order: agree::Order, json: bool) -> ExitCode {
    let shown = Shown::default();
    let done = agree::run(backend, order, &|a| {
        shown.now_and_then(|| {
            let found = a.findings.len();
            format!("{} of {} graphs, {} contracts, {found} disagree", a.graphs, order.graphs, a.contracts)
        });
    });
    eprintln!();
    if json {
        println!("{}", serde_json::to_string_pretty(&done).unwrap_or_default());
    } else {
        println!(
            "{} random graphs, {} runs of them: eval, relations and circuit compared; {} draws do not go together",
            done.graphs, done.runs, done.skipped
        );
        println!(
            "{} contracts: {} honest proofs, {} proofs of false statements",
            done.contracts, done.honest, done.forged
        );
        done.findings.iter().for_each(|f| println!("DISAGREE: {f}"));
    }
    if done.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const ABOUT: &str = "Every gate, as a whole and in single rows, every copy, looked-up column, tag and table entry of circuits of \
    the zoo and of small networks, in different layouts, and every relation of their systems. Where one is gone, cells that it spoke \
    of are changed and everything else is made to hold; noticed means that a false statement is then accepted, or that no key can be \
    made. What survives attacks on one honest run, and is not implied for a reason that was found out in its place, is attacked \
    with five others.";

/// Number of circuits after which a check that nothing noticed to be gone is an error.
const ENOUGH: usize = 8;

fn remove(backend: &Halo2, end: Instant, json: bool) -> ExitCode {
    let targets = mutants::targets();
    let outcomes = mutants::run(backend, &targets, end, &|place, outcomes| {
        let (removed, noticed) = outcomes.values().fold((0, 0), |(r, n), o| (r + o.removed, n + o.noticed));
        eprintln!("{place}: {noticed} of {removed} noticed");
    });
    if json {
        let table = serde_json::json!({ "about": ABOUT, "mutants": outcomes });
        println!("{}", serde_json::to_string_pretty(&table).unwrap_or_default());
    }
    for (id, o) in outcomes.iter().filter(|_| !json) {
        println!("{:>5} of {:<5} {id}: {}", o.noticed, o.removed, o.by);
        o.implied.iter().for_each(|(why, n)| println!("        {n} implied: {why}"));
        o.survived.iter().take(6).for_each(|s| println!("        survives in {s}"));
    }
    // A check that nothing ever notices is one that nobody knows to be needed; a few circuits do not say so yet.
    let unseen = |o: &mutants::Outcome| o.noticed == 0 && o.survived.len() >= ENOUGH;
    let blind: Vec<&String> =
        outcomes.iter().filter(|(id, o)| unseen(o) && !mutants::may_go(id)).map(|(id, _)| id).collect();
    blind.iter().for_each(|id| eprintln!("nothing notices that it is gone: {id}"));
    if blind.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
