//! SIGTERM and SIGINT.

use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use lectern_media::CancellationToken;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals within this time after the first one count as repetitions: `timeout`
/// sends each signal twice, and so does a terminal with a wrapper script.
pub(crate) const REPEATED_SIGNAL_WINDOW: Duration = Duration::from_millis(500);

/// The signals that stop a command.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new(runtime: &Runtime) -> anyhow::Result<Self> {
        let _runtime_guard = runtime.enter();
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal, and ignores signals within `window` from now.
    pub(crate) async fn next_after(&mut self, window: Duration) -> &'static str {
        let ignore_signals = async {
            loop {
                self.next().await;
            }
        };
        let _: Result<(), _> = tokio::time::timeout(window, ignore_signals).await;
        self.next().await
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Ends the process after `timeout`: a thread that waits for a database that does not
/// respond can only be stopped with the process.
pub(crate) fn exit_after(timeout: Duration) {
    thread::spawn(move || {
        thread::sleep(timeout);
        log::error!("some work did not end within {timeout:?}: exiting without it");
        std::process::exit(1);
    });
}

/// Cancels a worker at the first signal, and ends the process after `timeout` or at
/// the second signal.
pub(crate) fn stop_at_signal(
    cancellation: CancellationToken,
    timeout: Duration,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = Signals::new(&runtime)?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let signal = runtime.block_on(signals.next());
            log::info!("{signal}: returning leased stages");
            cancellation.cancel();
            exit_after(timeout);
            let signal = runtime.block_on(signals.next_after(REPEATED_SIGNAL_WINDOW));
            log::warn!("{signal} again: exiting at once");
            std::process::exit(1);
        })?;
    Ok(())
}
