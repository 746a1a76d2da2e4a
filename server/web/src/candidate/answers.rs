//! What a socket still owes: one answer per frame, in the order of the frames.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use synaq_runtime::{Asked, Done, SubmitError};
use synaq_wire::candidate::ServerFrame;
use tokio::time::Instant;

/// How a frame names its command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) client_seq: u64,
    pub(super) epoch: u32,
    pub(super) client_at: i64,
}

/// The next answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// Known at once
    Frame(Box<ServerFrame>),
    /// The store has spoken; `heard_at` is when the frame was read
    Decided { given: Given, heard_at: Instant, outcome: Result<Done, SubmitError> },
}

enum Owed {
    Frame(Box<ServerFrame>),
    Asked { given: Given, heard_at: Instant, asked: Asked },
}

/// Only the first in the queue is waited for: the shard decides in the order of asking, so a wake-up is never for a
/// later one alone, and nothing is allocated per frame.
#[derive(Default)]
pub(super) struct Answers(VecDeque<Owed>);

impl Answers {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn frame(&mut self, frame: ServerFrame) {
        self.0.push_back(Owed::Frame(Box::new(frame)));
    }

    pub(super) fn asked(&mut self, given: Given, heard_at: Instant, asked: Asked) {
        self.0.push_back(Owed::Asked { given, heard_at, asked });
    }

    /// The next answer; never, while none is owed. Cancel-safe.
    pub(super) async fn next(&mut self) -> Answer {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// The next answer if it is there.
    pub(super) fn ready(&mut self) -> Option<Answer> {
        // Whoever goes on waiting asks by `next` again, and leaves its own waker there.
        match self.poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        let outcome = match self.0.front_mut() {
            None => return Poll::Pending,
            Some(Owed::Frame(_)) => None,
            Some(Owed::Asked { asked, .. }) => match Pin::new(asked).poll(cx) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(match (self.0.pop_front(), outcome) {
            (Some(Owed::Frame(frame)), _) => Answer::Frame(frame),
            (Some(Owed::Asked { given, heard_at, .. }), Some(outcome)) => {
                Answer::Decided { given, heard_at, outcome }
            }
            _ => return Poll::Pending,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(answer: &Answer) -> u32 {
        match answer {
            Answer::Frame(frame) => match **frame {
                ServerFrame::Pong { n, .. } => n,
                _ => 0,
            },
            Answer::Decided { .. } => 0,
        }
    }

    #[tokio::test]
    async fn answers_leave_in_the_order_of_their_frames() {
        let mut answers = Answers::default();
        assert!(answers.ready().is_none());
        for n in 1..=3 {
            answers.frame(ServerFrame::Pong { n, server_time: 0 });
        }
        assert_eq!(answers.len(), 3);
        assert_eq!(number(&answers.next().await), 1);
        assert_eq!(number(&answers.ready().unwrap()), 2);
        assert_eq!(number(&answers.next().await), 3);
        assert!(answers.ready().is_none() && answers.is_empty());
    }
}
