//! Personal links by mail: to everybody of a sitting who has an address and no letter yet, or to one again.

use super::Audit;
use super::profile::Face;
use super::sittings::Shelf;
use crate::auth::who::Who;
use crate::body::Json;
use crate::doors::App;
use crate::mail::{ExamLink, Letter, Post, exam_link};
use crate::problem::Refused;
use axum::extract::{FromRef, Path, State};
use std::collections::BTreeSet;
use synaq_core::ids::{CentreId, SessionId, SittingId};
use synaq_store::{CandidateRow, LetterRow, LetterState};
use synaq_wire::centre::{ExamLetter, ExamLetters, LettersPosted, SendLinks};
use synaq_wire::problem::Code;
use uuid::Uuid;

/// What the letters are called in the rows.
const KIND: &str = "exam_link";

/// What was sent, when, and what became of it.
pub(crate) async fn list(
    State(shelf): State<Shelf>,
    State(post): State<Post>,
    Path(sitting): Path<String>,
    who: Who,
) -> Result<axum::Json<ExamLetters>, Refused> {
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    let candidates = shelf.directory.candidates(who.staff.centre, sitting).await?;
    let letters = post.letters(who.staff.centre, &sessions(&candidates)).await?;
    let letters = letters.into_iter().filter(|letter| letter.kind == KIND);
    Ok(axum::Json(ExamLetters { open: post.is_open(), letters: letters.filter_map(view).collect() }))
}

/// Posts the letters; whoever has one already gets another only by name.
pub(crate) async fn send(
    State(links): State<Links>,
    Path(sitting): Path<String>,
    who: Who,
    Json(body): Json<SendLinks>,
) -> Result<axum::Json<LettersPosted>, Refused> {
    let sitting: SittingId = sitting.parse().map_err(|_| Code::NotFound)?;
    Ok(axum::Json(links.post(&who, sitting, &body.sessions.into_iter().collect()).await?))
}

/// Writes letters with links and posts them.
#[derive(Clone)]
pub(crate) struct Links {
    shelf: Shelf,
    post: Post,
    audit: Audit,
    face: Face,
}

impl FromRef<App> for Links {
    fn from_ref(app: &App) -> Self {
        Self {
            shelf: FromRef::from_ref(app),
            post: FromRef::from_ref(app),
            audit: FromRef::from_ref(app),
            face: FromRef::from_ref(app),
        }
    }
}

impl Links {
    /// Where a candidate's letter would go; nowhere without an address, and where nobody sends letters.
    pub(crate) async fn address(
        &self,
        centre: CentreId,
        session: SessionId,
    ) -> Result<Option<String>, Refused> {
        let row = self.shelf.directory.candidate(centre, session).await?;
        Ok(row.candidate.more.email.filter(|_| self.post.is_open()))
    }

    /// To those named, or to everybody with an address and no letter yet.
    pub(crate) async fn post(
        &self,
        who: &Who,
        sitting: SittingId,
        named: &BTreeSet<Uuid>,
    ) -> Result<LettersPosted, Refused> {
        let Self { shelf, post, audit, face } = self;
        let centre = who.staff.centre;
        let sitting = shelf.directory.sitting(centre, sitting).await?;
        if sitting.standing.cancelled.is_some() {
            return Err(Code::SittingCancelled.into());
        }
        let title = shelf.title(centre, &sitting).await?;
        let from = face.sender(centre).await?;
        let candidates = shelf.directory.candidates(centre, sitting.id).await?;
        let has_one: BTreeSet<String> = post
            .letters(centre, &sessions(&candidates))
            .await?
            .into_iter()
            .filter(|letter| letter.kind == KIND && letter.state != LetterState::Failed)
            .map(|letter| letter.about)
            .collect();
        let (mut letters, mut without) = (Vec::new(), 0);
        for row in candidates.iter().filter(|row| row.counts()) {
            let session = row.candidate.session;
            let again = named.contains(&session.0);
            if !again && (!named.is_empty() || has_one.contains(&session.to_string())) {
                continue;
            }
            let Some(to) = row.candidate.more.email.clone() else {
                without += 1;
                continue;
            };
            let link = shelf.link(session);
            let content = exam_link(&ExamLink {
                name: &row.candidate.name,
                title: &title,
                link: &link,
                opens_at: sitting.opens_at,
                closes_at: sitting.closes_at,
                from: &from,
            });
            letters.push(Letter { kind: KIND, about: session.to_string(), to, content });
        }
        let posted = u32::try_from(letters.len()).unwrap_or(u32::MAX);
        post.send(centre, letters).await?;
        audit.note(who, "exam_links_sent", format!("{}: {posted}", sitting.id)).await?;
        Ok(LettersPosted { posted, without_address: without })
    }
}

/// Whom the letters of a sitting are about.
fn sessions(candidates: &[CandidateRow]) -> Vec<String> {
    candidates.iter().map(|row| row.candidate.session.to_string()).collect()
}

fn view(letter: LetterRow) -> Option<ExamLetter> {
    Some(ExamLetter {
        session: letter.about.parse().ok()?,
        to: letter.recipient,
        posted_at: letter.created_at.0,
        state: letter.state.as_str().to_owned(),
        settled_at: letter.settled_at.map(|at| at.0),
        why: letter.why,
    })
}
