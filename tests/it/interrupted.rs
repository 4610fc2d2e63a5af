//! A run that is interrupted leaves nothing of the organisation behind; one that is killed leaves it to the next run.

use crate::support::{DEADLINE, Log, Place, ended};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a run may take to act on a signal.
const SOON: Duration = Duration::from_secs(180);

/// Programs that give signals back their default action before they run another program. Tests inherit ignored signals,
/// of `nohup` or of a shell that runs them in the background, and would hand them on.
const RESETTING: [&[&str]; 3] = [
    &["env", "--default-signal=INT,TERM,HUP"],
    &["perl", "-e", "$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP); exec { $ARGV[0] } @ARGV or die $!"],
    &[
        "python3",
        "-c",
        "import os, signal as s, sys\nfor n in (s.SIGINT, s.SIGTERM, s.SIGHUP): s.signal(n, s.SIG_DFL)\nos.execvp(sys.argv[1], sys.argv[1:])",
    ],
];

/// A place with an audit file and a folder for temporary files.
fn place() -> Place {
    let place = Place::new();
    let mut log = Log::default();
    log.office(20);
    place.write("audit.json", log.page());
    std::fs::create_dir(place.path("tmp")).expect("folder");
    place
}

/// Folders of runs in the folder for temporary files.
fn left(place: &Place) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place.path("tmp")).expect("folder").flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Starts a run behind `before`, and waits until it is in the middle of its import: standard input stays open.
fn importing(place: &Place, before: &[&str]) -> Child {
    let program = assert_cmd::cargo::cargo_bin("patwatch");
    let known = left(place);
    let (first, args) = match before {
        [] => (program.as_path(), &[][..]),
        [first, args @ ..] => (Path::new(*first), args),
    };
    let mut command = Command::new(first);
    command.args(args);
    if !before.is_empty() {
        command.arg(&program);
    }
    let child = command
        .current_dir(place.path(""))
        .env("TMPDIR", place.path("tmp"))
        .args(["check", "--from", "audit.json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let started = Instant::now();
    while left(place).iter().all(|path| known.contains(path)) {
        assert!(started.elapsed() < SOON, "no folder appears");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    child
}

fn send(signal: &str, child: &Child) {
    let mut kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).spawn().expect("kill");
    assert!(ended(&mut kill, SOON).success());
}

#[test]
fn a_signal_removes_the_throw_away_lake() {
    let place = place();
    let works = |before: &&&[&str]| {
        let mut child = Command::new(before[0]);
        child.args(&before[1..]).arg("true").stderr(Stdio::null());
        child.spawn().is_ok_and(|mut child| ended(&mut child, SOON).success())
    };
    let before = RESETTING.iter().find(works);
    let before =
        before.expect("install env of coreutils 8.31, perl or python3: the test needs one to reset signals");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut child = importing(&place, before);
        let folders = left(&place);
        assert_eq!(folders.len(), 1);
        let mode = std::fs::metadata(&folders[0]).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let stdin = child.stdin.take();
        send(signal, &child);
        assert_eq!(ended(&mut child, SOON).code(), Some(code), "{signal}");
        drop(stdin);
        assert!(left(&place).is_empty(), "{signal}");
    }
}

#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    let place = place();
    // As `nohup` does it.
    let mut child = importing(&place, &["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    send("HUP", &child);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().expect("wait"), None, "the run goes on");
    drop(child.stdin.take());
    let code = ended(&mut child, DEADLINE).code();
    // Nothing came through standard input, which is no audit file.
    assert!(code.is_some_and(|code| code < 128), "{code:?}");
    assert!(left(&place).is_empty());
}

#[test]
fn the_next_run_removes_what_a_killed_one_left() {
    let place = place();
    let mut killed = importing(&place, &[]);
    let leftover = left(&place);
    killed.kill().expect("kill");
    ended(&mut killed, SOON);
    assert_eq!(left(&place), leftover, "a killed run cannot remove its folder");
    // Folders of a run that goes on, and of somebody who only has such a name.
    let mut running = importing(&place, &[]);
    let alive: Vec<PathBuf> = left(&place).into_iter().filter(|path| !leftover.contains(path)).collect();
    assert!(!leftover[0].exists(), "the next run removes it");
    let strange = [place.path("tmp/patwatch-notes"), place.path("tmp/other")];
    for path in &strange {
        std::fs::create_dir(path).expect("folder");
        std::fs::write(path.join("x"), "x").expect("file");
    }
    let ran = place.run_with(
        &[("TMPDIR", &place.path("tmp").display().to_string())],
        &["check", "--from", "audit.json"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for path in alive.iter().chain(&strange) {
        assert!(path.exists(), "{}", path.display());
    }
    assert_eq!(left(&place).len(), alive.len() + strange.len());
    drop(running.stdin.take());
    ended(&mut running, DEADLINE);
}
