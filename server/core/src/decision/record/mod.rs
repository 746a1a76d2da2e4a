//! The record of the theory stage: what is sealed, approved and sent to the platform.
//! Integers and strings only, times RFC 3339 UTC with three decimals (the strict JSON profile of the seal).
//! It says what happened in the theory stage; it is no decision on the procedure (LAW-04).

mod fold;

pub use fold::fold;

use crate::bank::{Plan, Text};
use crate::ids::{SessionId, TopicId};
use crate::time::At;
use serde::{Deserialize, Serialize};

/// What kind of document it is.
pub const RECORD_KIND: &str = "theory-stage-record";
/// Its shape.
pub const RECORD_VERSION: u32 = 1;
/// Legal gates that this system did not check.
pub const GATES_NOT_CHECKED: [&str; 3] = ["contract", "notice", "practice"];

/// By what the candidate is identified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CandidateDocument {
    /// 12 digits
    Iin {
        /// With its check digit
        iin: String,
    },
    /// Of a person without an IIN
    Foreign {
        /// Country or kind, as the centre wrote it: `UZB`, `PASSPORT`
        issued: String,
        /// As printed
        number: String,
    },
}

/// The sealed log behind the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EventLogFacts {
    /// Number of events folded
    pub count: u64,
    /// Hash chain's head, hex
    pub head: String,
    /// Merkle root, hex
    pub root: String,
}

/// What core cannot know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordFacts {
    /// Stream of the session
    pub session: SessionId,
    /// When the record is made
    pub assembled_at: At,
    /// The centre's name
    pub centre_name: Text,
    /// The centre's BIN
    pub centre_bin: String,
    /// Where the centre is found, if it has said so
    pub centre_contacts: Option<CentreContacts>,
    /// As in the identity document
    pub candidate_name: String,
    /// Which one
    pub candidate_document: CandidateDocument,
    /// One salted commitment (hex) per question of the form, in the form's order
    pub question_commitments: Vec<String>,
    /// Names of the staff whose ids the record mentions
    pub staff: Vec<StaffEntry>,
    /// The log
    pub event_log: EventLogFacts,
}

/// A member of staff whom the record mentions by id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StaffEntry {
    /// As everywhere in the record
    pub id: String,
    /// Full name
    pub name: String,
}

/// The record. Its field order is the reading order; canonical bytes sort by themselves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Record {
    /// [`RECORD_KIND`]
    pub kind: &'static str,
    /// [`RECORD_VERSION`]
    pub v: u32,
    /// LAW-04: always `none`; a decision is the commission's
    pub decision: &'static str,
    /// [`GATES_NOT_CHECKED`]
    pub gates_not_checked: [&'static str; 3],
    /// Stream id
    pub session: String,
    /// When this was made
    pub assembled_at: String,
    /// The same in milliseconds UTC: keys are held against it
    pub sealed_at: i64,
    /// Who held the exam
    pub centre: CentreEntry,
    /// Who sat it
    pub candidate: CandidateEntry,
    /// Sitting id
    pub sitting: String,
    /// What is to be recognised
    pub profession: ProfessionEntry,
    /// By which plan
    pub programme: ProgrammeEntry,
    /// From which questions
    pub bank: BankEntry,
    /// `kk` or `ru`: the language of the paper
    pub language: String,
    /// To what the candidate consented
    pub consent: ReadText,
    /// NB-15, NB-16, NB-21
    pub acknowledgements: Vec<ReadText>,
    /// Who let the candidate in
    pub identity: IdentityEntry,
    /// LAW-30
    pub accommodations: AccommodationEntry,
    /// How the paper was made and judged
    pub plan: PlanEntry,
    /// Lets anybody check the draw
    pub draw: DrawEntry,
    /// Result of this stage
    pub theory: TheoryEntry,
    /// The paper and what was answered; no texts, no keys
    pub questions: Vec<QuestionEntry>,
    /// Delivered after the deadline: not scored, for the commission
    pub late_answers: u32,
    /// NB-20: 0 or 1 given
    pub warnings: Vec<WarningEntry>,
    /// Every confirmed incident
    pub violations: Vec<ViolationEntry>,
    /// How far it was watched
    pub supervision: SupervisionEntry,
    /// Connection losses during the exam
    pub interruptions: u32,
    /// Ours
    pub downtimes: Vec<SpanEntry>,
    /// Pauses, credits and extensions
    pub time_changes: Vec<TimeChangeEntry>,
    /// Breaks in mid-exam
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<BreakEntry>,
    /// Checks of the identity in mid-exam
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity_rechecks: Vec<RecheckEntry>,
    /// Gestures before the camera
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gestures: Vec<GestureEntry>,
    /// Sealed blobs
    pub evidence: Vec<EvidenceEntry>,
    /// Holes in the recording
    pub evidence_gaps: Vec<GapEntry>,
    /// The attempt does not count; absent while it does. One voided after the sealing says so in its log
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voided: Option<VoidEntry>,
    /// Who is behind the staff ids
    pub staff: Vec<StaffEntry>,
    /// What this is folded from
    pub event_log: EventLogFacts,
}

