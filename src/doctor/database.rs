//! The database: that it can be reached, that it keeps what it is given, and that it is the right one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Finding, keys, nodes};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::server::database_options;
use crate::server::record::Record;
use crate::store::inspect::{self, Contents, Inspected, PostgresServer, Schema, ServerSettings, SqliteFile};

/// Older ones lack what the statements use; 15 is the oldest that the tests run on.
const OLDEST: i32 = 120_000;
const OLDEST_TESTED: i32 = 150_000;
/// A second of difference is a second in which tokens end early or late.
const SOME_SKEW: Duration = Duration::from_secs(1);
const MUCH_SKEW: Duration = Duration::from_secs(60);
/// Beside those for requests: one follows the log, one holds the claim.
const OWN_CONNECTIONS: i64 = 2;

pub(super) async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    const CHECK: &str = "database";
    let options = database_options(config);
    if let Some(path) = inspect::sqlite_path(&options.url).map(Path::new)
        && !path.exists()
    {
        return vec![
            Finding::ok(CHECK, format!("{} is made at the first start", path.display())),
            keys::judge(&keys::ring(config), &[]),
        ];
    }
    let inspected = match inspect::inspect(&options, clock).await {
        Ok(inspected) => inspected,
        Err(error) => {
            let advice = "look at database.url, at the network between, and whether the server runs";
            let found = format!("it can't be asked: {:#}", anyhow::Error::from(error));
            return vec![Finding::error(CHECK, found, advice)];
        }
    };
    match inspected {
        Inspected::WithoutSessions => vec![without_sessions()],
        Inspected::Sqlite(file) => {
            let path = inspect::sqlite_path(&options.url).map(PathBuf::from).unwrap_or_default();
            let mut findings = sqlite(&path, &file);
            findings.extend(contents(config, &file.contents, true));
            findings
        }
        Inspected::Postgres(server) => {
            let mut findings = postgres(config, &server);
            findings.extend(contents(config, &server.contents, server.settings.may_create));
            if let Some(tables) = &server.contents.tables {
                findings.extend(nodes::examine(config, &options, &tables.nodes).await);
            }
            findings
        }
    }
}

fn sqlite(path: &Path, file: &SqliteFile) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("database", format!("SQLite, {}", path.display()))];
    findings.push(if file.is_wal {
        Finding::ok("journal mode", "write-ahead log")
    } else {
        let advice = "the next start makes one; if it does not, the file system has no shared memory";
        Finding::warning("journal mode", "no write-ahead log", advice)
    });
    findings.push(match file.damage.as_deref() {
        Some([]) => Finding::ok("integrity", "quick_check finds nothing"),
        Some(damage) => {
            Finding::error("integrity", damage.join("; "), "restore the last backup (docs/operations.md, Restoring)")
        }
        None => Finding::warning(
            "integrity",
            "quick_check was given up after a minute",
            "run it on a copy: jeton store backup, then sqlite3 COPY 'PRAGMA quick_check'",
        ),
    });
    findings.push(lock(path));
    findings
}

/// Who holds the lock is only looked up: to take it would keep a service from starting at this moment.
fn lock(path: &Path) -> Finding {
    const CHECK: &str = "lock";
    let name = path.with_file_name(format!("{}.lock", path.file_name().unwrap_or_default().to_string_lossy()));
    let Ok(metadata) = fs::metadata(&name) else {
        return Finding::ok(CHECK, "no process has used the file yet");
    };
    match fs::read_to_string("/proc/locks") {
        Ok(locks) => match holder(&locks, metadata.ino()) {
            Some(process) => Finding::ok(CHECK, format!("held by process {process}, which serves from the file")),
            None => Finding::ok(CHECK, "free"),
        },
        Err(error) => Finding::warning(
            CHECK,
            format!("/proc/locks: {error}"),
            "whether a process serves from the file can't be seen here",
        ),
    }
}

