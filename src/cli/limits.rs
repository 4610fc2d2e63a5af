//! Limits on time and memory: what is set, and the wait for an answer that keeps them.
//!
//! In: options, configuration, a channel on which an answer will come. Out: the answer, or which limit was exceeded. Memory
//! is what the system says the process holds, so it is limited on Linux only.

use super::args::LimitArgs;
use super::error::CliError;
use crate::config::limits::{self, memory_text, time_text};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How often is looked. In this time a process can take some tens of megabytes.
const PAUSE: Duration = Duration::from_millis(10);

/// The limits in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Time.
    pub time: Duration,
    /// Memory in bytes.
    pub memory: u64,
}

/// The limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// Time.
    Time(Duration),
    /// Memory in bytes.
    Memory(u64),
}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(time) => write!(f, "took longer than {} and was stopped", time_text(*time)),
            Self::Memory(bytes) => {
                write!(f, "needed more than {} of memory and was stopped", memory_text(*bytes))
            }
        }
    }
}

impl Exceeded {
    /// How to stay within it, or to raise it.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Time(_) => {
                "narrow it, such as by token_id or time, or raise the limit with --time-limit (in patwatch.toml: time under [limits])"
            }
            Self::Memory(_) => {
                "narrow it, such as by token_id or time, or raise the limit with --memory-limit (in patwatch.toml: memory under [limits])"
            }
        }
    }
}

impl Limits {
    /// The limits that the command line sets, then the configuration, else the defaults.
    pub(super) fn new(args: &LimitArgs, config: limits::Limits) -> Self {
        Self {
            time: args.time_limit.or(config.time).unwrap_or(limits::TIME),
            memory: args.memory_limit.or(config.memory).unwrap_or_else(|| {
                // On a small machine the system would run out first, and end whatever it likes.
                machine().map_or(limits::MEMORY, |bytes| limits::MEMORY.min(bytes / 4 * 3))
            }),
        }
    }

    /// Waits for an answer of `process`. Without `timed` only its memory is limited. Nothing comes where whoever would
    /// answer is gone.
    pub(super) fn wait<T>(
        &self,
        answers: &Receiver<T>,
        process: u32,
        timed: bool,
    ) -> Result<Option<T>, Exceeded> {
        let started = Instant::now();
        loop {
            match answers.recv_timeout(PAUSE) {
                Ok(answer) => return Ok(Some(answer)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if timed && started.elapsed() > self.time {
                return Err(Exceeded::Time(self.time));
            }
            if resident(process).is_some_and(|bytes| bytes > self.memory) {
                return Err(Exceeded::Memory(self.memory));
            }
        }
    }

    /// Does work of this process within the limits. Work that exceeds one goes on until the process ends, which has to
    /// be next: a thread cannot be stopped.
    pub(super) fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
    ) -> Result<T, CliError> {
        let (give, answers) = sync_channel(1);
        std::thread::Builder::new()
            .name("limited".to_owned())
            .spawn(move || give.send(work()))
            .map_err(|e| CliError::new(format!("no thread could be started: {e}")))?;
        match self.wait(&answers, std::process::id(), true) {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(CliError::new("the query ended without an answer: this is a fault of patwatch")
                .hint("`RUST_BACKTRACE=1` shows where; please report it")),
            Err(exceeded) => Err(CliError::new(format!("the query {exceeded}")).hint(exceeded.hint())),
        }
    }
}

/// Memory that a process holds, in bytes, where the system says it.
fn resident(process: u32) -> Option<u64> {
    kilobytes(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?, "VmRSS:")
}

/// Memory of this machine or container, in bytes, where the system says it.
fn machine() -> Option<u64> {
    let of_machine = kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let of_container = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
    Some(of_container.map_or(of_machine, |bytes: u64| bytes.min(of_machine)))
}

/// A line such as `VmRSS:  1234 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Limits = Limits { time: Duration::from_millis(50), memory: u64::MAX };

    #[test]
    fn work_that_takes_too_long_is_given_up() {
        let done = SMALL.within(|| Ok(7));
        assert!(matches!(done, Ok(7)));
        let failed: Result<(), _> = SMALL.within(|| Err(CliError::new("no table")));
        assert!(failed.is_err_and(|e| e.render().contains("no table")));
        let slow: Result<(), _> = SMALL.within(|| {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        });
        let text = slow.expect_err("too long").render();
        assert!(text.contains("took longer than 50ms") && text.contains("--time-limit"), "{text}");
        let patient = Limits { time: Duration::from_secs(600), ..SMALL };
        let gone: Result<(), _> = patient.within(|| panic!("a fault"));
        assert!(gone.is_err_and(|e| e.render().contains("fault of patwatch")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_that_takes_too_much_memory_is_given_up() {
        let limits = Limits { time: Duration::from_secs(600), memory: 1_000_000 };
        let large: Result<(), _> = limits.within(|| {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        });
        let text = large.expect_err("too much").render();
        assert!(text.contains("more than 1MB") && text.contains("--memory-limit"), "{text}");
        assert!(machine().is_some_and(|bytes| bytes > 1 << 20));
        assert_eq!(kilobytes("Name: x\nVmRSS:\t   12 kB\n", "VmRSS:"), Some(12 * 1024));
        assert_eq!(kilobytes("VmRSS: x", "VmRSS:"), None);
    }

    #[test]
    fn the_command_line_goes_before_the_configuration() {
        let args = LimitArgs { time_limit: Some(Duration::from_secs(1)), memory_limit: None };
        let config = limits::Limits { time: Some(Duration::from_secs(2)), memory: Some(99_000_000) };
        let expected = Limits { time: Duration::from_secs(1), memory: 99_000_000 };
        assert_eq!(Limits::new(&args, config), expected);
        let usual = Limits::new(&LimitArgs::default(), limits::Limits::default());
        assert!(usual.time == limits::TIME && usual.memory <= limits::MEMORY);
    }
}
