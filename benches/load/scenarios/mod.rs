//! What is measured: one file per kind of request.

mod console;
mod footprint;
mod growth;
mod issue;
mod memory;
mod million;
mod miss;
mod passwords;
mod purge;
mod refresh;
mod revoke;
mod session;
mod stored;
mod writes;

use std::time::Duration;

use crate::cores::Cores;
use crate::facts;
use crate::generator::Window;
use crate::options::{Options, Part};
use crate::pgbench::Pgbench;
use crate::postgres::Cluster;

/// What the scenarios share.
pub(crate) struct Bench<'c> {
    cluster: Option<&'c Cluster>,
    pgbench: Option<Pgbench<'c>>,
    cores: Option<Cores>,
    rounds: u32,
    window: Window,
    quick: bool,
}

/// As many as a busy resource server keeps open; at this number the baselines are measured.
const CONNECTIONS: usize = 64;
/// Different tokens, so that no one cache line is hot.
const TOKENS: usize = 1024;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let cluster = Cluster::from_environment()?;
    let cores = Cores::split();
    println!("{}", facts::list(options, cores.as_ref(), cluster.as_ref()));
    println!("Each cell is the median of the rounds (and the smallest to the largest).");
    let bench = Bench {
        cluster: cluster.as_ref(),
        pgbench: cluster.as_ref().map(Pgbench::prepare).transpose()?.flatten(),
        cores,
        rounds: options.rounds(),
        window: Window { warm_up: Duration::from_millis(700), measure: options.measure() },
        quick: options.quick,
    };
    for part in options.parts() {
        match part {
            Part::Introspect => {
                memory::introspect(&bench)?;
                miss::introspect(&bench)?;
            }
            Part::AccessToken => memory::access_token(&bench)?,
            Part::Verify => memory::verify(&bench)?,
            Part::Issue => issue::measure(&bench)?,
            Part::Refresh => refresh::measure(&bench)?,
            Part::Revoke => revoke::measure(&bench)?,
            Part::Million => million::measure(&bench)?,
            Part::Growth => growth::measure(&bench, &options.sizes, options.plot.as_deref())?,
            Part::Purge => purge::measure(&bench)?,
            Part::Footprint => footprint::measure(&bench, options.cached)?,
            Part::Console => console::measure(&bench)?,
            Part::Passwords => passwords::measure(&bench)?,
        }
    }
    println!("\n- load average after: {}", facts::load_average());
    Ok(())
}

impl Bench<'_> {
    /// Counts the rounds, and says on standard error where it is.
    fn rounds(&self, part: &'static str, store: &'static str) -> impl Iterator<Item = u32> + use<> {
        let rounds = self.rounds;
        (1..=rounds).inspect(move |round| eprintln!("{part}, {store}: round {round} of {rounds}"))
    }
}
