//! Erasing, in steps that each are durable and may be taken twice: noted, key destroyed, forgotten by the engine, listed,
//! files removed, done. Whoever is killed in between goes on from the row at the next run.

use super::Ledger;
use super::ledger::Gone;
use super::plan::{Line, plan};
use crate::adapter::evidence::EvidenceFolder;
use crate::store::Store;
use anyhow::Context as _;
use ring::rand::SystemRandom;
use serde_json::{Map, Value};
use std::sync::Arc;
use synaq_core::calendar::legal_date;
use synaq_core::ids::SessionId;
use synaq_core::retention::{DataClass, Terms, Verdict};
use synaq_core::time::{At, Span};
use synaq_seal::bundle::{ERASED_TYP, Statement};
use synaq_seal::jws;
use synaq_seal::key::SigningKey;
use synaq_store::{ErasureRow, Error};

const DAY_MINUTES: i64 = 24 * 60;

/// A step that was just taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// All that is due is noted
    Noted,
    /// A key is overwritten in its row
    Destroyed,
    /// The engine's files no longer hold the keys
    Forgotten,
    /// It stands in the list that outlives a restore
    Listed,
    /// The files are gone
    Removed,
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    /// Classes of sessions that are gone now
    pub(crate) erased: usize,
    /// Files that went with them
    pub(crate) files: usize,
    /// Classes whose time has come, and that stay because somebody holds them
    pub(crate) held: usize,
    /// ... because nobody has decided
    pub(crate) undecided: usize,
}

/// Erases what is due.
pub(crate) struct Eraser {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) evidence: Arc<EvidenceFolder>,
    pub(crate) ledger: Ledger,
    /// Signs what a bundle says of evidence that is gone
    pub(crate) seal: Arc<SigningKey>,
}

impl Eraser {
    /// Everything whose time has come, and what an earlier run left.
    pub(crate) async fn run(&self, terms: &Terms, now: At) -> anyhow::Result<Outcome> {
        self.run_watched(terms, now, &|_| Ok(())).await
    }

    /// As [`Self::run`]; `after` is called after each step, and its error ends the run there, as a kill would.
    pub(super) async fn run_watched(
        &self,
        terms: &Terms,
        now: At,
        after: &(dyn Fn(Step) -> anyhow::Result<()> + Sync),
    ) -> anyhow::Result<Outcome> {
        let closed = now - Span::mins(i64::from(terms.shortest()) * DAY_MINUTES);
        let lines = plan(&*self.store, terms, closed, now).await.context("what is due cannot be read")?;
        let count = |wanted: fn(&Verdict) -> bool| lines.iter().filter(|line| wanted(&line.verdict)).count();
        let mut outcome = Outcome {
            held: count(|verdict| matches!(verdict, Verdict::Held)),
            undecided: count(|verdict| matches!(verdict, Verdict::Undecided)),
            ..Outcome::default()
        };
        for Line { session, class, verdict } in lines {
            if matches!(verdict, Verdict::Due(_)) {
                self.note(session, class, &terms.rule(class), now).await?;
            }
        }
        after(Step::Noted)?;
        self.finish(now, &mut outcome, after).await?;
        Ok(outcome)
    }

    /// Only what an earlier run, or a list from before a restore, has begun.
    pub(crate) async fn resume(&self, now: At) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        self.finish(now, &mut outcome, &|_| Ok(())).await?;
        Ok(outcome)
    }

    /// Erases again what the list names and a restored database does not know to be gone.
    pub(crate) async fn reapply(&self, now: At) -> anyhow::Result<Outcome> {
        for gone in self.ledger.read()? {
            let Ok(class) = gone.class.parse::<DataClass>() else { continue };
            self.note(SessionId(gone.session), class, &gone.rule, now).await?;
        }
        self.resume(now).await
    }

    async fn note(&self, session: SessionId, class: DataClass, rule: &str, now: At) -> anyhow::Result<()> {
        match self.store.begin_erasure(session, class, rule, now).await {
            // A session that this database does not know has nothing here.
            Ok(()) | Err(Error::NotFound) => Ok(()),
            Err(Error::Taken(_)) => {
                tracing::warn!(%session, %class, "evidence stays because a hold is open");
                Ok(())
            }
            Err(error) => Err(error).context("what is to be erased cannot be noted"),
        }
    }

    async fn finish(
        &self,
        now: At,
        outcome: &mut Outcome,
        after: &(dyn Fn(Step) -> anyhow::Result<()> + Sync),
    ) -> anyhow::Result<()> {
        let open = self.store.open_erasures().await.context("what is being erased cannot be read")?;
        let (mut keys, mut unknown, mut going) = (Vec::new(), false, Vec::new());
        for row in open {
            unknown |= row.destroyed_at.is_some();
            match self.store.destroy_key(row.session, row.class, now).await {
                Ok(gone) => keys.extend(gone),
                // A hold came between.
                Err(Error::NotFound) => continue,
                Err(error) => return Err(error).context("a key cannot be destroyed"),
            }
            self.evidence.forget(row.session);
            after(Step::Destroyed)?;
            going.push(row);
        }
        if going.is_empty() {
            return Ok(());
        }
        // A run that was killed knew keys that nobody knows any more: without them everything overwritten is cleared out.
        let gone = if unknown { &[][..] } else { &keys };
        if unknown || !keys.is_empty() {
            self.store.forget(gone).await.context("destroyed keys cannot be cleared out of the database")?;
        }
        after(Step::Forgotten)?;
        for row in going {
            outcome.files += self.remove(&row, now, after).await?;
            outcome.erased += 1;
        }
        Ok(())
    }

    async fn remove(
        &self,
        row: &ErasureRow,
        now: At,
        after: &(dyn Fn(Step) -> anyhow::Result<()> + Sync),
    ) -> anyhow::Result<usize> {
        let (session, class) = (row.session, row.class);
        let gone = Gone {
            session: session.0,
            class: class.to_string(),
            rule: row.rule.clone(),
            at: row.destroyed_at.unwrap_or(now).0,
        };
        let (ledger, evidence) = (self.ledger.clone(), Arc::clone(&self.evidence));
        tokio::task::spawn_blocking(move || ledger.add(&gone)).await??;
        after(Step::Listed)?;
        let removed = tokio::task::spawn_blocking(move || evidence.remove(session, class)).await?;
        let removed = removed.with_context(|| format!("{class} of {session} cannot be removed"))?;
        after(Step::Removed)?;
        let statement = self.statement(row, now).await?;
        self.store.end_erasure(session, class, now, statement).await.context("the end cannot be noted")?;
        metrics::counter!("synaq_retention_erased_total", "class" => class.as_str()).increment(1);
        tracing::info!(%session, %class, rule = row.rule, files = removed, "evidence was erased");
        Ok(removed)
    }

    /// What a bundle says in place of the evidence, signed; none without a record that it could be held against.
    async fn statement(&self, row: &ErasureRow, now: At) -> anyhow::Result<Option<String>> {
        let Some(stored) = self.store.record(row.session).await.context("the record cannot be read")? else {
            return Ok(None);
        };
        let text = |text: String| Value::String(text);
        let about = Map::from_iter([
            ("class".to_owned(), text(row.class.to_string())),
            ("date".to_owned(), text(legal_date(now)?.to_string())),
            ("rule".to_owned(), text(row.rule.clone())),
        ]);
        let statement = Statement { record_sha256: stored.record.sha256, at: now.0, about };
        let signed = jws::sign(&statement.to_bytes()?, ERASED_TYP, &self.seal, &SystemRandom::new())?;
        Ok(Some(serde_json::to_string(&signed)?))
    }
}
