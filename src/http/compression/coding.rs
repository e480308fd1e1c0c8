//! The content codings: which one a client likes best, and how each compresses.

use std::io::{self, Write};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, HeaderValue, USER_AGENT};

use crate::front::negotiate::{Parameterised, combined, elements};

/// A way to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

/// The fast levels, where a little more time still saves much. Brotli's two lowest are slower than the third and make twice
/// as much of JSON.
const ZSTD_LEVEL: i32 = 1;
const BROTLI_LEVEL: i32 = 2;
const GZIP_LEVEL: u32 = 2;

impl Coding {
    /// What is taken first where the client likes several alike: for JSON, zstd is the fastest and makes the least.
    const IN_ORDER: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// The same for clients in Node: a library of code generators names zstd always, and fails on it before Node 22.15.
    const IN_ORDER_FOR_NODE: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Zstd];

    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The value of `Content-Encoding`.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    /// What the client likes best by the weights of its `Accept-Encoding`; `None`: as it is. A client that refuses even that
    /// (`identity;q=0`) and knows nothing of ours gets it all the same.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let accepted = combined(headers, &ACCEPT_ENCODING).unwrap_or_default();
        let member = |element| {
            let member = Parameterised::parse(element);
            member.weight().map(|weight| (member.value, weight))
        };
        let named: Vec<(&str, u16)> = elements(&accepted).filter_map(member).collect();
        let weight = |names: &[&str]| {
            let of = |name: &str| {
                named.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight)
            };
            names.iter().find_map(|name| of(name))
        };
        // A client need not name it, and then takes it where there is nothing better.
        let as_it_is = weight(&["identity"]).unwrap_or(0);
        let mut best = None;
        let is_node = headers.get(USER_AGENT).is_some_and(|name| name == "node");
        for coding in if is_node { Self::IN_ORDER_FOR_NODE } else { Self::IN_ORDER } {
            let weight = weight(&[coding.name(), coding.older_name(), "*"]).unwrap_or(0);
            if weight > 0 && weight >= as_it_is && best.is_none_or(|(_, best)| weight > best) {
                best = Some((coding, weight));
            }
        }
        best.map(|(coding, _)| coding)
    }

    /// What RFC 9110 wants to be read as the same.
    fn older_name(self) -> &'static str {
        if self == Self::Gzip { "x-gzip" } else { self.name() }
    }

    /// Compresses a whole body.
    ///
    /// # Errors
    /// When the library fails, which it does only for want of memory.
    pub(super) fn compress(self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(body, ZSTD_LEVEL),
            Self::Brotli => brotli(body),
            Self::Gzip => gzip(body),
        }
    }
}

/// JSON shrinks to about a fifth.
fn buffer_for(body: &[u8]) -> Vec<u8> {
    Vec::with_capacity(body.len() / 4)
}

fn brotli(mut body: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = buffer_for(body);
    // A window that is larger than the body takes time to clear, and finds no more.
    let window = (usize::BITS - body.len().leading_zeros()).clamp(16, 22).cast_signed();
    let parameters = BrotliEncoderParams {
        quality: BROTLI_LEVEL,
        lgwin: window,
        size_hint: body.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut body, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(buffer_for(body), Compression::new(GZIP_LEVEL));
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn negotiate(accept: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        Coding::negotiate(&headers).map(Coding::name)
    }

    #[test]
    fn weights_decide_and_then_our_order() {
        for (accept, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["gzip"], Some("gzip")),
            (&["x-gzip"], Some("gzip")),
            (&["GZip"], Some("gzip")),
            (&["br"], Some("br")),
            (&["zstd"], Some("zstd")),
            // What browsers send.
            (&["gzip, deflate, br, zstd"], Some("zstd")),
            (&["gzip, deflate, br"], Some("br")),
            (&["gzip, deflate"], Some("gzip")),
            (&["gzip", "br"], Some("br")),
            (&["br;q=0.9, gzip"], Some("gzip")),
            (&["zstd;q=0.5, br;q=0.8, gzip;q=0.8"], Some("br")),
            (&["gzip;q=1.0, br ; q=1.000"], Some("br")),
            (&["*"], Some("zstd")),
            (&["zstd;q=0, *"], Some("br")),
            (&["*;q=0.5, gzip"], Some("gzip")),
            (&["*;q=0"], None),
            (&["gzip;q=0"], None),
            (&["*;q=0, gzip;q=0.001"], Some("gzip")),
            (&["identity"], None),
            (&["identity, gzip;q=0.5"], None),
            (&["identity;q=0.5, gzip;q=0.5"], Some("gzip")),
            (&["identity;q=0, gzip"], Some("gzip")),
            (&["identity;q=0"], None),
            (&["identity;q=0, *;q=0"], None),
            (&["deflate, compress"], None),
            // Malformed members are skipped, and common deviations are accepted.
            (&["gzip;q=x, br;q=0.1"], Some("br")),
            (&["gzip;q=x"], None),
            (&[";;,=,;q=1"], None),
            (&[", gzip ,"], Some("gzip")),
            (&["gzip ; Q = .5, br; q=.2"], Some("gzip")),
            (&["gzip;q=2, br"], Some("br")),
            (&["gzip;level=1"], Some("gzip")),
            (&["x;y=\"gzip, br\""], None),
            (&["x;y=\"gzip, br"], Some("br")),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn clients_in_node_get_zstd_only_if_they_like_it_best() {
        for (accept, expected) in
            [("gzip, deflate, br, zstd", "br"), ("gzip, zstd", "gzip"), ("zstd", "zstd"), ("gzip;q=0.9, zstd", "zstd")]
        {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, HeaderValue::from_static("node"));
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(Coding::negotiate(&headers).map(Coding::name), Some(expected), "{accept}");
        }
    }

    fn decompressed(coding: Coding, compressed: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        match coding {
            Coding::Zstd => body = zstd::decode_all(compressed).unwrap(),
            Coding::Brotli => {
                brotli::Decompressor::new(compressed, 4096).read_to_end(&mut body).unwrap();
            }
            Coding::Gzip => {
                flate2::read::GzDecoder::new(compressed).read_to_end(&mut body).unwrap();
            }
        }
        body
    }

    #[test]
    fn each_gives_back_what_it_was_given_and_less_on_the_way() {
        for length in [0, 1, 1024, 70_000, 5_000_000] {
            let body: Vec<u8> = (0..)
                .flat_map(|number: u32| format!("{{\"number\":{}}},", number % 977).into_bytes())
                .take(length)
                .collect();
            for coding in Coding::IN_ORDER {
                let compressed = coding.compress(&body).unwrap();
                assert_eq!(decompressed(coding, &compressed), body, "{coding:?}, {length}");
                assert!(length < 1024 || compressed.len() < length / 2, "{coding:?}: {}", compressed.len());
            }
        }
    }
}
