//! Who finds faces: the detector inside, nobody, or a centre's own service.

use anyhow::ensure;
use image::GrayImage;
use image::codecs::png::PngEncoder;
use serde::Deserialize;
use std::time::Duration;
use synaq_detectors::{FaceBox, Faces, NoFaces, Rustface};

/// A service that takes longer says nothing about this picture.
const PATIENCE: Duration = Duration::from_secs(2);
/// No picture shows more faces than this that matter.
const FACES_MAX: usize = 64;
/// So many fit ten times.
const ANSWER_BYTES: usize = 64 * 1024;

/// As the configuration names it.
#[derive(Clone, Debug)]
pub(crate) enum FaceFinder {
    /// rustface, the default
    Inside,
    /// Faces are not looked for
    Off,
    /// POST image/png (gray) to this address
    Service {
        /// Where
        url: String,
        /// Shared by all workers
        client: reqwest::Client,
        /// To wait on
        tasks: tokio::runtime::Handle,
    },
}

impl FaceFinder {
    /// A centre's own service. Call within the runtime.
    pub(crate) fn service(url: String) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self::Service { url, client, tasks: tokio::runtime::Handle::current() })
    }

    /// For the calling thread.
    pub(super) fn open(&self) -> Box<dyn Faces> {
        match self {
            Self::Inside => Box::new(Rustface::new()),
            Self::Off => Box::new(NoFaces),
            Self::Service { url, client, tasks } => {
                Box::new(Service { url: url.clone(), client: client.clone(), tasks: tasks.clone() })
            }
        }
    }
}

struct Service {
    url: String,
    client: reqwest::Client,
    tasks: tokio::runtime::Handle,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    faces: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
    score: f32,
}

impl Faces for Service {
    fn name(&self) -> &'static str {
        "service"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn find(&mut self, gray: &GrayImage) -> Option<Vec<FaceBox>> {
        match self.tasks.block_on(tokio::time::timeout(PATIENCE, self.ask(gray))) {
            Ok(Ok(faces)) => return Some(faces),
            Ok(Err(error)) => tracing::warn!(%error, "the face service cannot be used for this picture"),
            Err(_) => tracing::warn!(?PATIENCE, "the face service does not answer in time"),
        }
        None
    }
}

impl Service {
    async fn ask(&self, gray: &GrayImage) -> anyhow::Result<Vec<FaceBox>> {
        let mut png = Vec::new();
        gray.write_with_encoder(PngEncoder::new(&mut png))?;
        let asked = self.client.post(&self.url).header("content-type", "image/png").body(png);
        let mut answer = asked.send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            ensure!(body.len() <= ANSWER_BYTES, "its answer is longer than {ANSWER_BYTES} bytes");
        }
        let answer: Answer = serde_json::from_slice(&body)?;
        let boxed = |told: Told| FaceBox {
            x: told.x,
            y: told.y,
            width: told.width,
            height: told.height,
            score: told.score,
        };
        let mut faces: Vec<FaceBox> = answer.faces.into_iter().take(FACES_MAX).map(boxed).collect();
        faces.sort_by(|one, two| two.score.total_cmp(&one.score));
        Ok(faces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;

    const TWO: &str = r#"{"faces":[{"x":1,"y":2,"width":30,"height":40,"score":3.5},
        {"x":50,"y":2,"width":30,"height":40,"score":9.25}]}"#;

    /// Says what it got, if it is a picture as the contract has it.
    async fn two(headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
        let picture = image::load_from_memory_with_format(&body, image::ImageFormat::Png);
        let gray =
            picture.is_ok_and(|picture| picture.color() == image::ColorType::L8 && picture.width() == 32);
        if gray && headers.get("content-type").is_some_and(|kind| kind == "image/png") {
            (StatusCode::OK, TWO)
        } else {
            (StatusCode::BAD_REQUEST, "")
        }
    }

    /// What a service at that path makes of a picture.
    async fn found(path: &str) -> Option<Vec<FaceBox>> {
        let service = Router::new()
            .route("/two", post(two))
            .route("/words", post(async || "no faces today"))
            .route("/more", post(async || r#"{"faces":[],"who":"Aigul"}"#))
            .route("/broken", post(async || (StatusCode::INTERNAL_SERVER_ERROR, TWO)))
            .route("/endless", post(async || format!("{TWO}{}", " ".repeat(ANSWER_BYTES))))
            .route("/silent", post(std::future::pending::<&str>));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}{path}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async { axum::serve(listener, service).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let finder = FaceFinder::service(url).expect("a client");
        let look = move || finder.open().find(&GrayImage::new(32, 24));
        tokio::task::spawn_blocking(look).await.expect("it came to an end")
    }

    #[tokio::test]
    async fn a_service_of_the_centres_own_is_sent_the_picture_and_the_surest_face_comes_first() {
        let faces = found("/two").await.expect("two faces");
        let told: Vec<_> = faces.iter().map(|face| (face.x, face.width, face.score)).collect();
        assert_eq!(told, [(50, 30, 9.25), (1, 30, 3.5)]);
    }

    #[tokio::test]
    async fn a_service_that_fails_dawdles_or_says_something_else_says_nothing_of_the_picture() {
        for path in ["/words", "/more", "/broken", "/endless", "/silent", "/nowhere"] {
            assert!(found(path).await.is_none(), "{path}");
        }
    }
}
