//! Folders that live as long as one run: they hold names and addresses, so they are their owner's alone and go with the
//! run, also with one that is interrupted.
//!
//! In: nothing. Out: a folder. Where there is one, SIGINT, SIGTERM and SIGHUP remove it before the process ends with
//! 128 and the signal's number. Lakes need none of this: their files are renamed into place. A process that is killed
//! leaves its folder behind; the next one finds that nobody holds its lock, and removes it ([`stale`]).

mod stale;

use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

/// How the names of the folders begin.
const PREFIX: &str = "patwatch-";

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: tempfile::TempDir,
    /// Held as long as the folder is in use.
    _lock: Option<std::fs::File>,
}

impl Scratch {
    /// Makes a folder where the system keeps such.
    pub(super) fn new() -> std::io::Result<Self> {
        #[cfg(unix)]
        let made = signals::made(Self::make)?;
        #[cfg(not(unix))]
        let made = Self::make()?;
        static SWEPT: std::sync::Once = std::sync::Once::new();
        SWEPT.call_once(|| stale::sweep(made.path()));
        Ok(made)
    }

    fn make() -> std::io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        loop {
            let folder = builder.tempdir()?;
            match stale::lock(folder.path())? {
                stale::Locked::Held(lock) => return Ok(Self { folder, _lock: Some(lock) }),
                stale::Locked::Unsupported => return Ok(Self { folder, _lock: None }),
                // Another process took the new folder for one that was left behind: it had no lock yet.
                stale::Locked::Gone => {}
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(unix)]
impl Drop for Scratch {
    fn drop(&mut self) {
        // First removed, then forgotten: a signal in between finds nothing left to do.
        let _ = std::fs::remove_dir_all(self.path());
        signals::forget(self.path());
    }
}

/// Waits for the end where a signal is ending the process: what fails for lack of the folder is not told.
pub(super) fn wait_if_ending() {
    #[cfg(unix)]
    while signals::ENDING.load(std::sync::atomic::Ordering::SeqCst) {
        std::thread::park();
    }
}

#[cfg(unix)]
mod signals {
    use super::{PathBuf, Scratch};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::time::Duration;

    /// Whether a signal has come.
    pub(super) static ENDING: AtomicBool = AtomicBool::new(false);

    /// Folders that there are now.
    static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

    /// Tries to remove a folder that threads still write into.
    const TRIES: u32 = 50;

    /// Makes a folder and notes it; a signal waits until that is done.
    pub(super) fn made(make: impl FnOnce() -> std::io::Result<Scratch>) -> std::io::Result<Scratch> {
        static WATCHED: OnceLock<()> = OnceLock::new();
        WATCHED.get_or_init(watch);
        let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = make()?;
        folders.push(folder.path().to_owned());
        Ok(folder)
    }

    pub(super) fn forget(folder: &Path) {
        FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).retain(|f| f != folder);
    }

    /// Starts the thread that signals wake. Without it a signal ends the process as ever.
    fn watch() {
        // A signal that whoever started this process ignores, as `nohup` does, stays ignored.
        let heard: Vec<i32> =
            [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal)).collect();
        let Ok(mut signals) = Signals::new(heard) else { return };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                ENDING.store(true, Ordering::SeqCst);
                let folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
                for folder in folders.iter() {
                    for _ in 0..TRIES {
                        match std::fs::remove_dir_all(folder) {
                            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                                std::thread::sleep(Duration::from_millis(10));
                            }
                            _ => break,
                        }
                    }
                }
                // As shells tell it. To raise the signal itself would not end the first process of a container.
                signal_hook::low_level::exit(128 + signal);
            }
        });
    }

    /// Whether a signal is ignored, as the system tells; where it does not, none is.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        mask >> (signal - 1) & 1 == 1
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_its_owners_alone_and_goes() {
        let scratch = Scratch::new().expect("a folder");
        let path = scratch.path().to_owned();
        let mode = std::fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(scratch);
        assert!(!path.exists());
    }
}
