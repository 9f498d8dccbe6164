//! Signals of commands that run until they are told to end.

use crate::{error::Result, show::Ui};
use std::path::Path;
use zkml_service::CancellationToken;
use zkml_workspace::Error as StepError;

/// The first signal ends it in good order, the second one at once. `said` is told after the first.
///
/// # Errors
/// What the system says where there are no signals.
pub(super) fn stop_on_signals(ui: Ui, shutdown: CancellationToken, said: &'static str) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|e| StepError::io("listen for", Path::new("signals"), e));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::spawn(async move {
        for last in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if last {
                // Journal and queue are good at any time.
                std::process::exit(130);
            }
            ui.say(said);
            shutdown.cancel();
        }
    });
    Ok(())
}
