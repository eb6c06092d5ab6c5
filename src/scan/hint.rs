//! Whether what is vulnerable is there at all, as far as files and words tell.
//!
//! Images hold files and not whole packages, and an advisory is about a source: a hole in `openssl(1)` is none in an
//! image that has only `libssl.so.3`. Which file is vulnerable no feed says, so there are three things that can
//! be seen, and all three are hints with the files that are there as evidence:
//!
//! - no file that the source's packages list is more than documentation;
//! - the summary names a program as manuals do, `openssl(1)`, and no file or link of that name is there;
//! - the summary speaks of a command-line tool, and no program of the source is there.
//!
//! Where it is not known which files are whose there is no hint, nor where the summary names functions too. Lists of files have no links in them
//! (`redis-server` is one, to `redis-check-rdb`), so where only lists are known, a source that has any program may
//! have the one that is named.

use std::collections::BTreeSet;

use super::finding::Hint;
use super::subject::{Package, plain};
use crate::ident::ImagePath;

/// The most files that are listed as evidence.
const MAX_EVIDENCE: usize = 8;

/// Folders of what is read by people alone, and of lists of packages, where a file is called as the package is.
const FOR_PEOPLE: [&str; 8] = [
    "/var/lib/dpkg/",
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/info/",
    "/usr/share/locale/",
    "/usr/share/lintian/",
    "/usr/share/bug/",
    "/usr/share/doc-base/",
];

/// Folders of programs that people start, wherever they are: `/usr/lib/postgresql/17/bin`.
const PROGRAMS: [&str; 3] = ["/bin/", "/sbin/", "/games/"];

/// Words of summaries about a program that people start.
const TOOL: [&str; 8] = [
    "command-line tool",
    "command line tool",
    "command-line utility",
    "command line utility",
    "command-line program",
    "command line program",
    "command-line application",
    "command-line interface tool",
];

/// What can be seen of a source's packages. `paths` are all files and links that are there, where that is known.
pub(super) fn hint(
    source: &str,
    packages: &[&Package],
    paths: Option<&BTreeSet<ImagePath>>,
    summary: &str,
) -> Option<Hint> {
    let mut files: BTreeSet<&ImagePath> = BTreeSet::new();
    for package in packages {
        files.extend(package.files.as_ref()?);
    }
    let code: Vec<&ImagePath> = files.iter().copied().filter(|path| is_code(path)).collect();
    let source = plain(source);
    if code.is_empty() {
        let text = format!("of {source} only documentation is listed");
        return Some(Hint { text, evidence: evidence(&files.into_iter().collect::<Vec<_>>()) });
    }
    let has_program = code.iter().any(|path| PROGRAMS.iter().any(|folder| path.as_str().contains(folder)));
    if names_functions(summary) {
        // Then it is not about programs alone, and what has the functions may be there.
        return None;
    }
    let named = manuals(summary);
    let there = |name: &String| match paths {
        Some(paths) => paths.iter().filter(|path| is_code(path)).any(|path| is_program(path, name)),
        None => has_program || code.iter().any(|path| is_program(path, name)),
    };
    if !named.is_empty() && !named.iter().any(there) {
        let names: Vec<String> = named.iter().map(|name| format!("`{name}`")).collect();
        let text =
            format!("the summary names {}, and of {source} no such program is there", names.join(" and "));
        return Some(Hint { text, evidence: evidence(&code) });
    }
    let lower = summary.to_ascii_lowercase();
    if TOOL.iter().any(|words| lower.contains(words)) && !has_program {
        let text = format!("the summary speaks of a command-line tool, and no program of {source} is there");
        return Some(Hint { text, evidence: evidence(&code) });
    }
    None
}

/// Whether it may be more than documentation.
fn is_code(path: &ImagePath) -> bool {
    !FOR_PEOPLE.iter().any(|folder| path.as_str().starts_with(folder))
}

/// The first files, and how many more there are.
fn evidence(files: &[&ImagePath]) -> Vec<String> {
    let mut shown: Vec<String> = files.iter().take(MAX_EVIDENCE).map(ToString::to_string).collect();
    if files.len() > MAX_EVIDENCE {
        shown.push(format!("and {} more", files.len() - MAX_EVIDENCE));
    }
    shown
}

