//! `synaq rebuild-form BUNDLE --bank FILE`: draws the paper again from what was recorded.

use anyhow::Context as _;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use synaq_core::bank::Lang;
use synaq_core::decision::PlanEntry;
use synaq_core::form::{self, ExamForm};
use synaq_core::ids::{ItemId, hex32};
use synaq_seal::bundle::Bundle;

#[derive(Deserialize)]
struct Recorded {
    bank: RecordedBank,
    language: String,
    plan: PlanEntry,
    draw: Draw,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct RecordedBank {
    slug: String,
    version: u32,
    sha256: String,
}

#[derive(Deserialize)]
struct Draw {
    algorithm_version: u32,
    commitment: String,
    secret: String,
    nonce: String,
}

#[derive(Deserialize)]
struct Question {
    item: String,
    version: u32,
    options: Vec<u8>,
}

/// Prints the rebuilt paper; an error when it is not the recorded one.
pub(crate) fn run(bundle: &Path, bank: &Path) -> anyhow::Result<()> {
    let read =
        |path: &Path| std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let payload = Bundle::parse(&read(bundle)?)?.decode_payload()?;
    let recorded: Recorded = serde_json::from_slice(&payload).context("the record has another shape")?;

    let source = read(bank)?;
    let sha256 = synaq_seal::sha256(&source).to_string();
    anyhow::ensure!(
        sha256 == recorded.bank.sha256,
        "the paper was drawn from {} version {} with SHA-256 {}, this file has {sha256}; give the bank version that \
         was recorded",
        recorded.bank.slug,
        recorded.bank.version,
        recorded.bank.sha256
    );
    let (bank, _) = synaq_question_banks::read_bytes(&source)?;

    anyhow::ensure!(
        recorded.draw.algorithm_version == form::ALGORITHM_VERSION,
        "algorithm version {} is not known here; use the release that made the record",
        recorded.draw.algorithm_version
    );
    let bytes = |text: &str| hex32::decode(text).context("the record's draw is not in hex");
    let (secret, nonce) = (bytes(&recorded.draw.secret)?, bytes(&recorded.draw.nonce)?);
    anyhow::ensure!(
        form::commitment(&secret) == bytes(&recorded.draw.commitment)?,
        "the secret is not the one that was committed to before the exam"
    );
    let excluded: BTreeSet<ItemId> = recorded.plan.excluded.iter().cloned().map(ItemId).collect();
    let rebuilt = form::draw(&bank, &recorded.plan.plan(), &excluded, form::seed(&secret, &nonce))?;
    compare(&rebuilt, &recorded.questions)?;

    let lang = if recorded.language == "kk" { Lang::Kk } else { Lang::Ru };
    let mut paper = String::new();
    for (place, question) in (1..).zip(&rebuilt.questions) {
        let item = bank.item(&question.item).expect("drawn from this bank");
        writeln!(paper, "{place}. [{} v{}] {}", item.id, item.version, item.text.get(lang))?;
        for (letter, index) in ('A'..).zip(&question.options) {
            writeln!(paper, "   {letter}. {}", item.options[usize::from(*index)].text.get(lang))?;
        }
    }
    let count = rebuilt.questions.len();
    writeln!(paper, "The paper is the recorded one: {count} questions, options in the same order.")?;
    super::print(&paper)
}

fn compare(rebuilt: &ExamForm, recorded: &[Question]) -> anyhow::Result<()> {
    anyhow::ensure!(
        rebuilt.questions.len() == recorded.len(),
        "the rebuilt paper has another number of questions"
    );
    for (place, (mine, theirs)) in (1..).zip(rebuilt.questions.iter().zip(recorded)) {
        anyhow::ensure!(
            mine.item.0 == theirs.item && mine.version == theirs.version && mine.options == theirs.options,
            "question {place} differs: rebuilt {} v{}, recorded {} v{}",
            mine.item,
            mine.version,
            theirs.item,
            theirs.version
        );
    }
    Ok(())
}
