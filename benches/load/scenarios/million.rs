//! Administration where a million tokens are stored: revoking all of an owner, paging a list to its end, exporting it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{Bench, stored};
use crate::generator::now;
use crate::jeton::Jeton;
use crate::report::Table;
use crate::script::get;

/// Tokens of the large owner.
const MANY: u32 = 1_000_000;
/// Tokens of a small owner, and how many such owners there are.
const FEW: usize = 10;
const SMALL_OWNERS: usize = 5;
/// Pages at the beginning and at the end of the list that are compared.
const PAGES: usize = 100;

struct Found {
    revoke_few: Duration,
    revoke_many: Duration,
    first_pages: Duration,
    last_pages: Duration,
    exported: u64,
    export: Duration,
    grown_bytes: u64,
}

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "database",
        "revoke-all of 10, ms",
        "of 1 000 000, ms",
        "ratio",
        "page of 50 at the beginning, ms",
        "at the end, ms",
        "ratio",
        "export of all as CSV, s",
        "its size, MB",
        "memory it takes, MB",
    ]);
    for (database, store) in bench.stores() {
        eprintln!("million, {database}");
        let jeton = Jeton::start(store, None)?;
        let found = one(&jeton)?;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        table.row([
            database.to_owned(),
            format!("{:.2}", ms(found.revoke_few)),
            format!("{:.2}", ms(found.revoke_many)),
            format!("{:.2}", ms(found.revoke_many) / ms(found.revoke_few)),
            format!("{:.2}", ms(found.first_pages)),
            format!("{:.2}", ms(found.last_pages)),
            format!("{:.2}", ms(found.last_pages) / ms(found.first_pages)),
            format!("{:.1}", found.export.as_secs_f64()),
            format!("{:.0}", found.exported as f64 / 1e6),
            format!("{:.1}", found.grown_bytes as f64 / 1e6),
        ]);
    }
    table.print("A million tokens: revoke-all, list, export");
    Ok(())
}

fn one(jeton: &Jeton<'_>) -> anyhow::Result<Found> {
    let api = jeton.api();
    let make = |owner: &str, name: &str| -> anyhow::Result<Value> {
        api.create("/admin/v1/tokens", &json!({ "policy": "managed", "owner": owner, "name": name, "lifetime": "90d" }))
    };
    let user = |name: &str| -> anyhow::Result<String> {
        let made =
            api.create("/admin/v1/users", &json!({ "username": name, "email": "u@load.test", "role": "member" }))?;
        Ok(made["id"].as_str().context("a user has an id")?.to_owned())
    };
    let mut small = Vec::new();
    for number in 0..SMALL_OWNERS {
        let owner = user(&format!("small{number}"))?;
        for _ in 0..FEW {
            make(&owner, "few")?;
        }
        small.push(owner);
    }
    let large = user("large")?;
    let template = make(&large, "template")?;
    jeton.run_sql(stored::MILLION)?;
    let (first_pages, last_pages) = pages(jeton)?;
    let (export, exported, grown_bytes) = export(jeton)?;
    let revoke = |owner: &str| -> anyhow::Result<Duration> {
        let began = now();
        api.post("/admin/v1/tokens/revoke-all", &json!({ "owner": owner }), 200)?;
        Ok(began.elapsed())
    };
    let mut few = small.iter().map(|owner| revoke(owner)).collect::<anyhow::Result<Vec<_>>>()?;
    few.sort_unstable();
    let revoke_many = revoke(&large)?;
    let token = template["access_token"].as_str().context("a token is made")?;
    api.call(&get("/oauth20/verify", &format!("authorization: Bearer {token}\r\n")), 401)?;
    let (live, mut cursor) = (format!("/admin/v1/tokens?owner={large}&status=active"), String::new());
    loop {
        let left = api.get(&format!("{live}&cursor={cursor}"))?;
        ensure!(left["data"] == json!([]), "a token of the owner is alive: {left}");
        match left["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let first = api.get(&format!("/admin/v1/tokens?owner={large}&limit=1"))?;
    ensure!(first["data"][0]["status"] == "revoked", "the list does not show it: {first}");
    Ok(Found { revoke_few: few[few.len() / 2], revoke_many, first_pages, last_pages, exported, export, grown_bytes })
}

/// Walks through the whole list; the median page at its beginning and at its end.
fn pages(jeton: &Jeton<'_>) -> anyhow::Result<(Duration, Duration)> {
    let (mut path, mut times, mut rows) = ("/admin/v1/tokens?limit=50".to_owned(), Vec::new(), 0);
    loop {
        let began = now();
        let page = jeton.api().get(&path)?;
        times.push(began.elapsed());
        rows += page["data"].as_array().map_or(0, Vec::len);
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/admin/v1/tokens?limit=50&cursor={cursor}"),
            None => break,
        }
    }
    ensure!(rows > MANY as usize, "the list has {rows} rows");
    let median = |times: &[Duration]| {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    Ok((median(&times[1..=PAGES]), median(&times[times.len() - PAGES - 1..times.len() - 1])))
}

/// How long the export takes, how many bytes it has, and by how much the server's memory has grown at most.
fn export(jeton: &Jeton<'_>) -> anyhow::Result<(Duration, u64, u64)> {
    let before = jeton.peak_bytes()?;
    let began = now();
    let mut stream = TcpStream::connect(jeton.address())?;
    let headers =
        format!("authorization: Bearer {}\r\naccept: text/csv\r\nconnection: close\r\n", jeton.api().admin_key);
    stream.write_all(&get("/admin/v1/tokens", &headers))?;
    let (mut buffer, mut total, mut rows, mut last) = (vec![0; 1 << 16], 0, 0, Vec::new());
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        total += read as u64;
        rows += buffer[..read].windows(4).filter(|window| *window == b"grt_").count();
        last = buffer[read.saturating_sub(5)..read].to_vec();
    }
    ensure!(last == b"0\r\n\r\n", "the export was broken off after {rows} rows");
    ensure!(rows > (MANY as usize / 100) * 99, "the export has {rows} rows");
    Ok((began.elapsed(), total, jeton.peak_bytes()?.saturating_sub(before)))
}
