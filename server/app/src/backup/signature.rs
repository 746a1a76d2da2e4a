//! Who made a backup: the installation that seals records signs the manifest, and with it every digest in there.

use crate::keys;
use anyhow::Context as _;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use std::path::Path;
use synaq_seal::Digest;
use synaq_seal::jws::{self, Expected, Jws};
use synaq_seal::key::{Kid, Purpose, SigningKey, TrustSet, TrustedKey};

/// Its name in the backup.
pub(crate) const FILE: &str = "manifest.jws.json";
/// Kind of the statement, so that it serves as no other of the same key.
const TYP: &str = "synaq-backup+json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    manifest_sha256: Digest,
}

/// The signature over a manifest, as JSON.
pub(crate) fn sign(manifest: &[u8], key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let statement = Statement { manifest_sha256: synaq_seal::sha256(manifest) };
    let random = SystemRandom::new();
    let jws = jws::sign(&serde_json::to_vec(&statement)?, TYP, key, &random)
        .context("the backup was not signed")?;
    Ok(serde_json::to_vec_pretty(&jws)?)
}

/// The key that seals the installation's records.
pub(crate) fn key(folder: &Path) -> anyhow::Result<SigningKey> {
    let path = folder.join(keys::SEAL);
    anyhow::ensure!(
        path.is_file(),
        "{} is not there, and a backup is signed by it; name the data folder of an installation that was started once",
        path.display()
    );
    keys::signing(&path, &SystemRandom::new())
}

/// Trusts one key, in the form it has in a key folder.
pub(crate) fn trust_in(seal: &[u8]) -> anyhow::Result<TrustSet> {
    let key = SigningKey::from_pkcs8(seal, &SystemRandom::new()).context("the keys hold no sealing key")?;
    let trusted = TrustedKey { key: key.public().clone(), purpose: Purpose::Seal, use_from: 0, use_to: None };
    Ok(TrustSet::new(vec![trusted])?)
}

/// Which of the trusted keys signed the manifest of this backup, taken at `at` (ms UTC).
pub(crate) fn check(backup: &Path, manifest: &[u8], at: i64, trust: &TrustSet) -> anyhow::Result<Kid> {
    let path = backup.join(FILE);
    let refused = || format!("{} does not count; nothing was restored", path.display());
    let bytes = std::fs::read(&path).with_context(|| {
        format!(
            "{} cannot be read, so nobody knows who made this backup; nothing was restored",
            path.display()
        )
    })?;
    let jws: Jws = serde_json::from_slice(&bytes).with_context(refused)?;
    let expected = Expected { typ: TYP, purpose: Purpose::Seal, at: Some(at) };
    let verified = jws::verify(&jws, &expected, trust).with_context(refused)?;
    let statement: Statement = serde_json::from_slice(&verified.payload).with_context(refused)?;
    anyhow::ensure!(
        statement.manifest_sha256 == synaq_seal::sha256(manifest),
        "{} signs another manifest; nothing was restored",
        path.display()
    );
    verified.kids.into_iter().next().context("a signature that counts has a key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use synaq_seal::key::Algorithm;

    #[test]
    fn a_manifest_counts_only_as_its_installation_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
        let trust = trust_in(key.pkcs8()).unwrap();
        let unsigned = check(folder.path(), b"manifest", 1, &trust).unwrap_err().to_string();
        assert!(unsigned.contains("who made this backup"), "{unsigned}");
        std::fs::write(folder.path().join(FILE), sign(b"manifest", &key).unwrap()).unwrap();
        assert_eq!(check(folder.path(), b"manifest", 1, &trust).unwrap(), *key.public().kid());
        assert!(check(folder.path(), b"another manifest", 1, &trust).is_err());
        let other = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
        let stranger = check(folder.path(), b"manifest", 1, &trust_in(other.pkcs8()).unwrap()).unwrap_err();
        assert!(format!("{stranger:#}").contains("not among the trusted keys"), "{stranger:#}");
    }

    #[test]
    fn no_other_statement_of_the_same_key_signs_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        let random = SystemRandom::new();
        let key = SigningKey::generate(Algorithm::Es256, &random).unwrap();
        let payload =
            serde_json::to_vec(&Statement { manifest_sha256: synaq_seal::sha256(b"manifest") }).unwrap();
        let jws = jws::sign(&payload, "synaq-record+json", &key, &random).unwrap();
        std::fs::write(folder.path().join(FILE), serde_json::to_vec(&jws).unwrap()).unwrap();
        let refused = check(folder.path(), b"manifest", 1, &trust_in(key.pkcs8()).unwrap()).unwrap_err();
        assert!(format!("{refused:#}").contains("another kind"), "{refused:#}");
    }
}
