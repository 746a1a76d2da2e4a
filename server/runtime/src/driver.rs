//! Who runs a shard: a thread of its own, or whoever asks while it rests.
//!
//! Between two sleeping threads an input and its answer are woken twice, which costs more than a commit on a fast disk.
//! So while the shard rests, whoever submits lends its thread: it posts, decides, commits, and finds its answer there.
//! Under load the shard is at work whenever somebody asks, and the mailbox gathers the next group as before.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::coop::unconstrained;

/// Times that a lent thread looks again at a shard which was woken while it worked; after that its own thread goes on,
/// and whoever lent is free.
const LOOKS_MAX: u8 = 2;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A shard's future, and the ways to run it.
pub(crate) struct Driver {
    /// None once it has ended
    work: Mutex<Option<Work>>,
    /// Somebody must look at the work
    woken: AtomicBool,
    /// A lent thread does so now
    lent: AtomicBool,
    /// So little comes that groups do not form: said by the shard
    quiet: Arc<AtomicBool>,
    aborted: AtomicBool,
    own: OnceLock<Thread>,
}

impl Driver {
    /// Of work that says when it is `quiet`.
    pub(crate) fn new(quiet: Arc<AtomicBool>, work: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        // A lent thread comes from a task whose own budget must not end the shard's turn.
        let work: Work = Box::pin(unconstrained(work));
        Arc::new(Self {
            work: Mutex::new(Some(work)),
            woken: AtomicBool::new(true),
            lent: AtomicBool::new(false),
            quiet,
            aborted: AtomicBool::new(false),
            own: OnceLock::new(),
        })
    }

    /// Runs the work to its end on this thread, together with whoever lends theirs.
    pub(crate) fn run(self: &Arc<Self>, runtime: &Handle) {
        let _in = runtime.enter();
        self.own.get_or_init(std::thread::current);
        while !self.aborted.load(Ordering::SeqCst) {
            if !self.woken.load(Ordering::SeqCst) {
                std::thread::park();
                continue;
            }
            let mut work = self.work.lock().expect("work that panicked is not gone on with");
            if self.look(&mut work).is_ready() {
                return;
            }
        }
        if let Ok(mut work) = self.work.lock() {
            *work = None;
        }
    }

    /// Ends [`Self::run`] where the work waits, and drops the work.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
        self.unpark();
    }

    /// This thread for a shard that rests and is quiet; none if it is at work, or many ask.
    pub(crate) fn lend(self: &Arc<Self>) -> Option<Lent<'_>> {
        if !self.quiet.load(Ordering::Relaxed) || !can_wait_for_a_disk() {
            return None;
        }
        let work = self.work.try_lock().ok()?;
        self.lent.store(true, Ordering::SeqCst);
        Some(Lent { driver: self, work: Some(work) })
    }

    fn look(self: &Arc<Self>, work: &mut Option<Work>) -> Poll<()> {
        self.woken.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(self));
        let looked = match work {
            Some(work) => work.as_mut().poll(&mut Context::from_waker(&waker)),
            None => Poll::Ready(()),
        };
        if looked.is_ready() {
            *work = None;
            // Whoever saw the end, the own thread has to hear of it.
            self.woken.store(true, Ordering::SeqCst);
        }
        looked
    }

    fn unpark(&self) {
        // A thread that does not run yet looks before it rests.
        if let Some(own) = self.own.get() {
            own.unpark();
        }
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Driver(..)")
    }
}

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let first = !self.woken.swap(true, Ordering::SeqCst);
        if first && !self.lent.load(Ordering::SeqCst) {
            self.unpark();
        }
    }
}

/// Other tasks go on meanwhile only where the runtime has further threads for them.
fn can_wait_for_a_disk() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// A thread lent to a shard, until this is dropped. What remains to be done then, the shard's own does.
pub(crate) struct Lent<'a> {
    driver: &'a Arc<Driver>,
    /// Until the drop
    work: Option<MutexGuard<'a, Option<Work>>>,
}

