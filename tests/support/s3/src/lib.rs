//! An S3 server in this process, over a folder: somebody else's implementation of the protocol, signatures included. It
//! speaks plain HTTP, or TLS with a certificate of an authority of its own, and can be away or stand still.

mod secure;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::fs;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// The bucket that is there.
pub const BUCKET: &str = "exams";
/// Who may use it.
pub const KEY_ID: &str = "exam-centre";
/// ... and the secret.
pub const SECRET: &str = "north";

/// How the server meets whoever comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// It answers
    Up,
    /// Connections are cut
    Away,
    /// Connections are taken, and nothing is said until that is over
    Stalled,
}

/// A running server with one bucket.
#[derive(Debug)]
pub struct S3 {
    folder: tempfile::TempDir,
    endpoint: String,
    authority: Option<String>,
    mood: watch::Sender<Mood>,
}

impl S3 {
    /// Over plain HTTP, at a free port of this machine.
    pub async fn start() -> Self {
        Self::serve(None).await
    }

    /// Over TLS.
    pub async fn start_secure() -> Self {
        Self::serve(Some(secure::made())).await
    }

    async fn serve(secure: Option<(TlsAcceptor, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        fs::create_dir(folder.path().join(BUCKET)).expect("the folder is new");
        let files = s3s_fs::FileSystem::new(folder.path()).expect("the folder is there");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (acceptor, authority) = secure.unzip();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let (mood, moods) = watch::channel(Mood::Up);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(meet(socket, acceptor.clone(), service.clone(), moods.clone()));
            }
        });
        Self { folder, endpoint: format!("{scheme}://{address}"), authority, mood }
    }

    /// Its base address.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// PEM of the authority that signed its certificate, where it has one.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// From now on.
    pub fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Every object, by its name below the bucket, in order.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        let bucket = self.folder.path().join(BUCKET);
        let mut found = Vec::new();
        walk(&bucket, &mut found);
        let below = |path: PathBuf| {
            path.strip_prefix(&bucket).expect("it was found there").to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = found.into_iter().map(below).collect();
        names.sort();
        names
    }

    /// Every byte of every object that is still there.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let bucket = self.folder.path().join(BUCKET);
        self.objects().iter().flat_map(|name| fs::read(bucket.join(name)).unwrap_or_default()).collect()
    }

    /// Takes an object away behind everybody's back.
    pub fn lose(&self, name: &str) {
        fs::remove_file(self.folder.path().join(BUCKET).join(name)).expect("the object is there");
    }
}

async fn meet(
    socket: TcpStream,
    acceptor: Option<TlsAcceptor>,
    service: S3Service,
    mut moods: watch::Receiver<Mood>,
) {
    while *moods.borrow_and_update() == Mood::Stalled {
        if moods.changed().await.is_err() {
            return;
        }
    }
    if *moods.borrow() == Mood::Away {
        return;
    }
    match acceptor {
        None => answer(socket, service, moods).await,
        // Whoever does not trust us goes away in the middle.
        Some(acceptor) => {
            if let Ok(socket) = acceptor.accept(socket).await {
                answer(socket, service, moods).await;
            }
        }
    }
}

async fn answer(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: S3Service,
    mut moods: watch::Receiver<Mood>,
) {
    let builder = Builder::new(TokioExecutor::new());
    let serve = builder.serve_connection(TokioIo::new(socket), service);
    // Whoever is in the middle of something is cut, too.
    tokio::select! {
        _ = serve => {}
        _ = moods.wait_for(|mood| *mood != Mood::Up) => {}
    }
}

/// What is removed meanwhile is not there.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}
