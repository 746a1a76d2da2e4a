//! The centre's and the commission's bodies.

use crate::candidate::{Lang, Text};
use crate::problem::Mistake;
use crate::proctor::{CodeRow, IncidentView, TimelineEntry};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// A row of `GET /api/v1/centre/banks`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BankRow {
    /// One version
    pub bank: Uuid,
    /// The author's name for it
    pub slug: String,
    /// Its version
    pub version: u32,
    /// Title
    pub title: Text,
    /// All questions
    pub questions: u32,
    /// Topics with their number of questions
    pub topics: Vec<TopicRow>,
    /// Of the stored file, hex
    pub sha256: String,
    /// When it came
    #[ts(type = "number")]
    pub imported_at: i64,
}

/// A topic of a bank.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TopicRow {
    /// Within the bank
    pub id: String,
    /// Title
    pub title: Text,
    /// Questions in it
    pub questions: u32,
}

/// `GET /api/v1/centre/banks/{bank}`: the bank with its questions, for the centre's eyes; every view is in the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BankDetail {
    /// The row
    pub row: BankRow,
    /// Every question
    pub questions: Vec<BankQuestion>,
}

/// A question as its authors see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BankQuestion {
    /// Within the bank
    pub id: String,
    /// Of the question
    pub version: u32,
    /// Its topic
    pub topic: String,
    /// Several options may be right
    pub multiple: bool,
    /// 1 to 3
    pub difficulty: u8,
    /// The question
    pub text: Text,
    /// In the author's order
    pub options: Vec<BankOption>,
}

/// An option as its authors see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BankOption {
    /// Within the question
    pub id: String,
    /// What the candidate reads
    pub text: Text,
    /// Part of the key
    pub right: bool,
}

/// Answer to `POST /api/v1/centre/banks` (body: TOML). With mistakes nothing is stored and the answer is a problem.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BankImported {
    /// What is stored now
    pub row: BankRow,
    /// The same version with the same content was here before
    pub known: bool,
    /// Not wrong, but worth a look
    pub remarks: Vec<Mistake>,
}

/// A row of `GET /api/v1/centre/programmes`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProgrammeRow {
    /// One version
    pub programme: Uuid,
    /// The author's name for it
    pub slug: String,
    /// Its version
    pub version: u32,
    /// Title
    pub title: Text,
    /// Profession
    pub profession: Text,
    /// Code per the classifier
    pub nco_code: String,
    /// Number of questions
    pub questions: u16,
    /// Minutes
    pub minutes: u16,
    /// Strictly more than this passes
    pub threshold_pct: u8,
    /// Exam languages
    pub languages: Vec<Lang>,
    /// Topic and count
    pub blueprint: Vec<BlueprintRow>,
    /// Slug and version of the bank
    pub bank: String,
    /// The candidate shares the whole screen
    pub screen: bool,
}

/// A line of the blueprint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BlueprintRow {
    /// Topic within the bank
    pub topic: String,
    /// Title
    pub title: Text,
    /// Drawn from it
    pub count: u16,
}

/// `GET /api/v1/centre/programmes/{programme}` and `POST /api/v1/centre/programmes/compose`: a programme as a form. What is
/// posted becomes the next version; the checks are those of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeForm {
    /// The author's name for it
    pub slug: String,
    /// Title
    pub title: Text,
    /// Profession per the classifier
    pub profession: Text,
    /// Its code
    pub nco_code: String,
    /// Level per the national framework, 1 to 8
    pub level: u8,
    /// Professional standard or qualification requirements
    pub basis: Text,
    /// One version of a bank
    pub bank: Uuid,
    /// Length of the exam
    pub minutes: u16,
    /// Strictly more than this passes; 70 to 99
    pub threshold_pct: u8,
    /// Exam languages
    pub languages: Vec<Lang>,
    /// Topics and counts
    pub blueprint: Vec<BlueprintCount>,
    /// Mix the questions
    pub shuffle_questions: bool,
    /// Mix the options
    pub shuffle_options: bool,
    /// The candidate shares the whole screen
    pub screen: bool,
    /// The clock stands in a break; otherwise nobody gets more time than others
    pub break_stops_clock: bool,
    /// Length of a break, unless a proctor says otherwise
    pub break_minutes: u16,
    /// The newest version of that name when the form was opened, 0 where there was none: whoever saves after somebody
    /// else is told. Without it nobody asks
    #[serde(default)]
    pub after: Option<u32>,
}

