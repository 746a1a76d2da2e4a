use crate::error::{constraint, engine};
use crate::open::PostgresStore;
use crate::rows::{all as every, one as only};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use synaq_core::ids::CentreId;
use synaq_store::{CentreRow, Error};

pub(super) async fn add(store: &PostgresStore, centre: &CentreRow) -> Result<(), Error> {
    let query = sqlx::query("INSERT INTO centre (id, bin, name_kk, name_ru) VALUES ($1, $2, $3, $4)")
        .bind(centre.id.0)
        .bind(&centre.bin)
        .bind(&centre.name_kk)
        .bind(&centre.name_ru);
    let unique = [("centre_bin_key", "bin")];
    store
        .rows
        .execute(query)
        .await
        .map(drop)
        .map_err(|refusal| refusal.or(|error| constraint(error, &unique)))
}

pub(super) async fn all(store: &PostgresStore) -> Result<Vec<CentreRow>, Error> {
    let query = sqlx::query("SELECT * FROM centre ORDER BY name_ru, id");
    every(store.rows.rows(query).await?, centre).map_err(engine)
}

pub(super) async fn one(store: &PostgresStore, id: CentreId) -> Result<CentreRow, Error> {
    let query = sqlx::query("SELECT * FROM centre WHERE id = $1").bind(id.0);
    only(store.rows.rows(query).await?, centre).map_err(engine)
}

fn centre(row: &PgRow) -> sqlx::Result<CentreRow> {
    Ok(CentreRow {
        id: CentreId(row.try_get("id")?),
        bin: row.try_get("bin")?,
        name_kk: row.try_get("name_kk")?,
        name_ru: row.try_get("name_ru")?,
    })
}
