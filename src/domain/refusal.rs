//! The rules that refuse a request, by codes that never change their meaning.

use serde::{Serialize, Serializer};

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    Missing,
    Malformed,
    Tag,
    Unknown,
    Kind,
    Expired,
    Revoked,
    CutOffOwner,
    CutOffClient,
    CutOffWorkspace,
    ParentDead,
    Disabled,
    Replaced,
    OtherWorkspace,
    Scope,
    NotCovered,
    PlanLimit,
    NotAllowed,
}

macro_rules! rules {
    ($($rule:ident $code:literal $sentence:literal;)*) => {
        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$rule => $code,)*
                }
            }

            /// One sentence for the administrator who asks.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$rule => $sentence,)*
                }
            }
        }
    };
}

rules! {
    Missing "missing" "The request carried no credential.";
    Malformed "malformed" "The request carried two credentials, or one that can't be read.";
    Tag "tag" "The string was not made by this service: foreign, mistyped, cut off or forged.";
    Unknown "unknown" "The string was made here, but no such token is stored (any more).";
    Kind "kind" "The string is no credential of a request: a refresh token or a client secret.";
    Expired "expired" "The token was past its end.";
    Revoked "revoked" "The token was revoked.";
    CutOffOwner "cut_off_owner" "All tokens of its owner were revoked, under its policy or under all.";
    CutOffClient "cut_off_client" "All tokens of its client were revoked, as when a client is deleted.";
    CutOffWorkspace "cut_off_workspace" "All tokens of its workspace were revoked.";
    ParentDead "parent_dead" "The key that opened the session is dead.";
    Disabled "disabled" "The token was disabled or deleted.";
    Replaced "replaced" "A newer token has taken its place.";
    OtherWorkspace "other_workspace" "The request was for another workspace than the token's.";
    Scope "scope" "The token lacks a scope that the request needed.";
    NotCovered "not_covered" "The APIs and plans of the token do not cover the request.";
    PlanLimit "plan_limit" "The limit of its plan was used up.";
    NotAllowed "not_allowed" "The token is good, but its holder may not do this.";
}

impl Rule {
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_reads_back_and_stands_in_the_documentation() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/explain.md");
        let document = std::fs::read_to_string(path).unwrap();
        for rule in Rule::ALL {
            assert_eq!(Rule::from_code(rule.code()), Some(*rule));
            assert!(document.contains(&format!("| `{}` |", rule.code())), "{}", rule.code());
        }
        assert_eq!(Rule::from_code("nothing"), None);
    }
}
