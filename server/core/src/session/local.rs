//! What the candidate's device recorded by itself while nothing reached us: names of its pieces.

use super::state::State;

const PREFIX: &str = "local-";
const SUFFIX: &str = ".webm";

/// `local-0001.webm`
#[must_use]
pub fn name(number: u32) -> String {
    format!("{PREFIX}{number:04}{SUFFIX}")
}

/// The number of a piece by its name; `None` of any other evidence.
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

impl State {
    /// Pieces that wait on the device, by name, in order.
    pub fn local_open(&self) -> impl DoubleEndedIterator<Item = &String> {
        self.evidence_open.iter().filter(|name| number(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_number_and_nothing_else_is_one() {
        assert_eq!((name(7).as_str(), number(&name(7))), ("local-0007.webm", Some(7)));
        for other in ["webcam-0001.webm", "local-.webm", "local-1", "local-x.webm", ""] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
