//! How much a client likes what it names in `Accept` and its kin.

/// A `qvalue` of RFC 9110, in thousandths: 0 to 1 with at most three decimals.
#[must_use]
pub fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    let value = whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(decimals)?;
    (value <= 1000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_from_nothing_to_one() {
        for (text, weight) in
            [("0", 0), ("0.", 0), ("0.000", 0), ("0.5", 500), ("0.125", 125), ("1", 1000), ("1.000", 1000)]
        {
            assert_eq!(thousandths(text), Some(weight), "{text}");
        }
        for text in ["", "1.001", "2", "-1", "0.1234", "0,5", "0.5.5", "much", "5000000"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
