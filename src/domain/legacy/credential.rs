//! The credential of an imported row: what it says of its token string, read into what is stored.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::foreign::{MAX_FOREIGN_BYTES, MIN_FOREIGN_BYTES};
use super::{Message, Recipe, Scheme, is_b64token, message};
use crate::domain::ids::WorkspaceId;
use crate::domain::keys::{Keys, decode_hex};
use crate::domain::secret::Digest;

/// What a row gives.
#[derive(Clone, Copy, Debug, Default)]
pub struct GivenCredential<'r> {
    pub token: Option<&'r str>,
    pub hash: Option<&'r str>,
    pub hint: Option<&'r str>,
}

/// What is stored of a row's token.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Which token of which source it is.
    pub import_key: Digest,
    /// Tells another token with this import key from the same one.
    pub material: [u8; 8],
    pub lookup: Digest,
    /// What is still to be proven where the look-up proves nothing.
    pub hash: Option<String>,
}

/// Why a row's credential can't be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCredential {
    #[error("scheme plain takes the token string in token, and neither hash nor hint")]
    PlainTakesToken,
    #[error("this scheme takes the hash in hash, and no token")]
    TakesHash,
    #[error(
        "a token has {MIN_FOREIGN_BYTES} to {MAX_FOREIGN_BYTES} of the characters that a bearer token may have (RFC 6750 section 2.1)"
    )]
    Token,
    #[error("hash is not the hexadecimal or base64 form of a hash of this scheme")]
    Hash,
    #[error("hash is not a bcrypt hash ($2a$, $2b$ or $2y$) with a cost from 4 to {MAX_COST}")]
    BcryptHash,
    #[error("hint is needed: what stands before the separator in the token string tells which hash to try")]
    HintMissing,
    #[error("hint has 1 to {MAX_HINT_BYTES} of the characters that a bearer token may have, and not the separator")]
    Hint,
    #[error("hint is of no use here: the hash alone tells which token it is")]
    HintUnwanted,
}

/// A guess at a token costs us as much as it costs to check one.
const MAX_COST: u32 = 14;
const MAX_HINT_BYTES: usize = 128;

impl Recipe {
    /// Reads a row's credential.
    ///
    /// # Errors
    /// [`BadCredential`].
    pub fn read(
        &self,
        given: GivenCredential<'_>,
        keys: &Keys,
        workspace: WorkspaceId,
    ) -> Result<Credential, BadCredential> {
        if let Scheme::Plain = self.scheme {
            let (Some(token), None, None) = (given.token, given.hash, given.hint) else {
                return Err(BadCredential::PlainTakesToken);
            };
            if !(MIN_FOREIGN_BYTES..=MAX_FOREIGN_BYTES).contains(&token.len()) || !is_b64token(token) {
                return Err(BadCredential::Token);
            }
            return Ok(found_by(&message("plain", "", token.as_bytes()), keys));
        }
        let (None, Some(hash)) = (given.token, given.hash) else {
            return Err(BadCredential::TakesHash);
        };
        let hint = self.read_hint(given.hint)?;
        let bytes = |length| decode(hash, length).ok_or(BadCredential::Hash);
        Ok(match self.scheme {
            Scheme::Plain | Scheme::Sha256 => found_by(&message("sha256", hint, &bytes(32)?), keys),
            Scheme::Sha512 => found_by(&message("sha512", hint, &bytes(64)?), keys),
            Scheme::HmacSha256(_) => found_by(&message("hmac-sha256", hint, &bytes(32)?), keys),
            Scheme::Bcrypt => {
                let hash = bcrypt_hash(hash).ok_or(BadCredential::BcryptHash)?;
                let own: Message = [workspace.as_bytes(), message("bcrypt", hint, b"").as_slice()].concat().into();
                let whole = keys.digest(hash.as_bytes());
                let (material, _) = whole.as_bytes().split_first_chunk().expect("32 bytes hold 8");
                Credential {
                    import_key: keys.digest(&own),
                    material: *material,
                    lookup: keys.digest(&message("hint", hint, b"")),
                    hash: Some(hash),
                }
            }
        })
    }

