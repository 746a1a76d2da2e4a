use super::SimStore;
use crate::{ClockMark, Clocks, Error};
use async_trait::async_trait;
use std::collections::BTreeMap;
use synaq_core::time::At;

#[async_trait]
impl Clocks for SimStore {
    async fn note_clock(&self, mark: ClockMark) -> Result<(), Error> {
        self.disk().clock_marks.push(mark);
        Ok(())
    }

    async fn clock_marks(&self, from: At, to: At, limit: u32) -> Result<Vec<ClockMark>, Error> {
        let disk = self.disk();
        let mut before = BTreeMap::new();
        for mark in disk.clock_marks.iter().filter(|mark| mark.at < from) {
            before.insert(mark.source.clone(), mark.clone());
        }
        let mut marks: Vec<_> = before.into_values().collect();
        marks.extend(disk.clock_marks.iter().filter(|mark| (from..=to).contains(&mark.at)).cloned());
        marks.sort_by_key(|mark| mark.at);
        marks.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(marks)
    }
}
