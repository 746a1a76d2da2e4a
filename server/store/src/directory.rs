//! Centres, staff, banks, programmes, sittings, candidates: ordinary rows with an audit log. Every call that serves a
//! centre names it; a row of another centre is [`Error::NotFound`](crate::Error::NotFound).

use crate::Error;
use async_trait::async_trait;
use std::sync::Arc;
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SessionId, SittingId, StaffId};
use synaq_core::session::{CalledOff, Care};
use synaq_core::time::At;
use uuid::Uuid;

/// A recognition centre.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CentreRow {
    /// Which
    pub id: CentreId,
    /// Business identification number, 12 digits
    pub bin: String,
    /// Name, Kazakh
    pub name_kk: String,
    /// Name, Russian
    pub name_ru: String,
}

/// What a member of staff may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Staff, banks, programmes, sittings, results
    Centre,
    /// The wall
    Proctor,
    /// Reviews and approves records
    Commission,
    /// Banks and programmes
    Author,
    /// Sees everything of the centre and changes nothing
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Centre, Self::Proctor, Self::Commission, Self::Author, Self::Auditor];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Centre => "centre",
            Self::Proctor => "proctor",
            Self::Commission => "commission",
            Self::Author => "author",
            Self::Auditor => "auditor",
        }
    }
}

/// A member of staff.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffRow {
    /// Who
    pub id: StaffId,
    /// Where
    pub centre: CentreId,
    /// Unique in the installation
    pub login: String,
    /// Full name
    pub name: String,
    /// Where letters go
    pub mail: Option<String>,
    /// What they may do
    pub roles: Vec<Role>,
    /// Argon2id in PHC form; none before the set-up link was used
    pub password_hash: Option<String>,
    /// May not sign in
    pub disabled: bool,
}

impl std::fmt::Debug for StaffRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffRow").field("id", &self.id).field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// A signed-in browser; only the hash of its cookie is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StaffSession {
    /// SHA-256 of the cookie's value
    pub token_hash: [u8; 32],
    /// Who
    pub staff: StaffId,
    /// Until when, unless renewed
    pub expires_at: At,
}

/// One immutable version of a bank, as its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BankRow {
    /// Which
    pub id: BankId,
    /// Whose
    pub centre: CentreId,
    /// The author's name for it
    pub slug: String,
    /// Unique with the slug
    pub version: u32,
    /// The file as it came
    pub source: String,
    /// Of the file, hex
    pub sha256: String,
    /// When
    pub imported_at: At,
}

/// One immutable version of a programme, as its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgrammeRow {
    /// Which
    pub id: ProgrammeId,
    /// Whose
    pub centre: CentreId,
    /// The author's name for it
    pub slug: String,
    /// Unique with the slug
    pub version: u32,
    /// The file as it came
    pub source: String,
    /// The bank version it draws from
    pub bank: BankId,
    /// When
    pub created_at: At,
}

/// A sitting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SittingRow {
    /// Which
    pub id: SittingId,
    /// Whose
    pub centre: CentreId,
    /// Which programme version
    pub programme: ProgrammeId,
    /// As the centre named it
    pub title: String,
    /// Earliest start
    pub opens_at: At,
    /// End; links are valid until then
    pub closes_at: At,
    /// What a centre changes of it later
    pub standing: SittingStanding,
}

/// How a sitting stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SittingStanding {
    /// Raised with every change, from 1: whoever changes it names the one that was read
    pub version: u32,
    /// Candidates it takes; any number without
    pub capacity: Option<u32>,
    /// It will not be held
    pub cancelled: Option<Ended>,
}

impl Default for SittingStanding {
    fn default() -> Self {
        Self { version: 1, capacity: None, cancelled: None }
    }
}

/// When something was ended by the centre, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// When
    pub at: At,
    /// In the centre's words
    pub reason: String,
}

/// A candidate to put into a sitting.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCandidate {
    /// Fresh
    pub session: SessionId,
    /// Full name in the order of the document
    pub name: String,
    /// IIN (12 digits) or foreign document: `KAZ:...`
    pub identity: String,
    /// Minutes added by accommodation
    pub extra_minutes: u16,
    /// Incident codes an accommodation switches off
    pub switched_off: Vec<String>,
    /// What else it grants, and how a letter reaches the person
    pub more: CandidateMore,
    /// The session's data key, wrapped by the installation key
    pub wrapped_key: Vec<u8>,
}

/// What not every candidate has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CandidateMore {
    /// Where links are sent to
    pub email: Option<String>,
    /// The minutes were granted as so many per cent of the programme's
    pub extra_pct: Option<u16>,
    /// Breaks, hearing aid, a note
    pub care: Care,
    /// The attempt that does not count, which this one takes the place of: the same person may be in a sitting twice
    pub replaces: Option<SessionId>,
}

