use std::path::Path;
use synaq_core::proctoring::{Class, Code, RuleTable};
use synaq_core::time::Span;

const INTRODUCTION: &str = "# Incident codes and their defaults\n\n\
    Generated from the table in `server/core/src/proctoring/code.rs`; a test compares. A centre may change any \
    row, an accommodation switches named codes off. *auto* confirms itself after its minimum duration, *human* \
    waits for a person, *info* is for the record only. Shorter or less certain claims are for the record only; \
    claims closer together than the merge gap are one incident. `CAMERA_OFF`, `MIC_OFF` and \
    `SCREEN_SHARE_ENDED` also need one failed on-screen attempt to restore the device.\n\n";

/// `SYNAQ_WRITE_DOCS=1` writes the page anew.
#[test]
fn the_printed_table_is_the_one_in_force() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/INCIDENT_CODES.md");
    let wanted = INTRODUCTION.to_owned() + &RuleTable::default().markdown();
    if std::env::var_os("SYNAQ_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        std::fs::write(&page, &wanted).unwrap();
    }
    let printed = std::fs::read_to_string(&page).expect("server/docs/INCIDENT_CODES.md exists");
    assert_eq!(printed, wanted, "run this test with SYNAQ_WRITE_DOCS=1");
}

#[test]
fn only_plain_technical_facts_confirm_themselves() {
    let auto: Vec<_> =
        Code::ALL.iter().copied().filter(|code| code.default_rule().class == Class::Auto).collect();
    assert_eq!(
        auto,
        [Code::CameraOff, Code::MicOff, Code::ScreenShareEnded, Code::WindowBlur, Code::FullscreenExit]
    );
    for code in auto {
        let wanted = if code.needs_failed_restore() { Span::secs(15) } else { Span::secs(10) };
        assert_eq!(code.default_rule().min_duration, wanted);
    }
}

#[test]
fn names_are_unique_and_parse_back() {
    for code in Code::ALL {
        assert_eq!(code.name().parse(), Ok(*code));
        assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
    }
}
