//! A run that is interrupted leaves nothing of the organisation behind.

use crate::support::{Log, Place};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_signal_removes_the_throw_away_lake() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(20);
    place.write("audit.json", log.page());
    std::fs::create_dir(place.path("tmp")).expect("folder");
    let left = || std::fs::read_dir(place.path("tmp")).expect("folder").count();
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        // Standard input stays open, so that the run is in the middle of its import.
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("patwatch"))
            .current_dir(place.path(""))
            .env("TMPDIR", place.path("tmp"))
            .args(["check", "--from", "audit.json", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let started = Instant::now();
        while left() == 0 && started.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(left(), 1);
        let folder = std::fs::read_dir(place.path("tmp")).expect("folder").next().expect("one").expect("one");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&folder.metadata().expect("is there").permissions());
        assert_eq!(mode & 0o777, 0o700);
        std::thread::sleep(Duration::from_millis(200));
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        let stdin = child.stdin.take();
        let status = child.wait().expect("ends");
        drop(stdin);
        assert_eq!(status.code(), Some(code), "{signal}");
        assert_eq!(left(), 0, "{signal}");
    }
}
