//! Who finds faces: the detector inside, nobody, or a centre's own service.

use image::GrayImage;
use image::codecs::png::PngEncoder;
use serde::Deserialize;
use std::time::Duration;
use synaq_detectors::{FaceBox, Faces, NoFaces, Rustface};

/// A service that takes longer says nothing about this picture.
const PATIENCE: Duration = Duration::from_secs(2);
/// No picture shows more faces than this that matter.
const FACES_MAX: usize = 64;

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
        let answer: Answer = asked.send().await?.error_for_status()?.json().await?;
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
