//! Fills what a migration could not: the order of the alphabet is not the database's to know.

use sqlx::PgConnection;
use synaq_store::fold;
use uuid::Uuid;

/// Gives every name and title that has none the key it is sorted and searched by. Looks at nothing where all have one.
pub(crate) async fn fill(connection: &mut PgConnection) -> sqlx::Result<()> {
    for (select, update) in [
        (
            "SELECT session, name FROM candidate WHERE name_key = ''",
            "UPDATE candidate SET name_key = said.key FROM unnest($1::uuid[], $2::text[]) AS said (id, key)
             WHERE session = said.id",
        ),
        (
            "SELECT id, title FROM sitting WHERE title_key = ''",
            "UPDATE sitting SET title_key = said.key FROM unnest($1::uuid[], $2::text[]) AS said (id, key)
             WHERE sitting.id = said.id",
        ),
    ] {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(select).fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            continue;
        }
        let (ids, keys): (Vec<_>, Vec<_>) = rows.into_iter().map(|(id, text)| (id, fold(&text))).unzip();
        sqlx::query(update).bind(ids).bind(keys).execute(&mut *connection).await?;
    }
    Ok(())
}
