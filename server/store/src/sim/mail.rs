use super::SimStore;
use crate::{ClaimedLetter, Error, LetterEnd, LetterRow, LetterState, Mail, MailBacklog, NewLetter};
use async_trait::async_trait;
use synaq_core::ids::CentreId;
use synaq_core::time::At;
use uuid::Uuid;

#[derive(Clone, Debug)]
pub(super) struct Posted {
    letter: NewLetter,
    row: LetterRow,
    due_at: At,
}

#[async_trait]
impl Mail for SimStore {
    async fn post_letters(&self, letters: Vec<NewLetter>) -> Result<(), Error> {
        let mut disk = self.disk();
        let known = |id| disk.letters.iter().any(|posted| posted.letter.id == id);
        if letters.iter().any(|letter| known(letter.id)) {
            return Err(Error::Taken("letter"));
        }
        disk.letters.extend(letters.into_iter().map(|letter| Posted {
            row: LetterRow {
                id: letter.id,
                kind: letter.kind.clone(),
                about: letter.about.clone(),
                recipient: letter.recipient.clone(),
                created_at: letter.created_at,
                state: LetterState::Queued,
                attempts: 0,
                settled_at: None,
                why: None,
            },
            due_at: letter.created_at,
            letter,
        }));
        Ok(())
    }

    async fn claim_letters(
        &self,
        now: At,
        claimed_until: At,
        limit: u32,
    ) -> Result<Vec<ClaimedLetter>, Error> {
        let mut disk = self.disk();
        let mut due: Vec<_> = disk.letters.iter_mut().filter(|posted| posted.is_due(now)).collect();
        due.sort_by_key(|posted| posted.due_at);
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let claim = |posted: &mut Posted| {
            posted.due_at = claimed_until;
            posted.row.attempts += 1;
            ClaimedLetter { letter: posted.letter.clone(), attempts: posted.row.attempts - 1 }
        };
        Ok(due.into_iter().map(claim).collect())
    }

    async fn settle_letter(&self, id: Uuid, at: At, end: LetterEnd) -> Result<(), Error> {
        let mut disk = self.disk();
        let posted = disk.letters.iter_mut().find(|posted| posted.letter.id == id).ok_or(Error::NotFound)?;
        if posted.row.state != LetterState::Queued {
            return Ok(());
        }
        match end {
            LetterEnd::Retry { next_at, why } => {
                (posted.due_at, posted.row.why) = (next_at, Some(why));
            }
            LetterEnd::Sent => posted.settle(at, LetterState::Sent, None),
            LetterEnd::Failed { why } => posted.settle(at, LetterState::Failed, Some(why)),
        }
        Ok(())
    }

    async fn next_letter_due(&self) -> Result<Option<At>, Error> {
        let disk = self.disk();
        let queued = disk.letters.iter().filter(|posted| posted.row.state == LetterState::Queued);
        Ok(queued.map(|posted| posted.due_at).min())
    }

    async fn letters(&self, centre: CentreId, about: &[String]) -> Result<Vec<LetterRow>, Error> {
        let disk = self.disk();
        let own = disk.letters.iter().rev().filter(|posted| posted.letter.centre == centre);
        Ok(own.filter(|posted| about.contains(&posted.row.about)).map(|posted| posted.row.clone()).collect())
    }

    async fn mail_backlog(&self) -> Result<MailBacklog, Error> {
        let disk = self.disk();
        let of = |state| disk.letters.iter().filter(move |posted| posted.row.state == state);
        let count = |state| of(state).fold(0, |count, _| count + 1);
        Ok(MailBacklog {
            queued: count(LetterState::Queued),
            oldest: of(LetterState::Queued).map(|posted| posted.row.created_at).min(),
            failed: count(LetterState::Failed),
        })
    }
}

impl Posted {
    fn is_due(&self, now: At) -> bool {
        self.row.state == LetterState::Queued && self.due_at <= now
    }

    fn settle(&mut self, at: At, state: LetterState, why: Option<String>) {
        self.letter.sealed = Vec::new();
        (self.row.state, self.row.settled_at, self.row.why) = (state, Some(at), why);
    }
}
