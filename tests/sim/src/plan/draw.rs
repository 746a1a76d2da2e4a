//! A plan out of a seed.

use super::{Act, Candidate, Deed, Fault, Item, Plan, Trouble};
use crate::dice::Dice;
use crate::ports::QUESTIONS;

const PLAN: u64 = 1;
const PEOPLE: u64 = 2;
const FAULTS: u64 = 3;
/// Candidates of one run.
const CANDIDATES_MAX: i64 = 3;
/// Exams last so many minutes: long enough for the 10 min that nobody may be unsupervised to matter.
const MINUTES: [u16; 4] = [4, 7, 10, 14];
/// Kinds of faults and troubles; a run has each with even odds.
const FAULT_KINDS: u64 = 24;
const TROUBLE_KINDS: u64 = 8;

pub(super) fn plan(seed: u64) -> Plan {
    let mut dice = Dice::new(seed, &[PLAN]);
    let minutes = *dice.pick(&MINUTES);
    let mut items = Vec::new();
    for no in 0..u8::try_from(dice.between(1, CANDIDATES_MAX)).expect("small") {
        candidate(seed, no, minutes, &mut items);
    }
    faults(seed, minutes, &mut items);
    Plan { seed, minutes, items }
}

fn candidate(seed: u64, no: u8, minutes: u16, items: &mut Vec<Item>) {
    let mut dice = Dice::new(seed, &[PEOPLE, u64::from(no)]);
    let knows = dice.percent(45);
    items.push(Item::Candidate(Candidate {
        no,
        join_ms: ms(&mut dice, 0, 20_000),
        skew_ms: *dice.pick(&[0, 0, 0, -3_600_000, 3_600_000, -4_000, 90_000]),
        extra_min: if dice.percent(15) { 2 } else { 0 },
        displays_after_ms: dice.percent(80).then(|| ms(&mut dice, 20, 4_000)),
        acknowledges_after_ms: dice.percent(70).then(|| ms(&mut dice, 1_000, 70_000)),
        drains: dice.percent(80),
        asked_again: dice.percent(15),
        knows,
    }));
    let exam = u64::from(minutes) * 60_000;
    if knows {
        for question in 0..QUESTIONS {
            let act = Act::Answer { question, shown: vec![0] };
            items.push(Item::Act { candidate: no, at_ms: dice.below(exam / 2), act });
        }
    }
    acts(&mut dice, no, exam, items);
    deeds(&mut dice, no, exam, items);
    for kind in 0..TROUBLE_KINDS {
        if dice.percent(50) {
            continue;
        }
        for _ in 0..dice.between(1, 2) {
            let trouble = trouble(&mut dice, kind);
            items.push(Item::Line { candidate: no, at_ms: ms(&mut dice, 0, exam + 30_000), trouble });
        }
    }
}

fn ms(dice: &mut Dice, least: u64, most: u64) -> u64 {
    least + dice.below(most - least + 1)
}

fn acts(dice: &mut Dice, no: u8, exam: u64, items: &mut Vec<Item>) {
    let mut act = |at_ms, act| items.push(Item::Act { candidate: no, at_ms, act });
    for _ in 0..dice.between(6, 18) {
        let question = u16::try_from(dice.below(u64::from(QUESTIONS))).expect("below u16");
        // The key is one of four, so that some exams pass.
        let shown = match dice.below(12) {
            0 => Vec::new(),
            _ => vec![u8::try_from(dice.below(4)).expect("below 4")],
        };
        // Some at the very end: the race with the deadline, and late answers.
        let at_ms = match dice.below(6) {
            0 => exam - 2_000 + dice.below(5_000),
            _ => dice.below(exam),
        };
        act(at_ms, Act::Answer { question, shown });
    }
    for _ in 0..dice.below(3) {
        let question = u16::try_from(dice.below(u64::from(QUESTIONS))).expect("below u16");
        act(dice.below(exam), Act::Flag { question, on: dice.percent(60) });
    }
    for _ in 0..dice.below(3) {
        let for_ms = ms(dice, 500, 45_000);
        let what = match dice.below(4) {
            0 => Act::LeaveFullScreen { for_ms },
            1 => Act::CameraOff { for_ms, restore_fails: dice.percent(60) },
            _ => Act::LeavePage { for_ms },
        };
        act(dice.below(exam), what);
    }
    if dice.percent(25) {
        act(dice.below(exam), Act::Prompt { for_ms: ms(dice, 500, 20_000) });
    }
    if dice.percent(20) {
        act(dice.below(exam), Act::Call);
    }
    if dice.percent(20) {
        act(dice.below(exam), Act::Say);
    }
    if dice.percent(30) {
        let waits_ms = dice.percent(25).then(|| ms(dice, 500, 8_000));
        act(dice.below(exam), Act::Break { away_ms: ms(dice, 2_000, 110_000), waits_ms });
    }
    if dice.percent(15) {
        // Given before the deadline, delivered after it.
        act(exam - 6_000, Act::OfflineAtEnd { for_ms: ms(dice, 10_000, 60_000) });
    } else if dice.percent(55) {
        let at =
            if dice.percent(20) { exam - 300 + dice.below(600) } else { exam / 2 + dice.below(exam / 2) };
        act(at, Act::HandIn);
    }
}

const CODES: [&str; 9] = [
    "FORBIDDEN_ITEM",
    "SECOND_PERSON",
    "NO_FACE",
    "SPEECH_OTHER",
    "LEFT_PLACE",
    "SECOND_SCREEN",
    "OTHER",
    "NETWORK_LOST",
    "COPY_PASTE",
];

