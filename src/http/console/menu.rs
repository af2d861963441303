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
    pub entries: &'static [Entry],
}

/// A link of the menu.
pub(super) struct Entry {
    pub area: Area,
    pub href: &'static str,
    pub title: &'static str,
}

/// The pages that everybody has.
const MINE: [Entry; 2] =
    [entry(Area::Tokens, "/console/tokens", "my-tokens"), entry(Area::Security, "/console/security", "security")];

/// The pages of administrators.
const WORKSPACE: [Entry; 10] = [
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

const fn entry(area: Area, href: &'static str, title: &'static str) -> Entry {
    Entry { area, href, title }
}

impl Area {
    /// The part that a path lies in. What comes of a page that fails is shown there too.
    pub(super) fn of(path: &str) -> Self {
        let inside =
            |entry: &&Entry| path.strip_prefix(entry.href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let found = MINE.iter().chain(&WORKSPACE).filter(inside).max_by_key(|entry| entry.href.len());
        // Below the overview lie pages of other parts only.
        found.filter(|entry| entry.area != Self::Overview || path == entry.href).map_or(Self::None, |entry| entry.area)
    }
}

impl Page {
    /// Everything that the user of this page may open.
    pub(super) fn menu(&self) -> Vec<Group> {
        let mut groups = vec![Group { title: "menu-mine", entries: &MINE }];
        if self.who.as_ref().is_some_and(|who| who.is_admin) {
            groups.push(Group { title: "menu-workspace", entries: &WORKSPACE });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_in_the_part_whose_path_it_begins_with() {
        for (path, area) in [
            ("/console/tokens/new", Area::Tokens),
            ("/console/admin", Area::Overview),
            ("/console/admin/tokens/grt_1/edit", Area::AllTokens),
            ("/console/admin/users/usr_1/delete", Area::Users),
            ("/console/admin/new/api", Area::None),
            ("/console/tokensmith", Area::None),
            ("/console/account", Area::None),
        ] {
            assert_eq!(Area::of(path), area, "{path}");
        }
    }
}