impl Lent<'_> {
    /// Does what there is to do, if it is soon done.
    pub(crate) fn work(mut self) {
        let Some(work) = self.work.as_mut() else { return };
        for _ in 0..LOOKS_MAX {
            if !self.driver.woken.load(Ordering::SeqCst) || self.driver.look(work).is_ready() {
                break;
            }
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // The shard's own thread must not find it locked; and after a panic, it finds it poisoned.
        self.work = None;
        self.driver.lent.store(false, Ordering::SeqCst);
        if std::thread::panicking() {
            self.driver.woken.store(true, Ordering::SeqCst);
        }
        if self.driver.woken.load(Ordering::SeqCst) {
            self.driver.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread::ThreadId;
    use std::time::Duration;
    use tokio::sync::mpsc as posts;

    /// A failing test must not wait for ever.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A shard of posts: each is answered with the thread that worked.
    struct Bench {
        driver: Arc<Driver>,
        posts: posts::UnboundedSender<mpsc::Sender<ThreadId>>,
        ended: mpsc::Receiver<()>,
        own: ThreadId,
    }

    fn bench(panics_at: Option<usize>) -> Bench {
        let (posts, mut arrived) = posts::unbounded_channel::<mpsc::Sender<ThreadId>>();
        let driver = Driver::new(Arc::new(AtomicBool::new(true)), async move {
            let mut count = 0;
            while let Some(reply) = arrived.recv().await {
                count += 1;
                assert_ne!(Some(count), panics_at, "as planned");
                let _ = reply.send(std::thread::current().id());
            }
        });
        let (end, ended) = mpsc::channel();
        let (driven, runtime) = (Arc::clone(&driver), Handle::current());
        let thread = std::thread::spawn(move || {
            let _end = end;
            driven.run(&runtime);
        });
        Bench { driver, posts, ended, own: thread.thread().id() }
    }

    fn lend_once_it_rests(driver: &Arc<Driver>) -> Lent<'_> {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            if let Some(lent) = driver.lend() {
                return lent;
            }
            assert!(std::time::Instant::now() < until, "the shard never rests");
            std::thread::yield_now();
        }
    }

    impl Bench {
        fn post(&self) -> ThreadId {
            let (reply, answer) = mpsc::channel();
            self.posts.send(reply).unwrap();
            answer.recv_timeout(PATIENCE).unwrap()
        }

        fn lend_once_it_rests(&self) -> Lent<'_> {
            lend_once_it_rests(&self.driver)
        }

        fn ends(&self) -> bool {
            self.ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Disconnected)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_asks_a_shard_that_rests_works_itself_and_the_own_thread_goes_on_afterwards() {
        let bench = bench(None);
        assert_eq!(bench.post(), bench.own);
        let lent = bench.lend_once_it_rests();
        let (reply, answer) = mpsc::channel();
        bench.posts.send(reply).unwrap();
        assert!(answer.try_recv().is_err(), "nobody works while it is lent");
        assert!(bench.driver.lend().is_none(), "to one at a time");
        lent.work();
        assert_eq!(answer.try_recv(), Ok(std::thread::current().id()));
        assert_eq!(bench.post(), bench.own);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_lent_thread_leaves_is_done_by_the_own_one() {
        let bench = bench(None);
        let lent = bench.lend_once_it_rests();
        let (reply, answer) = mpsc::channel();
        bench.posts.send(reply).unwrap();
        drop(lent);
        assert_eq!(answer.recv_timeout(PATIENCE), Ok(bench.own));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_end_or_a_panic_on_a_lent_thread_ends_the_own_one() {
        let Bench { driver, posts, ended, .. } = bench(None);
        let lent = lend_once_it_rests(&driver);
        drop(posts);
        lent.work();
        assert_eq!(ended.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));

        let panics = self::bench(Some(1));
        let lent = panics.lend_once_it_rests();
        panics.posts.send(mpsc::channel().0).unwrap();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lent.work())).unwrap_err();
        assert!(panics.ends());
    }

    #[tokio::test]
    async fn a_thread_that_others_need_is_not_lent() {
        assert!(bench(None).driver.lend().is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_abort_ends_it_where_it_waits() {
        let bench = bench(None);
        bench.driver.abort();
        assert!(bench.ends());
        assert!(bench.posts.is_closed(), "the work is dropped");
    }
}
