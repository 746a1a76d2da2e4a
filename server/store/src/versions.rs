use crate::{BankRow, CentreRow, Error, ProgrammeRow, SittingRow};
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::ids::{BankId, CentreId, ProgrammeId, SittingId};

/// Versions kept; an installation with more in use at once reads some of them again.
const KEPT: usize = 256;

/// For engines: rows that never change, or whose changes are told here, and were read once. Opening ten thousand sessions after a restart must not read
/// their bank, which is large, ten thousand times, nor their sitting.
#[derive(Debug, Default)]
pub struct Versions {
    /// By id
    pub banks: Kept<BankId, BankRow>,
    /// By id
    pub programmes: Kept<ProgrammeId, ProgrammeRow>,
    /// By id
    pub sittings: Kept<SittingId, SittingRow>,
    /// By id
    pub centres: Kept<CentreId, CentreRow>,
}

/// Rows of one kind.
pub struct Kept<K, V>(Mutex<Shelf<K, V>>);

struct Shelf<K, V> {
    rows: HashMap<K, Arc<V>>,
    /// How often a row was forgotten: what was being read then may be the row before
    forgotten: u64,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Shelf { rows: HashMap::new(), forgotten: 0 }))
    }
}

impl<K, V> fmt::Debug for Kept<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(..)")
    }
}

impl<K: Hash + Eq, V> Kept<K, V> {
    /// The row as it was kept, or as it is read now. The caller has checked that whoever asks may see it.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn get(&self, id: K, read: impl Future<Output = Result<V, Error>>) -> Result<Arc<V>, Error> {
        let forgotten = {
            let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = shelf.rows.get(&id) {
                return Ok(Arc::clone(kept));
            }
            shelf.forgotten
        };
        let row = Arc::new(read.await?);
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.rows.len() >= KEPT {
            shelf.rows.clear();
        }
        if shelf.forgotten == forgotten {
            shelf.rows.insert(id, Arc::clone(&row));
        }
        Ok(row)
    }

    /// The row was changed: whoever asks from now on reads it anew. To be called after the change is stored.
    pub fn forget(&self, id: &K) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.forgotten += 1;
        shelf.rows.remove(id);
    }
}
