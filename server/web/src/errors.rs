//! The page per problem code: `docs/errors/<code>.md`, embedded.

use std::fmt::Write as _;
use synaq_wire::problem::Code;

macro_rules! pages {
    ($($name:ident = $code:literal;)+) => {
        /// The page's Markdown. A code without a page does not compile.
        pub(crate) const fn text(code: Code) -> &'static str {
            match code {
                $(Code::$name => include_str!(concat!("../../docs/errors/", $code, ".md")),)+
            }
        }
    };
}

pages! {
    FrameMalformed = "frame_malformed";
    FrameTooLarge = "frame_too_large";
    BodyMalformed = "body_malformed";
    BodyTooLarge = "body_too_large";
    MediaTypeUnsupported = "media_type_unsupported";
    NotFound = "not_found";
    MethodNotAllowed = "method_not_allowed";
    OutOfLimits = "out_of_limits";
    SignInRequired = "sign_in_required";
    CredentialsWrong = "credentials_wrong";
    RoleMissing = "role_missing";
    OriginForbidden = "origin_forbidden";
    HostForbidden = "host_forbidden";
    TicketInvalid = "ticket_invalid";
    TooManyRequests = "too_many_requests";
    SetupLinkInvalid = "setup_link_invalid";
    PasswordTooWeak = "password_too_weak";
    LoginTaken = "login_taken";
    SecondFactorNeeded = "second_factor_needed";
    SecondFactorWrong = "second_factor_wrong";
    SecondFactorDue = "second_factor_due";
    SecondFactorHeld = "second_factor_held";
    LastHead = "last_head";
    FormInvalid = "form_invalid";
    ChangedMeanwhile = "changed_meanwhile";
    MailOff = "mail_off";
    LinkInvalid = "link_invalid";
    CalledOff = "called_off";
    LinkExpired = "link_expired";
    CredentialInvalid = "credential_invalid";
    OtherDevice = "other_device";
    SupersededEpoch = "superseded_epoch";
    ClientSeqReused = "client_seq_reused";
    WrongStage = "wrong_stage";
    StepMissing = "step_missing";
    NotOpenYet = "not_open_yet";
    ExamEnded = "exam_ended";
    MediaMissing = "media_missing";
    LanguageNotOffered = "language_not_offered";
    NoSuchQuestion = "no_such_question";
    NoSuchOption = "no_such_option";
    NoSuchWarning = "no_such_warning";
    CannotDraw = "cannot_draw";
    TooManyEvents = "too_many_events";
    PhotoTooLarge = "photo_too_large";
    PhotoNotImage = "photo_not_image";
    SdpMalformed = "sdp_malformed";
    SdpTooLarge = "sdp_too_large";
    SdpMediaLines = "sdp_media_lines";
    SdpNoVp8 = "sdp_no_vp8";
    MediaFull = "media_full";
    MediaStopped = "media_stopped";
    NoPicture = "no_picture";
    IncidentNotOpen = "incident_not_open";
    WarningsChanged = "warnings_changed";
    BeginningOutOfRange = "beginning_out_of_range";
    TechnicalCode = "technical_code";
    CodeSwitchedOff = "code_switched_off";
    SecondPersonNeeded = "second_person_needed";
    NothingWaits = "nothing_waits";
    PhotosChanged = "photos_changed";
    BankInvalid = "bank_invalid";
    BankVersionTaken = "bank_version_taken";
    ProgrammeInvalid = "programme_invalid";
    ThresholdBelowLaw = "threshold_below_law";
    CsvInvalid = "csv_invalid";
    TimesOutOfOrder = "times_out_of_order";
    SittingFull = "sitting_full";
    ExamStarted = "exam_started";
    SittingCancelled = "sitting_cancelled";
    CandidateKnown = "candidate_known";
    RecordSealed = "record_sealed";
    HoldOpen = "hold_open";
    EvidenceErased = "evidence_erased";
    RecordNotSealed = "record_not_sealed";
    RecordMismatch = "record_mismatch";
    ValidityRulingMissing = "validity_ruling_missing";
    ExamFullQueue = "exam_full_queue";
    Busy = "busy";
    StoreUnavailable = "store_unavailable";
    ShuttingDown = "shutting_down";
    Internal = "internal";
}

/// The little Markdown of our own pages as HTML: headings, paragraphs, lists, inline code. Everything is escaped.
pub(crate) fn html(markdown: &str) -> String {
    let mut html = String::new();
    for block in markdown.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        if let Some(heading) = block.strip_prefix("# ") {
            push(&mut html, "h1", heading);
        } else if let Some(heading) = block.strip_prefix("## ") {
            push(&mut html, "h2", heading);
        } else if block.starts_with("- ") {
            html.push_str("<ul>\n");
            for item in format!("\n{block}").split("\n- ").skip(1) {
                push(&mut html, "li", item);
            }
            html.push_str("</ul>\n");
        } else {
            push(&mut html, "p", block);
        }
    }
    html
}

fn push(html: &mut String, tag: &str, text: &str) {
    let mut inner = String::new();
    for (place, part) in escaped(text).split('`').enumerate() {
        let coded = place % 2 == 1;
        let part = if coded { format!("<code>{part}</code>") } else { part.to_owned() };
        inner.push_str(&part);
    }
    writeln!(html, "<{tag}>{inner}</{tag}>").expect("writing to a String cannot fail");
}

/// As HTML text.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_page_that_says_what_happened_and_what_to_do() {
        for code in Code::ALL {
            let text = text(*code);
            assert!(text.starts_with(&format!("# {}\n", code.as_str())), "{}", code.as_str());
            for heading in ["\n## What happened\n", "\n## What to do\n"] {
                assert!(text.contains(heading), "{}: {heading}", code.as_str());
            }
        }
    }

    #[test]
    fn markdown_becomes_escaped_html() {
        let html = html("# a\n\n<b> & `x < y`\n\n- one\n- two\n");
        assert_eq!(
            html,
            "<h1>a</h1>\n<p>&lt;b&gt; &amp; <code>x &lt; y</code></p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
        );
    }
}