/// Who held the exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CentreEntry {
    /// Kazakh name
    pub name_kk: String,
    /// Russian name
    pub name_ru: String,
    /// 12 digits
    pub bin: String,
    /// As the centre's profile said when the record was made; records of before it have none
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<CentreContacts>,
}

/// Where a centre is found, and by what it may hold exams (LAW-05, LAW-25). What is not said is empty and left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CentreContacts {
    /// Address, Kazakh
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address_kk: String,
    /// Address, Russian
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address_ru: String,
    /// Telephone
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// Mail address
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mail: String,
    /// Number of the accreditation certificate
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate: String,
}

/// Who sat it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CandidateEntry {
    /// As in the document
    pub name: String,
    /// Which one
    pub document: CandidateDocument,
}

/// What is to be recognised.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProfessionEntry {
    /// Kazakh name
    pub name_kk: String,
    /// Russian name
    pub name_ru: String,
    /// Per the classifier
    pub nco_code: String,
    /// Per the national framework
    pub level: u8,
}

/// By which plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProgrammeEntry {
    /// The author's name for it
    pub slug: String,
    /// Its version
    pub version: u32,
    /// LAW-08, Kazakh
    pub basis_kk: String,
    /// LAW-08, Russian
    pub basis_ru: String,
}

/// From which questions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BankEntry {
    /// The author's name for it
    pub slug: String,
    /// Its version
    pub version: u32,
    /// As stored, hex
    pub sha256: String,
}

/// A text somebody read and confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReadText {
    /// `consent`, `methodology`, ...
    pub text: &'static str,
    /// Its version
    pub version: String,
    /// In which language
    pub language: &'static str,
}

/// Who let the candidate in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct IdentityEntry {
    /// Staff id
    pub admitted_by: String,
    /// When
    pub admitted_at: String,
}

/// LAW-30.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccommodationEntry {
    /// Added to the programme's minutes
    pub extra_ms: i64,
    /// Detectors that did not count
    pub switched_off: Vec<&'static str>,
    /// Breaks were granted when asked for; absent otherwise
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub breaks: bool,
    /// A hearing aid or cochlear implant was worn; absent otherwise
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hearing_aid: bool,
    /// What else was granted
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How the paper was made and judged: with the bank and the draw it rebuilds the paper.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlanEntry {
    /// Length of the exam
    pub minutes: u16,
    /// Strictly more than this passes
    pub threshold_pct: u8,
    /// Topics and counts, in the order they are drawn in
    pub blueprint: Vec<BlueprintEntry>,
    /// Items left out of the draw
    pub excluded: Vec<String>,
    /// Questions were mixed
    pub shuffle_questions: bool,
    /// Options were mixed
    pub shuffle_options: bool,
}

/// A line of the blueprint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlueprintEntry {
    /// Topic within the bank
    pub topic: String,
    /// Drawn from it
    pub count: u16,
}

impl PlanEntry {
    /// As it was recorded.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let line = |(topic, count): &(TopicId, u16)| BlueprintEntry { topic: topic.0.clone(), count: *count };
        Self {
            minutes: plan.minutes,
            threshold_pct: plan.threshold_pct,
            blueprint: plan.blueprint.iter().map(line).collect(),
            excluded: Vec::new(),
            shuffle_questions: plan.shuffle_questions,
            shuffle_options: plan.shuffle_options,
        }
    }

    /// The plan to draw by; languages do not matter to the draw.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            minutes: self.minutes,
            threshold_pct: self.threshold_pct,
            languages: Vec::new(),
            blueprint: self.blueprint.iter().map(|line| (TopicId(line.topic.clone()), line.count)).collect(),
            shuffle_questions: self.shuffle_questions,
            shuffle_options: self.shuffle_options,
        }
    }
}

/// Lets anybody check the draw: seed = SHA-256(secret || nonce), and the secret's hash was shown before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DrawEntry {
    /// Which shuffle
    pub algorithm_version: u32,
    /// SHA-256(secret), hex
    pub commitment: String,
    /// Hex
    pub secret: String,
    /// Hex
    pub nonce: String,
    /// Hex
    pub seed: String,
}

/// Result of the theory stage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TheoryEntry {
    /// an exam that was ended is not scored
    pub scored: bool,
    /// Only when scored
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<u32>,
    /// Questions in the form
    pub total: u32,
    /// Passed means strictly more
    pub threshold_pct: u8,
    /// Of this stage, never of the procedure
    pub passed: bool,
    /// `passed`, `not_passed`, `no_result`
    pub outcome: &'static str,
    /// Why not
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// `submitted`, `time_expired`, `violation`, `safety`, `technical`, `candidate_request`, `impersonation`
    pub finish_reason: &'static str,
    /// Staff ids, when people ended it
    pub finished_by: Vec<String>,
    /// Their note
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_note: Option<String>,
    /// Server time
    pub started_at: String,
    /// Server time
    pub finished_at: String,
    /// By the programme
    pub planned_ms: i64,
    /// Accommodation and extensions
    pub extra_ms: i64,
    /// Pauses, credits and our downtime
    pub credited_ms: i64,
}

