//! The qualification programme: by what plan the theory exam is made and judged (LAW-01).

use super::{Bank, Lang, Text};
use crate::ids::TopicId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// NB-22: more than 70 % of all questions. A programme may ask for more, never for less.
pub const LEGAL_THRESHOLD_PCT: u8 = 70;

/// The profession as the register names it (REG-14).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Profession {
    /// Name per the classifier
    pub name: Text,
    /// Code per the classifier, validated as text (F-38)
    pub nco_code: String,
    /// Level per the national framework
    pub level: u8,
}

/// One immutable version of a programme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Programme {
    /// The author's name for it: `confectioner-4`
    pub slug: String,
    /// Raised with every change
    pub version: u32,
    /// Its title
    pub title: Text,
    /// What is recognised
    pub profession: Profession,
    /// LAW-08: professional standard or qualification requirements
    pub basis: Text,
    /// Slug of the bank it draws from
    pub bank_slug: String,
    /// Version of that bank
    pub bank_version: u32,
    /// The theory exam
    pub plan: Plan,
    /// The candidate shares the whole screen beside the webcam and the microphone
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub screen: bool,
    /// Breaks that a candidate asks for in mid-exam
    #[serde(default, skip_serializing_if = "Breaks::is_default")]
    pub breaks: Breaks,
}

/// By which rule a break in mid-exam goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Breaks {
    /// The clock stands while somebody is away; otherwise nobody gets more time than others
    pub stop_clock: bool,
    /// So long, unless a proctor says otherwise
    pub minutes: u16,
}

impl Default for Breaks {
    fn default() -> Self {
        Self { stop_clock: false, minutes: 10 }
    }
}

impl Breaks {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How the theory exam is made and judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Length of the exam in minutes
    pub minutes: u16,
    /// Passed means strictly more than this
    pub threshold_pct: u8,
    /// Languages it can be sat in: kk, ru
    pub languages: Vec<Lang>,
    /// Topic and number of questions drawn from it, in this order
    pub blueprint: Vec<(TopicId, u16)>,
    /// Mix the questions
    pub shuffle_questions: bool,
    /// Mix the options
    pub shuffle_options: bool,
}

impl Plan {
    /// Number of questions in every form.
    #[must_use]
    pub fn questions(&self) -> u16 {
        self.blueprint.iter().map(|(_, count)| *count).sum()
    }

    /// Refuses a plan that the law or the bank does not bear.
    pub fn check(&self, bank: &Bank) -> Result<(), PlanError> {
        if self.threshold_pct < LEGAL_THRESHOLD_PCT {
            return Err(PlanError::ThresholdBelowLaw(self.threshold_pct));
        }
        if self.threshold_pct >= 100 {
            return Err(PlanError::ThresholdUnreachable(self.threshold_pct));
        }
        if self.minutes == 0 || self.minutes > 600 {
            return Err(PlanError::Minutes(self.minutes));
        }
        if self.languages.is_empty() || self.languages.contains(&Lang::En) {
            return Err(PlanError::Languages);
        }
        let mut seen = BTreeSet::new();
        for (topic, wanted) in &self.blueprint {
            if !seen.insert(topic) {
                return Err(PlanError::TopicTwice(topic.clone()));
            }
            let held = bank.items.iter().filter(|item| item.topic == *topic).count();
            if held < usize::from(*wanted) || *wanted == 0 {
                return Err(PlanError::TopicTooSmall { topic: topic.clone(), wanted: *wanted, held });
            }
        }
        if self.questions() == 0 {
            return Err(PlanError::NoQuestions);
        }
        Ok(())
    }
}

/// Why a plan is refused, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// NB-22
    #[error("the law asks for more than 70 %: a threshold of {0} % is below it; set 70 or more")]
    ThresholdBelowLaw(u8),
    /// Nobody could pass
    #[error("a threshold of {0} % cannot be exceeded; set 99 or less")]
    ThresholdUnreachable(u8),
    /// Length of the exam
    #[error("an exam of {0} minutes is not possible; set 1 to 600")]
    Minutes(u16),
    /// LAW: kk and ru
    #[error("name at least one exam language out of kk and ru")]
    Languages,
    /// The blueprint repeats itself
    #[error("topic {0} stands twice in the blueprint; add the counts up")]
    TopicTwice(TopicId),
    /// The bank cannot fill the blueprint
    #[error(
        "topic {topic} has {held} questions in the bank, the blueprint wants {wanted}; write more or ask for fewer"
    )]
    TopicTooSmall {
        /// Which
        topic: TopicId,
        /// By the blueprint
        wanted: u16,
        /// In the bank
        held: usize,
    },
    /// An exam without questions
    #[error("the blueprint is empty; name topics and counts")]
    NoQuestions,
}
