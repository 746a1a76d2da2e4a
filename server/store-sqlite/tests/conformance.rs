//! The suite that every engine passes.

use async_trait::async_trait;
use synaq_store::conformance::Engine;
use synaq_store::conformance_tests;
use synaq_store_sqlite::SqliteStore;
use tempfile::TempDir;

struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }
}

#[async_trait]
impl Engine for Sqlite {
    type Store = SqliteStore;

    async fn fresh(&self) -> SqliteStore {
        SqliteStore::open(&self.0.path().join("synaq.db")).await.expect("a new file opens")
    }

    async fn reopen(&self, store: SqliteStore) -> SqliteStore {
        let path = store.path().to_owned();
        drop(store);
        SqliteStore::open(&path).await.expect("the lock was released with the store")
    }
}

conformance_tests!(Sqlite::new());
