//! `synaq backup --config FILE --to FOLDER`: the installation as it is now, beside the running server.

use crate::backup::{Manifest, copy, keys, manifest, signature};
use crate::config::Config;
use crate::installation::Folders;
use crate::retention::{Ledger, ledger};
use crate::store::Place;
use crate::{clock, private};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use synaq_store_sqlite::backup::{Audit, audit, snapshot};

/// What is backed up, and where to.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    of: Of,
    /// A new or empty folder
    #[arg(long)]
    to: PathBuf,
    /// Put the private keys in too, under the passphrase in the first line of this file. Without it, keep a copy of the
    /// key folder somewhere else: evidence cannot be opened without it
    #[arg(long, value_name = "FILE")]
    with_keys: Option<PathBuf>,
}

/// Which installation.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Of {
    /// TOML
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data folder itself, as of a demo
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Of {
    fn folders(&self) -> anyhow::Result<Folders> {
        match (&self.config, &self.data) {
            (Some(config), _) => Config::read(config)?.folders(),
            (None, Some(data)) => Ok(Folders::new(data)),
            (None, None) => anyhow::bail!("name the installation by --config or --data"),
        }
    }
}

/// Copies, checks the copy, signs it, and writes the manifest last.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let folders = options.of.folders()?;
    let to = &options.to;
    let passphrase = options.with_keys.as_deref().map(keys::passphrase).transpose()?;
    let seal = signature::key(&folders.keys())?;
    copy::empty(to)?;
    // Before the first byte is read: whatever was acknowledged until here is in the backup.
    let taken_at = clock::wall_millis();
    let file = match folders.store() {
        Place::File(file) => Some(file),
        Place::Database(_) => None,
    };
    let copied = to.join(manifest::DATABASE);
    if let Some(file) = &file {
        snapshot(file, &copied)
            .with_context(|| format!("the database {} cannot be copied", file.display()))?;
        private::owner_only(&copied)?;
    }
    // After the database, so that every piece it names is there: evidence is on the disk before it is named.
    let mut files = copy::folder(&folders.evidence(), &to.join(manifest::EVIDENCE), manifest::EVIDENCE)?;
    // With it a later restore of an older backup knows what is gone.
    let ledger = Ledger::below(folders.data());
    if ledger.path().exists() {
        let copied = copy::file(ledger.path(), &to.join(ledger::FILE))?;
        files.insert(ledger::FILE.to_owned(), copied);
    }
    if let Some(passphrase) = passphrase {
        keys::seal(&folders.keys(), &to.join(keys::FILE), &passphrase)?;
        files.insert(keys::FILE.to_owned(), copy::measure(&to.join(keys::FILE))?);
    }
    let audit = file.map(|_| sound(&copied)).transpose()?;
    if audit.is_some() {
        files.insert(manifest::DATABASE.to_owned(), copy::measure(&copied)?);
    }
    let manifest = Manifest::new(taken_at, audit.as_ref(), files);
    let bytes = serde_json::to_vec_pretty(&manifest)?;
    private::write(&to.join(signature::FILE), &signature::sign(&bytes, &seal)?)?;
    private::write(&to.join(manifest::FILE), &bytes)?;
    super::print(&words(options, &manifest, audit.as_ref()))
}

/// A copy without damage: one with damage is no backup.
fn sound(copied: &Path) -> anyhow::Result<Audit> {
    let audit = audit(copied)?;
    anyhow::ensure!(
        audit.faults.is_empty(),
        "the database is damaged, and so is its copy; restore an older backup beside it and compare:\n  - {}",
        audit.faults.join("\n  - ")
    );
    Ok(audit)
}

fn words(options: &Options, manifest: &Manifest, audit: Option<&Audit>) -> String {
    let database = audit.map_or_else(
        || {
            "The database is PostgreSQL and not in it: back it up by pg_basebackup and its WAL archive, begun before \
             this (OPERATIONS.md, backup)."
                .to_owned()
        },
        |audit| {
            let events: u64 = audit.heads.values().map(|(events, _)| events).sum();
            let (sessions, records) = (audit.heads.len(), audit.records);
            format!("{sessions} sessions with {events} events, {records} sealed records; every chain was checked.")
        },
    );
    let keys = if options.with_keys.is_some() {
        "The private keys are in it, under your passphrase."
    } else {
        "The private keys are not in it: keep a copy of the key folder in another place."
    };
    format!(
        "{}: {} files, {} bytes.\n{database}\n{keys}\n",
        options.to.display(),
        manifest.files.len(),
        manifest.bytes()
    )
}
