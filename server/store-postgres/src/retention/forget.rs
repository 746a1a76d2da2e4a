//! Overwritten rows leave the table's file. What PostgreSQL has written to its log (WAL), and archives of it, is beyond
//! our reach: OPERATIONS.md says what its operator does about that.

use crate::error::engine;
use crate::open::PostgresStore;
use synaq_store::Error;

/// As long as the table takes to be written anew; the usual patience is for statements of one row.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

pub(super) async fn forget(store: &PostgresStore) -> Result<(), Error> {
    let mut lane = store.rows.lane().await?;
    let work = async {
        // The role's own limit of a statement is for rows.
        sqlx::query("SET statement_timeout = 0").execute(&mut lane.connection).await?;
        // A new file without the row versions that were overwritten; the old file is removed.
        sqlx::query("VACUUM (FULL) candidate").execute(&mut lane.connection).await
    };
    // The connection is closed in any case: its limit was lifted.
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map(drop).map_err(engine),
        Err(_) => Err(engine(crate::error::timed_out())),
    }
}
