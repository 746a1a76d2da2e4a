//! `synaq restore BACKUP --data FOLDER`: checks everything first, then copies it into an empty folder.

use crate::backup::keys::Opened;
use crate::backup::{Manifest, copy, keys, manifest, signature};
use crate::clock;
use crate::installation::{Folders, Restored};
use crate::keys::{SEAL, read_trust};
use crate::retention::Ledger;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use synaq_seal::key::{Kid, TrustSet};
use synaq_store_sqlite::backup::audit;

/// What is restored, and where to.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Folder that `synaq backup` made
    backup: PathBuf,
    /// The data folder: new or empty
    #[arg(long)]
    data: PathBuf,
    /// The passphrase of the keys in the backup, in the first line of this file
    #[arg(long, value_name = "FILE")]
    with_keys: Option<PathBuf>,
    /// Public keys of the installation that made the backup (its `trust.json`), when its private ones are not in it
    #[arg(long, value_name = "FILE", conflicts_with = "unchecked")]
    trust: Option<PathBuf>,
    /// The newest list of what was erased since (`erased.jsonl` of the old data folder or of a newer backup): what it names
    /// is erased again at the first start
    #[arg(long, value_name = "FILE")]
    erased: Option<PathBuf>,
    /// Do not ask who made it, when every key of the installation is lost
    #[arg(long, conflicts_with = "with_keys")]
    unchecked: bool,
}

/// Restores, or names everything that is wrong with the backup and changes nothing.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let backup = &options.backup;
    let (manifest, bytes) = Manifest::read(backup)?;
    let keys = opened(options, &manifest)?;
    let signed = match trust(options, keys.as_ref())? {
        Some(trust) => Some(signature::check(backup, &bytes, manifest.taken_at, &trust)?),
        None => None,
    };
    let faults = faults(backup, &manifest)?;
    anyhow::ensure!(
        faults.is_empty(),
        "{} is damaged; nothing was restored:\n  - {}",
        backup.display(),
        faults.join("\n  - ")
    );
    if let Some(erased) = &options.erased {
        anyhow::ensure!(erased.is_file(), "{} is not there; nothing was restored", erased.display());
    }
    copy::empty(&options.data)?;
    let folders = Folders::new(&options.data);
    if let Some(keys) = &keys {
        keys.write(&folders.keys())?;
    }
    for (name, piece) in manifest.files.iter().filter(|(name, _)| *name != keys::FILE) {
        let copied = copy::file(&backup.join(name), &options.data.join(name))?;
        anyhow::ensure!(
            copied == *piece,
            "{name} changed while it was copied; empty {} and begin again",
            options.data.display()
        );
    }
    if let Some(erased) = &options.erased {
        Ledger::below(folders.data()).merge(&Ledger::at(erased))?;
    }
    let restored_at = clock::wall_millis();
    Restored { taken_at: manifest.taken_at, restored_at }.write(&folders)?;
    super::print(&words(options, &manifest, restored_at, signed.as_ref()))
}

/// The private keys in the backup, if they are wanted.
fn opened(options: &Options, manifest: &Manifest) -> anyhow::Result<Option<Opened>> {
    let Some(passphrase) = &options.with_keys else { return Ok(None) };
    let backup = &options.backup;
    anyhow::ensure!(
        manifest.files.contains_key(keys::FILE),
        "{} holds no keys; leave --with-keys out and name --trust",
        backup.display()
    );
    keys::open(&backup.join(keys::FILE), &keys::passphrase(passphrase)?).map(Some)
}

/// Whose signature counts; none when nobody is asked. Keys that open under the passphrase are the installation's own.
fn trust(options: &Options, keys: Option<&Opened>) -> anyhow::Result<Option<TrustSet>> {
    match (&options.trust, keys) {
        (Some(file), _) => read_trust(file).map(Some),
        (None, Some(keys)) => {
            let seal = keys.get(SEAL).context("the keys in the backup lack the sealing key")?;
            signature::trust_in(seal).map(Some)
        }
        (None, None) if options.unchecked => Ok(None),
        (None, None) => anyhow::bail!(
            "who made this backup cannot be checked: name --trust FILE with the public keys of the installation (its \
             trust.json), or --with-keys; when every key is lost, say --unchecked. Nothing was restored"
        ),
    }
}

fn faults(backup: &Path, manifest: &Manifest) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (name, piece) in &manifest.files {
        match copy::measure(&backup.join(name)) {
            Ok(found) if found == *piece => {}
            Ok(found) if found.bytes != piece.bytes => {
                faults.push(format!("{name}: {} bytes, not {}", found.bytes, piece.bytes));
            }
            Ok(_) => faults.push(format!("{name}: not the bytes that were backed up")),
            Err(error) => faults.push(format!("{name}: {error:#}")),
        }
    }
    if manifest.database.is_some() {
        let database = backup.join(manifest::DATABASE);
        let audit = audit(&database).with_context(|| format!("{} cannot be opened", database.display()))?;
        let differences = manifest.differences(&audit);
        faults.extend(audit.faults);
        faults.extend(differences);
    }
    Ok(faults)
}

fn words(options: &Options, manifest: &Manifest, restored_at: i64, signed: Option<&Kid>) -> String {
    let back = (restored_at - manifest.taken_at).max(0) / 1_000;
    let database = manifest.database.as_ref().map_or_else(
        || "The database is not in it: restore PostgreSQL to the same instant.\n".to_owned(),
        |database| {
            format!(
                "{} sessions, {} sealed records; every chain and every file was checked.\n",
                database.sessions.len(),
                database.records
            )
        },
    );
    let signed = signed.map_or_else(
        || "Who made it was not checked.\n".to_owned(),
        |kid| format!("It is signed by the installation's key {kid}.\n"),
    );
    let keys = if options.with_keys.is_some() {
        "The private keys were restored.\n".to_owned()
    } else {
        format!(
            "Now put the key folder to {}; with other keys nothing that was recorded can be opened.\n",
            Folders::new(&options.data).keys().display()
        )
    };
    format!(
        "{}: restored from a backup that release {} took {} s ago ({} ms UTC).\n{signed}{database}{keys}What was acknowledged \
         since then is not here. The time since then is given back to everybody who was sitting an exam; records that \
         the platform has and this folder has not are refused by it as another content and shown to the centre. Never \
         start the old folder again.\n",
        options.data.display(),
        manifest.version,
        back,
        manifest.taken_at
    )
}
