//! Every named statement is one that both databases accept.

use std::collections::HashSet;

use jeton::store::REGISTRY;
use sqlx::{Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection};

on_both_databases! {
    async fn every_statement_can_be_prepared(server: &TestServer) {
        let url = server.database.url();
        for statement in REGISTRY.iter().flat_map(|table| table.iter()) {
            let refused = if server.database.is_postgres() {
                let mut conn = PgConnection::connect(&url).await.unwrap();
                let sql = statement.postgres;
                if sql.is_empty() { None } else { conn.prepare(sql.into_sql_str()).await.err() }
            } else {
                let mut conn = SqliteConnection::connect(&url).await.unwrap();
                let sql = statement.sqlite;
                if sql.is_empty() { None } else { conn.prepare(sql.into_sql_str()).await.err() }
            };
            assert!(refused.is_none(), "{}: {refused:?}", statement.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let names: Vec<&str> = REGISTRY.iter().flat_map(|table| table.iter()).map(|statement| statement.name).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
}

#[test]
fn no_statement_asks_the_database_for_the_time_or_for_numbers_with_meaning() {
    let forbidden = regex::Regex::new(r"(?i)\b(now\(|current_timestamp|nextval|random\()").unwrap();
    for statement in REGISTRY.iter().flat_map(|table| table.iter()) {
        assert!(!forbidden.is_match(statement.postgres) && !forbidden.is_match(statement.sqlite), "{}", statement.name);
    }
}