/// Whether a file is the program of a manual. The loader's manual, `ld.so(8)`, is of no file of that name:
/// `ld-linux-x86-64.so.2` is one.
fn is_program(path: &ImagePath, name: &str) -> bool {
    let file = path.file_name();
    let is_loader =
        |text: &str| text.starts_with("ld-linux") || text.starts_with("ld.so") || text.starts_with("ld64.so");
    file == name || is_loader(name) && is_loader(file)
}

/// Whether a text names calls of the system or functions as manuals do: `open(2)`, `iconv(3)`, `SSL_read(3ssl)`.
fn names_functions(text: &str) -> bool {
    ["(2", "(3"].iter().any(|section| {
        text.match_indices(section).any(|(at, _)| {
            let rest =
                text[at + section.len()..].trim_start_matches(|letter: char| letter.is_ascii_lowercase());
            text[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_')
                && rest.starts_with(')')
        })
    })
}

/// Programs that a text names as manuals do: `openssl(1)`, `sshd(8)`. They stand by themselves, as a word does: `alert(1)` in
/// a piece of a page or of a script, `<script>alert(1)</script>`, `x=alert(1)`, is none.
fn manuals(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let lower = text.to_ascii_lowercase();
    if ["<script", "javascript:", "cross-site scripting", "xss"].iter().any(|word| lower.contains(word)) {
        return found;
    }
    for section in ["(1)", "(8)"] {
        for (at, _) in text.match_indices(section) {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+-._".contains(letter);
            let name = &text[text[..at].trim_end_matches(is_part).len()..at];
            let before = text[..at - name.len()].chars().next_back();
            let after = text[at + section.len()..].chars().next();
            let begins = before.is_none_or(|letter| letter.is_whitespace() || "(,`".contains(letter));
            let ends = after.is_none_or(|letter| !letter.is_alphanumeric() && !"_<>'\"/=".contains(letter));
            // A library is no program; its loader is.
            let is_program = name.starts_with(|letter: char| letter.is_ascii_lowercase())
                && !name.bytes().any(|byte| byte.is_ascii_uppercase())
                && (!name.contains(".so") || name.starts_with("ld"));
            if begins && ends && is_program && (2..=64).contains(&name.len()) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Ecosystem;

    fn package(files: Option<&[&str]>) -> Package {
        let version: crate::ident::DebVersion = "3.0.20-1".parse().expect("a version");
        Package {
            binary: "libssl3".to_owned(),
            source: "openssl".to_owned(),
            source_version: version.clone(),
            version,
            architecture: "amd64".to_owned(),
            purl: String::new(),
            ecosystem: Ecosystem::debian("12"),
            files: files.map(|files| files.iter().map(|path| path.parse().expect("a path")).collect()),
        }
    }

    fn text(files: Option<&[&str]>, summary: &str) -> Option<String> {
        hint("openssl", &[&package(files)], None, summary).map(|hint| hint.text)
    }

    const LIBRARY: &[&str] = &["/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/share/doc/libssl3/copyright"];
    const PROGRAM: &[&str] = &["/usr/bin/openssl", "/usr/lib/ssl/openssl.cnf"];

    #[test]
    fn a_program_that_is_not_there_is_hinted_at_with_what_is_there() {
        let summary = "A crafted file makes openssl(1) crash.";
        let seen = hint("openssl", &[&package(Some(LIBRARY))], None, summary).expect("a hint");
        assert!(seen.text.contains("`openssl`"), "{}", seen.text);
        assert_eq!(seen.evidence, ["/usr/lib/x86_64-linux-gnu/libssl.so.3"]);
        assert_eq!(text(Some(PROGRAM), summary), None);
        let tool = "The 'openssl dgst' command-line tool silently truncates its input.";
        assert!(text(Some(LIBRARY), tool).is_some());
        assert_eq!(text(Some(PROGRAM), tool), None);
    }

    #[test]
    fn a_program_that_is_a_link_is_there_although_no_list_has_it() {
        let summary = "A crafted command makes openssl(1) crash.";
        let other = Some(&["/usr/bin/c_rehash"][..]);
        assert_eq!(text(other, summary), None, "the list may leave out a link to it");
        let seen = |paths: &[&str]| {
            let paths = paths.iter().map(|path| path.parse().expect("a path")).collect();
            hint("openssl", &[&package(other)], Some(&paths), summary)
        };
        assert_eq!(seen(&["/usr/bin/c_rehash", "/opt/bin/openssl"]), None);
        assert!(seen(&["/usr/bin/c_rehash"]).is_some());
        let deep = Some(&["/usr/lib/openssl/3/bin/fips"][..]);
        assert_eq!(text(deep, "a command-line tool crashes"), None);
    }

    #[test]
    fn where_nothing_is_said_or_known_there_is_no_hint() {
        assert_eq!(text(Some(LIBRARY), "Use after free in SSL_free_buffers."), None);
        assert_eq!(text(Some(LIBRARY), ""), None);
        assert_eq!(text(None, "openssl(1) crashes"), None);
        let both = [&package(Some(LIBRARY)), &package(None)];
        assert_eq!(hint("openssl", &both, None, "openssl(1) crashes"), None);
    }

    #[test]
    fn documentation_alone_is_hinted_at() {
        let only = text(Some(&["/usr/share/doc/libssl3/copyright"]), "");
        assert_eq!(only.as_deref(), Some("of openssl only documentation is listed"));
        assert_eq!(text(Some(&[]), "").as_deref(), Some("of openssl only documentation is listed"));
        assert_eq!(text(Some(&["/usr/share/zoneinfo/UTC"]), ""), None);
    }

    #[test]
    fn names_in_summaries_are_found_wherever_they_stand() {
        let found: Vec<String> =
            manuals("(1) x(1) sshd(8), a.b-c(1)…(8) `cc1`(1) (ip(8)) `tc(8)`").into_iter().collect();
        assert_eq!(found, ["a.b-c", "ip", "sshd", "tc"]);
    }

    #[test]
    fn what_only_looks_like_a_manual_names_no_program() {
        for summary in [
            "a page with <script>alert(1)</script>",
            "<b>alert(1)",
            "<img onerror=alert(1)>",
            "a link to javascript:alert(1)",
            "the text 'alert(1)' is run",
            "Cross-site scripting by way of alert(1) in a name",
            "\u{e9}sshd(8)",
            "Foo(1) and fooBar(8)",
            "prompt(1)x",
            "libssl.so(1)",
        ] {
            assert_eq!(text(Some(LIBRARY), summary), None, "{summary}");
        }
    }

    #[test]
    fn where_a_function_is_named_too_the_library_may_be_meant() {
        for summary in [
            "The getaddrinfo(3) function and the nscd(8) daemon.",
            "A flaw in iconv(1) and iconv(3).",
            "open(2) as openssl(1) calls it",
            "SSL_read(3ssl) and openssl(1)",
        ] {
            assert_eq!(text(Some(LIBRARY), summary), None, "{summary}");
        }
        // A number in brackets is no section.
        assert!(text(Some(LIBRARY), "openssl(1) crashes in (3) cases").is_some());
    }

    #[test]
    fn the_loader_is_there_by_the_name_that_its_file_has() {
        let loader = Some(&["/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"][..]);
        for summary in ["overflow in ld.so(8)", "overflow in ld-linux.so(8)"] {
            assert_eq!(text(loader, summary), None, "{summary}");
            assert!(text(Some(LIBRARY), summary).is_some(), "{summary}");
        }
        assert!(text(loader, "overflow in ldconfig(8)").is_some());
    }

    #[test]
    fn evidence_is_bounded() {
        let many: Vec<String> = (0..100).map(|at| format!("/usr/share/doc/x/{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let seen = hint("openssl", &[&package(Some(&many))], None, "").expect("a hint");
        assert_eq!((seen.evidence.len(), seen.evidence[8].as_str()), (9, "and 92 more"));
    }
}
