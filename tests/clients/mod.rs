//! OAuth client libraries, written by others, that live through a token's whole life against the real binary.
//!
//! Each gets a token by client credentials, introspects, uses and revokes it, refreshes a pair, and is refused in the
//! way that it knows to report. The scripts are plain programs of their languages: what they do with a library is what
//! its documentation says to do.

mod oauth2_crate;
mod parties;
mod script;

use std::env;

use tokio::process::Command;

use crate::support::TestDatabase;
use crate::support::process::Jeton;

macro_rules! scripts {
    ($($name:ident $on_sqlite:ident $on_postgres:ident $interpreter:ident $extension:literal;)*) => {$(
        #[tokio::test]
        #[ignore = "needs the client libraries that cargo xtask test installs"]
        async fn $on_sqlite() {
            let database = TestDatabase::sqlite();
            script::run(stringify!($name), &mut $interpreter(), $extension, &Jeton::fresh(&database)).await;
        }

        #[tokio::test]
        #[ignore = "needs PostgreSQL and the client libraries: cargo xtask test"]
        async fn $on_postgres() {
            let database = TestDatabase::postgres().await;
            script::run(stringify!($name), &mut $interpreter(), $extension, &Jeton::fresh(&database)).await;
            database.remove().await;
        }
    )*};
}

scripts! {
    authlib_life authlib_lives_through_a_tokens_whole_life_on_sqlite
        authlib_lives_through_a_tokens_whole_life_on_postgres python "py";
    requests_oauthlib_life requests_oauthlib_lives_through_a_tokens_whole_life_on_sqlite
        requests_oauthlib_lives_through_a_tokens_whole_life_on_postgres python "py";
    simple_oauth2_life simple_oauth2_lives_through_a_tokens_whole_life_on_sqlite
        simple_oauth2_lives_through_a_tokens_whole_life_on_postgres node "mjs";
}

/// Isolated: neither the environment nor the user's packages change what is imported.
fn python() -> Command {
    let mut python = Command::new(provided("JETON_TEST_PYTHON"));
    python.arg("-I");
    python
}

fn node() -> Command {
    let mut node = Command::new(provided("JETON_TEST_NODE"));
    node.env("NODE_PATH", provided("JETON_TEST_NODE_PATH"));
    node
}

fn provided(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; cargo xtask test sets it"))
}
