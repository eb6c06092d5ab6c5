//! Dates as feeds write them: with fractions, with offsets, as a day alone.

use crate::ident::Epoch;

/// Reads RFC 3339 in all its forms, a time without a zone (which feeds mean as UTC), or a day. Fractions of
/// seconds are dropped. `None` for anything else.
pub(super) fn when(text: &str) -> Option<Epoch> {
    let text = text.trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    if text.len() == 10 {
        return format!("{text}T00:00:00Z").parse().ok();
    }
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|letter: char| letter.is_ascii_digit()),
        None => rest,
    };
    let at: Epoch = format!("{day}T{time}Z").parse().ok()?;
    Some(Epoch(at.0 - offset(zone)?))
}

/// Seconds by which a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|letter| *letter != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    if digits.len() != 4 {
        return None;
    }
    Some(sign * (hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_feeds_are_read() {
        for (text, plain) in [
            ("2026-11-20T10:30:00Z", "2026-11-20T10:30:00Z"),
            ("2026-11-20T10:30:00.123456Z", "2026-11-20T10:30:00Z"),
            ("2026-11-20T10:30:00.123", "2026-11-20T10:30:00Z"),
            ("2026-11-20T12:30:00+02:00", "2026-11-20T10:30:00Z"),
            ("2026-11-20T00:00:00+0000", "2026-11-20T00:00:00Z"),
            ("2026-11-20T00:30:00-0130", "2026-11-20T02:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
        ] {
            assert_eq!(when(text).map(|at| at.to_string()).as_deref(), Some(plain), "{text}");
        }
        for text in ["", "2026", "yesterday", "2026-02-30", "2026-11-20T10:30:00+2", "2026-11-20T10:30:00 PM"]
        {
            assert_eq!(when(text), None, "{text}");
        }
    }
}
