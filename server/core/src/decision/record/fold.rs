//! Folding a closed session into its record. Pure.

use super::{
    AccommodationEntry, BankEntry, BreakEntry, CandidateEntry, CentreEntry, DrawEntry, EvidenceEntry,
    ExplanationEntry, FindingEntry, GATES_NOT_CHECKED, GapEntry, GestureEntry, IdentityEntry, PlanEntry,
    ProfessionEntry, ProgrammeEntry, QuestionEntry, RECORD_KIND, RECORD_VERSION, ReadText, RecheckEntry,
    Record, RecordFacts, SaidEntry, SpanEntry, StepEntry, SupervisionEntry, TheoryEntry, TimeChangeEntry,
    ViolationEntry, VoidEntry, WarningEntry,
};
use crate::bank::Lang;
use crate::decision::{NoResultWhy, NotPassedWhy, Score, TheoryOutcome, outcome};
use crate::form::{ALGORITHM_VERSION, commitment, seed};
use crate::ids::hex32;
use crate::proctoring::{Finding, IncidentStatus, Said, explanation};
use crate::session::limits::UNSUPERVISED_COMMISSION;
use crate::session::{
    AcknowledgedText, BreakTaken, ChallengeDone, Consequence, ExamSession, Finish, MediaStepped, RecheckDone,
    SealWaits, Stage, Standing, State, TimeChangeKind, Voided,
};
use crate::time::{At, Span};
use std::fmt::Write;

/// The record of a closed session; or why it must wait.
pub fn fold(session: &ExamSession, facts: &RecordFacts) -> Result<Record, SealWaits> {
    if let Some(waits) = session.seal_waits(facts.assembled_at) {
        return Err(waits);
    }
    let state = session.state();
    let Stage::Closed { finish, at: finished_at } = &state.stage else { return Err(SealWaits::NotClosed) };
    let programme = &session.context().programme;
    let (consent_version, consent_lang) = state.consent.clone().unwrap_or((String::new(), Lang::Kk));
    let unsupervised = session.unsupervised(*finished_at);
    Ok(Record {
        kind: RECORD_KIND,
        v: RECORD_VERSION,
        decision: "none",
        gates_not_checked: GATES_NOT_CHECKED,
        session: facts.session.to_string(),
        assembled_at: instant(facts.assembled_at),
        sealed_at: facts.assembled_at.0,
        centre: CentreEntry {
            name_kk: facts.centre_name.kk.clone(),
            name_ru: facts.centre_name.ru.clone(),
            bin: facts.centre_bin.clone(),
            contacts: facts.centre_contacts.clone(),
        },
        candidate: CandidateEntry {
            name: facts.candidate_name.clone(),
            document: facts.candidate_document.clone(),
        },
        sitting: state.sitting.map(|id| id.to_string()).unwrap_or_default(),
        profession: ProfessionEntry {
            name_kk: programme.profession.name.kk.clone(),
            name_ru: programme.profession.name.ru.clone(),
            nco_code: programme.profession.nco_code.clone(),
            level: programme.profession.level,
        },
        programme: ProgrammeEntry {
            slug: programme.slug.clone(),
            version: programme.version,
            basis_kk: programme.basis.kk.clone(),
            basis_ru: programme.basis.ru.clone(),
        },
        bank: BankEntry {
            slug: programme.bank_slug.clone(),
            version: programme.bank_version,
            sha256: session.context().bank_sha256.clone(),
        },
        // English readers sit the Russian paper.
        language: if state.lang == Some(Lang::Kk) { "kk" } else { "ru" }.to_owned(),
        consent: ReadText { text: "consent", version: consent_version, language: lang(consent_lang) },
        acknowledgements: acknowledgements(state),
        identity: IdentityEntry {
            admitted_by: state.admitted.map(|(by, _)| by.to_string()).unwrap_or_default(),
            admitted_at: state.admitted.map(|(_, at)| instant(at)).unwrap_or_default(),
        },
        accommodations: AccommodationEntry {
            extra_ms: state.extra.0,
            switched_off: session.switched_off().iter().map(|code| code.name()).collect(),
            breaks: state.care.breaks,
            hearing_aid: state.care.hearing_aid,
            note: state.care.note.clone(),
        },
        plan: PlanEntry::of(&programme.plan),
        draw: draw_entry(state),
        theory: theory(session, finish, *finished_at),
        questions: questions(state, facts),
        late_answers: u32::try_from(state.late_answers.len()).unwrap_or(u32::MAX),
        warnings: warnings(state),
        violations: violations(state),
        supervision: SupervisionEntry {
            unsupervised_ms: unsupervised.0,
            commission_must_rule: unsupervised > UNSUPERVISED_COMMISSION,
            steps: steps(state),
        },
        interruptions: state.interruptions,
        downtimes: state
            .downtimes
            .iter()
            .map(|span| SpanEntry { from: instant(span.from), to: instant(span.to) })
            .collect(),
        time_changes: time_changes(state),
        breaks: breaks(state),
        identity_rechecks: rechecks(state),
        gestures: gestures(state),
        evidence: evidence(state),
        evidence_gaps: state
            .evidence_gaps
            .iter()
            .map(|(at, span, why)| GapEntry { at: instant(*at), ms: span.0, why: why.clone() })
            .collect(),
        voided: state.voided.as_ref().map(void_entry),
        staff: facts.staff.clone(),
        event_log: facts.event_log.clone(),
    })
}

