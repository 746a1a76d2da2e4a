//! `synaq serve --config FILE`: the real start.

use crate::config::Config;
use crate::installation::{self, Folders, Start};
use crate::{keys, serve, telemetry};
use std::path::Path;

/// Starts from a configuration that `doctor` has nothing against.
pub async fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let complaints = config.complaints();
    if !complaints.is_empty() {
        anyhow::bail!("the configuration does not bear a start:\n  - {}", complaints.join("\n  - "));
    }
    telemetry::start(&config.log)?;
    let folders = Folders::new(&config.data);
    let (store, keys) = installation::open(&folders).await?;
    let start = Start {
        media: synaq_media::Options {
            advertise: config.media.advertise,
            tcp: config.media.tcp,
            ..synaq_media::Options::new(config.media.listen)
        },
        web: synaq_web::Options {
            trusted_proxies: config.proxy.iter().map(|proxy| proxy.trusted).collect(),
            ..synaq_web::Options::for_origin(&config.public_url)
        },
        platform_url: config.platform.url.trim_end_matches('/').to_owned(),
        platform_trust: keys::read_trust(&config.platform.trust)?,
    };
    let installation = installation::start(&folders, store, keys, start).await?;
    serve::run(config.listen, config.tls, installation, || Ok(())).await
}
