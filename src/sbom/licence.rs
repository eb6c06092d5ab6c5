//! From the licence names of Debian's copyright files to SPDX expressions, where they map.
//!
//! Names that SPDX has, Debian's forms of them (`GPL-2+`, `Expat`), `and`, `or`, commas and `with …
//! exception` are understood (copyright-format 1.0, "License specification"; SPDX 2.3, annex D).
//! What is not is `NOASSERTION`: nothing is guessed.

use std::collections::BTreeSet;

/// What SPDX says where nothing can be said.
pub(super) const UNKNOWN: &str = "NOASSERTION";

/// The licences of a package, in SPDX's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// All of them together; `None` if one or more do not map.
    pub(super) expression: Option<String>,
    /// Each by itself, with [`UNKNOWN`] for those that do not map.
    pub(super) each: Vec<String>,
}

/// Reads the names of a copyright file; `None` stands for a file that only people can read.
pub(super) fn declared(names: Option<&BTreeSet<String>>) -> Declared {
    let names = names.filter(|names| !names.is_empty());
    let Some(names) = names else { return Declared { expression: None, each: vec![UNKNOWN.to_owned()] } };
    let mapped: Vec<Option<String>> = names.iter().map(|name| expression(name)).collect();
    let each: BTreeSet<String> =
        mapped.iter().map(|one| one.clone().unwrap_or_else(|| UNKNOWN.to_owned())).collect();
    let all: Option<BTreeSet<String>> = mapped.into_iter().collect();
    Declared {
        expression: all.map(|all| join(all.into_iter().collect(), " AND ")),
        each: each.into_iter().collect(),
    }
}

/// One `License` field. `and` binds tighter than `or`; a comma before either loosens it.
fn expression(field: &str) -> Option<String> {
    let field = field.split_whitespace().collect::<Vec<_>>().join(" ");
    let (ands, ors) = (field.contains(", and "), field.contains(", or "));
    match (ands, ors) {
        (true, true) => None,
        (true, false) => combined(&field, ", and ", " AND ", alternatives),
        (false, true) => combined(&field, ", or ", " OR ", alternatives),
        (false, false) => alternatives(&field),
    }
}

fn alternatives(text: &str) -> Option<String> {
    combined(text, " or ", " OR ", |text| combined(text, " and ", " AND ", atom))
}

fn combined(text: &str, between: &str, word: &str, part: impl Fn(&str) -> Option<String>) -> Option<String> {
    let parts: Option<Vec<String>> = text.split(between).map(|text| part(text.trim())).collect();
    Some(join(parts?, word))
}

/// Joins parts by a word, with brackets around parts that are joined by another.
fn join(mut parts: Vec<String>, word: &str) -> String {
    parts.dedup();
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let other = if word == " AND " { " OR " } else { " AND " };
    let bracketed = |part: String| if part.contains(other) { format!("({part})") } else { part };
    parts.into_iter().map(bracketed).collect::<Vec<_>>().join(word)
}

fn atom(text: &str) -> Option<String> {
    match text.split_once(" with ") {
        None => licence(text),
        Some((name, exception)) => {
            let exception = exception.strip_suffix(" exception").unwrap_or(exception);
            Some(format!("{} WITH {}", licence(name)?, exception_id(exception)?))
        }
    }
}

/// Debian's names that are not SPDX's (copyright-format 1.0, "Short name").
const NAMES: [(&str, &str); 6] = [
    ("Expat", "MIT"),
    ("Apache-2", "Apache-2.0"),
    ("Artistic-2", "Artistic-2.0"),
    ("CC0", "CC0-1.0"),
    ("MPL-2", "MPL-2.0"),
    ("MPL-1", "MPL-1.0"),
];

/// Families whose versions may be followed by a `+`.
const GNU: [(&str, &str); 5] =
    [("GPL", ""), ("LGPL", ""), ("AGPL", ""), ("GFDL", ""), ("GFDL-NIV", "-no-invariants")];

fn licence(name: &str) -> Option<String> {
    if let Some((_, known)) = NAMES.iter().find(|(debian, _)| debian.eq_ignore_ascii_case(name)) {
        return Some((*known).to_owned());
    }
    gnu(name).or_else(|| known(name))
}

/// `GPL-2`, `LGPL-2.1+`, `GFDL-NIV-1.3+`.
fn gnu(name: &str) -> Option<String> {
    let (stem, version) = name.rsplit_once('-')?;
    let (_, more) = GNU.iter().find(|(family, _)| *family == stem)?;
    let (version, later) = version.strip_suffix('+').map_or((version, false), |version| (version, true));
    let version = if version.contains('.') { version.to_owned() } else { format!("{version}.0") };
    let family = stem.trim_end_matches("-NIV");
    known(&format!("{family}-{version}{more}-{}", if later { "or-later" } else { "only" }))
}

/// A name as SPDX writes it, if it is one of SPDX's that is not given up.
fn known(name: &str) -> Option<String> {
    let found = spdx::identifiers::LICENSES.iter().find(|licence| licence.name.eq_ignore_ascii_case(name))?;
    let id = spdx::license_id(found.name)?;
    (!id.is_deprecated()).then(|| id.name.to_owned())
}

fn exception_id(name: &str) -> Option<&'static str> {
    let table = [
        ("Bison", "Bison-exception-2.2"),
        ("Libtool", "Libtool-exception"),
        ("Classpath", "Classpath-exception-2.0"),
        ("Font", "Font-exception-2.0"),
        ("Linux-syscall-note", "Linux-syscall-note"),
    ];
    let named = table.iter().find(|(debian, _)| debian.eq_ignore_ascii_case(name)).map(|(_, id)| *id);
    named.or_else(|| spdx::exception_id(name).map(|id| id.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Declared {
        declared(Some(&names.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn debians_names_become_spdxs() {
        let cases = [
            ("GPL-2", "GPL-2.0-only"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("Expat", "MIT"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("Apache-2.0", "Apache-2.0"),
            ("GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"),
            ("GPL-2+ or  Expat", "GPL-2.0-or-later OR MIT"),
            ("GPL-2+ or Expat, and ISC", "(GPL-2.0-or-later OR MIT) AND ISC"),
            ("GPL-2+ and Expat or ISC", "(GPL-2.0-or-later AND MIT) OR ISC"),
        ];
        for (debian, spdx) in cases {
            let expression = expression(debian);
            assert_eq!(expression.as_deref(), Some(spdx), "{debian}");
            let parsed = ::spdx::Expression::parse(spdx);
            assert!(parsed.is_ok(), "{spdx}");
        }
    }

    #[test]
    fn what_does_not_map_is_not_guessed() {
        for name in
            ["", "public-domain", "GPL", "BSD", "GPL-2+ with OpenSSL exception", "GPL-9", "Expat or custom"]
        {
            assert_eq!(expression(name), None, "{name}");
        }
        let some = of(&["Expat", "public-domain"]);
        assert_eq!(some, Declared { expression: None, each: vec!["MIT".into(), UNKNOWN.into()] });
        assert_eq!(declared(None).each, [UNKNOWN]);
    }

    #[test]
    fn all_licences_of_a_package_hold_together() {
        let all = of(&["Expat", "GPL-2+ or Artistic-2"]);
        assert_eq!(all.expression.as_deref(), Some("(GPL-2.0-or-later OR Artistic-2.0) AND MIT"));
    }
}