fn deeds(dice: &mut Dice, no: u8, exam: u64, items: &mut Vec<Item>) {
    let mut deed = |at_ms, deed| items.push(Item::Deed { candidate: no, at_ms, deed });
    // Suspicions come in heaps: what one warning leads to is what the rules are about.
    for _ in 0..dice.below(3) {
        let around = dice.below(exam);
        for _ in 0..dice.between(1, 2) {
            let code = (*dice.pick(&CODES)).to_owned();
            let what = match dice.below(3) {
                0 => Deed::Record { code, ago_ms: dice.below(20_000), both: dice.percent(40) },
                _ => Deed::Detect { code, confidence_pct: *dice.pick(&[30, 60, 100]) },
            };
            deed(around + dice.below(40_000), what);
        }
    }
    if dice.percent(35) {
        deed(dice.below(exam), Deed::Pause { for_ms: ms(dice, 1_000, 90_000) });
    }
    if dice.percent(35) {
        deed(dice.below(exam), Deed::Credit { secs: u32::try_from(dice.between(1, 120)).expect("small") });
    }
    if dice.percent(25) {
        deed(dice.below(exam), Deed::Extend { secs: u32::try_from(dice.between(1, 120)).expect("small") });
    }
    if dice.percent(20) {
        let why = dice.pick(&["safety", "technical", "candidate_request", "impersonation", "impersonation"]);
        deed(dice.below(exam), Deed::End { why: (*why).to_owned() });
    }
    if dice.percent(25) {
        deed(dice.below(exam), Deed::Say);
    }
    if dice.percent(25) {
        deed(dice.below(exam), Deed::StopAll { for_ms: ms(dice, 1_000, 120_000) });
    }
    if dice.percent(25) {
        deed(dice.below(exam), Deed::Recheck { stop: dice.percent(50) });
    }
    if dice.percent(25) {
        deed(dice.below(exam), Deed::Gesture { after_ms: dice.below(60_000) });
    }
    if dice.percent(40) {
        let finished = dice.percent(70);
        deed(dice.below(exam), Deed::Evidence { for_ms: ms(dice, 1_000, 120_000), finished });
    }
}

fn trouble(dice: &mut Dice, kind: u64) -> Trouble {
    match kind {
        0 => Trouble::Cut { offline_ms: ms(dice, 100, 30_000), arrives: dice.percent(50) },
        1 => Trouble::HalfOpen { for_ms: ms(dice, 1_000, 25_000) },
        2 => Trouble::Slow { for_ms: ms(dice, 1_000, 60_000), delay_ms: ms(dice, 300, 5_000) },
        3 => Trouble::SendTwice,
        4 => Trouble::Reload { for_ms: ms(dice, 200, 6_000) },
        5 => Trouble::SecondTab { for_ms: ms(dice, 2_000, 40_000) },
        6 => Trouble::SecondDevice { for_ms: ms(dice, 2_000, 40_000) },
        _ => Trouble::PictureLost { for_ms: ms(dice, 2_000, 700_000) },
    }
}

fn faults(seed: u64, minutes: u16, items: &mut Vec<Item>) {
    let mut dice = Dice::new(seed, &[FAULTS]);
    let run = u64::from(minutes) * 60_000 + 120_000;
    for kind in 0..FAULT_KINDS {
        if dice.percent(50) {
            continue;
        }
        for _ in 0..dice.between(1, 2) {
            let fault = fault(&mut dice, kind);
            items.push(Item::Fault { at_ms: dice.below(run), fault });
        }
    }
}

fn fault(dice: &mut Dice, kind: u64) -> Fault {
    let down_ms = match dice.below(4) {
        0 => ms(dice, 0, 300),
        1 => ms(dice, 30_000, 400_000),
        _ => ms(dice, 300, 20_000),
    };
    let for_ms = ms(dice, 200, 30_000);
    match kind {
        0 => Fault::AppendFails,
        1 => Fault::AppendUnknown,
        2 => Fault::DiskFull { for_ms },
        3 => Fault::SlowAppends { for_ms, each_ms: ms(dice, 100, 900) },
        4 => Fault::HeldAppends { for_ms: ms(dice, 50, 4_000) },
        5 => Fault::HeldAnswer { for_ms: ms(dice, 50, 4_000) },
        6 => Fault::TakeOver { overlap_ms: ms(dice, 100, 20_000) },
        7 => Fault::Crash {
            down_ms,
            step_ms: if dice.percent(20) { dice.between(-120_000, 120_000) } else { 0 },
        },
        8 => Fault::CrashInAppend { down_ms },
        9 => Fault::CrashAfterCommit { down_ms },
        10 => Fault::Stop { down_ms },
        11 => Fault::LoadsFail { for_ms },
        12 => Fault::StartsFail { for_ms },
        13 => Fault::MarksFail { for_ms },
        14 => Fault::SourceFails { for_ms },
        15 => Fault::ClaimsFail { for_ms: for_ms * 10 },
        16 => Fault::SettlesFail { for_ms: for_ms * 10 },
        17 => Fault::ClockJump { by_ms: ms(dice, 10, 20_000) },
        18 => Fault::PlatformDown { for_ms: for_ms * 20 },
        19 => Fault::PlatformSlow { for_ms: for_ms * 20, each_ms: ms(dice, 1_000, 30_000) },
        20 => Fault::PlatformLies { for_ms: for_ms * 20 },
        21 => Fault::PlatformForgets { for_ms: for_ms * 20 },
        22 => Fault::PlatformRefuses { for_ms: for_ms * 10 },
        _ => Fault::SlowLoads { for_ms: for_ms * 20, each_ms: ms(dice, 100, 12_000) },
    }
}