fn void_entry((voided, at): &(Voided, At)) -> VoidEntry {
    VoidEntry {
        at: instant(*at),
        by: voided.by.to_string(),
        ground: voided.ground.clone(),
        reason: voided.reason.clone(),
        replaced_by: voided.replaced_by.map(|session| session.to_string()),
    }
}

fn theory(session: &ExamSession, finish: &Finish, finished_at: At) -> TheoryEntry {
    let state = session.state();
    let threshold_pct = session.context().programme.plan.threshold_pct;
    let score = session.score().unwrap_or(Score { correct: 0, total: 0 });
    let scored = matches!(finish, Finish::Submitted | Finish::TimeExpired);
    let outcome = outcome(finish, score, threshold_pct);
    let (name, why) = match outcome {
        TheoryOutcome::Passed => ("passed", None),
        TheoryOutcome::NotPassed(why) => ("not_passed", Some(not_passed(why))),
        TheoryOutcome::NoResult(NoResultWhy::Technical) => ("no_result", Some("technical")),
        TheoryOutcome::NoResult(NoResultWhy::Safety) => ("no_result", Some("safety")),
    };
    let finished_by = match finish {
        Finish::Staff { by, second, .. } => {
            std::iter::once(by).chain(second).map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    };
    TheoryEntry {
        scored,
        correct: scored.then_some(score.correct),
        total: score.total,
        threshold_pct,
        passed: outcome == TheoryOutcome::Passed,
        outcome: name,
        why,
        finish_reason: finish.name(),
        finished_by,
        finish_note: state.finish_note.clone(),
        started_at: state.started_at.map(instant).unwrap_or_default(),
        finished_at: instant(finished_at),
        planned_ms: state.planned.0,
        extra_ms: state.extra.0,
        credited_ms: state.credited.0,
    }
}

fn not_passed(why: NotPassedWhy) -> &'static str {
    match why {
        NotPassedWhy::BelowThreshold => "below_threshold",
        NotPassedWhy::Violation => "violation",
        NotPassedWhy::CandidateRequest => "candidate_request",
        NotPassedWhy::Impersonation => "impersonation",
    }
}

fn draw_entry(state: &State) -> DrawEntry {
    let secret = state.draw_secret.map_or([0; 32], |secret| secret.0);
    let nonce = state.draw_nonce.map_or([0; 32], |nonce| nonce.0);
    DrawEntry {
        algorithm_version: state.form.as_ref().map_or(ALGORITHM_VERSION, |form| form.algorithm_version),
        commitment: hex32::encode(&commitment(&secret)),
        secret: hex32::encode(&secret),
        nonce: hex32::encode(&nonce),
        seed: hex32::encode(&seed(&secret, &nonce).0),
    }
}

fn questions(state: &State, facts: &RecordFacts) -> Vec<QuestionEntry> {
    let places = state.form.iter().flat_map(|form| &form.questions);
    (0..=u16::MAX)
        .zip(places)
        .map(|(place, question)| {
            let answer = state.answers.get(&place);
            QuestionEntry {
                n: u32::from(place) + 1,
                item: question.item.to_string(),
                version: question.version,
                commitment: facts.question_commitments.get(usize::from(place)).cloned().unwrap_or_default(),
                options: question.options.clone(),
                answered: answer.map(|answer| answer.shown.iter().copied().collect()).unwrap_or_default(),
                at: answer.map(|answer| instant(answer.at)),
            }
        })
        .collect()
}

fn acknowledgements(state: &State) -> Vec<ReadText> {
    let name = |text| match text {
        AcknowledgedText::Methodology => "methodology",
        AcknowledgedText::AppealProcedure => "appeal_procedure",
        AcknowledgedText::ForbiddenItems => "forbidden_items",
        AcknowledgedText::Conduct => "conduct",
    };
    state
        .acknowledged
        .iter()
        .map(|(text, (version, read_in))| ReadText {
            text: name(*text),
            version: version.clone(),
            language: lang(*read_in),
        })
        .collect()
}

