//! Base scores of CVSS vectors, for feeds that give the vector alone.
//!
//! Versions 3.0 and 3.1 (specification 3.1, section 7) and 2.0 (guide, section 3.2.1) are worked out. A vector of
//! version 4.0 is kept as it is: its score is looked up in tables that feeds which matter here give with it.

use super::record::{Level, Severity};

/// What a vector says, by whom.
pub(super) fn severity(vector: &str, source: &str) -> Option<Severity> {
    if vector.len() > 512 || !vector.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let score = match vector.split_once('/')?.0 {
        "CVSS:3.0" | "CVSS:3.1" => Some(three(vector)?),
        "CVSS:4.0" => None,
        _ => Some(two(vector)?),
    };
    let level = score.map_or(Level::Unknown, Level::of_score);
    Some(Severity { level, score, source: source.to_owned(), vector: Some(vector.to_owned()) })
}

/// The value of a metric: `AV` of `CVSS:3.1/AV:N/…`.
fn metric<'a>(vector: &'a str, name: &str) -> Option<&'a str> {
    vector
        .split('/')
        .find_map(|part| part.split_once(':').filter(|(found, _)| *found == name))
        .map(|(_, value)| value)
}

fn one_of(value: &str, values: &[(&str, f64)]) -> Option<f64> {
    values.iter().find(|(name, _)| *name == value).map(|(_, number)| *number)
}

fn three(vector: &str) -> Option<f64> {
    let changed = metric(vector, "S")? == "C";
    let get = |name: &str, values: &[(&str, f64)]| one_of(metric(vector, name)?, values);
    let low = if changed { 0.68 } else { 0.62 };
    let high = if changed { 0.5 } else { 0.27 };
    let exploitability = 8.22
        * get("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?
        * get("AC", &[("L", 0.77), ("H", 0.44)])?
        * get("PR", &[("N", 0.85), ("L", low), ("H", high)])?
        * get("UI", &[("N", 0.85), ("R", 0.62)])?;
    let mut kept = 1.0;
    for name in ["C", "I", "A"] {
        kept *= 1.0 - get(name, &[("H", 0.56), ("L", 0.22), ("N", 0.0)])?;
    }
    let base = 1.0 - kept;
    let impact = if changed { 7.52 * (base - 0.029) - 3.25 * (base - 0.02).powi(15) } else { 6.42 * base };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let sum = if changed { 1.08 * (impact + exploitability) } else { impact + exploitability };
    Some(round_up(sum.min(10.0)))
}

/// The smallest number with one decimal that is not below (3.1, appendix A: counted in whole numbers, so that it is
/// the same on every machine).
#[allow(clippy::cast_possible_truncation)] // 0 to 1,000,000
fn round_up(score: f64) -> f64 {
    let scaled = (score * 100_000.0).round() as i32;
    let tenths = if scaled % 10_000 == 0 { scaled / 10_000 } else { scaled / 10_000 + 1 };
    f64::from(tenths) / 10.0
}

fn two(vector: &str) -> Option<f64> {
    let get = |name: &str, values: &[(&str, f64)]| one_of(metric(vector, name)?, values);
    let exploitability = 20.0
        * get("AV", &[("N", 1.0), ("A", 0.646), ("L", 0.395)])?
        * get("AC", &[("L", 0.71), ("M", 0.61), ("H", 0.35)])?
        * get("Au", &[("N", 0.704), ("S", 0.56), ("M", 0.45)])?;
    let mut kept = 1.0;
    for name in ["C", "I", "A"] {
        kept *= 1.0 - get(name, &[("C", 0.66), ("P", 0.275), ("N", 0.0)])?;
    }
    let impact = 10.41 * (1.0 - kept);
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = (0.6 * impact + 0.4 * exploitability - 1.5) * factor;
    Some((score * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_the_scores_that_the_world_knows_them_by() {
        for (vector, score) in [
            // Heartbleed, Log4Shell, Shellshock (2.0), Dirty COW, a scope that changes, nothing at all.
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0),
            ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
            ("AV:N/AC:L/Au:N/C:P/I:N/A:N", 5.0),
        ] {
            assert_eq!(severity(vector, "x").and_then(|severity| severity.score), Some(score), "{vector}");
        }
    }

    #[test]
    fn a_vector_that_can_t_be_scored_is_kept_and_one_that_is_none_is_not() {
        let four =
            severity("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "osv").expect("kept");
        assert_eq!((four.level, four.score), (Level::Unknown, None));
        for text in ["", "CVSS:3.1", "CVSS:3.1/AV:N", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "high"]
        {
            assert!(severity(text, "osv").is_none(), "{text}");
        }
    }
}
