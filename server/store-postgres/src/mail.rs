//! Letters on their way.

use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all, at, first, number, one, without_nul};
use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::CentreId;
use synaq_core::time::At;
use synaq_store::{ClaimedLetter, Error, LetterEnd, LetterRow, LetterState, Mail, MailBacklog, NewLetter};
use uuid::Uuid;

#[async_trait]
impl Mail for PostgresStore {
    async fn post_letters(&self, letters: Vec<NewLetter>) -> Result<(), Error> {
        fn column<'l, C>(letters: &'l [NewLetter], value: impl Fn(&'l NewLetter) -> C) -> Vec<C> {
            letters.iter().map(value).collect()
        }
        let query = sqlx::query(
            "INSERT INTO letter (letter, centre, kind, about, recipient, sealed, created_at, due_at)
             SELECT new.letter, new.centre, new.kind, new.about, new.recipient, new.sealed, new.at, new.at
             FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[])
                 AS new (letter, centre, kind, about, recipient, sealed, at)",
        )
        .bind(column(&letters, |letter| letter.id))
        .bind(column(&letters, |letter| letter.centre.0))
        .bind(column(&letters, |letter| letter.kind.as_str()))
        .bind(column(&letters, |letter| letter.about.as_str()))
        .bind(column(&letters, |letter| letter.recipient.as_str()))
        .bind(column(&letters, |letter| letter.sealed.as_slice()))
        .bind(column(&letters, |letter| letter.created_at.0));
        let unique = [("letter_letter_key", "letter")];
        let posted = self.rows.execute(query).await;
        posted.map(drop).map_err(|refusal| refusal.or(|error| constraint(error, &unique)))
    }

    async fn claim_letters(
        &self,
        now: At,
        claimed_until: At,
        limit: u32,
    ) -> Result<Vec<ClaimedLetter>, Error> {
        // SKIP LOCKED: senders of several processes take different letters and wait for nobody.
        let query = sqlx::query(
            "WITH due AS MATERIALIZED (
                 SELECT id FROM letter WHERE state = 'queued' AND due_at <= $1
                 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED),
             claimed AS (UPDATE letter SET due_at = $2, attempts = attempts + 1 WHERE id IN (SELECT id FROM due)
                 RETURNING *)
             SELECT * FROM claimed ORDER BY id",
        );
        let rows = self.rows.rows(query.bind(now.0).bind(claimed_until.0).bind(i64::from(limit))).await?;
        all(rows, |row| {
            let letter = NewLetter {
                id: row.try_get("letter")?,
                centre: CentreId(row.try_get("centre")?),
                kind: row.try_get("kind")?,
                about: row.try_get("about")?,
                recipient: row.try_get("recipient")?,
                sealed: row.try_get("sealed")?,
                created_at: at(row, "created_at")?,
            };
            let attempts = number::<u32>(row, "attempts")?.saturating_sub(1);
            Ok(ClaimedLetter { letter, attempts })
        })
        .map_err(engine)
    }

    async fn settle_letter(&self, id: Uuid, at: At, end: LetterEnd) -> Result<(), Error> {
        let query = match end {
            LetterEnd::Sent => sqlx::query(
                "UPDATE letter SET state = 'sent', sealed = NULL, settled_at = $2, why = NULL
                 WHERE letter = $1 AND state = 'queued'",
            )
            .bind(id)
            .bind(at.0),
            LetterEnd::Retry { next_at, why } => {
                sqlx::query("UPDATE letter SET due_at = $2, why = $3 WHERE letter = $1 AND state = 'queued'")
                    .bind(id)
                    .bind(next_at.0)
                    .bind(without_nul(why))
            }
            LetterEnd::Failed { why } => sqlx::query(
                "UPDATE letter SET state = 'failed', sealed = NULL, settled_at = $2, why = $3
                 WHERE letter = $1 AND state = 'queued'",
            )
            .bind(id)
            .bind(at.0)
            .bind(without_nul(why)),
        };
        if self.rows.execute(query).await? == 0 {
            let known = self.rows.rows(sqlx::query("SELECT FROM letter WHERE letter = $1").bind(id)).await?;
            return if known.is_empty() { Err(Error::NotFound) } else { Ok(()) };
        }
        Ok(())
    }

    async fn next_letter_due(&self) -> Result<Option<At>, Error> {
        let query = sqlx::query("SELECT due_at FROM letter WHERE state = 'queued' ORDER BY due_at LIMIT 1");
        first(self.rows.rows(query).await?, |row| at(row, "due_at")).map_err(engine)
    }

    async fn letters(&self, centre: CentreId, about: &[String]) -> Result<Vec<LetterRow>, Error> {
        let query =
            sqlx::query("SELECT * FROM letter WHERE centre = $1 AND about = ANY($2) ORDER BY id DESC")
                .bind(centre.0)
                .bind(about);
        all(self.rows.rows(query).await?, letter_row).map_err(engine)
    }

    async fn mail_backlog(&self) -> Result<MailBacklog, Error> {
        let query = sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
                 min(created_at) FILTER (WHERE state = 'queued') AS oldest,
                 count(*) FILTER (WHERE state = 'failed') AS failed
             FROM letter WHERE state <> 'sent'",
        );
        one(self.rows.rows(query).await?, |row| {
            Ok(MailBacklog {
                queued: number(row, "queued")?,
                oldest: row.try_get::<Option<i64>, _>("oldest")?.map(At),
                failed: number(row, "failed")?,
            })
        })
        .map_err(engine)
    }
}

fn letter_row(row: &PgRow) -> sqlx::Result<LetterRow> {
    let state: &str = row.try_get("state")?;
    let state = LetterState::ALL.into_iter().find(|known| known.as_str() == state);
    Ok(LetterRow {
        id: row.try_get("letter")?,
        kind: row.try_get("kind")?,
        about: row.try_get("about")?,
        recipient: row.try_get("recipient")?,
        created_at: at(row, "created_at")?,
        state: state.ok_or_else(|| sqlx::Error::Decode("an unknown state of a letter".into()))?,
        attempts: number(row, "attempts")?,
        settled_at: row.try_get::<Option<i64>, _>("settled_at")?.map(At),
        why: row.try_get("why")?,
    })
}
