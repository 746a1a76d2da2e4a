//! Databases, batches, and faults put in by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};
use synaq_core::ids::{Seq, SessionId};
use synaq_core::time::At;
use synaq_seal::sha256;
use synaq_store::{Append, Batch, EventLog as _, Lease};
use synaq_store_postgres::{Database, PostgresStore};
use synaq_test_postgres::{Cluster, shared};
use uuid::Uuid;

pub(crate) const STREAM: SessionId = SessionId(Uuid::from_u128(1));

/// A store on a database of its own in the shared cluster.
pub(crate) struct House {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) lease: Lease,
    pub(crate) database: Database,
    name: String,
    cluster: &'static Cluster,
}

impl House {
    pub(crate) async fn new() -> Self {
        let cluster = shared().unwrap();
        let url = cluster.fresh_database().unwrap();
        let database = Database::parse(&url).unwrap();
        let store = PostgresStore::open(&database).await.unwrap();
        let lease = store.take_lease(Uuid::nil(), At(0)).await.unwrap();
        let name = url.rsplit('/').next().unwrap().to_owned();
        Self { store: Arc::new(store), lease, database, name, cluster }
    }

    /// A statement of the database's owner, past the store.
    pub(crate) fn sql(&self, statement: &str) -> Result<String, String> {
        self.cluster.sql(&self.name, statement)
    }

    /// The same beside the test.
    pub(crate) fn sql_aside(
        &self,
        statement: &'static str,
    ) -> std::thread::JoinHandle<Result<String, String>> {
        let (cluster, name) = (self.cluster, self.name.clone());
        std::thread::spawn(move || cluster.sql(&name, statement))
    }

    /// Every row that comes into `event` meets this fault.
    pub(crate) fn fault(&self, when: &str, body: &str) {
        let trigger = format!(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;
             CREATE {when} FOR EACH ROW EXECUTE FUNCTION fault();"
        );
        self.sql(&trigger).unwrap();
    }

    pub(crate) fn mend(&self) {
        self.sql("DROP FUNCTION fault() CASCADE").unwrap();
    }

    /// Looks until a session of this database does something of that kind.
    pub(crate) async fn until_active(&self, doing: &str) {
        let look = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND {doing}"
        );
        let began = Instant::now();
        while self.sql(&look).unwrap() == "0" {
            assert!(began.elapsed() < Duration::from_secs(10), "nobody was seen: {doing}");
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stored(&self) -> usize {
        self.store.load(STREAM, Seq(0)).await.unwrap().len()
    }
}

pub(crate) fn event(stream: SessionId, seq: u64, body: &str) -> Append {
    Append {
        stream,
        seq: Seq(seq),
        at: At(0),
        kind: "answer_put".into(),
        body: body.into(),
        hash: sha256(body.as_bytes()),
    }
}

pub(crate) fn events(positions: impl IntoIterator<Item = u64>) -> Arc<Batch> {
    let events = positions.into_iter().map(|seq| event(STREAM, seq, "{}")).collect();
    Arc::new(Batch { events, ..Batch::default() })
}
