//! Whole inputs in, rows out: every shape, every trouble, and anything at all.

mod any;
mod forms;
mod others;
mod reference;
mod shapes;
mod trouble;

use super::{KindHint, Options, Outcome, Parsed, Sink, SourceError, read};

/// Keeps everything.
#[derive(Default)]
pub(super) struct Kept {
    pub all: Parsed,
    pub chunks: usize,
    pub bytes: u64,
}

impl Sink for Kept {
    fn chunk(&mut self, chunk: Parsed) -> std::io::Result<()> {
        self.chunks += 1;
        self.all.read += chunk.read;
        self.all.batches.extend(chunk.batches);
        self.all.rejected.extend(chunk.rejected);
        self.all.inventory.extend(chunk.inventory);
        self.all.users.extend(chunk.users);
        self.all.usage.extend(chunk.usage);
        self.all.orgs_seen.extend(chunk.orgs_seen);
        for (column, cells) in chunk.unread {
            *self.all.unread.entry(column).or_default() += cells;
        }
        Ok(())
    }

    fn progress(&mut self, bytes: u64) {
        self.bytes = bytes;
    }
}

impl Kept {
    /// Events as one line of text each, in the order of their batches.
    pub(super) fn events(&self) -> Vec<String> {
        let mut out = Vec::new();
        for ((org, day), batch) in &self.all.batches {
            for i in 0..batch.len() {
                out.push(format!("{}|{}|{day}|{:?}", org.scope_id, org.name, batch.row(i)));
            }
        }
        out
    }

    /// Reasons of the rejects, each with its line and number.
    pub(super) fn reasons(&self) -> Vec<(u64, u64, &str)> {
        self.all.rejected.iter().map(|r| (r.line, r.record, r.reason.as_str())).collect()
    }

    /// The only event.
    pub(super) fn one(&self) -> crate::model::event::EventRow<'_> {
        assert_eq!(self.events().len(), 1, "{:?}", self.all.rejected);
        self.all.batches[0].1.row(0)
    }
}

pub(super) fn try_bytes(bytes: &[u8], options: Options) -> Result<(Kept, Outcome), SourceError> {
    let mut kept = Kept::default();
    let mut input = bytes;
    let outcome = read("input", &mut input, &options, &mut kept)?;
    let rows = kept.events().len() + kept.all.inventory.len() + kept.all.users.len() + kept.all.usage.len();
    assert_eq!(outcome.read, kept.all.read);
    assert_eq!(outcome.rejected, kept.all.rejected.len() as u64);
    assert_eq!(outcome.read, rows as u64 + outcome.rejected, "read = kept + rejected");
    Ok((kept, outcome))
}

pub(super) fn all(text: &str) -> (Kept, Outcome) {
    try_bytes(text.as_bytes(), Options::default()).expect("reads")
}

pub(super) fn refused(text: &str) -> String {
    match try_bytes(text.as_bytes(), Options::default()) {
        Ok((_, outcome)) => panic!("taken as {outcome:?}"),
        Err(error) => error.to_string(),
    }
}

pub(super) fn hinted(text: &str, kind: KindHint) -> (Kept, Outcome) {
    try_bytes(text.as_bytes(), Options { kind, threads: 1 }).expect("reads")
}

/// An entry of the query API with a number in its id.
pub(super) fn entry(n: usize) -> String {
    format!(
        r#"{{"id":"2518505060978539161;00000064-0000-8888-8000-000000000000;86fbe369-3f5d-4f52-9ab0-{n:012x}","correlationId":"86FBE369-3f5d-4f52-9ab0-3be7db271948","activityId":"033fde68-f713-4984-b24f-8d7a73d1ade6","actorCUID":"00000000-0000-0000-0000-000000000000","actorUserId":"d6a98b6c-6932-485c-a986-aea9fc981df0","actorUPN":"jo@example.com","authenticationMechanism":"PAT authorizationId: 4c60c9ed-a378-4883-af16-d655ca025b11","timestamp":"2026-03-{:02}T14:05:02.1460838+00:00","scopeType":"organization","scopeDisplayName":"Fabrikam (Organization)","scopeId":"73638cd5-0dda-4128-9fd6-48c16d4e4de3","projectId":"00000000-0000-0000-0000-000000000000","ipAddress":"203.0.113.7","userAgent":"curl/8.1","actionId":"Git.RepositoryCreated","data":{{"RepoName":"r{n}","Nested":[{{"a":"}}"}}]}},"details":"Repository \"r{n}\" was created","area":"Git","category":"create","categoryDisplayName":"Create","actorDisplayName":"Jo","actorImageUrl":null}}"#,
        n % 28 + 1
    )
}
