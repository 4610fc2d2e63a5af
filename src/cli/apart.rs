//! Detections of the user's own packs, each watched in another process of this program.
//!
//! In: which lake, instant and window a run looks at; then detections. Out: their rows, or why there are none. The process
//! opens the same lake, does the same analysis and waits for detections ([`super::run_apart`]). One that takes too long or
//! too much memory is killed with its process, and the next detection gets a new one.

use super::limits::{Exceeded, Limits};
use super::scratch::Scratch;
use crate::config::limits::memory_text;
use crate::engine::apart::{Apart, Asked};
use crate::engine::rows::Rows;
use crate::engine::{EngineError, EngineErrorKind};
use crate::model::policy::Policy;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

/// The name of the command that runs in the other process.
pub(super) const COMMAND: &str = "run-detections";

/// What the other process looks at: the first line that it reads.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Job {
    pub lake: PathBuf,
    pub orgs: Vec<String>,
    pub as_of: String,
    pub window: String,
    pub geo: Vec<PathBuf>,
    pub networks: Vec<String>,
    pub policy: Policy,
}

/// What the other process writes, a line each.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Reply {
    /// It has opened the lake.
    Ready,
    /// Rows of the detection.
    Rows(Rows),
    /// Why there are none, or why the lake could not be opened.
    Failed(EngineError),
}

/// Runs detections in another process, which is started when the first one comes.
pub(super) struct Supervisor {
    job: Job,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    /// Why no process can be made ready: it would be the same for every detection.
    hopeless: Option<EngineError>,
}

/// The other process. Dropped, it is killed.
struct Running {
    child: Child,
    input: ChildStdin,
    replies: Receiver<Reply>,
    /// Detections that it has run.
    served: u32,
    /// Where it keeps its temporary files; goes after the process.
    _folder: Scratch,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why a process gave no answer.
enum Lost {
    Exceeded(Exceeded),
    /// It ended by itself.
    Ended(String),
}

impl Supervisor {
    pub(super) fn new(job: Job, limits: Limits) -> Self {
        Self { job, limits, state: Mutex::default() }
    }

    /// A process that has opened the lake.
    fn ready(&self) -> Result<Running, EngineError> {
        let io = |what: &str, error: &dyn std::fmt::Display| {
            fault(
                format!("Its process could not {what}: {error}"),
                "See the limits of this machine, such as `ulimit -u`.",
            )
        };
        let folder = Scratch::new().map_err(|e| io("get a folder for temporary files", &e))?;
        // The program that runs, also if its file was replaced in the meantime.
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { Ok(own) } else { std::env::current_exe() };
        let mut child = Command::new(program.map_err(|e| io("be started", &e))?)
            .arg(COMMAND)
            .envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, folder.path())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it has to say comes with its answers.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| io("be started", &e))?;
        let (give, replies) = channel();
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io("be started", &"it has no pipes"));
        };
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(reply) = serde_json::from_str(&line) else { return };
                if give.send(reply).is_err() {
                    return;
                }
            }
        });
        let mut running = Running { child, input, replies, served: 0, _folder: folder };
        match running.ask(&self.job, &self.limits, false) {
            Ok(Reply::Failed(error)) => Err(error),
            Ok(_) => Ok(running),
            Err(Lost::Exceeded(exceeded)) => Err(EngineError::new(
                EngineErrorKind::Limit,
                format!("Opening the lake for it {exceeded}"),
                format!("Raise --memory-limit above {}.", memory_text(self.limits.memory)),
            )),
            Err(Lost::Ended(how)) => {
                Err(fault(format!("Its process ended before it had opened the lake: {how}"), ""))
            }
        }
    }
}

impl Apart for Supervisor {
    fn run(&self, asked: &Asked) -> Result<Rows, EngineError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(error) = &state.hopeless {
                return Err(error.clone());
            }
            let mut running = match state.running.take() {
                Some(running) => running,
                None => match self.ready() {
                    Ok(running) => running,
                    Err(error) => {
                        state.hopeless = Some(error);
                        continue;
                    }
                },
            };
            let is_fresh = running.served == 0;
            match running.ask(asked, &self.limits, true) {
                Ok(reply) => {
                    running.served += 1;
                    state.running = Some(running);
                    return match reply {
                        Reply::Rows(rows) => Ok(rows),
                        Reply::Failed(error) => Err(error),
                        Reply::Ready => Err(fault("Its process gave no answer".to_owned(), "")),
                    };
                }
                // Of time each has its own. Memory may be what those before it left behind: it gets a process to itself.
                Err(Lost::Exceeded(Exceeded::Memory(_)) | Lost::Ended(_)) if !is_fresh => {}
                Err(Lost::Exceeded(exceeded)) => {
                    let hint = exceeded.hint();
                    let hint = format!("{}{}.", hint[..1].to_uppercase(), &hint[1..]);
                    return Err(EngineError::new(EngineErrorKind::Limit, format!("It {exceeded}"), hint));
                }
                Err(Lost::Ended(how)) => {
                    let hint =
                        "Narrow its SELECT, such as by token_id or time, or free memory on this machine.";
                    return Err(fault(format!("Its process ended while it ran: {how}"), hint));
                }
            }
        }
    }
}

impl Running {
    /// Asks for something and waits for the answer.
    fn ask(&mut self, what: &impl serde::Serialize, limits: &Limits, timed: bool) -> Result<Reply, Lost> {
        let mut line = serde_json::to_vec(what).map_err(|e| Lost::Ended(e.to_string()))?;
        line.push(b'\n');
        // A process that is gone says so by not answering.
        let _ = self.input.write_all(&line).and_then(|()| self.input.flush());
        match limits.wait(&self.replies, self.child.id(), timed) {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => {
                let _ = self.child.kill();
                Err(Lost::Ended(self.child.wait().map_or_else(|e| e.to_string(), said)))
            }
            Err(exceeded) => Err(Lost::Exceeded(exceeded)),
        }
    }
}

/// How a process ended, in words.
fn said(status: ExitStatus) -> String {
    #[cfg(unix)]
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        Some(6) => return "it aborted, as it does when the system gives it no memory".to_owned(),
        Some(9) => return "it was killed, as the system does when memory runs out".to_owned(),
        _ => {}
    }
    status.to_string()
}

fn fault(text: String, hint: &str) -> EngineError {
    EngineError::new(EngineErrorKind::Limit, text, hint)
}
