//! `synaq restore BACKUP --data FOLDER`: checks everything first, then copies it into an empty folder.

use crate::backup::{Manifest, copy, keys, manifest};
use crate::clock;
use crate::installation::{Folders, Restored};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
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
}

/// Restores, or names everything that is wrong with the backup and changes nothing.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let backup = &options.backup;
    let manifest = Manifest::read(backup)?;
    let faults = faults(backup, &manifest)?;
    anyhow::ensure!(
        faults.is_empty(),
        "{} is damaged; nothing was restored:\n  - {}",
        backup.display(),
        faults.join("\n  - ")
    );
    let sealed = manifest.files.contains_key(keys::FILE);
    let passphrase = match &options.with_keys {
        Some(_) if !sealed => anyhow::bail!("{} holds no keys; leave --with-keys out", backup.display()),
        given => given.as_deref().map(keys::passphrase).transpose()?,
    };
    copy::empty(&options.data)?;
    let folders = Folders::new(&options.data);
    if let Some(passphrase) = &passphrase {
        keys::open(&backup.join(keys::FILE), &folders.keys(), passphrase)?;
    }
    for (name, piece) in manifest.files.iter().filter(|(name, _)| *name != keys::FILE) {
        let copied = copy::file(&backup.join(name), &options.data.join(name))?;
        anyhow::ensure!(
            copied == *piece,
            "{name} changed while it was copied; empty {} and begin again",
            options.data.display()
        );
    }
    let restored_at = clock::wall_millis();
    Restored { taken_at: manifest.taken_at, restored_at }.write(&folders)?;
    super::print(&words(options, &manifest, restored_at, passphrase.is_some()))
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

fn words(options: &Options, manifest: &Manifest, restored_at: i64, with_keys: bool) -> String {
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
    let keys = if with_keys {
        "The private keys were restored.\n".to_owned()
    } else {
        format!(
            "Now put the key folder to {}; with other keys nothing that was recorded can be opened.\n",
            Folders::new(&options.data).keys().display()
        )
    };
    format!(
        "{}: restored from a backup that release {} took {} s ago ({} ms UTC).\n{database}{keys}What was acknowledged \
         since then is not here. The time since then is given back to everybody who was sitting an exam; records that \
         the platform has and this folder has not are refused by it as another content and shown to the centre. Never \
         start the old folder again.\n",
        options.data.display(),
        manifest.version,
        back,
        manifest.taken_at
    )
}
