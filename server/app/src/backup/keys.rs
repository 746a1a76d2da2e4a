//! The private keys in a backup: only when asked for, and only under a passphrase (Argon2id, RFC 9106; AES-256-GCM).

use crate::{private, secret};
use anyhow::Context as _;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use synaq_seal::key;
use zeroize::Zeroizing;

/// Its name in the backup.
pub(crate) const FILE: &str = "keys.sealed.json";
/// RFC 9106, second recommended option: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What a manifest of somebody else may ask of this machine at most.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const SALT_BYTES: usize = 16;
const CONTEXT: &[u8] = b"synaq backup keys v1";
/// Whoever finds the backup may guess for years.
const PASSPHRASE_CHARS_MIN: usize = 16;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

/// The first line of a file.
pub(crate) fn passphrase(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the passphrase {} cannot be read", path.display()))?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    anyhow::ensure!(
        line.chars().count() >= PASSPHRASE_CHARS_MIN,
        "the passphrase in {} is too short: {PASSPHRASE_CHARS_MIN} characters at least",
        path.display()
    );
    Ok(line)
}

/// Seals every file of a key folder into one new file.
pub(crate) fn seal(folder: &Path, to: &Path, passphrase: &str) -> anyhow::Result<()> {
    let mut keys = BTreeMap::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("the keys {} cannot be read", folder.display()))?
    {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a key file's name is no UTF-8")?;
        keys.insert(name, STANDARD.encode(&*key::file::read(&entry.path())?));
    }
    let (salt, nonce) = (secret::bytes::<SALT_BYTES>()?, secret::bytes::<NONCE_LEN>()?);
    let under = derive(passphrase, &salt, [MEMORY_KIB, PASSES, LANES])?;
    let mut bytes = serde_json::to_vec(&keys)?;
    let nonce_once = Nonce::assume_unique_for_key(nonce);
    under
        .seal_in_place_append_tag(nonce_once, Aad::from(CONTEXT), &mut bytes)
        .map_err(|_| anyhow::anyhow!("the keys could not be sealed"))?;
    let sealed = Sealed {
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(nonce),
        sealed: STANDARD.encode(bytes),
    };
    private::write(to, &serde_json::to_vec_pretty(&sealed)?)
}

/// Private keys by the names of their files.
pub(crate) struct Opened(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl Opened {
    /// One of them.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|key| key.as_slice())
    }

    /// Writes them into a new key folder.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        private::folder(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        for (name, key) in &self.0 {
            key::file::write_new(&folder.join(name), key)?;
        }
        Ok(())
    }
}

/// Opens them; nothing is written.
pub(crate) fn open(from: &Path, passphrase: &str) -> anyhow::Result<Opened> {
    let damaged = || format!("{} is damaged", from.display());
    let bytes = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    let sealed: Sealed = serde_json::from_slice(&bytes).with_context(damaged)?;
    anyhow::ensure!(sealed.memory_kib <= MEMORY_KIB_MAX, damaged());
    let salt = STANDARD.decode(&sealed.salt).with_context(damaged)?;
    let nonce: [u8; NONCE_LEN] =
        STANDARD.decode(&sealed.nonce).ok().and_then(|nonce| nonce.try_into().ok()).with_context(damaged)?;
    let mut bytes = STANDARD.decode(&sealed.sealed).with_context(damaged)?;
    let under = derive(passphrase, &salt, [sealed.memory_kib, sealed.passes, sealed.lanes])?;
    let keys = under
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(CONTEXT), &mut bytes)
        .map_err(|_| {
            anyhow::anyhow!(
                "the passphrase is not the one that {} was sealed under, or it is damaged",
                from.display()
            )
        })?;
    let encoded: BTreeMap<String, String> = serde_json::from_slice(keys).with_context(damaged)?;
    let mut keys = BTreeMap::new();
    for (name, key) in encoded {
        anyhow::ensure!(Path::new(&name).file_name().is_some_and(|file| file == name.as_str()), damaged());
        keys.insert(name, Zeroizing::new(STANDARD.decode(key).with_context(damaged)?));
    }
    Ok(Opened(keys))
}

fn derive(passphrase: &str, salt: &[u8], [memory, passes, lanes]: [u32; 3]) -> anyhow::Result<LessSafeKey> {
    let cannot = |error| anyhow::anyhow!("the passphrase cannot be used: {error}");
    let params = Params::new(memory, passes, lanes, Some(AES_256_GCM.key_len())).map_err(cannot)?;
    let mut bytes = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut bytes)
        .map_err(cannot)?;
    let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| anyhow::anyhow!("a key has 32 bytes"))?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_under_their_passphrase_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        private::folder(&at("keys")).unwrap();
        key::file::write_new(&at("keys/seal.p8"), b"secret bytes of a key").unwrap();
        seal(&at("keys"), &at("sealed"), "four words of mine").unwrap();
        let sealed = fs::read_to_string(at("sealed")).unwrap();
        assert!(!sealed.contains(&STANDARD.encode(b"secret bytes of a key")));
        open(&at("sealed"), "four words of mine").unwrap().write(&at("opened")).unwrap();
        assert_eq!(&**key::file::read(&at("opened/seal.p8")).unwrap(), b"secret bytes of a key");
        let refused = open(&at("sealed"), "five words of yours").err().unwrap();
        assert!(refused.to_string().contains("passphrase is not the one"));
    }
}
