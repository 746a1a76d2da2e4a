//! The list of what was erased, in a file of its own: a backup that is older than an erasure does not know of it, and
//! must not bring back what is gone. One JSON object a line; lines may repeat.

use crate::private;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Its name in the data folder and in a backup.
pub(crate) const FILE: &str = "erased.jsonl";

/// One class of one session that is gone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gone {
    /// Whose
    pub(crate) session: Uuid,
    /// What: `recordings`, `stills`, `photos`
    pub(crate) class: String,
    /// By which rule
    pub(crate) rule: String,
    /// When its key was destroyed, ms UTC
    pub(crate) at: i64,
}

/// The file of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(PathBuf);

impl Ledger {
    /// In this data folder.
    pub(crate) fn below(data: &Path) -> Self {
        Self(data.join(FILE))
    }

    /// At this path, as `synaq restore --erased` is given one.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Adds a line, durably.
    pub(crate) fn add(&self, gone: &Gone) -> anyhow::Result<()> {
        let failed = || format!("{} cannot be written", self.0.display());
        let mut line = Vec::new();
        // A line that a crash cut off stays a line of its own.
        if !self.ends_whole().with_context(failed)? {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, gone)?;
        line.push(b'\n');
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0).with_context(failed)?;
        file.write_all(&line).and_then(|()| file.sync_data()).with_context(failed)?;
        let folder = self.0.parent().context("a file lies in a folder")?;
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(failed)
    }

    fn ends_whole(&self) -> io::Result<bool> {
        let mut file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        if file.seek(SeekFrom::End(0))? == 0 {
            return Ok(true);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }

    /// Everything in it, each once; nothing if there is no such file. A line that a crash cut off was never acted on
    /// as written, and is left out with a warning.
    pub(crate) fn read(&self) -> anyhow::Result<BTreeSet<Gone>> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", self.0.display()));
            }
        };
        let mut all = BTreeSet::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            match serde_json::from_str(line) {
                Ok(gone) => {
                    all.insert(gone);
                }
                Err(error) => tracing::warn!(line = number + 1, %error, "a line of erased.jsonl is cut off"),
            }
        }
        Ok(all)
    }

    /// Takes over what another list has beside what is here, whole or not at all.
    pub(crate) fn merge(&self, other: &Self) -> anyhow::Result<usize> {
        let mut all = self.read()?;
        let before = all.len();
        all.extend(other.read()?);
        let mut text = Vec::new();
        for gone in &all {
            serde_json::to_writer(&mut text, gone)?;
            text.push(b'\n');
        }
        private::write(&self.0, &text)?;
        Ok(all.len() - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other_and_lists_are_merged() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::below(folder.path());
        assert_eq!(ledger.read().unwrap(), BTreeSet::new());
        let gone = |number| Gone {
            session: Uuid::from_u128(number),
            class: "stills".to_owned(),
            rule: "stills_days=120".to_owned(),
            at: 7,
        };
        ledger.add(&gone(1)).unwrap();
        let whole = fs::read(ledger.path()).unwrap();
        fs::write(ledger.path(), [&whole[..], b"{\"sess"].concat()).unwrap();
        ledger.add(&gone(2)).unwrap();
        ledger.add(&gone(2)).unwrap();
        assert_eq!(ledger.read().unwrap(), BTreeSet::from([gone(1), gone(2)]));

        let other = Ledger::at(&folder.path().join("another"));
        other.add(&gone(3)).unwrap();
        other.add(&gone(1)).unwrap();
        assert_eq!(ledger.merge(&other).unwrap(), 1);
        assert_eq!(ledger.read().unwrap(), BTreeSet::from([gone(1), gone(2), gone(3)]));
    }
}
