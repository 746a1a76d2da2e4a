//! A proctor's conversation.

use crate::exam::{Exam, PROCTORS, prepared, warned};
use crate::{Verdict, frames};
use synaq_core::session::Input;
use synaq_wire::proctor::ClientFrame;

#[expect(clippy::result_large_err, reason = "the front door's own signatures")]
#[path = "../../../../server/web/src/proctor/command.rs"]
mod command;

pub(crate) fn converse(data: &[u8]) -> Verdict {
    let taken = [prepared(), warned()].map(|mut exam| {
        let refused = frames(data).filter(|text| !say(&mut exam, text)).count();
        exam.check();
        refused == 0
    });
    if taken.contains(&true) { Verdict::Taken } else { Verdict::Refused }
}

/// Whether it was accepted.
fn say(exam: &mut Exam, text: &str) -> bool {
    let Ok(frame) = serde_json::from_str::<ClientFrame>(text) else { return false };
    let spelled = serde_json::to_string(&frame).expect("frames are plain JSON");
    let again = serde_json::from_str::<ClientFrame>(&spelled);
    assert_eq!(again.ok().as_ref(), Some(&frame), "a frame does not survive its own spelling");
    match frame {
        ClientFrame::Ping { n } => exam.wait(n),
        ClientFrame::Watch { .. } | ClientFrame::Open { .. } | ClientFrame::Duty { .. } => {}
        ClientFrame::Everybody { re, act, .. } => {
            let by = PROCTORS[usize::from(re % 2 == 1)];
            return exam.ask(Input::Staff { by, command: command::for_everybody(act, None) });
        }
        ClientFrame::Command { re, command, .. } => {
            let Ok(command) = command::command(command) else { return false };
            // An even number is said by the first proctor, an odd one by the second.
            let by = PROCTORS[usize::from(re % 2 == 1)];
            return exam.ask(Input::Staff { by, command });
        }
    }
    true
}
