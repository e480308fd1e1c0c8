//! Who is at the other end: the peer's address, or the one that a proxy of ours reports.
//!
//! A header is believed as far as trusted proxies wrote it: from its end backwards, until the first address that is none
//! of theirs. Where `Forwarded` and `X-Forwarded-For` disagree, one of them is the client's own, and neither is believed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::header::FORWARDED;
use axum::http::{Extensions, HeaderMap, HeaderName};
use http_server::Peer;
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, as far as it can be known.
#[must_use]
pub fn client_address(headers: &HeaderMap, extensions: &Extensions, trusted: &[IpNet]) -> IpAddr {
    // Without a peer, as in a test of a single handler, all are one.
    let peer = extensions.get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| peer.to_canonical());
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded = reported(headers, &FORWARDED, |element| {
        let is_for = |(name, _): &(&str, &str)| name.trim().eq_ignore_ascii_case("for");
        let (_, node) = element.split(';').filter_map(|pair| pair.split_once('=')).find(is_for)?;
        address(node.trim().trim_matches('"'))
    });
    let x_forwarded_for = reported(headers, &X_FORWARDED_FOR, address);
    let client = |reports: Reports| -> Option<IpAddr> {
        let mut client = None;
        for report in reports.0 {
            client = Some(report?);
            if !is_trusted(report?) {
                break;
            }
        }
        client
    };
    match (client(forwarded), client(x_forwarded_for)) {
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(other)) if one == other => one,
        (Some(_), Some(_)) | (None, None) => peer,
    }
}

/// The addresses in a header, the last one first; `None`: one that cannot be read.
struct Reports(Vec<Option<IpAddr>>);

fn reported(headers: &HeaderMap, name: &HeaderName, read: impl Fn(&str) -> Option<IpAddr>) -> Reports {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let mut reports: Vec<_> = values.flat_map(|value| value.split(',')).map(|element| read(element.trim())).collect();
    reports.reverse();
    Reports(reports)
}

/// An address, with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let without_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = without_brackets.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "2001:db8:a::/48"].map(|network| network.parse().unwrap()).to_vec();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().unwrap()));
        client_address(&map, &extensions, &trusted).to_string()
    }

    #[test]
    fn whoever_is_no_proxy_of_ours_is_not_believed() {
        let headers = [("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.9")];
        assert_eq!(client("192.0.2.1", &headers), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &headers), "192.0.2.1");
    }

    #[test]
    fn a_proxys_report_is_believed_as_far_as_proxies_wrote_it() {
        for (headers, expected) in [
            (vec![("x-forwarded-for", "192.0.2.9")], "192.0.2.9"),
            (vec![("x-forwarded-for", "198.51.100.1, 192.0.2.9, 10.1.1.1")], "192.0.2.9"),
            (vec![("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.9:4711")], "192.0.2.9"),
            (vec![("x-forwarded-for", "2001:db8::7")], "2001:db8::7"),
            (vec![("x-forwarded-for", "[2001:db8::7]:443")], "2001:db8::7"),
            (vec![("forwarded", "for=192.0.2.9;proto=https;by=10.0.0.1")], "192.0.2.9"),
            (vec![("forwarded", "proto=https;For=\"[2001:db8::7]:443\", for=10.2.2.2")], "2001:db8::7"),
            (vec![("forwarded", "for=192.0.2.9"), ("x-forwarded-for", "192.0.2.9")], "192.0.2.9"),
            // A client inside.
            (vec![("x-forwarded-for", "10.9.9.9, 10.1.1.1")], "10.9.9.9"),
        ] {
            assert_eq!(client("10.0.0.1", &headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_report_that_is_none_or_two_that_disagree_leave_the_proxy() {
        for headers in [
            vec![],
            vec![("x-forwarded-for", "")],
            vec![("x-forwarded-for", "unknown")],
            vec![("forwarded", "for=_hidden")],
            vec![("forwarded", "for=192.0.2.9"), ("x-forwarded-for", "192.0.2.8")],
        ] {
            assert_eq!(client("10.0.0.1", &headers), "10.0.0.1", "{headers:?}");
        }
    }
}
