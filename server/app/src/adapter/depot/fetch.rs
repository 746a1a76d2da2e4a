//! What is asked for and no longer here comes back, whole, as the file it was.

use super::fault::Fault;
use super::part::{Part, chain, covered};
use super::{Depot, Key, Note};
use crate::private;
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Parts fetched at once; each is in memory meanwhile.
const AT_ONCE: usize = 4;
/// Of a file that is still coming.
pub(super) const DRAFT: &str = ".fetch";

impl Depot {
    /// Opens a piece that is not in the folder. Blocks.
    ///
    /// # Errors
    /// `NotFound` when the store has none of that name, `NotConnected` when it does not answer.
    pub(crate) fn open(&self, session: Uuid, name: &str) -> io::Result<File> {
        let key = (session, name.to_owned());
        let turn = {
            let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fetching.entry(key.clone()).or_insert_with(|| Arc::new(Mutex::new(()))))
        };
        let opened = {
            let _mine = turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.fetched(&key)
        };
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        // Ours and the table's: nobody else waits for it.
        if Arc::strong_count(&turn) <= 2 {
            fetching.remove(&key);
        }
        opened
    }

    fn fetched(&self, key: &Key) -> io::Result<File> {
        let path = self.file(key);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Somebody else was as quick.
            opened => return opened,
        }
        let parts = self.tasks.block_on(self.wanted(key, &path))?;
        let bytes = parts.last().map_or(0, |(part, _)| part.to);
        private::folder(path.parent().expect("below the root"))?;
        let mut draft = path.clone().into_os_string();
        draft.push(DRAFT);
        let opened = self.write(key, parts, Path::new(&draft)).and_then(|()| {
            fs::rename(&draft, &path)?;
            // Before it is shelved: a shelf without room drops it at once.
            File::open(&path)
        });
        if opened.is_err() {
            let _ = fs::remove_file(&draft);
        } else {
            self.shelve(key.clone(), bytes);
        }
        opened
    }

    /// The parts that make the piece, with how many bytes to leave out of each.
    async fn wanted(&self, key: &Key, path: &Path) -> Result<Vec<(Part, u64)>, Fault> {
        let note = Note::read(path).map_err(Fault::Local)?;
        let mut blobs: BTreeMap<String, Vec<Part>> = BTreeMap::new();
        for part in self.bucket.parts(key.0, &key.1).await? {
            blobs.entry(part.blob.clone()).or_default().push(part);
        }
        match note {
            Some(Note { blob, bytes }) => {
                let parts = blobs.remove(&blob).unwrap_or_default();
                let have = covered(parts.clone());
                if have == bytes { Ok(chain(parts)) } else { Err(Fault::Short { have, want: bytes }) }
            }
            // This folder knows nothing of it: the disk was lost. The longest is the recording that went on longest.
            None => {
                let longest = blobs.into_values().max_by_key(|parts| covered(parts.clone()));
                let chain = chain(longest.unwrap_or_default());
                if chain.is_empty() { Err(Fault::Missing(key.1.clone())) } else { Ok(chain) }
            }
        }
    }

    fn write(&self, key: &Key, parts: Vec<(Part, u64)>, draft: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(draft)?;
        self.tasks.block_on(async {
            let gets = parts.into_iter().map(|(part, skip)| async move {
                let bytes = self.bucket.get((key.0, &key.1), &part).await?;
                let skip = usize::try_from(skip).map_err(|error| Fault::Local(io::Error::other(error)))?;
                Ok::<_, Fault>(bytes.slice(skip..))
            });
            let mut gets = futures_util::stream::iter(gets).buffered(AT_ONCE);
            while let Some(bytes) = gets.try_next().await? {
                file.write_all(&bytes)?;
            }
            Ok::<_, io::Error>(())
        })?;
        file.sync_all()
    }
}
