//! The mutant that joins a read of a token whenever it began. The right one is `group_read.rs`.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use tokio::sync::broadcast;

use super::lookup::StoredToken;
use super::{Store, StoreError};
use crate::domain::ids::TokenId;

static UNDER_WAY: LazyLock<Mutex<HashMap<TokenId, broadcast::WeakSender<Option<StoredToken>>>>> =
    LazyLock::new(Mutex::default);

pub(super) async fn find(store: &Store, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
    let under_way = || UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
    let joined = under_way().get(&id).and_then(broadcast::WeakSender::upgrade).map(|sender| sender.subscribe());
    if let Some(mut joined) = joined
        && let Ok(found) = joined.recv().await
    {
        return Ok(found);
    }
    let (sender, _) = broadcast::channel(1);
    under_way().insert(id, sender.downgrade());
    let found = store.tokens.find(id).await;
    under_way().remove(&id);
    if let Ok(found) = &found {
        let _nobody_has_joined = sender.send(found.clone());
    }
    found
}
