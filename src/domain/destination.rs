//! Where this service may be made to connect to by those who use it: to public addresses, and to networks that the operator names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The rules for addresses.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    /// Are reached whatever they are, also without TLS.
    pub allowed: Vec<IpNet>,
    /// Whether public addresses are reached without TLS too.
    pub unencrypted: bool,
}

impl Destinations {
    /// Whether a connection to this very address may be made.
    #[must_use]
    pub fn allow(&self, address: IpAddr, encrypted: bool) -> bool {
        // An IPv4 address in the clothes of an IPv6 one is what it is.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address))
            || (is_public(address) && (encrypted || self.unencrypted))
    }

    /// Whether there is any address that may be reached without TLS.
    #[must_use]
    pub const fn know_unencrypted(&self) -> bool {
        self.unencrypted || !self.allowed.is_empty()
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, 0, 0), prefix)
}

/// What is not the internet (IANA's registry of special-purpose addresses), and what clouds answer their guests at.
const PRIVATE_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    // The host's agent of one cloud has a public address.
    v4(168, 63, 129, 16, 32),
    v4(255, 255, 255, 255, 32),
];

/// The only part of IPv6 that is given out to the public.
const PUBLIC_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Parts of it that are not, or lead to an IPv4 address that nobody has looked at (Teredo, 6to4).
const PRIVATE_V6: [Ipv6Net; 4] =
    [v6([0x2001, 0, 0], 23), v6([0x2001, 0xdb8, 0], 32), v6([0x2002, 0, 0], 16), v6([0x3fff, 0, 0], 20)];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !PRIVATE_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            PUBLIC_V6.contains(&address) && !PRIVATE_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rules: &Destinations, address: &str) -> bool {
        rules.allow(address.parse().unwrap(), true)
    }

    #[test]
    fn the_public_is_reached() {
        let rules = Destinations::default();
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(allows(&rules, address), "{address}");
            assert!(!rules.allow(address.parse().unwrap(), false), "{address} without TLS");
        }
    }

    #[test]
    fn nothing_inside_is_reached() {
        let rules = Destinations { unencrypted: true, ..Destinations::default() };
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!allows(&rules, address), "{address}");
        }
    }

    #[test]
    fn what_the_operator_names_is_reached_without_tls_too() {
        let rules = Destinations {
            allowed: vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()],
            unencrypted: false,
        };
        for (address, allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd12::1", true),
            ("127.0.0.1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!((rules.allow(address, false), rules.allow(address, true)), (allowed, allowed), "{address}");
        }
    }
}