/// Whose `flock` on this file there is, by proc_locks(5).
fn holder(locks: &str, inode: u64) -> Option<&str> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, process, file, ..] = fields[..] else { return None };
        (file.rsplit(':').next()?.parse() == Ok(inode)).then_some(process)
    })
}

fn postgres(config: &Config, server: &PostgresServer) -> Vec<Finding> {
    let settings = &server.settings;
    let mut findings = vec![version(settings)];
    findings.extend(durability(config, server));
    findings.extend(sessions(server));
    findings.push(clock_skew(server));
    findings.push(connections(config, settings));
    if settings.encoding != "UTF8" {
        let found = format!("the database is encoded in {}", settings.encoding);
        findings.push(Finding::error("encoding", found, "make a database with ENCODING 'UTF8'"));
    }
    findings
}

fn version(settings: &ServerSettings) -> Finding {
    const CHECK: &str = "database";
    let found = format!("PostgreSQL {}.{}", settings.version / 10_000, settings.version % 10_000);
    match settings.version {
        ..OLDEST => Finding::error(CHECK, found, "it is too old: take PostgreSQL 15 or newer"),
        OLDEST..OLDEST_TESTED => {
            Finding::warning(CHECK, found, "older than what is tested: take PostgreSQL 15 or newer")
        }
        _ => Finding::ok(CHECK, found),
    }
}

/// Whether what was answered is still there after a crash, and with `database.ha` after a failover.
fn durability(config: &Config, server: &PostgresServer) -> Vec<Finding> {
    const CHECK: &str = "durability";
    let settings = &server.settings;
    let mut findings = Vec::new();
    if !settings.fsync {
        findings.push(Finding::error(
            CHECK,
            "fsync is off: a crash takes revocations back, or all data",
            "set fsync = on",
        ));
    }
    if !settings.full_page_writes {
        let advice = "set full_page_writes = on, unless the file system writes whole pages";
        findings.push(Finding::warning(CHECK, "full_page_writes is off: a crash may leave torn pages", advice));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            match settings.synchronous_commit.as_str() {
                weak @ ("off" | "local") => {
                    format!("synchronous_commit is {weak} by default; the service sets it on for itself")
                }
                level => format!("fsync and full_page_writes are on, synchronous_commit is {level}"),
            },
        ));
    }
    match (&server.unsuitable, config.database.ha) {
        (Some(why), _) => findings.push(Finding::error(
            "session",
            why.clone(),
            "the service does not start on this server as it is configured",
        )),
        (None, true) if settings.standbys == 0 => {
            let advice = "see whether one is connected (pg_stat_replication); without it commits wait. To see it here, GRANT pg_read_all_stats";
            findings.push(Finding::warning("failover", "no synchronous standby can be seen", advice));
        }
        (None, true) => findings.push(Finding::ok("failover", format!("{} synchronous standbys", settings.standbys))),
        (None, false) => {}
    }
    findings
}

fn without_sessions() -> Finding {
    let found = "a connection is given another session for each transaction: there is a pooler between";
    Finding::error("sessions", found, "use its session mode (PgBouncer: pool_mode = session), or connect past it")
}

fn sessions(server: &PostgresServer) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("sessions", "a connection keeps its session")];
    match server.rings {
        Some(true) => findings.push(Finding::ok("notifications", "LISTEN hears NOTIFY")),
        Some(false) => {
            let advice = "connect past what swallows them, or set validation.doorbell = false on all nodes";
            findings.push(Finding::error(
                "notifications",
                "LISTEN does not hear NOTIFY: each revocation would wait for the next renewal",
                advice,
            ));
        }
        None => {}
    }
    findings
}