    fn read_hint<'r>(&self, hint: Option<&'r str>) -> Result<&'r str, BadCredential> {
        match (self.needs_hint(), hint) {
            (false, None) => Ok(""),
            (false, Some(_)) => Err(BadCredential::HintUnwanted),
            (true, None) => Err(BadCredential::HintMissing),
            (true, Some(hint)) => {
                let plain = hint.len() <= MAX_HINT_BYTES && is_b64token(hint) && !hint.contains([self.separator, '=']);
                if plain { Ok(hint) } else { Err(BadCredential::Hint) }
            }
        }
    }
}

/// Where the look-up is the proof.
fn found_by(message: &Message, keys: &Keys) -> Credential {
    let digest = keys.digest(message);
    Credential { import_key: digest, material: [0; 8], lookup: digest, hash: None }
}

/// Hexadecimal, or either alphabet of base64 with or without padding, of exactly so many bytes.
fn decode(text: &str, length: usize) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = if text.len() == length * 2 {
        text.is_ascii().then(|| decode_hex(text)).flatten()
    } else {
        let alphabet = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        GeneralPurpose::new(&alphabet, lenient).decode(text).ok()
    };
    bytes.filter(|bytes| bytes.len() == length)
}

/// `$2b$<cost>$` and 53 characters.
fn bcrypt_hash(text: &str) -> Option<String> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let (cost, rest) = rest.split_once('$')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    let cost = (cost.len() == 2).then(|| cost.parse::<u32>().ok()).flatten()?;
    ((4..=MAX_COST).contains(&cost) && rest.len() == 53 && rest.bytes().all(plain)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Digest as _, Sha256, Sha512};

    use super::super::{ForeignToken, Hashed};
    use super::*;
    use crate::domain::entropy::Entropy;
    use crate::domain::keys::{KeyRing, MasterKey};
    use crate::domain::secret::Secret;

    const TOKEN: &str = "app7.Zm9vYmFyYmF6";

    fn ring() -> KeyRing {
        KeyRing::new(&MasterKey::generate(&Entropy::seeded(1)), None)
    }

    fn recipe(scheme: Scheme, hashed: Hashed) -> Recipe {
        Recipe { scheme, hashed, separator: '.' }
    }

    fn workspace() -> WorkspaceId {
        WorkspaceId::from_bytes([1; 16])
    }

    fn read(
        recipe: &Recipe,
        token: Option<&str>,
        hash: Option<&str>,
        hint: Option<&str>,
    ) -> Result<Credential, BadCredential> {
        recipe.read(GivenCredential { token, hash, hint }, ring().current(), workspace())
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the presented string leads to the row.
    fn finds(recipe: &Recipe, presented: &str, row: &Credential) -> bool {
        let foreign = ForeignToken::read(presented, &ring()).unwrap();
        foreign.lookups(std::slice::from_ref(recipe), &ring()).iter().any(|lookup| lookup.matches(&row.lookup))
    }

    #[test]
    fn a_token_of_each_scheme_is_found_by_its_string_and_by_no_other() {
        let hmac = |part: &[u8]| {
            let mac = Hmac::<Sha256>::new_from_slice(b"old").unwrap();
            hex(&mac.chain_update(part).finalize().into_bytes())
        };
        let key = || Scheme::HmacSha256(Secret::new(b"old".to_vec()));
        let secret = TOKEN.split_once('.').unwrap().1.as_bytes();
        let cases = [
            (recipe(Scheme::Sha256, Hashed::Token), hex(&Sha256::digest(TOKEN)), None),
            (recipe(Scheme::Sha512, Hashed::Token), hex(&Sha512::digest(TOKEN)), None),
            (recipe(key(), Hashed::Token), hmac(TOKEN.as_bytes()), None),
            (recipe(Scheme::Sha256, Hashed::Secret), hex(&Sha256::digest(secret)), Some("app7")),
            (recipe(Scheme::Sha512, Hashed::Secret), hex(&Sha512::digest(secret)), Some("app7")),
            (recipe(key(), Hashed::Secret), hmac(secret), Some("app7")),
        ];
        for (recipe, hash, hint) in cases {
            let row = read(&recipe, None, Some(&hash), hint).unwrap();
            assert!(finds(&recipe, TOKEN, &row), "{recipe:?}");
            assert!(!finds(&recipe, "app7.Zm9vYmFyYmF7", &row), "{recipe:?}");
            assert!(!finds(&recipe, "app8.Zm9vYmFyYmF6", &row), "{recipe:?}");
        }
        let plain = recipe(Scheme::Plain, Hashed::Token);
        assert!(finds(&plain, TOKEN, &read(&plain, Some(TOKEN), None, None).unwrap()));
    }

    #[test]
    fn a_hash_reads_as_hex_or_base64_of_its_exact_length() {
        let recipe = recipe(Scheme::Sha256, Hashed::Token);
        let digest = Sha256::digest(TOKEN);
        let standard = base64::engine::general_purpose::STANDARD.encode(digest);
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
        for good in [
            hex(&digest),
            hex(&digest).to_uppercase(),
            standard.clone(),
            standard.trim_end_matches('=').to_owned(),
            url_safe,
        ] {
            assert!(finds(&recipe, TOKEN, &read(&recipe, None, Some(&good), None).unwrap()), "{good}");
        }
        for bad in ["", "abc", &hex(&digest)[..62], &hex(&Sha512::digest(TOKEN)), &"g".repeat(64), &"\u{e9}".repeat(32)]
        {
            assert_eq!(read(&recipe, None, Some(bad), None).unwrap_err(), BadCredential::Hash, "{bad}");
        }
    }

    #[test]
    fn a_bcrypt_row_needs_a_hint_and_a_bounded_cost() {
        let recipe = recipe(Scheme::Bcrypt, Hashed::Token);
        let hash = |cost: &str| format!("$2b${cost}${}", "a".repeat(53));
        let row = read(&recipe, None, Some(&hash("10")), Some("app7")).unwrap();
        assert!(finds(&recipe, TOKEN, &row));
        assert!(!finds(&recipe, "app8.Zm9vYmFyYmF6", &row));
        assert_eq!(row.hash, Some(hash("10")));
        let refused = |hash: &str, hint: Option<&str>| read(&recipe, None, Some(hash), hint).unwrap_err();
        assert_eq!(refused(&hash("10"), None), BadCredential::HintMissing);
        for bad in ["", "a.b", "a b", "a=", &"x".repeat(129)] {
            assert_eq!(refused(&hash("10"), Some(bad)), BadCredential::Hint, "{bad}");
        }
        for bad in [&hash("03"), &hash("15"), &hash("9"), "$2x$10$", "$1$abc", &hash("10")[..59]] {
            assert_eq!(refused(bad, Some("app7")), BadCredential::BcryptHash, "{bad}");
        }
    }

    #[test]
    fn a_row_gives_what_its_scheme_takes_and_nothing_else() {
        let (plain, sha) = (recipe(Scheme::Plain, Hashed::Token), recipe(Scheme::Sha256, Hashed::Token));
        let hash = hex(&Sha256::digest(TOKEN));
        assert_eq!(read(&plain, None, Some(&hash), None).unwrap_err(), BadCredential::PlainTakesToken);
        assert_eq!(read(&plain, Some(TOKEN), None, Some("app7")).unwrap_err(), BadCredential::PlainTakesToken);
        assert_eq!(read(&plain, Some("1234567"), None, None).unwrap_err(), BadCredential::Token);
        assert_eq!(read(&plain, Some("with blanks"), None, None).unwrap_err(), BadCredential::Token);
        assert_eq!(read(&sha, Some(TOKEN), None, None).unwrap_err(), BadCredential::TakesHash);
        assert_eq!(read(&sha, None, Some(&hash), Some("app7")).unwrap_err(), BadCredential::HintUnwanted);
    }
}
