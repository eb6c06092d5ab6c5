//! Names of packages, as an ecosystem compares them.
//!
//! | ecosystem | the same package | here |
//! |---|---|---|
//! | `PyPI` | letters of any case; runs of `-`, `_` and `.` (PEP 503); feeds spell names as their projects do | made one |
//! | `npm` | only what is spelled the same: old packages have capitals that tell them apart | as it is |
//! | `crates.io` | the index has one spelling of each, which lock files, URLs and feeds all use | as it is |
//! | others | only what is spelled the same | as it is |

use super::record::Ecosystem;

/// The one spelling under which a package is kept and looked up.
pub fn package_name(ecosystem: &Ecosystem, name: &str) -> String {
    if ecosystem.base() != "PyPI" {
        return name.to_owned();
    }
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.push(other.to_ascii_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_python_every_spelling_is_one_and_elsewhere_each_is_another() {
        let of = |ecosystem: &str, name| package_name(&ecosystem.parse().expect("one"), name);
        for (name, normal) in [
            ("Django", "django"),
            ("ruamel.yaml", "ruamel-yaml"),
            ("Foo_Bar", "foo-bar"),
            ("Zope._-Interface", "zope-interface"),
            ("plain", "plain"),
        ] {
            assert_eq!(of("PyPI", name), normal);
        }
        for ecosystem in ["npm", "crates.io", "Go", "Maven", "Debian:13"] {
            assert_eq!(of(ecosystem, "A_b.c"), "A_b.c", "{ecosystem}");
        }
    }
}
