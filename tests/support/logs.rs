//! Everything that this test process logs, at trace level, and the search for secrets in it.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use aho_corasick::AhoCorasick;
use jeton::domain::base62;
use tracing_subscriber::fmt::MakeWriter;

static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: OnceLock<()> = OnceLock::new();

struct Capture;

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        CAPTURED.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// From now on every event of the process is kept.
pub fn capture() {
    STARTED.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(Capture).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets a subscriber");
    });
}

/// How much was kept so far.
pub fn position() -> usize {
    CAPTURED.lock().expect("no writer panics").len()
}

/// What was kept since `position`.
pub fn captured_since(position: usize) -> Vec<u8> {
    CAPTURED.lock().expect("no writer panics")[position..].to_vec()
}

/// Every token string in `text`.
pub fn secrets_in(text: &str) -> Vec<String> {
    let pattern = regex::Regex::new("jtn_[arks]_[0-9A-Za-z]{77}").expect("a pattern");
    pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

/// Asserts that `haystack` holds none of the secrets: not as text, not as bytes, not in hexadecimal.
pub fn assert_no_secret(haystack: &[u8], secrets: &[String], place: &str) {
    let needles: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
    let found = AhoCorasick::new(&needles).expect("plain needles").find(haystack);
    let kind = found.map(|found| &secrets[found.pattern().as_usize() / 3][..6]);
    assert_eq!(kind, None, "{place} holds a secret");
}

/// The 32 secret bytes of a token string: as its digits, raw, and in hexadecimal.
fn spellings(secret: &str) -> [Vec<u8>; 3] {
    let digits = &secret.as_bytes()[6 + 22..6 + 66];
    let limbs = digits.as_chunks::<11>().0.iter();
    let raw: Vec<u8> = limbs.flat_map(|limb| base62::read_limb(limb).expect("a limb").to_be_bytes()).collect();
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    [digits.to_vec(), raw, hex.into_bytes()]
}

#[test]
fn a_secret_is_found_in_each_of_its_spellings() {
    let secret = format!("jtn_a_{}", "7".repeat(77));
    for spelling in spellings(&secret) {
        let haystack = [b"before ", spelling.as_slice(), b" after"].concat();
        let searched = std::panic::catch_unwind(|| assert_no_secret(&haystack, std::slice::from_ref(&secret), "here"));
        assert!(searched.is_err());
    }
    assert_no_secret(b"nothing here", &[secret], "here");
}
