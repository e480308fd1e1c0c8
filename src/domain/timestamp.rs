//! Instants: milliseconds since 1970 in UTC. Everything finer is cut off when a time enters.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// The text was not an RFC 3339 instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is an RFC 3339 instant, like 2019-08-24T14:15:22.000Z")]
pub struct InvalidTimestamp;

/// An instant in milliseconds since 1970 (UTC), between the years 1 and 9999. Python's `datetime` and .NET's `DateTime`
/// have no year 0, and a client that cannot read one time cannot read its list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);
    const YEAR_0: i64 = -62_167_219_200_000;
    const LEAST: i64 = -62_135_596_800_000;
    const GREATEST: i64 = 253_402_300_799_999;

    /// From milliseconds since 1970, clamped to the years 1 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::LEAST, Self::GREATEST))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// An RFC 3339 instant with any offset; one in the year 0 becomes the first instant of the year 1.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] for anything else, and for years outside 0 to 9999.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?;
        let millis = instant.timestamp_millis();
        let is_rfc_3339 = (Self::YEAR_0..=Self::GREATEST).contains(&millis);
        if is_rfc_3339 { Ok(Self::from_millis(millis)) } else { Err(InvalidTimestamp) }
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self::from_millis(instant.timestamp_millis())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(timestamp: Timestamp) -> Self {
        Self::from_timestamp_millis(timestamp.0).unwrap_or_default()
    }
}

/// `2019-08-24T14:15:22.000Z`: the one form in which times leave this program.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&DateTime::<Utc>::from(*self).to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut_off_towards_the_past() {
        let text = |text| Timestamp::parse(text).unwrap().to_string();
        assert_eq!(text("2019-08-24T14:15:22Z"), "2019-08-24T14:15:22.000Z");
        assert_eq!(text("2019-08-24T16:15:22.123999+02:00"), "2019-08-24T14:15:22.123Z");
        assert_eq!(text("1969-12-31T23:59:59.9999Z"), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn instants_before_the_year_1_become_its_first() {
        for text in ["0000-01-01T00:00:00Z", "0000-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), "0001-01-01T00:00:00.000Z", "{text}");
        }
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::parse("0000-01-01T00:00:00+00:01"), Err(InvalidTimestamp));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in ["", "2019-08-24", "2019-08-24T14:15:22", "2019-13-24T14:15:22Z", "1566656122"] {
            assert_eq!(Timestamp::parse(text), Err(InvalidTimestamp), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_instant(millis in Timestamp::LEAST..=Timestamp::GREATEST) {
            let timestamp = Timestamp::from_millis(millis);
            prop_assert_eq!(Timestamp::parse(&timestamp.to_string()), Ok(timestamp));
        }
    }
}
