//! Threads that work while their owner goes on: jobs in, what became of them out, in any order.
//!
//! They start with the first job and end with their owner. The owner decides how many jobs may be under way.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// So many threads at the most: each holds the columns of a day.
const MOST: usize = 8;

/// A pool for one kind of job.
pub(super) struct Workers<J, R> {
    work: fn(J) -> R,
    queue: Arc<Queue<J>>,
    threads: Vec<JoinHandle<()>>,
    done: Option<Receiver<Done<R>>>,
    under_way: usize,
}

type Done<R> = Result<R, Box<dyn Any + Send>>;

struct Queue<J> {
    /// The jobs, and whether more may come.
    jobs: Mutex<(VecDeque<J>, bool)>,
    changed: Condvar,
}

impl<J, R> std::fmt::Debug for Workers<J, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

impl<J: Send + 'static, R: Send + 'static> Workers<J, R> {
    /// Makes a pool that has no threads yet.
    pub(super) fn new(work: fn(J) -> R) -> Self {
        let queue = Queue { jobs: Mutex::new((VecDeque::new(), true)), changed: Condvar::new() };
        Self { work, queue: Arc::new(queue), threads: Vec::new(), done: None, under_way: 0 }
    }

    /// Hands over a job.
    pub(super) fn send(&mut self, job: J) {
        if self.done.is_none() {
            self.start();
        }
        self.under_way += 1;
        self.queue.lock().0.push_back(job);
        self.queue.changed.notify_one();
    }

    /// Returns a job that is done, if there is one.
    pub(super) fn done(&mut self) -> Option<R> {
        let done = self.done.as_ref()?.try_recv().ok()?;
        self.settle(done)
    }

    /// Waits for the next job to be done; nothing where none is under way.
    pub(super) fn wait(&mut self) -> Option<R> {
        if self.under_way == 0 {
            return None;
        }
        let done = self.done.as_ref()?.recv().ok()?;
        self.settle(done)
    }

    fn settle(&mut self, done: Done<R>) -> Option<R> {
        self.under_way -= 1;
        match done {
            Ok(done) => Some(done),
            Err(panic) => resume_unwind(panic),
        }
    }

    fn start(&mut self) {
        let (send, receive) = channel();
        self.done = Some(receive);
        // One more than there are cores: a job waits for the disk at each of its files.
        let threads = std::thread::available_parallelism().map_or(3, |cores| cores.get() + 1).min(MOST);
        for _ in 0..threads {
            let (queue, work, send) = (Arc::clone(&self.queue), self.work, send.clone());
            self.threads.push(std::thread::spawn(move || run(&queue, work, &send)));
        }
    }
}

impl<J> Queue<J> {
    fn lock(&self) -> std::sync::MutexGuard<'_, (VecDeque<J>, bool)> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run<J, R>(queue: &Queue<J>, work: fn(J) -> R, send: &Sender<Done<R>>) {
    loop {
        let mut jobs = queue.lock();
        let job = loop {
            match jobs.0.pop_front() {
                Some(job) => break job,
                None if !jobs.1 => return,
                None => jobs = queue.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(jobs);
        if send.send(catch_unwind(AssertUnwindSafe(|| work(job)))).is_err() {
            return;
        }
    }
}

impl<J, R> Drop for Workers<J, R> {
    fn drop(&mut self) {
        {
            let mut jobs = self.queue.lock();
            jobs.0.clear();
            jobs.1 = false;
        }
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic in a job was caught there.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_comes_back_once() {
        let mut workers = Workers::new(|n: u64| n * 2);
        assert_eq!(workers.wait(), None);
        (0..100).for_each(|n| workers.send(n));
        let mut all: Vec<u64> = std::iter::from_fn(|| workers.wait()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).map(|n| n * 2).collect::<Vec<_>>());
        workers.send(7);
        drop(workers);
    }

    #[test]
    #[should_panic(expected = "a job failed")]
    fn a_panic_reaches_the_owner() {
        let mut workers = Workers::new(|fail: bool| assert!(!fail, "a job failed"));
        workers.send(true);
        workers.wait();
    }
}
