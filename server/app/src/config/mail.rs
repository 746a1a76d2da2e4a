//! `[mail]`: who sends letters to staff and candidates.

use crate::mail::{Carrier, Security, Server};
use anyhow::Context as _;
use lettre::message::Mailbox;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::{env, fs};

/// A mail server, or a folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    /// `exam@example.kz`, or `Орталық <exam@example.kz>`
    pub(crate) from: String,
    /// Mail server
    pub(crate) host: Option<String>,
    /// 465 with `tls`, 587 with `starttls`, unless said otherwise
    pub(crate) port: Option<u16>,
    /// `tls`, `starttls`, or `none` within this machine
    #[serde(default)]
    pub(crate) security: Security,
    /// Account there
    pub(crate) user: Option<String>,
    /// A file with its password, one line
    pub(crate) password_file: Option<PathBuf>,
    /// The environment variable that holds the password
    pub(crate) password_env: Option<String>,
    /// Instead of a server: letters become files here
    pub(crate) folder: Option<PathBuf>,
}

impl Mail {
    /// As the server uses it.
    pub(crate) fn carrier(&self) -> anyhow::Result<Carrier> {
        let from: Mailbox = self.from.parse().map_err(|_| {
            anyhow::anyhow!("[mail] from = {:?} is no address; write it as exam@example.kz", self.from)
        })?;
        match (&self.host, &self.folder) {
            (Some(host), None) => {
                anyhow::ensure!(
                    self.security != Security::None || is_here(host),
                    "[mail] security = \"none\" would send links in the clear; it is for a server on this machine"
                );
                let account = self.account()?;
                let (host, port, security) = (host.clone(), self.port, self.security);
                Carrier::server(from, Server { host, port, security, account })
            }
            (None, Some(folder)) => Ok(Carrier::folder(from, folder.clone())),
            (Some(_), Some(_)) => anyhow::bail!("[mail] host and folder exclude each other; remove one"),
            (None, None) => anyhow::bail!("[mail] names neither host nor folder; name one"),
        }
    }

    fn account(&self) -> anyhow::Result<Option<(String, String)>> {
        let Some(user) = &self.user else { return Ok(None) };
        let password = match (&self.password_file, &self.password_env) {
            (Some(file), None) => fs::read_to_string(file).with_context(|| {
                format!("[mail] password_file = {file:?} cannot be read; let this user read it")
            })?,
            (None, Some(name)) => env::var(name).map_err(|_| {
                anyhow::anyhow!("[mail] password_env = {name:?}: there is no such variable, or it is no text")
            })?,
            _ => anyhow::bail!("[mail] user needs password_file or password_env, one of them"),
        };
        Ok(Some((user.clone(), password.trim_end_matches(['\r', '\n']).to_owned())))
    }

    /// What speaks against it.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.carrier().err().map(|error| format!("{error:#}")).into_iter().collect()
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        toml::from_str::<Mail>(text).unwrap().complaints()
    }

    #[test]
    fn mail_needs_a_sender_one_way_out_and_a_secure_one() {
        let good = "from = \"Орталық <exam@example.kz>\"\n";
        assert_eq!(complaints(&format!("{good}folder = \"/tmp/x\"")), Vec::<String>::new());
        assert_eq!(
            complaints(&format!("{good}host = \"127.0.0.1\"\nsecurity = \"none\"")),
            Vec::<String>::new()
        );
        assert_eq!(complaints(&format!("{good}host = \"mail.example.kz\"")), Vec::<String>::new());
        for (text, word) in [
            ("from = \"nobody\"\nfolder = \"x\"".to_owned(), "is no address"),
            ("from = \"a@b.kz\\r\\nBcc: c@d.kz\"\nfolder = \"x\"".to_owned(), "is no address"),
            (good.to_owned(), "neither"),
            (format!("{good}host = \"a.kz\"\nfolder = \"x\""), "exclude"),
            (format!("{good}host = \"a.kz\"\nsecurity = \"none\""), "in the clear"),
            (format!("{good}host = \"a.kz\"\nuser = \"u\""), "password_file or password_env"),
            (format!("{good}host = \"a.kz\"\nuser = \"u\"\npassword_file = \"/none\""), "cannot be read"),
        ] {
            let found = complaints(&text);
            assert!(found.len() == 1 && found[0].contains(word), "{text}: {found:?}");
        }
        assert!(toml::from_str::<Mail>("from = \"a@b.kz\"\nfodler = \"x\"").is_err());
    }
}