fn clock_skew(server: &PostgresServer) -> Finding {
    const CHECK: &str = "clock";
    let off = Duration::from_millis(server.ahead_ms.unsigned_abs().saturating_sub(server.uncertain_ms.unsigned_abs()));
    let direction = if server.ahead_ms < 0 { "ahead of" } else { "behind" };
    let found = format!("this machine's is at least {off:?} {direction} the database's");
    let advice =
        "run NTP on both: tokens end early on a machine whose clock is ahead, and late on one whose clock is behind";
    match off {
        off if off >= MUCH_SKEW => Finding::error(CHECK, found, advice),
        off if off >= SOME_SKEW => Finding::warning(CHECK, found, advice),
        _ => Finding::ok(CHECK, format!("as the database's, within {} ms", server.ahead_ms.unsigned_abs().max(1))),
    }
}

fn connections(config: &Config, settings: &ServerSettings) -> Finding {
    const CHECK: &str = "connections";
    let needed = i64::from(config.database.connections.max(4)) + OWN_CONNECTIONS;
    let limits = [Some(settings.places), settings.role_limit, settings.database_limit];
    let most = limits.into_iter().flatten().filter(|limit| *limit >= 0).min().unwrap_or(settings.places);
    let found = format!("a node takes up to {needed}; {most} are allowed, {} are taken", settings.taken - 1);
    let advice = "raise max_connections (or the role's or database's CONNECTION LIMIT), or lower database.connections";
    match needed {
        needed if needed > most => Finding::error(CHECK, found, advice),
        needed if needed + settings.taken - 1 > most => {
            Finding::warning(CHECK, found, format!("{advice}; fewer are needed if this node runs already"))
        }
        _ => Finding::ok(CHECK, found),
    }
}

/// The schema, the key and the revision: whether this database is the one that this node belongs to.
fn contents(config: &Config, contents: &Contents, may_create: bool) -> Vec<Finding> {
    let mut findings = vec![schema(config, &contents.schema, may_create)];
    let ring = keys::ring(config);
    let known = contents.tables.as_ref().map_or(&[][..], |tables| &tables.keys);
    findings.push(keys::judge(&ring, known));
    if let Some(tables) = &contents.tables {
        if tables.is_empty {
            findings.push(Finding::ok("workspace", "none yet: the first start makes one, with an administrator"));
        }
        findings.push(match Record::of(&config.data_dir).and_then(|record| record.allows(tables.head)) {
            Ok(()) => Finding::ok(
                "revision",
                format!("the database is at {}, no older than what this node has seen", tables.head.value()),
            ),
            Err(error) => Finding::error("revision", format!("{error:#}"), "see docs/operations.md, Restoring"),
        });
    }
    findings
}

