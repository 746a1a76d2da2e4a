//! What the front door asks about room for recordings.

/// Where recordings end up, and what is left there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// On a disk of ours, with so many bytes that may still be written
    Disk {
        /// Bytes
        free: u64,
    },
    /// In an object store, whose room is not ours to measure
    ObjectStore,
    /// The disk does not say
    Unknown,
}

/// Room for recordings. May block for as long as a disk takes to answer.
pub trait Room: Send + Sync {
    /// What is left now.
    fn left(&self) -> Left;
}
