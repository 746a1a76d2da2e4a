//! `synaq serve --config FILE`: the real start.

use crate::config::{Config, Mail};
use crate::installation::{self, Start};
use crate::serve::{self, Front};
use crate::tls::{Certificate, Hangups};
use crate::{descriptors, keys, ops, telemetry};
use std::path::Path;
use tracing::Instrument as _;

/// Starts from a configuration that nothing speaks against.
pub(crate) async fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    let complaints = config.complaints();
    if !complaints.is_empty() {
        anyhow::bail!("{} does not bear a start:\n  - {}", path.display(), complaints.join("\n  - "));
    }
    let exporting = telemetry::start_exporting(&config.log, &config.telemetry)?;
    let recorder = ops::recorder::install()?;
    let desk = ops::serve(ops::Port::open(config.ops.listen)?, recorder, config.ops.disk_reserve_mib)?;
    // Without a certificate there is nothing to read again, and a `reload` must not end exams.
    let _hangups = Hangups::heard();
    let front = match (&config.tls, &config.proxy) {
        (Some(files), _) => Front::Tls(Certificate::read(files).await?),
        (None, Some(proxy)) => Front::Proxy(proxy.trusted),
        (None, None) => Front::Loopback,
    };
    let folders = config.folders()?;
    let (store, keys) = installation::open(&folders).await?;
    let listener = serve::bind(config.listen)?;
    let start = Start {
        media: config.media.options()?,
        detectors: config.detectors.settings()?,
        web: synaq_web::Options {
            limits: config.capacity.limits(descriptors::raised()),
            numbers: config.numbers(),
            trusted_proxies: config.proxy.iter().map(|proxy| proxy.trusted).collect(),
            ..synaq_web::Options::for_origin(&config.public_url)
        },
        evidence: config.evidence.options()?,
        retention: config.retention.keeping(),
        time_servers: config.clock.servers(),
        mail: config.mail.as_ref().map(Mail::carrier).transpose()?,
        platform_url: config.platform.url.trim_end_matches('/').to_owned(),
        platform_trust: keys::read_trust(&config.platform.trust)?,
    };
    if config.test_numbers {
        tracing::warn!("{}", super::doctor::TEST_NUMBERS_TAKEN);
    }
    let mut installation = installation::start(&folders, store, keys, start)
        .instrument(tracing::info_span!("app.start"))
        .await?;
    desk.open(installation.watch.clone());
    installation.router = desk.on_the_public_address(installation.router);
    let served = serve::run(listener, front, installation, || Ok(())).await;
    exporting.stop().await;
    served
}
