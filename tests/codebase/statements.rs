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

/// A newer version adds columns to tables that this one goes on to use.
#[test]
fn every_statement_names_the_columns_that_it_reads_and_writes() {
    let all = regex::Regex::new(r"(?i)\b(SELECT|RETURNING) \*|, ?\*|(?<table>\w+)\.\*").unwrap();
    let of_its_own = regex::Regex::new(r"(?i)SELECT \*(, [^()]*)? FROM (UNNEST\(|\(VALUES)").unwrap();
    let unnamed = regex::Regex::new(r"(?i)\bINSERT INTO \w+( AS \w+)? *(VALUES|SELECT)").unwrap();
    for statement in REGISTRY.iter().flat_map(|table| table.iter()) {
        for text in [statement.postgres, statement.sqlite] {
            let rest = of_its_own.replace_all(text, "");
            // What the parameters are made into is no table.
            let parameters = |table: &str| {
                let (named, with) = (format!(") AS {table}"), format!("{table} AS (SELECT * FROM UNNEST("));
                text.contains("UNNEST(") && (text.contains(&named) || text.contains(&with))
            };
            let tables = all.captures_iter(&rest).map(|found| found.name("table").map(|table| table.as_str()));
            let read = tables.filter(|table| !table.is_some_and(parameters)).count();
            assert_eq!(read, 0, "{} reads whatever columns there are: {text}", statement.name);
            assert!(!unnamed.is_match(text), "{} fills whatever columns there are: {text}", statement.name);
        }
    }
}
