//! How often one may ask: limits by API key, and by address for those who present keys that are none.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::domain::id::KeyId;

/// So many failed attempts an address has at once, and so many more each second. Guessing a key of 256 random bits never
/// succeeds; the limit makes it slow and seen. Each attempt is looked up all the same, so that no valid key is refused.
const FAILURES_AT_ONCE: NonZeroU32 = NonZeroU32::new(100).unwrap();
const FAILURES_PER_SECOND: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// After so many checks, whoever has been quiet long enough to have all of its allowance again is forgotten.
const CHECKS_BETWEEN_CLEANINGS: u32 = 4096;

/// The limits of the process.
pub struct RateLimits {
    by_key: Option<Limit<KeyId>>,
    failures: Limit<IpAddr>,
}

/// Too often: so long until the next one is welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// How long to wait.
    pub wait: Duration,
}

impl RateLimits {
    /// So many requests a second for each key; 0: as many as it likes.
    #[must_use]
    pub fn new(requests_per_second: u32) -> Self {
        Self {
            by_key: NonZeroU32::new(requests_per_second).map(|most| Limit::new(Quota::per_second(most))),
            failures: Limit::new(Quota::per_second(FAILURES_PER_SECOND).allow_burst(FAILURES_AT_ONCE)),
        }
    }

    /// One request with a good key.
    ///
    /// # Errors
    /// The key is used too often.
    pub fn request(&self, key: KeyId) -> Result<(), TooOften> {
        self.by_key.as_ref().map_or(Ok(()), |limit| limit.check(&key))
    }

    /// One request with a key that is none. A good key is never refused for it.
    ///
    /// # Errors
    /// The address does it too often.
    pub fn failed_attempt(&self, address: IpAddr) -> Result<(), TooOften> {
        self.failures.check(&network(address))
    }
}

/// Who is held responsible for an address: whoever has one of IPv6 has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

struct Limit<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(quota: Quota) -> Self {
        Self { limiter: RateLimiter::keyed(quota), checks: AtomicU32::new(0) }
    }

    fn check(&self, key: &K) -> Result<(), TooOften> {
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHECKS_BETWEEN_CLEANINGS) {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter
            .check_key(key)
            .map_err(|until| TooOften { wait: until.wait_time_from(DefaultClock::default().now()) })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::domain::id::ObjectId;

    fn key(number: u32) -> KeyId {
        ObjectId::from_parts(number, [0; 5], 0).into()
    }

    #[test]
    fn each_key_has_its_own_allowance() {
        let limits = RateLimits::new(3);
        for number in 1..=2 {
            for _ in 0..3 {
                assert_eq!(limits.request(key(number)), Ok(()));
            }
            let too_often = limits.request(key(number)).unwrap_err();
            assert!(too_often.wait <= Duration::from_secs(1), "{too_often:?}");
        }
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(limits.request(key(1)), Ok(()), "a third of a second brings one back");
    }

    #[test]
    fn without_a_limit_a_key_asks_as_often_as_it_likes() {
        let limits = RateLimits::new(0);
        assert!((0..10_000).all(|_| limits.request(key(1)).is_ok()));
    }

    #[test]
    fn failed_attempts_are_limited_by_address_and_ipv6_by_its_network() {
        let limits = RateLimits::new(0);
        let fail = |address: &str| limits.failed_attempt(address.parse().unwrap());
        let refused = (0..200).filter(|_| fail("192.0.2.1").is_err()).count();
        assert!((90..=100).contains(&refused), "{refused}");
        assert_eq!(fail("192.0.2.2"), Ok(()));
        assert!(fail("::ffff:192.0.2.1").is_err(), "the same address");
        let refused = (0..200).filter(|number| fail(&format!("2001:db8::{number:x}")).is_err()).count();
        assert!((90..=100).contains(&refused), "{refused}");
        assert_eq!(fail("2001:db8:0:1::1"), Ok(()));
    }
    /// Who guesses once from each of many addresses leaves behind what a second's guesses take, and then nothing.
    #[test]
    fn addresses_that_have_been_quiet_are_forgotten_however_many_there_were() {
        let limits = RateLimits::new(0);
        for number in 0..1_000_000 {
            assert_eq!(limits.failed_attempt(Ipv4Addr::from_bits(number).into()), Ok(()));
        }
        // One attempt is forgiven within half a second, and forgotten after as long again.
        std::thread::sleep(Duration::from_millis(1_100));
        for _ in 0..=CHECKS_BETWEEN_CLEANINGS {
            let _ = limits.failed_attempt(Ipv4Addr::from_bits(7).into());
        }
        assert_eq!(limits.failures.limiter.len(), 1, "but for who has just tried");
    }
}