/// A line of a blueprint in a form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct BlueprintCount {
    /// Topic within the bank
    pub topic: String,
    /// Drawn from it
    pub count: u16,
}

/// `POST /api/v1/centre/banks/gift`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct GiftImport {
    /// The author's name for the bank; its version is the next one
    pub slug: String,
    /// Title
    pub title: Text,
    /// Code per the classifier
    pub profession_code: String,
    /// The Kazakh file, or the only one
    pub kk: String,
    /// The Russian file; without it the only one holds both languages, by the ends of names
    pub ru: Option<String>,
    /// Whether anything is kept
    pub take: GiftTake,
}

/// What becomes of GIFT files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum GiftTake {
    /// Only the report
    Check,
    /// A bank, if every question can be asked
    All,
    /// A bank of the questions that can
    Sound,
}

/// Answer to `POST /api/v1/centre/banks/gift`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GiftReport {
    /// Questions that can be asked
    pub taken: u32,
    /// Questions that cannot
    pub refused: u32,
    /// More than a bank may have: nothing was kept
    pub too_many: bool,
    /// What is wrong with slug, title or code, in English
    pub head: Vec<String>,
    /// Every question in the order of the Kazakh file
    pub questions: Vec<GiftQuestionRow>,
    /// What was kept
    pub imported: Option<BankRow>,
}

/// A question of GIFT files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GiftQuestionRow {
    /// As in the files
    pub name: String,
    /// In the bank; none if it is refused
    pub id: Option<String>,
    /// Line of the Kazakh one
    pub line_kk: Option<u32>,
    /// Line of the Russian one
    pub line_ru: Option<u32>,
    /// What is said of it
    pub findings: Vec<GiftFindingRow>,
}

/// One thing said of a question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GiftFindingRow {
    /// Of which language
    pub lang: Lang,
    /// In its file
    pub line: u32,
    /// Stable
    pub code: String,
    /// The question is refused for it
    pub refuses: bool,
    /// What of the file it is about; may be empty
    pub detail: String,
    /// What to do, in English
    pub advice: String,
}

/// `POST /api/v1/centre/sittings`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct NewSitting {
    /// 1 to 120 characters
    pub title: String,
    /// One version
    pub programme: Uuid,
    /// Earliest start
    #[ts(type = "number")]
    pub opens_at: i64,
    /// End; links are valid until then
    #[ts(type = "number")]
    pub closes_at: i64,
    /// How many candidates it takes; any number without
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub capacity: Option<u32>,
}

/// `POST /api/v1/centre/sittings/{sitting}/change`: moves a sitting, renames it, or limits its size. Exams that began
/// already keep their clocks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ChangeSitting {
    /// The one that was read
    pub version: u32,
    /// 1 to 120 characters
    pub title: String,
    /// Earliest start
    #[ts(type = "number")]
    pub opens_at: i64,
    /// End
    #[ts(type = "number")]
    pub closes_at: i64,
    /// How many candidates it takes; any number without
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub capacity: Option<u32>,
    /// 1 to 500 characters; candidates in preparation read it
    pub reason: String,
}

/// `POST /api/v1/centre/sittings/{sitting}/cancel`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CancelSitting {
    /// The one that was read
    pub version: u32,
    /// 1 to 500 characters
    pub reason: String,
}

/// What a change led to: how the sessions that were opened already took it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Told {
    /// Candidates in preparation who have it on their screens now
    pub told: u32,
    /// Exams that had begun: they go on as they are
    pub running: u32,
    /// Sessions that could not be told yet, because the store did not answer; saving again tells them
    pub untold: u32,
}