/// A place in the form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct QuestionEntry {
    /// From 1
    pub n: u32,
    /// In the bank
    pub item: String,
    /// Of the item
    pub version: u32,
    /// SHA-256(salt || question), hex: proves what was asked without showing it
    pub commitment: String,
    /// `options[shown] = author's index`
    pub options: Vec<u8>,
    /// Shown positions the candidate chose; empty is unanswered
    pub answered: Vec<u8>,
    /// When that was stored
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// A break in mid-exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BreakEntry {
    /// `toilet`, `illness`
    pub why: &'static str,
    /// When it began
    pub from: String,
    /// When the candidate was back, or the exam ended
    pub to: String,
    /// When the candidate was awaited
    pub until: String,
    /// The clock stood: the same time is among the pauses
    pub clock_stopped: bool,
    /// Not back in time
    pub overran: bool,
    /// Who granted it
    pub by: String,
}

/// A check of the identity in mid-exam.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RecheckEntry {
    /// When it was asked for
    pub asked_at: String,
    /// When it was ruled on
    pub ruled_at: String,
    /// The same person
    pub accepted: bool,
    /// Who ruled
    pub by: String,
}

/// A gesture before the camera.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GestureEntry {
    /// `raise_hand`, `turn_head`, `hand_on_shoulder`, `blank_sheet`
    pub gesture: &'static str,
    /// When it was asked for
    pub asked_at: String,
    /// The candidate took another way
    pub alternative: bool,
    /// A person saw it
    pub accepted: bool,
    /// Who judged
    pub by: String,
}

/// The one warning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WarningEntry {
    /// Always 1
    pub ordinal: u32,
    /// When it was committed
    pub given_at: String,
    /// When the browser said it stood on the screen
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displayed_at: Option<String>,
    /// When the candidate pressed the button
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<String>,
    /// From when on a new incident counted as a repetition
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<String>,
}

/// A confirmed incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ViolationEntry {
    /// From 1
    pub ordinal: u32,
    /// From the catalogue
    pub code: &'static str,
    /// When it began
    pub began_at: String,
    /// When it was counted
    pub counted_at: String,
    /// `warning`, `termination`, `none`
    pub consequence: &'static str,
    /// `auto` or a staff id
    pub confirmed_by: String,
    /// Explanation
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What a detector measured, where one did
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingEntry>,
}

/// What a machine's claim rested on, and what it does not mean (F-29).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FindingEntry {
    /// Name and version of the detector
    pub detector: String,
    /// Of the detector
    pub version: String,
    /// `no_face` ...
    pub condition: String,
    /// How sure it was, 0 ..= 100
    pub confidence_pct: u8,
    /// In thousandths of the detector's unit
    pub score_milli: i32,
    /// In the same
    pub threshold_milli: i32,
    /// When the picture was taken; none for sound
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_at: Option<String>,
    /// SHA-256 of that picture
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_sha256: Option<String>,
    /// Pictures in a row that showed it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<u32>,
    /// Pictures among them that allowed no answer
    #[serde(skip_serializing_if = "Option::is_none")]
    pub could_not_tell: Option<u32>,
    /// In words
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<ExplanationEntry>,
}

/// A finding in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExplanationEntry {
    /// What was seen or heard
    pub seen: SaidEntry,
    /// What that does not mean
    pub not_meant: SaidEntry,
}

/// A sentence in the languages of the interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SaidEntry {
    /// Kazakh
    pub kk: &'static str,
    /// Russian
    pub ru: &'static str,
    /// English
    pub en: &'static str,
}

/// How far it was watched.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SupervisionEntry {
    /// Without a picture while the clock ran
    pub unsupervised_ms: i64,
    /// More than 10 min: the commission rules on validity
    pub commission_must_rule: bool,
    /// Where the line carried less than full video; without any, absent
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepEntry>,
}

/// A step of the ladder between full video and signals only: technical, never a violation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepEntry {
    /// From when on
    pub at: String,
    /// `full`, `small`, `stills`, `signals`
    pub step: &'static str,
    /// `weak_line`, `no_path`, `answers_first`, `recovered`
    pub why: &'static str,
}

/// Why an attempt does not count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VoidEntry {
    /// When that was said
    pub at: String,
    /// Staff id
    pub by: String,
    /// From the centre's list
    pub ground: String,
    /// In words
    pub reason: String,
    /// Stream id of the new attempt
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// A span of server time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SpanEntry {
    /// Beginning
    pub from: String,
    /// End
    pub to: String,
}

/// A pause, credit or extension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TimeChangeEntry {
    /// `pause`, `credit`, `extension`
    pub kind: &'static str,
    /// When; of a pause its beginning
    pub at: String,
    /// How long
    pub ms: i64,
    /// Staff id
    pub by: String,
    /// Why
    pub reason: String,
}

/// A sealed blob.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EvidenceEntry {
    /// Within the session
    pub name: String,
    /// Over the plaintext, hex
    pub sha256: String,
    /// Plaintext length
    pub bytes: u64,
}

/// A hole in the recording.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GapEntry {
    /// When it was noticed
    pub at: String,
    /// How long
    pub ms: i64,
    /// Why
    pub why: String,
}
