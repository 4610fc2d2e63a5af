//! Raw pages on their way from the fetcher to whoever parses, writes and hashes them.
//!
//! In: pages as they came. Out: calls of [`Pages`], in order, on a thread of its own, so that parsing and
//! writing overlap with fetching the next page. The queue between holds so many bytes: room enough that the
//! fetcher does not wait while a day is committed, and a slow writer slows it instead of filling memory.

use super::error::ApiError;
use crate::model::time::{Day, Micros, Span};
use crate::source::KindHint;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageKind {
    /// Audit events: `decoratedAuditLogEntries`, bare or inside `value`.
    Audit,
    /// Graph users.
    Users,
    /// One user's tokens, as token administration lists them.
    Tokens,
    /// The caller's own tokens.
    OwnTokens,
    /// User entitlements.
    Entitlements,
    /// Usage records.
    Usage,
}

impl PageKind {
    /// A word for file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Users => "users",
            Self::Tokens => "tokens",
            Self::OwnTokens => "own-tokens",
            Self::Entitlements => "entitlements",
            Self::Usage => "usage",
        }
    }

    /// What a reader of such a page may take it for: a page without rows tells nothing by itself.
    #[must_use]
    pub const fn hint(self) -> KindHint {
        match self {
            Self::Audit => KindHint::Audit,
            Self::Users => KindHint::Users,
            Self::Tokens | Self::OwnTokens => KindHint::Inventory,
            Self::Entitlements => KindHint::Entitlements,
            Self::Usage => KindHint::Usage,
        }
    }
}

/// One answer, untouched but for the transport's compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it holds.
    pub kind: PageKind,
    /// Organisation that was asked.
    pub org: String,
    /// The span that was asked for; audit and usage only.
    pub span: Option<Span>,
    /// Graph descriptor of the user whose tokens these are, or id of the user whose usage this is.
    pub subject: Option<String>,
    /// Position in its sequence, from 1.
    pub number: u32,
    /// Address that was asked, query included. Credentials travel in a header, never here.
    pub request: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// The body.
    pub bytes: Vec<u8>,
}

/// A day whose pages have all been handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayDone {
    /// Organisation.
    pub org: String,
    /// The day.
    pub day: Day,
    /// The part of the day that is now known to be held; pages may hold events around it.
    pub span: Span,
    /// Pages read.
    pub pages: u32,
    /// Entries on them, copies included.
    pub entries: u64,
    /// The service's clock at the first of them: nothing after it can have been read.
    pub server_time: Option<Micros>,
}

/// What taking a page may answer to stop the pull.
pub type TakeError = Box<dyn std::error::Error + Send + Sync>;

/// Takes what a pull reads. Called in order from one thread that may block.
pub trait Pages: Send + 'static {
    /// Takes a page.
    ///
    /// # Errors
    /// Stops the pull.
    fn page(&mut self, page: Page) -> Result<(), TakeError>;

    /// Learns that every page of a day has been handed over, so that the day can be committed.
    ///
    /// # Errors
    /// Stops the pull.
    fn day_done(&mut self, day: DayDone) -> Result<(), TakeError>;
}

enum Delivery {
    /// With its share of the queue, given back once the page has been taken.
    Page(Page, OwnedSemaphorePermit),
    DayDone(DayDone),
}

/// The fetcher's end of the queue.
#[derive(Clone)]
pub struct Outlet {
    queue: mpsc::UnboundedSender<Delivery>,
    room: Arc<Semaphore>,
    /// All the room there is, in [`UNIT`]s.
    most: u32,
}

/// Bytes that one permit stands for; a semaphore counts in 32 bits.
const UNIT: usize = 1024;

impl Outlet {
    pub(super) async fn page(&self, page: Page) -> Result<(), ApiError> {
        // A page larger than the whole queue goes through alone.
        let size = u32::try_from(page.bytes.len() / UNIT + 1).unwrap_or(u32::MAX).min(self.most);
        let room = self.room.clone().acquire_many_owned(size).await.map_err(|_| ApiError::Stopped)?;
        self.queue.send(Delivery::Page(page, room)).map_err(|_| ApiError::Stopped)
    }

    pub(super) async fn day_done(&self, day: DayDone) -> Result<(), ApiError> {
        self.queue.send(Delivery::DayDone(day)).map_err(|_| ApiError::Stopped)
    }
}

/// The taker's end: gives the taker back once every [`Outlet`] is dropped.
pub struct Taker<P>(tokio::task::JoinHandle<Result<P, TakeError>>);

impl<P> Taker<P> {
    /// Waits until all that was handed over has been taken.
    ///
    /// # Errors
    /// What the taker answered, or that it panicked.
    pub async fn finish(self) -> Result<P, TakeError> {
        match self.0.await {
            Ok(outcome) => outcome,
            Err(error) => Err(Box::new(error)),
        }
    }
}

/// Starts `pages` on a thread, behind a queue of `bytes`. Drop the outlet, then [`Taker::finish`].
///
/// Must be called inside a Tokio runtime.
#[must_use]
pub fn deliver<P: Pages>(mut pages: P, bytes: usize) -> (Outlet, Taker<P>) {
    let (queue, mut receiver) = mpsc::unbounded_channel();
    let most = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
    let outlet = Outlet { queue, room: Arc::new(Semaphore::new(most as usize)), most };
    // A taker that fails frees whoever waits for room.
    let room = outlet.room.clone();
    let task = tokio::task::spawn_blocking(move || {
        let mut take = || {
            while let Some(delivery) = receiver.blocking_recv() {
                match delivery {
                    Delivery::Page(page, _room) => pages.page(page)?,
                    Delivery::DayDone(day) => pages.day_done(day)?,
                }
            }
            Ok(())
        };
        let taken = take();
        room.close();
        taken.map(|()| pages)
    });
    (outlet, Taker(task))
}
