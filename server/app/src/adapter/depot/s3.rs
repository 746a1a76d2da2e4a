//! An S3 server in this process, over a folder: somebody else's implementation of the protocol, signatures included.

use super::Place;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(crate) const BUCKET: &str = "exams";
const KEY_ID: &str = "exam-centre";
const SECRET: &str = "north";

/// How the server meets whoever comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// It answers
    Up,
    /// Connections are cut
    Away,
    /// Connections are taken, and nothing is said until that is over
    Stalled,
}

/// A running server with one bucket.
pub(crate) struct S3 {
    folder: tempfile::TempDir,
    endpoint: String,
    mood: watch::Sender<Mood>,
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (mood, moods) = watch::channel(Mood::Up);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, mut moods) = (service.clone(), moods.clone());
                tokio::spawn(async move {
                    while *moods.borrow_and_update() == Mood::Stalled {
                        if moods.changed().await.is_err() {
                            return;
                        }
                    }
                    if *moods.borrow() == Mood::Away {
                        return;
                    }
                    let builder = Builder::new(TokioExecutor::new());
                    let serve = builder.serve_connection(TokioIo::new(socket), service);
                    // Whoever is in the middle of something is cut, too.
                    tokio::select! {
                        _ = serve => {}
                        _ = moods.wait_for(|mood| *mood != Mood::Up) => {}
                    }
                });
            }
        });
        Self { folder, endpoint, mood }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            bucket: BUCKET.to_owned(),
            prefix: "2026/spring".to_owned(),
            endpoint: Some(self.endpoint.clone()),
            region: "us-east-1".to_owned(),
            key_id: KEY_ID.to_owned(),
            secret: SECRET.to_owned(),
            path_style: true,
            allow_http: true,
        }
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Every object, by its name below the bucket.
    pub(crate) fn objects(&self) -> Vec<String> {
        let bucket = self.folder.path().join(BUCKET);
        let mut found = Vec::new();
        walk(&bucket, &mut found);
        let below = |path: PathBuf| path.strip_prefix(&bucket).unwrap().to_string_lossy().into_owned();
        let mut names: Vec<String> = found.into_iter().map(below).collect();
        names.sort();
        names
    }

    /// Every byte of every object.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let bucket = self.folder.path().join(BUCKET);
        self.objects().iter().flat_map(|name| fs::read(bucket.join(name)).unwrap()).collect()
    }

    /// Takes an object away behind everybody's back.
    pub(crate) fn lose(&self, name: &str) {
        fs::remove_file(self.folder.path().join(BUCKET).join(name)).unwrap();
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}
