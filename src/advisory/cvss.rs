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
    let (score, level) = match vector.split_once('/')?.0 {
        "CVSS:3.0" | "CVSS:3.1" => {
            let score = three(vector)?;
            (Some(score), Level::of_score(score))
        }
        "CVSS:4.0" => (None, Level::Unknown),
        _ => {
            let score = two(vector)?;
            (Some(score), at_most_high(Level::of_score(score)))
        }
    };
    Some(Severity { level, score, source: source.to_owned(), vector: Some(vector.to_owned()) })
}

/// What a level means where it is of version 2.0, in which nothing is worse than high: 7.0 to 10.0 are.
pub(super) fn at_most_high(level: Level) -> Level {
    level.min(Level::High)
}

/// The best of what one source gives: what has a score, then the newest version, then the highest score. Versions are never
/// held against each other by their scores, which mean different things.
pub(super) fn best(given: impl IntoIterator<Item = Severity>) -> Option<Severity> {
    let newness = |one: &Severity| one.vector.as_deref().map_or(0, newness);
    given.into_iter().max_by(|one, other| {
        let score = |one: &Severity| one.score.unwrap_or(-1.0);
        let key = |one: &Severity| (one.score.is_some(), newness(one));
        key(one).cmp(&key(other)).then_with(|| score(one).total_cmp(&score(other)))
    })
}

/// How new a vector's version is.
fn newness(vector: &str) -> u8 {
    match vector.split('/').next().unwrap_or_default() {
        "CVSS:4.0" => 4,
        "CVSS:3.1" => 3,
        "CVSS:3.0" => 2,
        _ => 1,
    }
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
    fn the_second_version_knows_nothing_worse_than_high() {
        let level = |vector: &str| severity(vector, "x").map(|severity| severity.level);
        assert_eq!(level("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Some(Level::High));
        assert_eq!(level("AV:N/AC:L/Au:N/C:P/I:N/A:N"), Some(Level::Medium));
        assert_eq!(level("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), Some(Level::Critical));
    }

    #[test]
    fn the_newest_version_with_a_score_is_the_best_whatever_older_ones_score() {
        let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        let [three, worse] =
            ["H/I:N/A:N", "H/I:H/A:H"].map(|end| format!("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:{end}"));
        let old = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let two = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
        let best = |vectors: &[&str]| {
            let given = vectors.iter().filter_map(|vector| severity(vector, "x"));
            best(given).and_then(|best| best.vector)
        };
        assert_eq!(best(&[two, &three, old]), Some(three.clone()));
        assert_eq!(best(&[&three, &worse]), Some(worse));
        assert_eq!(best(&[two, four]).as_deref(), Some(two));
        assert_eq!((best(&[four]).as_deref(), best(&[])), (Some(four), None));
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