impl std::fmt::Debug for NewCandidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCandidate").field("session", &self.session).finish_non_exhaustive()
    }
}

/// A candidate of a sitting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CandidateRow {
    /// As put in
    pub candidate: NewCandidate,
    /// Whose
    pub centre: CentreId,
    /// Which
    pub sitting: SittingId,
    /// Stable place on the wall, from 0
    pub place: u32,
    /// What a centre changes later
    pub standing: CandidateStanding,
}

/// How a candidate stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CandidateStanding {
    /// Raised with every change, from 1: whoever changes it names the one that was read
    pub version: u32,
    /// Of this person in this sitting, from 1
    pub attempt: u32,
    /// Will not sit the exam
    pub withdrawn: Option<Ended>,
    /// The attempt does not count: ground, and when and why
    pub voided: Option<(String, Ended)>,
}

impl Default for CandidateStanding {
    fn default() -> Self {
        Self { version: 1, attempt: 1, withdrawn: None, voided: None }
    }
}

impl CandidateRow {
    /// Takes up a seat.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.standing.withdrawn.is_none() && self.standing.voided.is_none()
    }

    /// Why this exam will not be held, if it will not.
    #[must_use]
    pub fn called_off(&self, sitting: &SittingRow) -> Option<CalledOff> {
        let off = |sitting| move |ended: &Ended| CalledOff { sitting, reason: ended.reason.clone() };
        let withdrawn = self.standing.withdrawn.as_ref().map(off(false));
        withdrawn.or_else(|| sitting.standing.cancelled.as_ref().map(off(true)))
    }
}

/// Who changes a row, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// When
    pub at: At,
    /// Who
    pub by: StaffId,
    /// In words
    pub reason: String,
}

/// What a field said before and after. Append-only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeRow {
    /// When
    pub at: At,
    /// Who
    pub staff: StaffId,
    /// `name`, `opens_at`, ...
    pub field: String,
    /// Before
    pub old: String,
    /// After
    pub new: String,
    /// Why
    pub reason: String,
}

/// Everything that opening a session needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Who
    pub candidate: CandidateRow,
    /// Which sitting
    pub sitting: SittingRow,
    /// By which programme
    pub programme: Arc<ProgrammeRow>,
    /// Out of which bank
    pub bank: Arc<BankRow>,
    /// Where
    pub centre: CentreRow,
}

/// What a trial run left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrialRow {
    /// Whose
    pub session: SessionId,
    /// When
    pub at: At,
    /// JSON of the wire's report
    pub report: String,
}

/// A line of the audit log. Append-only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// When
    pub at: At,
    /// Whose
    pub centre: CentreId,
    /// Who; none for the command line and for a candidate (`candidate_...`)
    pub staff: Option<StaffId>,
    /// `evidence_viewed`, `bank_imported`, ...
    pub action: String,
    /// What it was done to: an id or name, no personal data
    pub object: String,
}

/// What a proctor hands over with a shift. Never changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShiftNote {
    /// Whose
    pub centre: CentreId,
    /// Of which sitting
    pub sitting: SittingId,
    /// Who wrote it
    pub staff: StaffId,
    /// When
    pub at: At,
    /// Plain text
    pub text: String,
}

