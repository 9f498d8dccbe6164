//! `zkml-chain verify-source`: the sources of deployed contracts, to services that compile them again.

use super::chain_args::{ChainArgs, ConsumerName, RecordArgs, block_on};
use super::folder::Folder;
use crate::{error::Result, show::Ui};
use clap::ValueEnum;
use std::{env, time::Duration};
use zkml_deploy::source::{KEY_VARIABLE, Kind, Patience, Secret};
use zkml_workspace::steps::verify_source;

/// Show explorers the sources of what is deployed: they compile them and compare with the chain
///
/// Sourcify takes them from anybody. Etherscan wants a key, in ETHERSCAN_API_KEY.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    chain: ChainArgs,
    /// Who compiles
    #[arg(long, value_enum)]
    service: ServiceName,
    /// Where the service is, if it is not the usual one
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    records: RecordArgs,
    /// Which consumer was deployed [default: as the record says]
    #[arg(long, value_enum)]
    consumer: Option<ConsumerName>,
    /// Only the contract of this name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Seconds between two questions for a result
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pause: Duration,
    /// Seconds after which to give up on a contract
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    timeout: Duration,
}

/// The names of services on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ServiceName {
    /// Sourcify
    Sourcify,
    /// Etherscan, or what has its interface
    Etherscan,
}

/// Runs the command.
///
/// # Errors
/// As [`verify_source::run`], and [`Failed`](crate::error::Error::Failed) when a contract is refused.
pub fn run(ui: &Ui, args: &Args) -> Result<()> {
    let chain = args.chain.chain()?;
    let artifacts = args.folder.open()?;
    let (kind, key) = match args.service {
        ServiceName::Sourcify => (Kind::Sourcify, None),
        ServiceName::Etherscan => {
            (Kind::Etherscan, env::var(KEY_VARIABLE).ok().and_then(|text| Secret::new(&text)))
        }
    };
    let request = verify_source::Request {
        chain,
        kind,
        url: args.url.clone(),
        key,
        deployments: args.records.deployments.clone(),
        consumer: args.consumer.map(Into::into),
        only: args.only.clone(),
        patience: Patience { pause: args.pause, timeout: args.timeout, ..Patience::default() },
    };
    let report = block_on(async { Ok(verify_source::run(ui, &artifacts, request).await?) })?;
    ui.judged(&report)
}

/// A time, of an hour at most.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3_600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds from 0 to 3600 is expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bounded() {
        assert_eq!(seconds("0.05"), Ok(Duration::from_millis(50)));
        for text in ["", "-1", "3601", "nan", "inf", "1s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