/// What an accommodation grants (LAW-30). Minutes and per cent exclude each other: per cent are of the programme's
/// minutes, rounded up.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Accommodation {
    /// Added to the programme's minutes, 0 to 600
    pub extra_minutes: u16,
    /// The minutes as so many per cent, 1 to 200
    pub extra_pct: Option<u16>,
    /// Incident codes that do not count for this candidate
    pub switched_off: Vec<String>,
    /// Breaks are granted when asked for
    pub breaks: bool,
    /// A hearing aid is worn: `HEADPHONES` does not count
    pub hearing_aid: bool,
    /// For the proctor and the record, up to 500 characters
    pub note: Option<String>,
}

/// `POST /api/v1/centre/sittings/{sitting}/candidate`: one more candidate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct AddCandidate {
    /// As in the document
    pub name: String,
    /// IIN, or `PASSPORT:number`, or the country's letters and `:number`
    pub identity: String,
    /// Where links are sent to
    pub email: Option<String>,
    /// What is granted
    pub accommodation: Accommodation,
}

/// `POST /api/v1/centre/candidates/{session}/change`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ChangeCandidate {
    /// The one that was read
    pub version: u32,
    /// As in the document; until the record is sealed
    pub name: String,
    /// Where links are sent to
    pub email: Option<String>,
    /// What is granted; until the exam starts
    pub accommodation: Accommodation,
    /// 1 to 500 characters
    pub reason: String,
}

/// `POST /api/v1/centre/candidates/{session}/withdraw`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct WithdrawCandidate {
    /// The one that was read
    pub version: u32,
    /// Withdraws, or takes that back
    pub withdrawn: bool,
    /// 1 to 500 characters
    pub reason: String,
}

/// `POST /api/v1/centre/candidates/{session}/void`: an attempt that has ended does not count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct VoidAttempt {
    /// The one that was read
    pub version: u32,
    /// technical | appeal | identity | illness | procedure | other
    pub ground: String,
    /// 1 to 500 characters
    pub reason: String,
    /// The sitting of the new attempt, if one is issued
    pub sitting: Option<Uuid>,
}

/// `POST /api/v1/centre/sittings/{sitting}/letters`: personal links by mail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SendLinks {
    /// Whose, also if they have a letter already; none means everybody who has an address and no letter
    pub sessions: Vec<Uuid>,
}

/// Answer to `POST /api/v1/centre/sittings/{sitting}/letters`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LettersPosted {
    /// Letters on their way
    pub posted: u32,
    /// Candidates without an address
    pub without_address: u32,
}

/// `GET /api/v1/centre/sittings/{sitting}/letters`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ExamLetters {
    /// Somebody sends letters here; otherwise links are handed over
    pub open: bool,
    /// Newest first
    pub letters: Vec<ExamLetter>,
}

/// A letter with a personal link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ExamLetter {
    /// Whose
    pub session: Uuid,
    /// To which address
    pub to: String,
    /// When it was posted
    #[ts(type = "number")]
    pub posted_at: i64,
    /// queued | sent | failed
    pub state: String,
    /// When it was sent or given up
    #[ts(type = "number | null")]
    pub settled_at: Option<i64>,
    /// What the last attempt ended with, in English, unless it was sent
    pub why: Option<String>,
}

/// `GET /api/v1/centre/candidates/{session}`: a candidate of a sitting as the centre edits them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CandidateDetail {
    /// As in the sitting's list
    pub row: CandidateRow,
    /// Which sitting
    pub sitting: Uuid,
    /// What was changed, oldest first
    pub changes: Vec<ChangeView>,
    /// Every incident code, for what is switched off
    pub codes: Vec<CodeRow>,
}

/// What a field said before and after.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ChangeView {
    /// When
    #[ts(type = "number")]
    pub at: i64,
    /// Name
    pub by: String,
    /// title | opens_at | closes_at | capacity | cancelled | name | email | extra_minutes | extra_pct | switched_off |
    /// breaks | hearing_aid | note | withdrawn | voided
    pub field: String,
    /// Before; times in milliseconds UTC, empty for what was not there
    pub old: String,
    /// After
    pub new: String,
    /// Why
    pub reason: String,
}

