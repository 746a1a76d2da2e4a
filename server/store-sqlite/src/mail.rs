//! Letters on their way.

use crate::error::{constraint, engine};
use crate::open::SqliteStore;
use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use synaq_core::ids::CentreId;
use synaq_core::time::At;
use synaq_store::{ClaimedLetter, Error, LetterEnd, LetterRow, LetterState, Mail, MailBacklog, NewLetter};
use uuid::Uuid;

#[async_trait]
impl Mail for SqliteStore {
    async fn post_letters(&self, letters: Vec<NewLetter>) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let posted = insert(transaction.connection(), &letters).await;
        let unique = [("letter.letter", "letter")];
        transaction.end(posted.map_err(|error| constraint(error, &unique))).await
    }

    async fn claim_letters(
        &self,
        now: At,
        claimed_until: At,
        limit: u32,
    ) -> Result<Vec<ClaimedLetter>, Error> {
        let mut transaction = self.begin().await?;
        let claimed = claim(transaction.connection(), now, claimed_until, limit).await;
        transaction.end(claimed.map_err(engine)).await
    }

    async fn settle_letter(&self, id: Uuid, at: At, end: LetterEnd) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let settled = settle(transaction.connection(), id, at, end).await;
        transaction.end(settled.map_err(engine)).await
    }

    async fn next_letter_due(&self) -> Result<Option<At>, Error> {
        sqlx::query_scalar::<_, Option<i64>>("SELECT min(due_at) FROM letter WHERE state = 'queued'")
            .fetch_one(&self.readers)
            .await
            .map(|at| at.map(At))
            .map_err(engine)
    }

    async fn letters(&self, centre: CentreId, about: &[String]) -> Result<Vec<LetterRow>, Error> {
        sqlx::query(
            "SELECT * FROM letter WHERE centre = ?1 AND about IN (SELECT value FROM json_each(?2)) ORDER BY id DESC",
        )
        .bind(centre.0)
        .bind(serde_json::to_string(about).expect("texts are plain JSON"))
        .try_map(|row: SqliteRow| letter_row(&row))
        .fetch_all(&self.readers)
        .await
        .map_err(engine)
    }

    async fn mail_backlog(&self) -> Result<MailBacklog, Error> {
        sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
                    min(created_at) FILTER (WHERE state = 'queued') AS oldest,
                    count(*) FILTER (WHERE state = 'failed') AS failed
             FROM letter WHERE state <> 'sent'",
        )
        .try_map(|row: SqliteRow| {
            Ok(MailBacklog {
                queued: row.try_get::<i64, _>("queued")?.unsigned_abs(),
                oldest: row.try_get::<Option<i64>, _>("oldest")?.map(At),
                failed: row.try_get::<i64, _>("failed")?.unsigned_abs(),
            })
        })
        .fetch_one(&self.readers)
        .await
        .map_err(engine)
    }
}

async fn insert(connection: &mut SqliteConnection, letters: &[NewLetter]) -> Result<(), sqlx::Error> {
    for letter in letters {
        sqlx::query(
            "INSERT INTO letter (letter, centre, kind, about, recipient, sealed, created_at, due_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        )
        .bind(letter.id)
        .bind(letter.centre.0)
        .bind(&letter.kind)
        .bind(&letter.about)
        .bind(&letter.recipient)
        .bind(&letter.sealed)
        .bind(letter.created_at.0)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn claim(
    connection: &mut SqliteConnection,
    now: At,
    claimed_until: At,
    limit: u32,
) -> Result<Vec<ClaimedLetter>, sqlx::Error> {
    let mut claimed = sqlx::query(
        "UPDATE letter SET due_at = ?, attempts = attempts + 1 WHERE id IN (
             SELECT id FROM letter WHERE state = 'queued' AND due_at <= ? ORDER BY due_at, id LIMIT ?)
         RETURNING *",
    )
    .bind(claimed_until.0)
    .bind(now.0)
    .bind(limit)
    .try_map(|row: SqliteRow| {
        let letter = NewLetter {
            id: row.try_get("letter")?,
            centre: CentreId(row.try_get("centre")?),
            kind: row.try_get("kind")?,
            about: row.try_get("about")?,
            recipient: row.try_get("recipient")?,
            sealed: row.try_get("sealed")?,
            created_at: At(row.try_get("created_at")?),
        };
        let attempts = row.try_get::<u32, _>("attempts")?.saturating_sub(1);
        Ok((row.try_get::<i64, _>("id")?, ClaimedLetter { letter, attempts }))
    })
    .fetch_all(connection)
    .await?;
    // RETURNING has no order of its own.
    claimed.sort_by_key(|(order, _)| *order);
    Ok(claimed.into_iter().map(|(_, claimed)| claimed).collect())
}

async fn settle(
    connection: &mut SqliteConnection,
    id: Uuid,
    at: At,
    end: LetterEnd,
) -> Result<(), sqlx::Error> {
    let query = match end {
        LetterEnd::Sent => sqlx::query(
            "UPDATE letter SET state = 'sent', sealed = NULL, settled_at = ?, why = NULL
             WHERE letter = ? AND state = 'queued'",
        )
        .bind(at.0),
        LetterEnd::Retry { next_at, why } => {
            sqlx::query("UPDATE letter SET due_at = ?, why = ? WHERE letter = ? AND state = 'queued'")
                .bind(next_at.0)
                .bind(why)
        }
        LetterEnd::Failed { why } => sqlx::query(
            "UPDATE letter SET state = 'failed', sealed = NULL, settled_at = ?, why = ?
             WHERE letter = ? AND state = 'queued'",
        )
        .bind(at.0)
        .bind(why),
    };
    if query.bind(id).execute(&mut *connection).await?.rows_affected() == 0 {
        sqlx::query_scalar::<_, i64>("SELECT 1 FROM letter WHERE letter = ?")
            .bind(id)
            .fetch_one(connection)
            .await?;
    }
    Ok(())
}

fn letter_row(row: &SqliteRow) -> Result<LetterRow, sqlx::Error> {
    let state: &str = row.try_get("state")?;
    let state = LetterState::ALL.into_iter().find(|known| known.as_str() == state);
    Ok(LetterRow {
        id: row.try_get("letter")?,
        kind: row.try_get("kind")?,
        about: row.try_get("about")?,
        recipient: row.try_get("recipient")?,
        created_at: At(row.try_get("created_at")?),
        state: state.ok_or_else(|| sqlx::Error::Decode("an unknown state of a letter".into()))?,
        attempts: row.try_get("attempts")?,
        settled_at: row.try_get::<Option<i64>, _>("settled_at")?.map(At),
        why: row.try_get("why")?,
    })
}
