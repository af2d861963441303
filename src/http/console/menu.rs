//! The menu: the pages that somebody may open, in groups.

use super::page::Page;

/// A part of the menu, to which pages belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    None,
    Tokens,
    Security,
    Account,
    Overview,
    AllTokens,
    Clients,
    Apis,
    Plans,
    Users,
    Policies,
    Legacy,
    Explain,
    Audit,
}

/// Entries under one heading.
pub(super) struct Group {
    pub title: &'static str,
    pub entries: Vec<Entry>,
}

/// A link of the menu.
pub(super) struct Entry {
    pub area: Area,
    pub href: &'static str,
    pub title: &'static str,
}

const fn entry(area: Area, href: &'static str, title: &'static str) -> Entry {
    Entry { area, href, title }
}

impl Page {
    /// Everything that the user of this page may open.
    pub(super) fn menu(&self) -> Vec<Group> {
        let mine = vec![
            entry(Area::Tokens, "/console/tokens", "my-tokens"),
            entry(Area::Security, "/console/security", "security"),
        ];
        let mut groups = vec![Group { title: "menu-mine", entries: mine }];
        if self.who.as_ref().is_some_and(|who| who.is_admin) {
            let workspace = vec![
                entry(Area::Overview, "/console/admin", "overview"),
                entry(Area::AllTokens, "/console/admin/tokens", "all-tokens"),
                entry(Area::Clients, "/console/admin/clients", "clients"),
                entry(Area::Apis, "/console/admin/apis", "apis"),
                entry(Area::Plans, "/console/admin/plans", "plans"),
                entry(Area::Users, "/console/admin/users", "users"),
                entry(Area::Policies, "/console/admin/policies", "policies"),
                entry(Area::Legacy, "/console/admin/legacy", "legacy"),
                entry(Area::Explain, "/console/admin/explain", "explain"),
                entry(Area::Audit, "/console/admin/audit", "audit"),
            ];
            groups.push(Group { title: "menu-workspace", entries: workspace });
        }
        groups
    }

    /// The value of `aria-current` on the link to an area.
    pub(super) fn current(&self, area: Area) -> &'static str {
        if self.area == area { "page" } else { "false" }
    }

    pub(super) fn account_current(&self) -> &'static str {
        self.current(Area::Account)
    }
}
