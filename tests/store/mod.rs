//! The store through the service: what is committed, what is kept, what goes.

/// Makes a test of each case on SQLite and one on PostgreSQL, where what runs is a process of its own.
macro_rules! on_both {
    ($($case:ident)*) => {$(
        mod $case {
            use crate::support::TestDatabase;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$case(TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL: cargo xtask test"]
            async fn on_postgres() {
                super::$case(TestDatabase::postgres().await).await;
            }
        }
    )*};
}

mod growth;
mod restore;
pub mod schema;
mod startup;

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};

use jeton::domain::ids::{GrantId, UserId};

use crate::support::TestDatabase;

macro_rules! on {
    ($database:expr, |$conn:ident| $body:expr) => {
        if $database.is_postgres() {
            let mut $conn = PgConnection::connect(&$database.url()).await.unwrap();
            $body
        } else {
            let mut $conn = SqliteConnection::connect(&$database.url()).await.unwrap();
            $body
        }
    };
}

/// Request id and actor of every audit row of this action.
pub async fn audit_rows(database: &TestDatabase, action: &'static str) -> Vec<(String, String)> {
    const SQL: &str = "SELECT COALESCE(request_id, ''), actor FROM audit_event WHERE action = $1 ORDER BY id";
    on!(database, |conn| {
        let rows = conn.fetch_all(sqlx::query(SQL).bind(action)).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    })
}

/// A number that a query without parameters gives.
pub async fn count(database: &TestDatabase, sql: &'static str) -> i64 {
    on!(database, |conn| conn.fetch_one(sql).await.unwrap().get(0))
}

/// Makes a grant that of another user.
pub async fn give(database: &TestDatabase, grant: &str, user: &str) {
    const SQL: &str = "UPDATE grant_ SET user_id = $1 WHERE id = $2";
    let (user, grant): (UserId, GrantId) = (user.parse().unwrap(), grant.parse().unwrap());
    let (user, grant) = (user.as_bytes().to_vec(), grant.as_bytes().to_vec());
    on!(database, |conn| {
        conn.execute(sqlx::query(SQL).bind(user).bind(grant)).await.unwrap();
    });
}

/// The detail of every audit row of this action.
pub async fn audit_details(database: &TestDatabase, action: &'static str) -> Vec<String> {
    const SQL: &str = "SELECT COALESCE(detail, '') FROM audit_event WHERE action = $1 ORDER BY id";
    on!(database, |conn| {
        let rows = conn.fetch_all(sqlx::query(SQL).bind(action)).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}

/// A text that a query without parameters gives.
pub async fn text(database: &TestDatabase, sql: &'static str) -> String {
    on!(database, |conn| conn.fetch_one(sql).await.unwrap().get(0))
}

/// Gives a grant these plans. What this process remembers of it stays as it is.
pub async fn set_plans(database: &TestDatabase, grant: &str, plans: &[&str]) {
    const SQL: &str = "UPDATE grant_ SET plans = $1 WHERE id = $2";
    let (plans, grant) = (serde_json::to_string(plans).unwrap(), grant.parse::<GrantId>().unwrap().as_bytes().to_vec());
    on!(database, |conn| {
        conn.execute(sqlx::query(SQL).bind(plans).bind(grant)).await.unwrap();
    });
}

/// Gives every grant these plans.
pub async fn set_plans_of_all(database: &TestDatabase, plans: &[&str]) {
    let plans = serde_json::to_string(plans).unwrap();
    on!(database, |conn| {
        conn.execute(sqlx::query("UPDATE grant_ SET plans = $1").bind(plans)).await.unwrap();
    });
}

/// Makes the API of this name that of another workspace.
pub async fn move_api(database: &TestDatabase, name: &str) {
    const SQL: &str = "UPDATE api SET workspace_id = $1 WHERE name = $2";
    on!(database, |conn| {
        conn.execute(sqlx::query(SQL).bind(vec![7_u8; 16]).bind(name)).await.unwrap();
    });
}

/// Gives every user this role.
pub async fn demote(database: &TestDatabase, role: &'static str) {
    on!(database, |conn| {
        conn.execute(sqlx::query("UPDATE user_account SET role = $1").bind(role)).await.unwrap();
    });
}

/// Changes rows behind the service's back, where no call of its own does so.
pub async fn execute(database: &TestDatabase, sql: &'static str) {
    on!(database, |conn| {
        conn.execute(sql).await.unwrap();
    });
}

/// Moves every user, with what they hold, to a workspace of their own.
pub async fn move_users(database: &TestDatabase) {
    const MAKE: &str = "INSERT INTO workspace (id, name, api_client, created_at) \
         SELECT $1, 'other', api_client, created_at FROM workspace WHERE name = 'default'";
    let id = [7_u8; 16].to_vec();
    on!(database, |conn| {
        conn.execute(sqlx::query(MAKE).bind(&id)).await.unwrap();
        conn.execute(sqlx::query("UPDATE user_account SET workspace_id = $1").bind(&id)).await.unwrap();
        conn.execute(sqlx::query("UPDATE grant_ SET workspace_id = $1 WHERE user_id IS NOT NULL").bind(&id))
            .await
            .unwrap();
    });
}