/// When something was ended by the centre, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EndedView {
    /// When
    #[ts(type = "number")]
    pub at: i64,
    /// In words
    pub reason: String,
    /// Of a void attempt, why it does not count
    pub ground: Option<String>,
}

/// `GET /api/v1/centre/sittings/{sitting}`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SittingDetail {
    /// Which
    pub sitting: Uuid,
    /// Title
    pub title: String,
    /// The programme
    pub programme: ProgrammeRow,
    /// Earliest start
    #[ts(type = "number")]
    pub opens_at: i64,
    /// End
    #[ts(type = "number")]
    pub closes_at: i64,
    /// Raised with every change: whoever changes it names the one that was read
    pub version: u32,
    /// How many candidates it takes, if that is limited
    pub capacity: Option<u32>,
    /// It will not be held
    pub cancelled: Option<EndedView>,
    /// What was changed, oldest first
    pub changes: Vec<ChangeView>,
    /// By place
    pub candidates: Vec<CandidateRow>,
}

/// A candidate of a sitting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CandidateRow {
    /// Their session
    pub session: Uuid,
    /// Full name
    pub name: String,
    /// Individual identification number or foreign document, last four characters only
    pub id_hint: String,
    /// Personal link, whole address
    pub link: String,
    /// Minutes added by accommodation
    pub extra_minutes: u16,
    /// All that is granted
    pub accommodation: Accommodation,
    /// Where links are sent to
    pub email: Option<String>,
    /// Raised with every change
    pub version: u32,
    /// Of this person in this sitting, from 1
    pub attempt: u32,
    /// Will not sit the exam
    pub withdrawn: Option<EndedView>,
    /// The attempt does not count
    pub voided: Option<EndedView>,
    /// The void attempt whose place this one takes
    pub replaces: Option<Uuid>,
    /// Where they stand
    pub summary: SessionSummary,
}

/// Where a session stands, for lists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SessionSummary {
    /// created | preparing | running | closed | sealed | approved
    pub state: String,
    /// How it ended, if it did
    pub finish: Option<String>,
    /// passed | not_passed | no_result, once closed
    pub outcome: Option<String>,
    /// Right answers, once scored
    pub correct: Option<u16>,
    /// All questions
    pub total: Option<u16>,
    /// Warnings given
    pub warnings: u32,
    /// When the exam started
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// When it ended
    #[ts(type = "number | null")]
    pub finished_at: Option<i64>,
    /// queued | accepted | refused, once sealed
    pub delivery: Option<String>,
}

/// Answer to `POST /api/v1/centre/sittings/{sitting}/candidates` (body: CSV in UTF-8 or Windows-1251).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CandidatesAdded {
    /// New ones
    pub added: u32,
    /// Already in this sitting, by number
    pub known: u32,
    /// utf-8 | windows-1251
    pub encoding: String,
    /// Not wrong, but worth a look
    pub remarks: Vec<Mistake>,
}

/// A row of `GET /api/v1/centre/results` and of `GET /api/v1/commission/records`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ResultRow {
    /// Whose
    pub session: Uuid,
    /// Full name
    pub name: String,
    /// Last four characters of the number
    pub id_hint: String,
    /// Title of the sitting
    pub sitting: String,
    /// The programme
    pub programme: Text,
    /// The attempt does not count
    #[serde(default)]
    pub voided: bool,
    /// Where it stands
    pub summary: SessionSummary,
}

/// `GET /api/v1/centre/sessions/{session}`: one result with everything behind it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SessionDetail {
    /// The row
    pub row: ResultRow,
    /// Whole timeline, oldest first
    pub timeline: Vec<TimelineEntry>,
    /// Incidents with their rulings
    pub incidents: Vec<IncidentView>,
    /// Answers that arrived after the deadline
    pub late_answers: u16,
    /// Which, and when they were delivered, by question
    pub late: Vec<LateAnswer>,
    /// The server's clock less the device's at its check, ms, if the page said so
    #[serde(default)]
    #[ts(type = "number | null")]
    pub device_clock_behind_ms: Option<i64>,
    /// Time without a picture during the exam
    #[ts(type = "number")]
    pub unsupervised_ms: i64,
    /// Above 10 minutes: the commission must rule on validity
    pub validity_must_be_ruled: bool,
    /// What the commission ruled, once approved
    pub ruling: Option<Ruling>,
    /// Stored evidence, without what was erased
    pub evidence: Vec<EvidenceRow>,
    /// Until when it is kept, and who holds it
    pub keeping: Keeping,
    /// The sealed record
    pub record: Option<RecordView>,
}

