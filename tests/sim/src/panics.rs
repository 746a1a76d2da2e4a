//! A task of the runtime that panics ends quietly in its task set; what it said is kept for the report.

use std::cell::RefCell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From here on panics of this process are kept per thread; a run lives on one thread.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            LAST.with_borrow_mut(|last| *last = Some(info.to_string()));
            before(info);
        }));
    });
}

/// What the newest panic of this thread said.
pub(crate) fn last() -> String {
    LAST.with_borrow_mut(Option::take).unwrap_or_else(|| "a task ended without a panic".to_owned())
}
