//! Which release of Debian something is of, by os-release(5) and `debian_version`.
//!
//! A release is needed to look anything up, and no answer is ever "nothing was found". What derives from Debian
//! has versions of its own, which Debian's tracker does not know: it is refused by name.

use super::subject::{Notes, plain};
use crate::advisory::Ecosystem;
use crate::diag::{Problem, Result, codes};

/// The most of each of the files that is read, in bytes.
pub(super) const MAX_FILE: u64 = 64 << 10;

/// The files that say it, without their leading slashes. The second is what the first mostly is a link to.
pub(super) const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// The file that says it in Debian alone.
pub(super) const DEBIAN_VERSION: &str = "etc/debian_version";

/// What is said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// os-release.
    pub(super) os_release: Option<Vec<u8>>,
    /// `debian_version`.
    pub(super) debian_version: Option<Vec<u8>>,
}

/// The release that a name, a number or a version means: `13`, `13.1`, `trixie`. What is testing or unstable keeps its
/// name where it has no number.
pub(super) fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix("/sid").unwrap_or(text);
    let word = !text.is_empty() && text.len() <= 32;
    if !word || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
        return None;
    }
    let major = text.split('.').next().unwrap_or(text);
    if major.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(major.to_owned());
    }
    let named = Ecosystem::debian_named(&text.to_ascii_lowercase());
    named.as_str().strip_prefix("Debian:").map(ToOwned::to_owned)
}

/// Whether a name or number is that of a release that Debian has.
pub(super) fn is_known(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit()) || matches!(number, "sid" | "unstable" | "testing")
}

/// The release that is asked for, where one is.
pub(super) fn asked(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let known = number(text).filter(|number| is_known(number));
    known.map(Some).ok_or_else(|| {
        let what = format!("`{}` is no release of Debian", plain(text));
        Problem::new(codes::USAGE, what).help("say its number or name: `--release 13`").into()
    })
}

/// The release that is said, else the one that is asked for.
pub(super) fn decide(name: &str, said: &Said, wanted: Option<&str>, notes: &mut Notes) -> Result<String> {
    let wanted = asked(wanted)?;
    let os_release = said.os_release.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let field = |key: &str| os_release.as_deref().and_then(|text| field(text, key));
    if let Some(id) = field("ID").filter(|id| id != "debian") {
        return Err(not_debian(name, &id));
    }
    let own = said.debian_version.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let own = own.as_deref().map(|text| text.lines().next().unwrap_or_default().trim().to_owned());
    let by_own = own.as_deref().and_then(number);
    let by_id = field("VERSION_ID").as_deref().and_then(number);
    let by_name = field("VERSION_CODENAME").as_deref().and_then(number);
    if let (Some(id), Some(own)) = (&by_id, &by_own)
        && id != own
        && is_known(own)
    {
        notes.add(format!("os-release says release {id} and debian_version {own}: the first is taken"));
    }
    let [by_id, by_name, by_own] =
        [by_id, by_name, by_own].map(|number| number.filter(|number| is_known(number)));
    let by = match (&by_id, &by_name, &by_own) {
        (Some(_), ..) => None,
        (_, Some(_), _) => Some("VERSION_CODENAME"),
        (.., Some(_)) => Some("debian_version"),
        _ => wanted.as_ref().map(|_| "what was said with `--release`"),
    };
    if let Some(by) = by {
        notes.add(format!("there is no VERSION_ID in os-release: the release is known by {by}"));
    }
    let said = by_id.or(by_name).or(by_own);
    notes.extend(overruled(said.as_deref(), wanted.as_deref()));
    said.or(wanted).ok_or_else(|| unknown(name, own.as_deref()))
}

/// What is to be said where a release was asked for of what says another: its own word counts.
pub(super) fn overruled(said: Option<&str>, wanted: Option<&str>) -> Option<String> {
    let (said, wanted) = said.zip(wanted).filter(|(said, wanted)| said != wanted)?;
    Some(format!("it says itself that it is of release {said}: `--release {wanted}` was not taken"))
}

fn unknown(name: &str, own: Option<&str>) -> crate::diag::Failure {
    let what = format!("`{}` does not say which release of Debian it is", plain(name));
    let mut problem = Problem::new(codes::NO_RELEASE, what);
    if let Some(own) = own {
        problem = problem.fact("debian_version", plain(own));
    }
    problem
        .expected("VERSION_ID or VERSION_CODENAME in /etc/os-release, or /etc/debian_version")
        .help("put both files into the image (base-files has them), or say it: `--release 13`")
        .into()
}

