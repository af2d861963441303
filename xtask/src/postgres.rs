//! The Postgres of a test run: the server that was given, or a throw-away one from the programs that were found.

mod cluster;
mod find;
mod installation;
mod provision;
mod reaper;

use std::{env, process::Command};

use crate::Result;

use cluster::Cluster;
pub(crate) use cluster::Durability;
pub(crate) use installation::Installation;

const URL: &str = "TEST_DATABASE_URL";

/// A running server; one that was started here ends when this is dropped.
pub(crate) struct Server {
    installation: Option<Installation>,
    cluster: Option<Cluster>,
}

impl Server {
    /// Uses `TEST_DATABASE_URL` as it is, or starts a throw-away cluster.
    pub(crate) fn start(durability: Durability) -> Result<Self> {
        if env::var_os(URL).is_some() {
            // Its programs are wanted only by tests that stop and start a cluster of their own.
            return Ok(Self { installation: Installation::find()?, cluster: None });
        }
        let installation = Installation::find_or_provision()?;
        let cluster = Cluster::start(&installation, durability)?;
        Ok(Self { installation: Some(installation), cluster: Some(cluster) })
    }

    /// Tells a child process, through its environment, where the server and its programs are.
    pub(crate) fn describe_to(&self, child: &mut Command) {
        if let Some(cluster) = &self.cluster {
            child.env(URL, cluster.url());
        }
        if let Some(installation) = &self.installation {
            installation.describe_to(child);
        }
    }
}
