//! Validates strings that were not made here, where tokens of an older system were imported.
//!
//! A validated one is kept in the same cache as our own tokens, under an id that is made of its digest: from its second
//! use on it costs what our own cost. Where nobody has imported anything, a foreign string costs no query.

use std::sync::Arc;

use jeton_guard::{Inactive, Outcome};

use super::Notice;
use super::upgrade::PendingUpgrade;
use crate::cluster::imports::Imports;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Dead, Revision, TokenOf};
use crate::domain::legacy::{ForeignToken, Hashed, Recipe, Scheme};
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::service::Service;
use crate::service::live_token::LiveToken;
use crate::service::validate::Validation;
use crate::store::StoreError;
use crate::store::legacy_lookup::{StoredLegacy, StoredRecipe};
use crate::store::lookup::StoredToken;

/// What sealed keys are sealed for.
pub(super) const HMAC_KEY: &str = "legacy-hmac-key";

impl Service {
    /// Decides without I/O if that is possible.
    pub(in crate::service) fn recall_foreign(
        &self,
        text: &str,
        at_least: Revision,
    ) -> Result<Validation, ForeignToken> {
        let trusted = self.cache.trusted(&self.clock).filter(|_| self.cache.applied() >= at_least);
        let imports = trusted.as_ref().and_then(|trusted| self.cache.find_imports(trusted));
        let nobody_imports = imports.as_ref().is_some_and(|imports| imports.recipes.is_empty());
        let foreign = if nobody_imports { None } else { ForeignToken::read(text, self.codec.keys()) };
        let Some(foreign) = foreign else {
            return Ok(Outcome::Inactive(Inactive::Unproven));
        };
        let known = trusted
            .zip(imports)
            .and_then(|(trusted, imports)| self.recall(&trusted, &foreign.as_presented(imports.generation), at_least));
        known.ok_or(foreign)
    }

    pub(in crate::service) async fn read_foreign(
        &self,
        foreign: ForeignToken,
        at_least: Revision,
    ) -> Result<Validation, StoreError> {
        self.require_lease()?;
        let fill = self.cache.begin_fill();
        let imports = self.imports().await?;
        let row = self.prove_foreign(&foreign, &imports).await?;
        self.require_lease()?;
        self.require_revision(None, at_least).await?;
        let Some(row) = row else {
            return Ok(Outcome::Inactive(Inactive::Unproven));
        };
        let now = self.clock.now();
        let notice = Notice {
            deprecated_at: row.deprecated_at,
            sunset: row.grant.expires_at.unwrap_or(row.deprecated_at),
            link: row.link.clone(),
        };
        let upgrade = PendingUpgrade::of(&row, &foreign, now);
        let stored = as_stored(row, &foreign);
        let as_of = stored.as_of;
        let token = TokenOf { kind: stored.kind, generation: stored.generation };
        let grant = match stored.grant.clone().live_for(token, now) {
            Ok(grant) => grant,
            Err(Dead::Expired) => return Ok(Outcome::Inactive(Inactive::Expired)),
            Err(Dead::Disabled) => return Ok(Outcome::Inactive(Inactive::Disabled)),
            Err(Dead::Revoked) => return Ok(Outcome::Inactive(Inactive::Revoked)),
        };
        if let Some(upgrade) = upgrade {
            self.legacy.upgrades.add(upgrade);
        }
        let noted = grant.last_used_at.map_or(0, Timestamp::ms);
        let live = LiveToken::new(stored, grant, self).with_notice(notice);
        let entry = self.cache.fill(fill, foreign.as_presented(imports.generation).id, live, noted);
        self.with_catalog(entry, as_of, now).await
    }

    /// The imported token that `text` is, alive or not.
    pub(in crate::service) async fn find_foreign(&self, text: &str) -> Result<Option<StoredToken>, StoreError> {
        let Some(foreign) = ForeignToken::read(text, self.codec.keys()) else {
            return Ok(None);
        };
        let imports = self.imports().await?;
        let row = self.prove_foreign(&foreign, &imports).await?;
        Ok(row.map(|row| as_stored(row, &foreign)))
    }

    /// Finds the row that `foreign` proves to be: the oldest, should there be several.
    async fn prove_foreign(
        &self,
        foreign: &ForeignToken,
        imports: &Imports,
    ) -> Result<Option<StoredLegacy>, StoreError> {
        if imports.recipes.is_empty() {
            return Ok(None);
        }
        let lookups = foreign.lookups(&imports.recipes, self.codec.keys());
        for row in self.store.find_legacy(&lookups).await? {
            let Some(hash) = &row.hash else {
                return Ok(Some(row));
            };
            let text = foreign.expose_secret();
            let part = match row.hashed {
                Hashed::Token => Some(text),
                Hashed::Secret => text.split_once(row.separator).map(|(_, secret)| secret),
            };
            let Some(part) = part else {
                continue;
            };
            if self.legacy.bcrypt.verify(row.id, Secret::new(part.to_owned()), hash.clone()).await? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The imports, from memory where this process has one.
    async fn imports(&self) -> Result<Arc<Imports>, StoreError> {
        let cache = &self.cache;
        if let Some(trusted) = self.trusted_now().await?
            && let Some(imports) = cache.find_imports(&trusted)
        {
            return Ok(imports);
        }
        let fill = cache.begin_fill();
        let recipes = self.store.list_recipes().await?;
        Ok(cache.fill_imports(fill, self.open_recipes(&recipes)))
    }

    fn open_recipes(&self, stored: &[StoredRecipe]) -> Vec<Recipe> {
        stored.iter().map(|recipe| self.open_recipe(recipe)).collect()
    }

    fn open_recipe(&self, stored: &StoredRecipe) -> Recipe {
        let key = stored.sealed_key.as_ref().and_then(|sealed| {
            let keys = self.codec.keys().find(sealed.key_version)?;
            keys.sealing().open(&sealed.bytes, HMAC_KEY, stored.import.as_bytes())
        });
        let scheme = Scheme::from_parts(&stored.scheme, key).unwrap_or_else(|| {
            // What was used before is found by its own digest; the rest went with the master key that it came under.
            tracing::warn!(import = %stored.import, "the key of an import can't be read under the master keys in use");
            Scheme::Plain
        });
        Recipe { scheme, hashed: stored.hashed, separator: stored.separator }
    }
}

/// An imported token as if it had been issued here.
fn as_stored(row: StoredLegacy, foreign: &ForeignToken) -> StoredToken {
    StoredToken {
        id: row.id,
        kind: TokenKind::Access,
        digest: foreign.digest(),
        key_version: foreign.key_version(),
        generation: 0,
        scopes: row.grant.scopes.clone(),
        issued_at: row.grant.created_at,
        grant: row.grant,
        as_of: row.as_of,
    }
}
