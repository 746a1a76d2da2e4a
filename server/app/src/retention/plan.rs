//! What would go, and why the rest stays.

use synaq_core::calendar::Calendar;
use synaq_core::ids::SessionId;
use synaq_core::retention::{DataClass, Terms, Verdict, verdict};
use synaq_core::time::At;
use synaq_store::{Error, Retention};

/// Sessions read at once.
const PAGE: u32 = 500;

/// One class of one session that is not erased yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    /// Whose
    pub(crate) session: SessionId,
    /// What
    pub(crate) class: DataClass,
    /// Whether it may go
    pub(crate) verdict: Verdict,
}

/// Every class of every session whose sitting closed before `closed`, as it stands at `now`.
pub(crate) async fn plan(
    store: &(impl Retention + ?Sized),
    terms: &Terms,
    closed: At,
    now: At,
) -> Result<Vec<Line>, Error> {
    let calendar = Calendar::kazakhstan();
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = store.kept(after, closed, PAGE).await?;
        let Some(last) = page.last() else { return Ok(lines) };
        after = Some(last.session);
        for row in page {
            let erased = store.erasures(row.session).await?;
            let done =
                |class: &DataClass| erased.iter().any(|row| row.class == *class && row.done_at.is_some());
            for class in DataClass::ALL.into_iter().filter(|class| !done(class)) {
                let verdict = verdict(class, terms, &row.standing, &calendar, now);
                lines.push(Line { session: row.session, class, verdict });
            }
        }
    }
}