/// The problem with what is not Debian.
pub(super) fn not_debian(name: &str, id: &str) -> crate::diag::Failure {
    let what = format!("`{}` is not Debian", plain(name));
    Problem::new(codes::NOT_DEBIAN, what)
        .found(format!("ID={}", plain(id)))
        .expected("ID=debian in /etc/os-release")
        .help("versions of what derives from Debian are its own, and Debian's advisories say nothing of them: scan it with a tool that has its maker's")
        .into()
}

/// A field of os-release, its quotes taken off (os-release(5)).
fn field(text: &str, key: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?.trim();
    let bare = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Some(bare.unwrap_or(value).to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(os_release: Option<&str>, debian_version: Option<&str>) -> (Result<String>, Vec<String>) {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let said = Said { os_release: bytes(os_release), debian_version: bytes(debian_version) };
        let mut notes = Notes::default();
        (decide("x", &said, None, &mut notes), notes.into_vec())
    }

    #[test]
    fn the_release_is_found_by_whichever_of_the_files_says_it() {
        for (os_release, debian_version, number, noted) in [
            (Some("ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n"), Some("13.2\n"), "13", false),
            (Some("ID=debian\nVERSION_ID='12'\n"), None, "12", false),
            (Some("ID=debian\nVERSION_CODENAME=trixie\n"), None, "13", true),
            (Some("ID=debian\n"), Some("12.11\n"), "12", true),
            (Some("ID=debian\nVERSION_ID=\n"), Some("forky/sid\n"), "14", true),
            (None, Some("11.9\n"), "11", true),
            (Some("ID=debian\nVERSION_ID=13\n"), Some("12.1\n"), "13", true),
        ] {
            let (found, notes) = decided(os_release, debian_version);
            assert_eq!(found.as_deref().ok(), Some(number), "{os_release:?} {debian_version:?}");
            assert_eq!(!notes.is_empty(), noted, "{os_release:?} {debian_version:?}: {notes:?}");
        }
    }

    #[test]
    fn a_release_that_is_asked_for_in_vain_is_said() {
        let decided = |wanted: &str| {
            let os_release = Some(b"ID=debian\nVERSION_ID=13\n".to_vec());
            let mut notes = Notes::default();
            let said = Said { os_release, debian_version: None };
            (decide("x", &said, Some(wanted), &mut notes).ok(), notes.into_vec().join(" "))
        };
        let (release, notes) = decided("bookworm");
        assert!(
            release.as_deref() == Some("13") && notes.contains("`--release 12` was not taken"),
            "{notes}"
        );
        assert_eq!(decided("trixie"), (Some("13".to_owned()), String::new()));
    }

    #[test]
    fn what_says_nothing_is_refused_and_not_found_to_be_fine() {
        for said in [(None, None), (Some("ID=debian\n"), None), (Some("ID=debian\n"), Some("\u{0}\u{1b}[2J"))]
        {
            let failure = decided(said.0, said.1).0.expect_err("nothing says it");
            assert!(failure.is(codes::NO_RELEASE), "{failure}");
        }
    }

    #[test]
    fn what_derives_from_debian_is_refused_by_its_name() {
        for id in ["ubuntu", "\"kali\"", "alpine", "raspbian"] {
            let text = format!("ID={id}\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n");
            let failure = decided(Some(&text), Some("trixie/sid\n")).0.expect_err("it is not Debian");
            assert!(failure.is(codes::NOT_DEBIAN), "{failure}");
            assert!(failure.problems()[0].facts[0].1.contains(id.trim_matches('"')));
        }
    }

    #[test]
    fn a_release_that_is_asked_for_counts_where_none_is_said_and_makes_no_derivative_debian() {
        let said = |text: &str| Said { os_release: Some(text.into()), debian_version: None };
        let asked = |text: &str, asked| decide("x", &said(text), Some(asked), &mut Notes::default());
        assert_eq!(asked("ID=debian\n", "trixie").as_deref().ok(), Some("13"));
        assert_eq!(asked("ID=debian\n", "13").as_deref().ok(), Some("13"));
        assert_eq!(asked("ID=debian\nVERSION_ID=12\n", "13").as_deref().ok(), Some("12"));
        assert!(asked("ID=debian\n", "noble").expect_err("no release").is(codes::USAGE));
        assert!(asked("ID=ubuntu\n", "13").expect_err("not Debian").is(codes::NOT_DEBIAN));
    }
}