fn schema(config: &Config, schema: &Schema, may_create: bool) -> Finding {
    const CHECK: &str = "schema";
    let to_do = |found: String| {
        if !may_create {
            let advice = "GRANT CREATE ON SCHEMA public, or run jeton migrate as the owner of the database";
            return Finding::error(CHECK, format!("{found}, and this role may not make tables"), advice);
        }
        if config.database.migrate {
            return Finding::ok(CHECK, format!("{found}; the next start does it"));
        }
        Finding::error(CHECK, format!("{found}, and database.migrate is false"), "run jeton migrate")
    };
    match schema {
        Schema::Missing => to_do("it is to be made".to_owned()),
        Schema::Behind(count) => to_do(format!("{count} migrations are to be applied")),
        Schema::Current if !may_create => {
            let advice = "GRANT CREATE ON SCHEMA public: each month gets a partition for its tokens";
            Finding::error(CHECK, "it is current, but this role may not make partitions", advice)
        }
        Schema::Current => Finding::ok(CHECK, "it is the one of this version"),
        Schema::Ahead(count) => Finding::warning(
            CHECK,
            format!("a later version has applied {count} migrations"),
            "this version serves beside it, unless it says at its start that it can't; finish the upgrade or roll it back",
        ),
        Schema::Differs(version) => {
            let found = format!("migration {version} is not the one of this version, or was not finished");
            Finding::error(CHECK, found, "this database belongs to another build: restore a backup, or take that build")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn server(change: impl FnOnce(&mut PostgresServer)) -> PostgresServer {
        let settings = ServerSettings {
            version: 150_004,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            encoding: "UTF8".to_owned(),
            may_create: true,
            places: 97,
            role_limit: Some(-1),
            database_limit: Some(-1),
            taken: 1,
            standbys: 0,
        };
        let contents = Contents { schema: Schema::Missing, tables: None };
        let mut server =
            PostgresServer { settings, unsuitable: None, ahead_ms: 3, uncertain_ms: 1, rings: Some(true), contents };
        change(&mut server);
        server
    }

    /// What is not well, and how bad it is.
    fn ill(config: &Config, server: &PostgresServer) -> Vec<(&'static str, Verdict)> {
        let findings = postgres(config, server).into_iter().filter(|finding| finding.verdict != Verdict::Ok);
        findings.map(|finding| (finding.check, finding.verdict)).collect()
    }

    #[test]
    fn each_thing_that_a_server_lacks_is_told() {
        type Change = fn(&mut PostgresServer);
        let config = Config::default();
        assert_eq!(ill(&config, &server(|_| ())), []);
        let cases: [(Change, &str, Verdict); 13] = [
            (|server| server.settings.version = 110_000, "database", Verdict::Error),
            (|server| server.settings.version = 140_010, "database", Verdict::Warning),
            (|server| server.settings.fsync = false, "durability", Verdict::Error),
            (|server| server.settings.full_page_writes = false, "durability", Verdict::Warning),
            (|server| server.unsuitable = Some("no standby".to_owned()), "session", Verdict::Error),
            (|server| server.rings = Some(false), "notifications", Verdict::Error),
            (|server| server.ahead_ms = 2000, "clock", Verdict::Warning),
            (|server| server.ahead_ms = -2000, "clock", Verdict::Warning),
            (|server| server.ahead_ms = -61_000, "clock", Verdict::Error),
            (|server| server.settings.places = 17, "connections", Verdict::Error),
            (|server| server.settings.role_limit = Some(10), "connections", Verdict::Error),
            (|server| server.settings.taken = 90, "connections", Verdict::Warning),
            (|server| server.settings.encoding = "SQL_ASCII".to_owned(), "encoding", Verdict::Error),
        ];
        for (number, (change, check, verdict)) in cases.into_iter().enumerate() {
            assert_eq!(ill(&config, &server(change)), [(check, verdict)], "case {number}");
        }
        // The service sets it for itself.
        assert_eq!(ill(&config, &server(|server| server.settings.synchronous_commit = "off".to_owned())), []);
        let mut ha = Config::default();
        ha.database.ha = true;
        assert_eq!(ill(&ha, &server(|_| ())), [("failover", Verdict::Warning)]);
        assert_eq!(ill(&ha, &server(|server| server.settings.standbys = 1)), []);
    }

    #[test]
    fn a_schema_that_the_next_start_makes_is_no_error() {
        let (will, mut will_not) = (Config::default(), Config::default());
        will_not.database.migrate = false;
        for (config, found, may_create, verdict) in [
            (&will, Schema::Missing, true, Verdict::Ok),
            (&will, Schema::Behind(2), true, Verdict::Ok),
            (&will, Schema::Behind(2), false, Verdict::Error),
            (&will_not, Schema::Behind(2), true, Verdict::Error),
            (&will_not, Schema::Current, true, Verdict::Ok),
            (&will, Schema::Current, false, Verdict::Error),
            (&will, Schema::Ahead(1), true, Verdict::Warning),
            (&will, Schema::Differs(3), true, Verdict::Error),
        ] {
            assert_eq!(schema(config, &found, may_create).verdict, verdict, "{found:?} {may_create}");
        }
    }

    #[test]
    fn the_holder_of_a_lock_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  READ  70 fe:00:5 128 128\n2: FLOCK  ADVISORY  WRITE 4711 fe:00:42 0 EOF\n";
        assert_eq!(holder(locks, 42), Some("4711"));
        assert_eq!(holder(locks, 5), None);
        assert_eq!(holder("", 42), None);
    }
}
