//! Validations while others guess passwords: 200 at a time, each from an address of its own, so that no throttle spares the
//! hashing.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::session::OWN_SITE;
use super::{Bench, CONNECTIONS, TOKENS};
use crate::connection::Answer;
use crate::generator::{self, Meters, Window};
use crate::jeton::Jeton;
use crate::report::{Table, each, p50_ms, p99_ms, per_second, ratio, spread};
use crate::script::{Expected, Repeat, Script, post_form};

const GUESSES_AT_ONCE: u32 = 200;

/// Somebody who guesses, at another name and from another address each time.
struct Guess {
    number: u32,
    request: Vec<u8>,
    checked: u64,
    turned_away: u64,
}

impl Script for Guess {
    fn request(&mut self) -> Option<&[u8]> {
        let address = Ipv4Addr::from(0x0a00_0000 + self.number % 0x00ff_ffff);
        let headers = format!("{OWN_SITE}x-forwarded-for: {address}\r\n");
        let name = format!("nobody{}", self.number);
        self.request =
            post_form("/console/sign-in", &headers, &[("username", &name), ("password", "a wrong password")]);
        self.number += GUESSES_AT_ONCE;
        Some(&self.request)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        match answer.status {
            422 => self.checked += 1,
            503 => self.turned_away += 1,
            other => bail!("a wrong password was answered with {other}"),
        }
        Ok(())
    }
}

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "database",
        "p99 without, ms",
        "p99 while passwords are guessed, ms",
        "ratio",
        "p50 without, ms",
        "p50 while, ms",
        "validations/s without",
        "while",
        "guesses/s: checked",
        "turned away",
    ]);
    let expected = Expected { status: 200, body_begins: "{\"active\":true" };
    for (database, store) in bench.stores() {
        let cores = bench.cores.as_ref().map(|cores| &*cores.server);
        let trusted = [("JETON__HTTP__TRUSTED_PROXIES", "127.0.0.1")];
        let jeton = Jeton::start_with(store, cores, &trusted)?;
        let requests = jeton.introspect_requests(&jeton.issue(TOKENS, CONNECTIONS)?);
        let _apart = bench.cores.as_ref().map(super::Cores::apart);
        let validate = || {
            let scripts = Repeat::scripts(CONNECTIONS, &requests, expected);
            Ok::<_, anyhow::Error>(generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0)
        };
        let (mut without, mut while_guessing) = (Vec::new(), Vec::new());
        let (mut checked, mut turned_away, mut guessed_for) = (0, 0, Duration::ZERO);
        for _ in bench.rounds("passwords", database) {
            without.push(validate()?);
            let guesses = guess(&jeton, bench.window);
            while_guessing.push(validate()?);
            let (sample, scripts) = guesses.join().ok().context("the guessing does not panic")??;
            checked += scripts.iter().map(|script| script.checked).sum::<u64>();
            turned_away += scripts.iter().map(|script| script.turned_away).sum::<u64>();
            guessed_for += sample.elapsed;
        }
        let each_second = |number: u64| format!("{:.0}", number as f64 / guessed_for.as_secs_f64());
        table.row([
            database.to_owned(),
            spread(each(&without, p99_ms), 2),
            spread(each(&while_guessing, p99_ms), 2),
            spread(ratio(&while_guessing, &without, p99_ms), 2),
            spread(each(&without, p50_ms), 2),
            spread(each(&while_guessing, p50_ms), 2),
            spread(each(&without, per_second), 0),
            spread(each(&while_guessing, per_second), 0),
            each_second(checked),
            each_second(turned_away),
        ]);
    }
    table.print("Introspection of cached tokens, without and while 200 wrong passwords are tried at a time");
    Ok(())
}

type Guesses = std::thread::JoinHandle<anyhow::Result<(crate::sample::Sample, Vec<Guess>)>>;

/// Guesses from before the validations begin until after they have ended.
fn guess(jeton: &Jeton<'_>, window: Window) -> Guesses {
    let window = Window { warm_up: Duration::ZERO, measure: window.warm_up + window.measure };
    let address = jeton.address();
    let scripts = (0..GUESSES_AT_ONCE).map(|number| Guess { number, request: Vec::new(), checked: 0, turned_away: 0 });
    let scripts = scripts.collect();
    let nothing = Meters { server: None, database: None };
    std::thread::spawn(move || generator::run(address, scripts, window, nothing))
}
