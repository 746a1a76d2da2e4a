//! `[evidence]`: where recordings, stills and photos are kept.

use crate::adapter::depot::{Options, Place};
use anyhow::{Context as _, ensure};
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Three hundred candidates fill this in 35 minutes.
const SPOOL_MIB: u64 = 20 * 1024;
/// The recordings of 35 candidates of two hours.
const CACHE_MIB: u64 = 8 * 1024;
/// What stores that know no regions are signed for.
const REGION: &str = "us-east-1";

/// The data folder, or an S3-compatible store behind it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Evidence {
    /// `s3://bucket/prefix`; in the data folder alone without it
    pub(crate) url: Option<String>,
    /// Base address of the store
    pub(crate) endpoint: Option<String>,
    /// The region that requests are signed for
    pub(crate) region: Option<String>,
    /// Access key id
    pub(crate) key_id: Option<String>,
    /// A file with the secret access key, one line
    pub(crate) secret_file: Option<PathBuf>,
    /// The environment variable that holds it
    pub(crate) secret_env: Option<String>,
    /// `endpoint/bucket` instead of `bucket.endpoint`
    pub(crate) path_style: bool,
    /// Plain HTTP to the store
    pub(crate) allow_http: bool,
    /// PEM of the authority that signed the store's certificate; then no other is trusted
    pub(crate) ca_file: Option<PathBuf>,
    /// What may wait on this disk for the store
    pub(crate) spool_mib: u64,
    /// What stays on this disk although the store has it
    pub(crate) cache_mib: u64,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            url: None,
            endpoint: None,
            region: None,
            key_id: None,
            secret_file: None,
            secret_env: None,
            path_style: true,
            allow_http: false,
            ca_file: None,
            spool_mib: SPOOL_MIB,
            cache_mib: CACHE_MIB,
        }
    }
}

impl Evidence {
    /// The settings as a file of their own.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        super::parsed(file)
    }

    /// The store; none when evidence stays in the data folder.
    pub(crate) fn options(&self) -> anyhow::Result<Option<Options>> {
        let Some(url) = &self.url else { return Ok(None) };
        let parsed = Url::parse(url).ok().filter(|url| url.scheme() == "s3" && url.query().is_none());
        let parsed = parsed.and_then(|url| Some((url.host_str()?.to_owned(), url.path().to_owned())));
        let (bucket, path) = parsed.with_context(|| {
            format!("[evidence] url = {url:?} is no store; write it as s3://bucket/prefix")
        })?;
        self.check_endpoint()?;
        ensure!(self.spool_mib > 0, "[evidence] spool_mib = 0 leaves no room for what waits for the store");
        let place = Place {
            bucket,
            prefix: path.trim_matches('/').to_owned(),
            endpoint: self.endpoint.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
            region: self.region.clone().unwrap_or_else(|| REGION.to_owned()),
            key_id: self
                .key_id
                .clone()
                .context("[evidence] key_id is missing; name the access key of the store")?,
            secret: self.secret()?,
            path_style: self.path_style,
            allow_http: self.allow_http,
            authority: self.authority()?,
        };
        let bytes = |mib: u64| mib.saturating_mul(1024 * 1024);
        Ok(Some(Options::new(place, bytes(self.spool_mib), bytes(self.cache_mib))))
    }

    fn check_endpoint(&self) -> anyhow::Result<()> {
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let url = Url::parse(endpoint).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty()
        });
        let url = url.context(
            "[evidence] endpoint is no address of a store; write it as https://s3.example.kz:9000, without a user",
        )?;
        ensure!(
            url.scheme() == "https" || self.allow_http,
            "[evidence] endpoint = {endpoint:?}: objects are sealed, but names and requests would go in the clear; set an \
             https:// address, or allow_http = true in a network of your own"
        );
        Ok(())
    }

    fn authority(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(file) = &self.ca_file else { return Ok(None) };
        let pem = fs::read(file).with_context(|| {
            format!("[evidence] ca_file = {file:?} cannot be read; let this user read it")
        })?;
        let one = CertificateDer::pem_slice_iter(&pem).next();
        ensure!(
            one.is_some_and(|certificate| certificate.is_ok()),
            "[evidence] ca_file = {file:?} holds no certificate; name one as PEM"
        );
        Ok(Some(pem))
    }

    fn secret(&self) -> anyhow::Result<String> {
        let secret = match (&self.secret_file, &self.secret_env) {
            (Some(file), None) => fs::read_to_string(file)
                .with_context(|| {
                    format!("[evidence] secret_file = {file:?} cannot be read; let this user read it")
                })?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            (None, Some(name)) => env::var(name).map_err(|_| {
                anyhow::anyhow!(
                    "[evidence] secret_env = {name:?}: there is no such variable, or it is no text"
                )
            })?,
            (Some(_), Some(_)) => {
                anyhow::bail!("[evidence] secret_file and secret_env exclude each other; remove one")
            }
            (None, None) => {
                anyhow::bail!("[evidence] secret_file is missing; name a file with the secret, one line")
            }
        };
        ensure!(!secret.is_empty(), "[evidence] the secret is empty");
        Ok(secret)
    }

    /// What speaks against it.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.options().err().map(|error| format!("{error:#}")).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_taken_with_its_secret_and_mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "north\n").unwrap();
        let read = |text: &str| -> Evidence {
            toml::from_str(&format!("key_id = \"exam\"\nsecret_file = {file:?}\n{text}")).unwrap()
        };
        let good = read("url = \"s3://exams/2026/\"\nendpoint = \"https://s3.example.kz:9000/\"");
        let place = good.options().unwrap().unwrap().place;
        assert_eq!((place.bucket.as_str(), place.prefix.as_str()), ("exams", "2026"));
        assert_eq!(
            (place.endpoint.as_deref(), place.secret.as_str()),
            (Some("https://s3.example.kz:9000"), "north")
        );
        assert!(toml::from_str::<Evidence>("").unwrap().options().unwrap().is_none());
        for (wrong, named) in [
            ("url = \"https://s3.example.kz/exams\"", "s3://bucket/prefix"),
            ("url = \"s3://exams\"\nendpoint = \"http://s3.example.kz\"", "allow_http"),
            ("url = \"s3://exams\"\nendpoint = \"https://user:pass@s3.example.kz\"", "without a user"),
            ("url = \"s3://exams\"\nspool_mib = 0", "spool_mib"),
            ("url = \"s3://exams\"\nca_file = \"nowhere.pem\"", "ca_file"),
            (&format!("url = \"s3://exams\"\nca_file = {file:?}"), "holds no certificate"),
            ("url = \"s3://exams\"\nsecret_env = \"X\"", "exclude each other"),
        ] {
            let said = read(wrong).complaints();
            assert!(said[0].contains(named) && !said[0].contains("pass@"), "{said:?}");
        }
        let no_secret: Evidence = toml::from_str("url = \"s3://exams\"\nkey_id = \"exam\"").unwrap();
        assert!(no_secret.complaints()[0].contains("secret_file is missing"));
        assert!(
            read("url = \"s3://exams\"\nendpoint = \"http://10.0.0.7\"\nallow_http = true")
                .complaints()
                .is_empty()
        );
    }
}
