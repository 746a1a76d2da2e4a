//! The store itself: five requests, each bounded in time.

use super::fault::Fault;
use super::part::{Part, below};
use anyhow::Context as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig,
};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A part of 4 MiB over 2 Mbit/s takes 16 s.
const REQUEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// Within a request; what takes longer is the courier's to try again.
const RETRY: Duration = Duration::from_secs(10);
const RETRIES: usize = 2;
/// Objects removed at once.
const REMOVALS: usize = 16;

/// Where the store is, and who we are there.
#[derive(Clone)]
pub(crate) struct Place {
    /// The bucket
    pub(crate) bucket: String,
    /// What the names of our objects begin with; may be empty
    pub(crate) prefix: String,
    /// Base address; none: the provider's own for the region
    pub(crate) endpoint: Option<String>,
    /// The region that requests are signed for
    pub(crate) region: String,
    /// Access key id
    pub(crate) key_id: String,
    /// Secret access key
    pub(crate) secret: String,
    /// `endpoint/bucket/object` instead of `bucket.endpoint/object`
    pub(crate) path_style: bool,
    /// Plain HTTP
    pub(crate) allow_http: bool,
    /// PEM of the authority that signed its certificate; none: those that the system trusts
    pub(crate) authority: Option<Vec<u8>>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// One bucket, below one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Bucket {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// If an address or a name cannot be one.
    pub(crate) fn open(place: &Place) -> anyhow::Result<Self> {
        let mut client = ClientOptions::new()
            .with_timeout(REQUEST)
            .with_connect_timeout(CONNECT)
            .with_allow_http(place.allow_http);
        if let Some(pem) = &place.authority {
            let known =
                Certificate::from_pem_bundle(pem).context("[evidence] ca_file holds no certificate")?;
            client = known
                .into_iter()
                .fold(client.with_no_system_certificates(true), ClientOptions::with_root_certificate);
        }
        let retry =
            RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES, retry_timeout: RETRY };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&place.bucket)
            .with_region(&place.region)
            .with_access_key_id(&place.key_id)
            .with_secret_access_key(&place.secret)
            .with_virtual_hosted_style_request(!place.path_style)
            .with_client_options(client)
            .with_retry(retry)
            // Not every compatible store knows it.
            .with_disable_bulk_delete(true);
        if let Some(endpoint) = &place.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let store = builder.build().context("[evidence] is no S3-compatible store")?;
        let prefix = Path::parse(&place.prefix).context("[evidence] url has a prefix that cannot be one")?;
        Ok(Self { store: Arc::new(store), prefix })
    }

    /// Puts a part there, durably.
    pub(super) async fn put(
        &self,
        (session, name): (Uuid, &str),
        part: &Part,
        bytes: Bytes,
    ) -> Result<(), Fault> {
        self.store.put(&part.place(&self.prefix, session, name), bytes.into()).await?;
        Ok(())
    }

    /// The parts of a piece, of every blob of that name.
    pub(super) async fn parts(&self, session: Uuid, name: &str) -> Result<Vec<Part>, Fault> {
        let place = below(&self.prefix, session).join(name);
        let objects: Vec<_> = self.store.list(Some(&place)).try_collect().await?;
        let parts = objects.into_iter().filter_map(|object| {
            let (_, part) = Part::at(&object.location, &self.prefix, session)?;
            // What is not as long as its name says is no part.
            (object.size == part.to - part.from).then_some(part)
        });
        Ok(parts.collect())
    }

    /// The bytes of a part.
    pub(super) async fn get(&self, (session, name): (Uuid, &str), part: &Part) -> Result<Bytes, Fault> {
        let bytes = self.store.get(&part.place(&self.prefix, session, name)).await?.bytes().await?;
        let want = part.to - part.from;
        if bytes.len() as u64 == want {
            Ok(bytes)
        } else {
            Err(Fault::Short { have: bytes.len() as u64, want })
        }
    }

    /// Names of the pieces of a session.
    pub(super) async fn names(&self, session: Uuid) -> Result<BTreeSet<String>, Fault> {
        let of = below(&self.prefix, session);
        let listed = self.store.list_with_delimiter(Some(&of)).await?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        Ok(names.map(str::to_owned).collect())
    }

    /// Removes every object of the pieces whose name `goes`; how many pieces.
    pub(super) async fn remove(&self, session: Uuid, goes: impl Fn(&str) -> bool) -> Result<usize, Fault> {
        let objects: Vec<_> = self.store.list(Some(&below(&self.prefix, session))).try_collect().await?;
        let (mut names, mut places) = (BTreeSet::new(), Vec::new());
        for object in objects {
            if let Some((name, _)) = Part::at(&object.location, &self.prefix, session)
                && goes(&name)
            {
                names.insert(name);
                places.push(object.location);
            }
        }
        let removals = futures_util::stream::iter(places).map(|place| async move {
            match self.store.delete(&place).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(Fault::from(error)),
            }
        });
        removals.buffer_unordered(REMOVALS).try_collect::<()>().await?;
        Ok(names.len())
    }

    /// Writes, lists, reads and removes an object, as an exam will; what does not work is said.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        let session = Uuid::now_v7();
        let part = Part { from: 0, to: 5, blob: "doctor".to_owned() };
        let name = "probe";
        // First: a bucket that is not there is said, and not made.
        self.names(session).await?;
        self.put((session, name), &part, Bytes::from_static(b"synaq")).await?;
        let listed = self.parts(session, name).await?;
        if listed != [part.clone()] {
            return Err(Fault::Short { have: 0, want: 5 });
        }
        self.get((session, name), &part).await?;
        self.remove(session, |_| true).await?;
        Ok(())
    }
}
