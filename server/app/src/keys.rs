//! Keys by purpose, each in a file of its own that only its owner may read (security-reliability 1.3).

use crate::private;
use anyhow::Context as _;
use ring::rand::{SecureRandom, SystemRandom};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use synaq_seal::blob::InstallationKey;
use synaq_seal::key::{self, Algorithm, Purpose, SigningKey, TrustSet, TrustedKey};

const REHEARSAL_KEY: &str = "rehearsal.p8";
/// The file of the key that seals records and signs backups.
pub(crate) const SEAL: &str = "seal.p8";

/// All keys of an installation.
pub(crate) struct Keys {
    /// Seals records; signs backups, as statements of another kind
    pub(crate) seal: Arc<SigningKey>,
    /// Signs approvals
    pub(crate) approval: Arc<SigningKey>,
    /// Signs reports of rehearsals, once there was one
    pub(crate) rehearsal: Option<Arc<SigningKey>>,
    /// Wraps the data key of each session
    pub(crate) installation: Arc<InstallationKey>,
    /// Makes personal links and question salts
    pub(crate) derivation: [u8; 32],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// Reads the keys of an installation, making those that do not exist yet.
    pub(crate) fn open(folder: &Path, random: &SystemRandom) -> anyhow::Result<Self> {
        private::folder(folder)
            .with_context(|| format!("the key folder {} cannot be made", folder.display()))?;
        let installation = secret(&folder.join("installation.key"), random)?;
        Ok(Self {
            seal: Arc::new(signing(&folder.join(SEAL), random)?),
            approval: Arc::new(signing(&folder.join("approval.p8"), random)?),
            rehearsal: if folder.join(REHEARSAL_KEY).exists() {
                Some(Arc::new(rehearsal(folder, random)?))
            } else {
                None
            },
            installation: Arc::new(InstallationKey::from_bytes(&installation)?),
            derivation: secret(&folder.join("derivation.key"), random)?,
        })
    }

    /// The public halves, as a verifier needs them.
    pub(crate) fn trust(&self, since: i64) -> Vec<TrustedKey> {
        let entry = |key: &SigningKey, purpose| TrustedKey {
            key: key.public().clone(),
            purpose,
            use_from: since,
            use_to: None,
        };
        let rehearsal = self.rehearsal.as_deref().map(|key| entry(key, Purpose::Rehearsal));
        let mut keys = vec![entry(&self.seal, Purpose::Seal), entry(&self.approval, Purpose::Approval)];
        keys.extend(rehearsal);
        keys
    }
}

/// Signs reports of rehearsals and nothing else; made on first use.
pub(crate) fn rehearsal(folder: &Path, random: &SystemRandom) -> anyhow::Result<SigningKey> {
    signing(&folder.join(REHEARSAL_KEY), random)
}

/// A signing key's file, made on first use.
pub(crate) fn signing(path: &Path, random: &SystemRandom) -> anyhow::Result<SigningKey> {
    if path.exists() {
        let pkcs8 = key::file::read(path)?;
        return SigningKey::from_pkcs8(&pkcs8, random)
            .with_context(|| format!("{} holds no key", path.display()));
    }
    let fresh = SigningKey::generate(Algorithm::Es256, random)?;
    key::file::write_new(path, fresh.pkcs8())?;
    Ok(fresh)
}

fn secret(path: &Path, random: &SystemRandom) -> anyhow::Result<[u8; 32]> {
    if path.exists() {
        let bytes = key::file::read(path)?;
        return bytes
            .as_slice()
            .try_into()
            .with_context(|| format!("{} does not hold 32 bytes", path.display()));
    }
    let mut fresh = [0; 32];
    random.fill(&mut fresh).map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    key::file::write_new(path, &fresh)?;
    Ok(fresh)
}

/// Reads a trust set, such as the platform's public keys.
pub(crate) fn read_trust(path: &Path) -> anyhow::Result<TrustSet> {
    let bytes =
        fs::read(path).with_context(|| format!("the trusted keys {} cannot be read", path.display()))?;
    TrustSet::from_json(&bytes).with_context(|| format!("{} is no set of trusted keys", path.display()))
}

/// Writes a trust set whole or not at all.
pub(crate) fn write_trust(path: &Path, keys: Vec<TrustedKey>) -> anyhow::Result<TrustSet> {
    let set = TrustSet::new(keys)?;
    private::write(path, &set.to_json())?;
    Ok(set)
}