fn warnings(state: &State) -> Vec<WarningEntry> {
    match &state.standing {
        Standing::Clean => Vec::new(),
        Standing::Warned(warning) | Standing::Terminated { warning, .. } => vec![WarningEntry {
            ordinal: warning.ordinal,
            given_at: instant(warning.given_at),
            displayed_at: warning.displayed_at.map(instant),
            acknowledged_at: warning.acknowledged_at.map(instant),
            effective_at: warning.effective.map(|(at, _)| instant(at)),
        }],
    }
}

fn violations(state: &State) -> Vec<ViolationEntry> {
    state
        .violations
        .iter()
        .filter_map(|violation| {
            let incident = state.incidents.iter().find(|incident| incident.no == violation.incident)?;
            Some(ViolationEntry {
                ordinal: violation.ordinal,
                code: incident.code.name(),
                began_at: instant(incident.began_at),
                counted_at: instant(violation.at),
                consequence: match violation.consequence {
                    Consequence::Warning => "warning",
                    Consequence::Termination => "termination",
                    Consequence::None => "none",
                },
                confirmed_by: match &incident.status {
                    IncidentStatus::ConfirmedHuman { by, .. } => by.to_string(),
                    _ => "auto".to_owned(),
                },
                note: incident.note.clone(),
                finding: incident.finding.as_ref().map(finding),
            })
        })
        .collect()
}

fn finding(finding: &Finding) -> FindingEntry {
    let Finding { confidence_pct, measured } = finding.clone();
    let explained = explanation(&measured.condition);
    FindingEntry {
        detector: measured.detector,
        version: measured.version,
        condition: measured.condition,
        confidence_pct,
        score_milli: measured.score_milli,
        threshold_milli: measured.threshold_milli,
        picture_at: measured.picture_at.map(instant),
        picture_sha256: measured.picture_sha256,
        shown: measured.shown,
        could_not_tell: measured.could_not_tell,
        explanation: explained
            .map(|words| ExplanationEntry { seen: said(words.seen), not_meant: said(words.not_meant) }),
    }
}

const fn said(Said { kk, ru, en }: Said) -> SaidEntry {
    SaidEntry { kk, ru, en }
}

fn time_changes(state: &State) -> Vec<TimeChangeEntry> {
    state
        .time_changes
        .iter()
        .map(|change| TimeChangeEntry {
            kind: match change.kind {
                TimeChangeKind::Pause => "pause",
                TimeChangeKind::Credit => "credit",
                TimeChangeKind::Extension => "extension",
            },
            at: instant(change.at),
            ms: change.span.max(Span::ZERO).0,
            by: change.by.to_string(),
            reason: change.reason.clone(),
        })
        .collect()
}

fn breaks(state: &State) -> Vec<BreakEntry> {
    let entry = |taken: &BreakTaken| BreakEntry {
        why: taken.why.name(),
        from: instant(taken.granted.at),
        to: instant(taken.ended_at),
        until: instant(taken.granted.until),
        clock_stopped: taken.granted.stops_clock,
        overran: taken.overran,
        by: taken.granted.by.to_string(),
    };
    state.breaks.iter().map(entry).collect()
}

fn rechecks(state: &State) -> Vec<RecheckEntry> {
    let entry = |done: &RecheckDone| RecheckEntry {
        asked_at: instant(done.asked_at),
        ruled_at: instant(done.ruled_at),
        accepted: done.accepted,
        by: done.by.to_string(),
    };
    state.rechecks.iter().map(entry).collect()
}

fn gestures(state: &State) -> Vec<GestureEntry> {
    let entry = |done: &ChallengeDone| GestureEntry {
        gesture: done.gesture.name(),
        asked_at: instant(done.asked_at),
        alternative: done.alternative,
        accepted: done.accepted,
        by: done.by.to_string(),
    };
    state.challenges.iter().map(entry).collect()
}

fn steps(state: &State) -> Vec<StepEntry> {
    let entry = |stepped: &MediaStepped| StepEntry {
        at: instant(stepped.at),
        step: stepped.step.name(),
        why: stepped.why.name(),
    };
    state.media_steps.iter().map(entry).collect()
}

fn evidence(state: &State) -> Vec<EvidenceEntry> {
    state
        .evidence
        .iter()
        .map(|held| EvidenceEntry { name: held.name.clone(), sha256: held.sha256.clone(), bytes: held.bytes })
        .collect()
}

fn lang(lang: Lang) -> &'static str {
    match lang {
        Lang::Kk => "kk",
        Lang::Ru => "ru",
        Lang::En => "en",
    }
}

/// An instant beyond four-digit years has no RFC 3339 form and cannot come from a real clock; then it is empty.
fn instant(at: At) -> String {
    let mut text = String::new();
    if write!(text, "{at}").is_err() {
        text.clear();
    }
    text
}
