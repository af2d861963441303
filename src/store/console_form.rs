//! Table `console_form`: forms that make a secret are accepted once.

use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::secret::Digest;

static USE: Statement = Statement::both(
    "console_form.use",
    "INSERT INTO console_form (digest, used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
);
static FORGET: Statement = Statement::both("console_form.forget", "DELETE FROM console_form WHERE used_at < $1");

pub(super) const STATEMENTS: &[&Statement] = &[&USE, &FORGET];

impl Store {
    /// Takes note that a form was sent; false when it had been before. Those before `forget` are forgotten.
    pub(crate) async fn use_console_form(
        &self,
        form: Digest,
        at: Timestamp,
        forget: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database
            .transact(USE.name, move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FORGET);
                    on_conn!(db, |conn| sqlx::query(sql).bind(forget.ms()).execute(&mut **conn).await.map(drop))?;
                    let sql = db.sql(&USE);
                    let used = on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(&form.as_bytes()[..]).bind(at.ms());
                        query.execute(&mut **conn).await.map(|done| done.rows_affected())
                    })?;
                    Ok(used > 0)
                })
            })
            .await
    }
}
