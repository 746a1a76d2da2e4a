//! `[media]`: where pictures and sound are taken, and the relay for whoever cannot reach it.

use anyhow::Context as _;
use serde::Deserialize;
use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Longest exam with a break and an extension; whoever's page opens later gets another credential.
const TURN_LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// WebRTC: one UDP port, and the same TCP port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Media {
    /// Where media is taken
    pub(crate) listen: SocketAddr,
    /// The address and port that browsers reach it under, behind NAT
    pub(crate) advertise: Option<SocketAddr>,
    /// ICE-TCP for networks that block UDP
    #[serde(default = "super::yes")]
    pub(crate) tcp: bool,
    /// Network threads behind the one port
    pub(crate) threads: Option<NonZeroUsize>,
    /// A relay
    pub(crate) turn: Option<Turn>,
}

/// A TURN relay that shares a secret with us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// `turn:` and `turns:`, best first
    pub(crate) urls: Vec<String>,
    /// A file with the secret, one line
    pub(crate) secret_file: PathBuf,
}

impl Media {
    /// As the service takes it.
    pub(crate) fn options(&self) -> anyhow::Result<synaq_media::Options> {
        Ok(synaq_media::Options {
            advertise: self.advertise,
            tcp: self.tcp,
            threads: self.threads.map_or(1, NonZeroUsize::get),
            turn: self.turn.as_ref().map(Turn::shared).transpose()?,
            ..synaq_media::Options::new(self.listen)
        })
    }

    /// A relay by itself, where there is no configuration to read.
    pub(crate) fn relay(urls: Vec<String>, secret_file: PathBuf) -> anyhow::Result<synaq_media::Turn> {
        Turn { urls, secret_file }.shared()
    }

    /// What speaks against it.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.listen.ip().is_unspecified() && self.advertise.is_none() {
            complaints.push(format!(
                "[media] listen = {} is a wildcard; set advertise to the address and port that browsers reach",
                self.listen
            ));
        }
        if let Some(advertise) = self.advertise.filter(|address| address.ip().is_unspecified()) {
            complaints.push(format!(
                "[media] advertise = {advertise} is no address that a browser reaches; name one"
            ));
        }
        if let Some(turn) = &self.turn {
            complaints.extend(turn.complaints());
        }
        complaints
    }
}

impl Turn {
    fn shared(&self) -> anyhow::Result<synaq_media::Turn> {
        let text = fs::read_to_string(&self.secret_file).with_context(|| {
            format!("[media.turn] secret_file = {:?} cannot be read; let this user read it", self.secret_file)
        })?;
        let secret = text.trim_end_matches(['\r', '\n']).to_owned();
        anyhow::ensure!(!secret.is_empty(), "[media.turn] secret_file = {:?} is empty", self.secret_file);
        Ok(synaq_media::Turn {
            urls: self.urls.clone(),
            secret,
            lifetime: TURN_LIFETIME,
            unix_now: || crate::clock::wall_millis().unsigned_abs() / 1_000,
        })
    }

    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        // RFC 7065. What stands in a header line between angle brackets may hold none of these.
        let is_relay = |url: &&String| {
            let rest = url.strip_prefix("turn:").or_else(|| url.strip_prefix("turns:"));
            rest.is_some_and(|rest| {
                !rest.is_empty()
                    && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte))
            })
        };
        if self.urls.is_empty() {
            complaints.push("[media.turn] urls is empty; name a relay, or remove the section".to_owned());
        }
        for url in self.urls.iter().filter(|url| !is_relay(url)) {
            complaints.push(format!(
                "[media.turn] urls: {url:?} is no relay; write it as turn:turn.example.kz:3478?transport=udp"
            ));
        }
        if let Err(error) = self.shared() {
            complaints.push(format!("{error:#}"));
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relay_is_taken_with_its_secret_and_mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let media = |url: &str| -> Media {
            let text = format!(
                "listen = \"127.0.0.1:0\"\nthreads = 2\n[turn]\nurls = [{url:?}]\nsecret_file = {file:?}\n"
            );
            toml::from_str(&text).unwrap()
        };
        let good = media("turns:turn.example.kz:5349?transport=tcp");
        assert!(good.complaints()[0].contains("cannot be read"), "{:?}", good.complaints());
        fs::write(&file, "\n").unwrap();
        assert!(good.complaints()[0].contains("is empty"));
        fs::write(&file, "north\n").unwrap();
        assert_eq!(good.complaints(), Vec::<String>::new());
        let options = good.options().unwrap();
        assert_eq!((options.threads, options.turn.unwrap().secret.as_str()), (2, "north"));
        for wrong in ["https://turn.example.kz", "turn:", "turn:a>b", "turn:a b"] {
            assert!(media(wrong).complaints()[0].contains("is no relay"), "{wrong}");
        }
    }
}
