//! Letters to people: written here, sent by whoever the binary hands them to.

mod address;
mod words;

pub(crate) use address::{is_mail_address, veiled};
pub(crate) use words::{ExamLink, Sender, exam_link, invitation, moment, password};

use crate::doors::{App, Random};
use crate::fresh::Fresh;
use crate::problem::Refused;
use axum::extract::FromRef;
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use synaq_core::ids::CentreId;
use synaq_runtime::Clock;
use synaq_seal::note;
use synaq_seal::secret::InstallationKey;
use synaq_store::{LetterRow, Mail, NewLetter};
use synaq_wire::problem::{Code, Problem};
use tokio::sync::Notify;
use uuid::Uuid;

/// In characters; a subject is one line of a list.
const SUBJECT_CHARS: usize = 200;
/// In bytes: a letter says one thing in two languages.
const TEXT_BYTES: usize = 16 * 1024;

/// Where letters are posted.
#[derive(Clone)]
pub struct PostOffice {
    /// Rows of letters
    pub rows: Arc<dyn Mail>,
    /// Told when there is something to send
    pub filled: Arc<Notify>,
    /// Somebody sends them
    pub open: bool,
}

impl std::fmt::Debug for PostOffice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostOffice").field("open", &self.open).finish_non_exhaustive()
    }
}

/// What a letter says. Holds links, so it lies sealed and is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// One line
    pub subject: String,
    /// Plain text
    pub text: String,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(..)")
    }
}

impl Content {
    fn seal(
        &self,
        id: Uuid,
        by: &InstallationKey,
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, note::Error> {
        let plain = serde_json::to_vec(self).expect("two texts are plain JSON");
        note::seal(&plain, by, &[b"letter", id.as_bytes()], random)
    }

    /// What a stored letter says.
    ///
    /// # Errors
    /// When it was sealed under another installation key, or changed.
    pub fn open(letter: &NewLetter, by: &InstallationKey) -> Result<Self, note::Error> {
        let plain = note::open(&letter.sealed, by, &[b"letter", letter.id.as_bytes()])?;
        serde_json::from_slice(&plain).map_err(|_| note::Error::Open)
    }
}

/// A letter to post.
#[derive(Debug)]
pub(crate) struct Letter {
    /// `invitation`, `password`, `exam_link`, ...
    pub(crate) kind: &'static str,
    /// The id of whoever it is about
    pub(crate) about: String,
    /// A mail address
    pub(crate) to: String,
    /// What it says
    pub(crate) content: Content,
}

/// Posts letters of a centre.
#[derive(Clone)]
pub(crate) struct Post {
    office: PostOffice,
    key: Arc<InstallationKey>,
    clock: Arc<dyn Clock>,
    random: Random,
    fresh: Fresh,
}

impl FromRef<App> for Post {
    fn from_ref(app: &App) -> Self {
        Self {
            office: FromRef::from_ref(app),
            key: FromRef::from_ref(app),
            clock: FromRef::from_ref(app),
            random: FromRef::from_ref(app),
            fresh: FromRef::from_ref(app),
        }
    }
}

impl Post {
    /// Somebody sends letters here. Where nobody does, links are handed over by people.
    pub(crate) const fn is_open(&self) -> bool {
        self.office.open
    }

    /// Letters about any of these, newest first: their fate, never what they say.
    pub(crate) async fn letters(
        &self,
        centre: CentreId,
        about: &[String],
    ) -> Result<Vec<LetterRow>, Refused> {
        Ok(self.office.rows.letters(centre, about).await?)
    }

    /// Posts letters, all or none: `mail_off`, `out_of_limits`. They are on their way when this returns, across a crash.
    pub(crate) async fn send(&self, centre: CentreId, letters: Vec<Letter>) -> Result<(), Refused> {
        if !self.is_open() {
            return Err(Code::MailOff.into());
        }
        let letters = letters.into_iter().map(|letter| self.sealed(centre, letter));
        self.office.rows.post_letters(letters.collect::<Result<_, _>>()?).await?;
        self.office.filled.notify_one();
        Ok(())
    }

    fn sealed(&self, centre: CentreId, letter: Letter) -> Result<NewLetter, Refused> {
        let Letter { kind, about, to, content } = letter;
        // Whatever becomes a header is one line (RFC 5322): a second one could be a header of its own.
        let one_line = content.subject.chars().count() <= SUBJECT_CHARS
            && !content.subject.chars().any(char::is_control);
        if !is_mail_address(&to) || !one_line || content.text.len() > TEXT_BYTES {
            return Err(Problem::new(Code::OutOfLimits).detail("a letter cannot be written so").into());
        }
        let id = self.fresh.id().map_err(|_| Code::Busy)?;
        let sealed = content.seal(id, &self.key, &*self.random).map_err(|_| Code::Busy)?;
        let (kind, created_at) = (kind.to_owned(), self.clock.now());
        Ok(NewLetter { id, centre, kind, about, recipient: to, sealed, created_at })
    }
}
