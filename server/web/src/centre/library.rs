//! Banks and programmes as they are read, kept: a version never changes.

use crate::problem::Refused;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use synaq_core::bank::{Bank, Programme};
use synaq_core::ids::{BankId, CentreId};
use synaq_store::{BankRow, Directory, ProgrammeRow};
use synaq_wire::problem::Code;

/// Banks kept in memory: a centre works with a few at a time, a bank of 1 000 questions has about 2 MiB.
const KEPT: usize = 32;

/// Read banks by id.
pub(crate) struct Library {
    directory: Arc<dyn Directory>,
    banks: Mutex<HashMap<BankId, Arc<Bank>>>,
}

impl Library {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        Self { directory, banks: Mutex::default() }
    }

    /// The bank behind a row.
    pub(crate) async fn bank(&self, row: &BankRow) -> Result<Arc<Bank>, Refused> {
        if let Some(bank) = self.kept(row.id) {
            return Ok(bank);
        }
        let source = row.source.clone();
        let read = tokio::task::spawn_blocking(move || synaq_question_banks::read(&source));
        let Ok(Ok((bank, _))) = read.await else {
            tracing::error!(bank = %row.id, "a stored bank cannot be read");
            return Err(Code::StoreUnavailable.into());
        };
        let bank = Arc::new(bank);
        self.keep(row.id, Arc::clone(&bank));
        Ok(bank)
    }

    /// The programme behind a row, with its bank.
    pub(crate) async fn programme(
        &self,
        centre: CentreId,
        row: &ProgrammeRow,
    ) -> Result<(Programme, Arc<Bank>), Refused> {
        let Ok((programme, _)) = synaq_question_banks::read_programme(&row.source) else {
            tracing::error!(programme = %row.id, "a stored programme cannot be read");
            return Err(Code::StoreUnavailable.into());
        };
        let bank = match self.kept(row.bank) {
            Some(bank) => bank,
            None => self.bank(&self.directory.bank(centre, row.bank).await?).await?,
        };
        Ok((programme, bank))
    }

    fn kept(&self, id: BankId) -> Option<Arc<Bank>> {
        self.banks.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn keep(&self, id: BankId, bank: Arc<Bank>) {
        let mut banks = self.banks.lock().unwrap_or_else(PoisonError::into_inner);
        if banks.len() >= KEPT {
            banks.clear();
        }
        banks.insert(id, bank);
    }
}