/// Until when the evidence of a session is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Keeping {
    /// Oldest first; the last one may be open
    pub holds: Vec<HoldView>,
    /// Each class of data
    pub classes: Vec<KeptClass>,
}

/// A hold: while it is open nothing of the session is erased.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HoldView {
    /// appeal | centre
    pub ground: String,
    /// In words
    pub reason: String,
    /// When
    #[ts(type = "number")]
    pub placed_at: i64,
    /// Name
    pub placed_by: String,
    /// When it was lifted; none while it is open
    #[ts(type = "number | null")]
    pub lifted_at: Option<i64>,
    /// Name
    pub lifted_by: Option<String>,
    /// In words
    pub lift_reason: Option<String>,
}

/// How a class of data stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeptClass {
    /// recordings | stills | photos
    pub class: String,
    /// held | undecided (nobody has decided, so nothing is erased) | until | due (goes next night) | erased
    pub state: String,
    /// Until when, since when it is due, or when it was erased
    #[ts(type = "number | null")]
    pub at: Option<i64>,
    /// The rule by which it was erased: `recordings_days=120`
    pub rule: Option<String>,
}

/// `POST /api/v1/centre/sessions/{session}/hold`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PlaceHold {
    /// appeal | centre
    pub ground: String,
    /// 1 to 1 000 characters
    pub reason: String,
}

/// `POST /api/v1/centre/sessions/{session}/hold/lift`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct LiftHold {
    /// 1 to 1 000 characters
    pub reason: String,
}

/// An answer given before the deadline by the device's clock and delivered after it: not scored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LateAnswer {
    /// Number of the question as on the candidate's screen, from 1
    pub question: u16,
    /// When it was delivered
    #[ts(type = "number")]
    pub at: i64,
}

/// Whether an exam that went without supervision for too long stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// The exam stands
    pub valid: bool,
    /// Why; 1 to 1 000 characters
    pub note: String,
}

/// A piece of evidence: `GET /api/v1/centre/sessions/{session}/evidence/{name}` (every view is in the audit log).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceRow {
    /// Within the session
    pub name: String,
    /// image/webp, image/jpeg, video/webm
    pub media_type: String,
    /// Plaintext length
    #[ts(type = "number")]
    pub bytes: u64,
    /// Plaintext digest, hex
    pub sha256: String,
    /// The recording was cut off and is readable up to its last whole chunk
    pub unfinished: bool,
    /// Pictures in a container of stills, each at `.../evidence/{name}/{index}` from 0; 0 for anything else
    #[serde(default)]
    pub parts: u32,
}

/// The sealed record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecordView {
    /// Of the canonical bytes, hex
    pub sha256: String,
    /// Of the seal
    pub kid: String,
    /// When
    #[ts(type = "number")]
    pub sealed_at: i64,
    /// The canonical bytes as text, to read
    pub payload: String,
    /// Who approved it
    pub approved_by: Option<String>,
    /// When
    #[ts(type = "number | null")]
    pub approved_at: Option<i64>,
    /// queued | accepted | refused
    pub delivery: String,
    /// Why it was refused, or what is tried again
    pub delivery_detail: Option<String>,
    /// The platform's reference
    pub platform_ref: Option<String>,
}

/// `POST /api/v1/commission/records/{session}/approve`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// Digest that was shown: another one is refused
    pub sha256: String,
    /// At most 1 000 characters
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
    /// Needed where `validity_must_be_ruled`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ruling: Option<Ruling>,
}
