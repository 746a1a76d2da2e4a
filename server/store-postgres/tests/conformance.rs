//! The suite that every engine passes.

use async_trait::async_trait;
use synaq_store::conformance::Engine;
use synaq_store::conformance_tests;
use synaq_store_postgres::{Database, PostgresStore};

struct Postgres;

/// A store and where it is, so that it can be opened again.
#[async_trait]
impl Engine for Postgres {
    type Store = PostgresStore;

    async fn fresh(&self) -> PostgresStore {
        let cluster = synaq_test_postgres::shared().expect("a private cluster starts");
        let url = cluster.fresh_database().expect("a database can be made");
        let database = Database::parse(&url).expect("the cluster gives an address");
        PostgresStore::open(&database).await.expect("an empty database opens")
    }

    async fn reopen(&self, store: PostgresStore) -> PostgresStore {
        let database = store.database().clone();
        drop(store);
        PostgresStore::open(&database).await.expect("the lock was released with the store")
    }
}

conformance_tests!(Postgres);
