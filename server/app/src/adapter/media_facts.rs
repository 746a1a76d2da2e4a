//! What the media threads said and the sessions have not taken yet: in order per session, bounded, never waiting.

use std::collections::{HashMap, VecDeque};
use synaq_core::session::MediaFact;
use synaq_core::time::Span;
use uuid::Uuid;

/// Facts waiting in the whole process, from which on holes in recordings are summed up however far apart they are: a
/// thousand publishers, each with a day of segments. What names a piece of evidence comes once and is kept beyond it;
/// the disk that must take each piece bounds those.
const FACTS_MAX: usize = 65_536;

/// Something to tell a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// As it is
    Fact(MediaFact),
    /// A piece could not be written to its end: what can be read of it is still to be measured
    Failed {
        /// Of the piece
        name: String,
        /// What the disk said
        why: String,
    },
}

/// What the media threads know of a session now.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Present {
    /// The webcam reaches the server
    pub(crate) video: bool,
    /// The microphone reaches the server
    pub(crate) audio: bool,
    /// The shared screen reaches the server
    pub(crate) screen: bool,
    /// The recorder is not through with it
    pub(crate) recording: bool,
}

#[derive(Default)]
struct Lane {
    words: VecDeque<Word>,
    /// Somebody is telling this session
    busy: bool,
    present: Present,
}

/// Facts by session.
#[derive(Default)]
pub(crate) struct Waiting {
    lanes: HashMap<Uuid, Lane>,
    /// Sessions with words that nobody tells yet
    ready: VecDeque<Uuid>,
    facts: usize,
    overfull: bool,
}

impl Waiting {
    /// Puts a word behind the others of its session. A newer flow stands for an older one that waits.
    pub(crate) fn push(&mut self, session: Uuid, word: Word) {
        let lane = self.lanes.entry(session).or_default();
        match &word {
            Word::Fact(MediaFact::Flow { video, audio }) => {
                (lane.present.video, lane.present.audio) = (*video, *audio);
                let before = lane.words.len();
                lane.words.retain(|waits| !matches!(waits, Word::Fact(MediaFact::Flow { .. })));
                self.facts -= before - lane.words.len();
            }
            Word::Fact(MediaFact::Screen(live)) => {
                lane.present.screen = *live;
                let before = lane.words.len();
                lane.words.retain(|waits| !matches!(waits, Word::Fact(MediaFact::Screen(_))));
                self.facts -= before - lane.words.len();
            }
            Word::Fact(MediaFact::Recording(on)) => lane.present.recording = *on,
            Word::Fact(MediaFact::Gap { span, why, name: None })
                if lane.sums_up(*span, why, self.overfull) =>
            {
                return;
            }
            _ => {}
        }
        lane.words.push_back(word);
        self.facts += 1;
        if !lane.busy && lane.words.len() == 1 {
            self.ready.push_back(session);
        }
        self.watch_bound();
    }

    fn watch_bound(&mut self) {
        let overfull = self.facts >= FACTS_MAX;
        if overfull && !self.overfull {
            tracing::error!(
                waiting = self.facts,
                "facts about recordings wait for the store; holes in recordings are summed up until it takes writes"
            );
        }
        self.overfull = overfull;
    }

    /// The next session to tell; it is busy until [`Self::next`] says that nothing is left.
    pub(crate) fn take_session(&mut self) -> Option<Uuid> {
        let session = self.ready.pop_front()?;
        if let Some(lane) = self.lanes.get_mut(&session) {
            lane.busy = true;
        }
        Some(session)
    }

    /// The next word of a session taken; `None` gives it back.
    pub(crate) fn next(&mut self, session: Uuid) -> Option<Word> {
        let lane = self.lanes.get_mut(&session)?;
        if let Some(word) = lane.words.pop_front() {
            self.facts -= 1;
            self.watch_bound();
            return Some(word);
        }
        lane.busy = false;
        if lane.present == Present::default() {
            self.lanes.remove(&session);
        }
        None
    }

    /// What is present of a session, unless words about it are still under way.
    pub(crate) fn settled(&self, session: Uuid) -> Option<Present> {
        let lane = self.lanes.get(&session)?;
        (!lane.busy && lane.words.is_empty()).then_some(lane.present)
    }

    /// Whether every word was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.values().all(|lane| !lane.busy && lane.words.is_empty())
    }
}

impl Lane {
    /// Adds a hole to one that waits: to the newest word, or to any when there is no room for more.
    fn sums_up(&mut self, more: Span, because: &str, anywhere: bool) -> bool {
        let depth = if anywhere { self.words.len() } else { 1 };
        for word in self.words.iter_mut().rev().take(depth) {
            if let Word::Fact(MediaFact::Gap { span, why, name: None }) = word
                && why == because
            {
                *span = *span + more;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Uuid = Uuid::from_u128(7);

    fn flow(video: bool, audio: bool) -> Word {
        Word::Fact(MediaFact::Flow { video, audio })
    }

    fn opened(name: &str) -> Word {
        Word::Fact(MediaFact::Opened { name: name.to_owned() })
    }

    fn gap(ms: i64) -> Word {
        Word::Fact(MediaFact::Gap { span: Span(ms), why: "lost".to_owned(), name: None })
    }

    fn drain(waiting: &mut Waiting) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some(session) = waiting.take_session() {
            words.extend(std::iter::from_fn(|| waiting.next(session)));
        }
        words
    }

    #[test]
    fn words_of_a_session_keep_their_order_and_only_the_newest_flow_is_told() {
        let mut waiting = Waiting::default();
        for word in [flow(true, false), opened("a"), flow(true, true), opened("b"), flow(false, true)] {
            waiting.push(SESSION, word);
        }
        assert_eq!(drain(&mut waiting), [opened("a"), opened("b"), flow(false, true)]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_session_is_told_by_one_at_a_time_and_comes_again_when_more_is_said() {
        let mut waiting = Waiting::default();
        waiting.push(SESSION, flow(true, true));
        assert_eq!(waiting.take_session(), Some(SESSION));
        assert_eq!(waiting.next(SESSION), Some(flow(true, true)));
        waiting.push(SESSION, opened("a"));
        assert_eq!(waiting.take_session(), None, "it is being told");
        assert_eq!(waiting.settled(SESSION), None);
        assert_eq!(waiting.next(SESSION), Some(opened("a")));
        assert_eq!(waiting.next(SESSION), None);
        assert_eq!(
            waiting.settled(SESSION),
            Some(Present { video: true, audio: true, ..Present::default() })
        );
        waiting.push(SESSION, flow(false, false));
        assert_eq!(drain(&mut waiting), [flow(false, false)]);
        assert!(waiting.lanes.is_empty(), "nothing of it stays");
    }

    #[test]
    fn without_room_holes_are_summed_up_and_pieces_are_kept() {
        let mut waiting = Waiting::default();
        waiting.push(SESSION, gap(5));
        waiting.push(SESSION, gap(6));
        for number in 0..FACTS_MAX {
            waiting.push(SESSION, opened(&number.to_string()));
        }
        waiting.push(SESSION, gap(7));
        assert_eq!(waiting.facts, FACTS_MAX + 1);
        let words = drain(&mut waiting);
        assert_eq!(words[0], gap(5 + 6 + 7));
        assert_eq!(words.len(), 1 + FACTS_MAX);
        assert_eq!(waiting.facts, 0);
    }
}
