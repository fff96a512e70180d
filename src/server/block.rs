//! What counts as one address, where connections are counted and where somebody is kept out.

use std::net::IpAddr;

/// An IPv4 address, or the /64 of an IPv6 address, which is one customer. An IPv4 address in the clothes of IPv6
/// is the IPv4 address.
pub fn block_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_with_a_64_is_one_address() {
        let block = |ip: &str| block_of(ip.parse().unwrap());
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:2:ffff::9"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_eq!(block("::ffff:10.0.0.1"), block("10.0.0.1"));
    }
}
