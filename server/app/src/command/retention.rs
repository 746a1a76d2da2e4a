//! `synaq retention plan` and `synaq retention run`: what is erased when, and erasing it now; beside the running server.

use crate::adapter::depot::{self, Depot};
use crate::adapter::evidence::EvidenceFolder;
use crate::clock;
use crate::config::Config;
use crate::installation::{self, Folders, Restored};
use crate::keys::Keys;
use crate::retention::{Eraser, Keeping, Line, plan, waits};
use crate::store::Store;
use ring::rand::SystemRandom;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synaq_core::calendar::legal_date;
use synaq_core::retention::Verdict;
use synaq_core::time::At;

/// What is done about evidence whose time is over.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Retention {
    /// Say of every class of every session when it goes or why it stays; changes nothing
    Plan {
        /// TOML
        #[arg(long)]
        config: PathBuf,
    },
    /// Erase everything whose time is over
    Run {
        /// TOML
        #[arg(long)]
        config: PathBuf,
        /// Say what would go and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Erase although this folder was restored less than 14 days ago: every hold since the backup was placed again
        #[arg(long)]
        after_restore: bool,
    },
}

/// Opens the installation beside its server and does it.
pub(crate) async fn run(command: Retention) -> anyhow::Result<()> {
    let now = At(clock::wall_millis());
    match command {
        Retention::Plan { config } => {
            let (folders, keeping) = read(&config)?;
            let store = folders.store().open_beside().await?;
            let lines = plan(&*store, &keeping.terms, now, now).await?;
            super::print(&told(&lines, &keeping))
        }
        Retention::Run { config, dry_run: true, .. } => {
            let (folders, keeping) = read(&config)?;
            let store = folders.store().open_beside().await?;
            let mut lines = plan(&*store, &keeping.terms, now, now).await?;
            lines.retain(|line| matches!(line.verdict, Verdict::Due(_)));
            super::print(&told(&lines, &keeping))
        }
        Retention::Run { config, after_restore, .. } => {
            let (folders, keeping) = read(&config)?;
            let place = Config::read(&config)?.evidence.options()?;
            if let Some(restored) = Restored::read(&folders).filter(|_| !after_restore) {
                anyhow::ensure!(
                    waits(&restored, now).is_none(),
                    "this folder was restored less than 14 days ago, and holds that were placed since its backup are not \
                     in it; place them again, then say --after-restore"
                );
            }
            let store = folders.store().open_beside().await?;
            let outcome = eraser(&folders, store, place)?.run(&keeping.terms, now).await?;
            super::print(&format!(
                "{} classes of sessions erased, {} files removed; {} stay under a hold, {} without a decision.\n",
                outcome.erased, outcome.files, outcome.held, outcome.undecided
            ))
        }
    }
}

fn read(config: &Path) -> anyhow::Result<(Folders, Keeping)> {
    let config = Config::read(config)?;
    let complaints = config.retention.complaints();
    anyhow::ensure!(complaints.is_empty(), "{}", complaints.join("; "));
    Ok((config.folders()?, config.retention.keeping()))
}

fn eraser(folders: &Folders, store: Arc<dyn Store>, place: Option<depot::Options>) -> anyhow::Result<Eraser> {
    let keys = Keys::open(&folders.keys(), &SystemRandom::new())?;
    let depot = place.map(|options| Depot::behind(folders.evidence(), options)).transpose()?;
    let evidence =
        EvidenceFolder::new(folders.evidence(), keys.installation, store.clone()).carried_by(depot);
    Ok(installation::eraser(folders, &store, &Arc::new(evidence), &keys.seal))
}

fn told(lines: &[Line], keeping: &Keeping) -> String {
    let day = |at: At| legal_date(at).map_or_else(|_| format!("{} ms", at.0), |date| date.to_string());
    let mut text = String::new();
    for Line { session, class, verdict } in lines {
        let rule = keeping.terms.rule(*class);
        let why = match verdict {
            Verdict::Held => "stays: a hold is open".to_owned(),
            Verdict::Undecided => "stays: the commission has not decided".to_owned(),
            Verdict::Until(at) => format!("stays until {} ({rule})", day(*at)),
            Verdict::Due(at) => format!("goes: due since {} ({rule})", day(*at)),
        };
        writeln!(text, "{session}  {class:<10}  {why}").expect("a string takes everything");
    }
    let due = lines.iter().filter(|line| matches!(line.verdict, Verdict::Due(_))).count();
    writeln!(text, "{due} of {} go", lines.len()).expect("a string takes everything");
    text
}
