//! Events: the acts of the audit log that others are told of, by the names that they have outside.

/// The rows of the audit that are events, and what they are called there.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $action:literal $name:literal;)*) => {
        /// What has happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
        }

        impl EventKind {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is called outside: `resource.what has happened`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Its action in the audit log.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self {
                    $(Self::$variant => $action,)*
                }
            }
        }
    };
}

kinds! {
    TokenCreated = "token.create" "token.created";
    TokenEdited = "token.update" "token.edited";
    TokenRotated = "token.rotate" "token.rotated";
    TokenDisabled = "token.disable" "token.disabled";
    TokenDeleted = "token.delete" "token.deleted";
    TokenRevoked = "token.revoke" "token.revoked";
    /// All tokens of an owner, by one act.
    TokenAllRevoked = "token.revoke_all" "token.all_revoked";
    /// A refresh token was used after it had been replaced; its family is revoked.
    TokenReplayed = "token.replay" "token.replayed";
    TokenLeaked = "token.leak" "token.leaked";
    /// It ends soon, and is in use.
    TokenExpiring = "token.notice" "token.expiring";
    /// It has ended, and was in use.
    TokenExpired = "token.expire" "token.expired";
    ClientCreated = "client.create" "client.created";
    ClientEdited = "client.update" "client.edited";
    ClientSecretRotated = "client.rotate_secret" "client.secret_rotated";
    ClientDeleted = "client.delete" "client.deleted";
    UserCreated = "user.create" "user.created";
    UserEdited = "user.update" "user.edited";
    UserDeleted = "user.delete" "user.deleted";
    ImportCreated = "legacy_import.create" "legacy_import.created";
    ImportExtended = "legacy_import.extend" "legacy_import.extended";
    /// Its tokens end soon, and some are in use.
    ImportExpiring = "legacy_import.notice" "legacy_import.expiring";
    ImportExpired = "legacy_import.expire" "legacy_import.expired";
    ImportRevoked = "legacy_import.revoke" "legacy_import.revoked";
    WebhookCreated = "webhook.create" "webhook.created";
    WebhookEdited = "webhook.update" "webhook.edited";
    WebhookDeleted = "webhook.delete" "webhook.deleted";
    /// It has failed for too long.
    WebhookSwitchedOff = "webhook.switch_off" "webhook.switched_off";
    /// Every token that the backup knew is dead.
    StoreRestored = "store.restore" "store.restored";
}

impl EventKind {
    #[must_use]
    pub fn of_action(action: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.action() == action)
    }
}

/// A text that names no kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a type of event")]
pub struct NotAnEvent;

impl std::str::FromStr for EventKind {
    type Err = NotAnEvent;

    fn from_str(text: &str) -> Result<Self, NotAnEvent> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or(NotAnEvent)
    }
}

impl serde::Serialize for EventKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_and_an_action_of_its_own() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(EventKind::of_action(kind.action()), Some(*kind));
        }
        for other in ["", "token", "token.create", "Token.created", "token.created "] {
            assert_eq!(other.parse::<EventKind>(), Err(NotAnEvent), "{other}");
        }
        // Too many of them: each would cost an issue two more writes.
        for quiet in ["token.issue", "token.refresh", "session.open"] {
            assert_eq!(EventKind::of_action(quiet), None);
        }
    }
}