/// Rows of all centres.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Adds a centre; `Taken("bin")`.
    async fn add_centre(&self, centre: CentreRow) -> Result<(), Error>;
    /// All centres, by name.
    async fn centres(&self) -> Result<Vec<CentreRow>, Error>;
    /// One centre.
    async fn centre(&self, id: CentreId) -> Result<CentreRow, Error>;

    /// Adds a member of staff; `Taken("login")`.
    async fn add_staff(&self, staff: StaffRow) -> Result<(), Error>;
    /// By login, whatever centre.
    async fn staff_by_login(&self, login: &str) -> Result<Option<StaffRow>, Error>;
    /// By id.
    async fn staff(&self, id: StaffId) -> Result<StaffRow, Error>;
    /// Everybody of a centre, by login.
    async fn staff_of(&self, centre: CentreId) -> Result<Vec<StaffRow>, Error>;
    /// Sets a password hash and ends every session of that person.
    async fn set_password(&self, id: StaffId, password_hash: String) -> Result<(), Error>;
    /// Keeps a one-time set-up token by its SHA-256.
    async fn add_setup_token(
        &self,
        token_hash: [u8; 32],
        staff: StaffId,
        expires_at: At,
    ) -> Result<(), Error>;
    /// Uses a set-up token up: whose it was, if it was valid.
    async fn take_setup_token(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffId>, Error>;
    /// Whose a set-up token is, without using it up.
    async fn peek_setup_token(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffId>, Error>;

    /// Keeps a sign-in.
    async fn add_staff_session(&self, session: StaffSession) -> Result<(), Error>;
    /// Who it is, if the sign-in is valid and the person not disabled.
    async fn staff_session(&self, token_hash: [u8; 32], now: At) -> Result<Option<StaffRow>, Error>;
    /// Signs out.
    async fn end_staff_session(&self, token_hash: [u8; 32]) -> Result<(), Error>;
    /// Removes sign-ins and set-up tokens that are over: how many.
    async fn purge_expired(&self, now: At) -> Result<u64, Error>;

    /// Adds a bank version. The same file again is `Ok(existing row)`; another file under the same slug and version is
    /// `Taken("bank version")`.
    async fn add_bank(&self, bank: BankRow) -> Result<BankRow, Error>;
    /// All bank versions of a centre, newest first.
    async fn banks(&self, centre: CentreId) -> Result<Vec<BankRow>, Error>;
    /// One bank version.
    async fn bank(&self, centre: CentreId, id: BankId) -> Result<BankRow, Error>;

    /// Adds a programme version. The same file again is `Ok(existing row)`; `Taken("programme version")`.
    async fn add_programme(&self, programme: ProgrammeRow) -> Result<ProgrammeRow, Error>;
    /// All programme versions of a centre, newest first.
    async fn programmes(&self, centre: CentreId) -> Result<Vec<ProgrammeRow>, Error>;
    /// One programme version.
    async fn programme(&self, centre: CentreId, id: ProgrammeId) -> Result<ProgrammeRow, Error>;

    /// Adds a sitting.
    async fn add_sitting(&self, sitting: SittingRow) -> Result<(), Error>;
    /// All sittings of a centre with their number of candidates, newest first.
    async fn sittings(&self, centre: CentreId) -> Result<Vec<(SittingRow, u32)>, Error>;
    /// One sitting.
    async fn sitting(&self, centre: CentreId, id: SittingId) -> Result<SittingRow, Error>;
    /// Stores title, times and standing, and each difference with its reason. The version is the one that was read:
    /// with another one stored it is [`Error::Changed`]. The row as it is now.
    async fn change_sitting(&self, sitting: SittingRow, why: Why) -> Result<SittingRow, Error>;

    /// Puts candidates into a sitting, all or none, skipping those whose identity is in it already, unless they replace
    /// an attempt: the added ones. [`Error::Full`] if it does not take so many; `Taken("attempt")`.
    async fn add_candidates(
        &self,
        centre: CentreId,
        sitting: SittingId,
        candidates: Vec<NewCandidate>,
    ) -> Result<Vec<CandidateRow>, Error>;
    /// Candidates of a sitting, by place.
    async fn candidates(&self, centre: CentreId, sitting: SittingId) -> Result<Vec<CandidateRow>, Error>;
    /// One candidate.
    async fn candidate(&self, centre: CentreId, session: SessionId) -> Result<CandidateRow, Error>;
    /// Stores name, accommodation, address and standing, and each difference with its reason; by version as
    /// [`Directory::change_sitting`].
    async fn change_candidate(&self, candidate: CandidateRow, why: Why) -> Result<CandidateRow, Error>;
    /// What was changed of a sitting or candidate, oldest first.
    async fn changes_of(&self, centre: CentreId, subject: Uuid) -> Result<Vec<ChangeRow>, Error>;
    /// The attempt that took this one's place.
    async fn replacement(&self, centre: CentreId, session: SessionId) -> Result<Option<SessionId>, Error>;
    /// Everything of a session, whatever centre: the caller holds the candidate's credential, or has compared the
    /// centre.
    async fn session(&self, session: SessionId) -> Result<SessionRow, Error>;

    /// Keeps the newest trial run of a session; `NotFound` for a session that is not there.
    async fn put_trial(&self, trial: TrialRow) -> Result<(), Error>;
    /// The newest trial run of a session.
    async fn trial(&self, session: SessionId) -> Result<Option<TrialRow>, Error>;

    /// Appends to the audit log.
    async fn audit(&self, entry: AuditEntry) -> Result<(), Error>;
    /// The audit log of a centre, newest first.
    async fn audit_of(&self, centre: CentreId, limit: u32) -> Result<Vec<AuditEntry>, Error>;

    /// Appends to the notes of a sitting.
    async fn add_shift_note(&self, note: ShiftNote) -> Result<(), Error>;
    /// The notes of a sitting, newest first.
    async fn shift_notes(
        &self,
        centre: CentreId,
        sitting: SittingId,
        limit: u32,
    ) -> Result<Vec<ShiftNote>, Error>;
}
