//! What programs open at run time without saying so in a header: a small table, which recipes
//! override by `[closure] dlopen`. Programs that say it in a note of their own need no row here.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::recipe::Pattern;

/// What opens something.
#[derive(Debug, Clone, Copy)]
enum Opener {
    /// A file of this path.
    File(&'static str),
    /// Any program that calls the function.
    Caller(&'static str),
    /// A text of this path, whose words that end in `.so` name what is opened.
    Names(&'static str),
}

/// One row: who opens what, and what it is for.
#[derive(Debug, Clone, Copy)]
struct Row {
    opener: Opener,
    opens: &'static [&'static str],
    what: &'static str,
}

const fn row(opener: Opener, opens: &'static [&'static str], what: &'static str) -> Row {
    Row { opener, opens, what }
}

use Opener::{Caller, File, Names};

/// glibc loads it when a thread ends by itself, is cancelled, or wants its own stack described; it
/// ends the program if it is not there.
const UNWINDER: &[&str] = &["/usr/lib/*/libgcc_s.so.1"];

/// The table. What a row opens is taken from the locked packages if they have it.
const TABLE: &[Row] = &[
    row(Caller("pthread_exit"), UNWINDER, "ending a thread"),
    row(Caller("pthread_cancel"), UNWINDER, "cancelling a thread"),
    row(Caller("backtrace"), UNWINDER, "describing a stack"),
    row(
        Caller("iconv_open"),
        &[
            "/usr/lib/*/gconv/gconv-modules{,.cache}",
            "/usr/lib/*/gconv/gconv-modules.d/*.conf",
            "/usr/lib/*/gconv/{CP1252,ISO8859-1,ISO8859-15,UNICODE,UTF-16,UTF-32,UTF-7}.so",
        ],
        "converting characters (gconv)",
    ),
    row(File("/usr/lib/*/libcrypto.so.3"), &["/usr/lib/*/ossl-modules/*.so"], "OpenSSL's providers"),
    row(File("/usr/lib/*/libsasl2.so.2"), &["/usr/lib/*/sasl2/*.so*"], "SASL's mechanisms"),
    row(File("/usr/lib/*/libp11-kit.so.0"), &["/usr/lib/*/pkcs11/*.so"], "PKCS #11 modules"),
    row(File("/usr/lib/*/libkrb5.so.3"), &["/usr/lib/*/krb5/plugins/**/*.so"], "Kerberos' plugins"),
    row(File("/usr/lib/*/libxtables.so.12"), &["/usr/lib/*/xtables/*.so"], "iptables' extensions"),
    row(
        File("/usr/lib/*/libmagic.so.1"),
        &["/usr/lib/file/magic.mgc", "/usr/share/misc/magic.mgc"],
        "the kinds of files",
    ),
    row(
        File("/usr/lib/*/libgdk_pixbuf-2.0.so.0"),
        &["/usr/lib/*/gdk-pixbuf-2.0/*/loaders/*.so", "/usr/lib/*/gdk-pixbuf-2.0/*/loaders.cache"],
        "formats of pictures",
    ),
    row(
        File("/usr/lib/*/libMagickCore-*.so.*"),
        &["/usr/lib/*/ImageMagick-*/modules-*/coders/*.{so,la}"],
        "formats of pictures",
    ),
    row(Names("/etc/pam.d/*"), &["/usr/lib/*/security/"], "a PAM module"),
];

/// A row with its patterns compiled.
#[derive(Debug)]
pub(super) struct Opening {
    row: &'static Row,
    opener: Option<Pattern>,
    patterns: Vec<Pattern>,
}

/// The table, compiled once.
pub(super) fn table() -> &'static [Opening] {
    static OPENINGS: OnceLock<Vec<Opening>> = OnceLock::new();
    let compile = |row: &'static Row| {
        let (opener, patterns) = match row.opener {
            File(path) => (Some(path), row.opens),
            Caller(_) => (None, row.opens),
            // What is opened is known when the text is.
            Names(path) => (Some(path), [].as_slice()),
        };
        Opening {
            row,
            opener: opener.map(compiled),
            patterns: patterns.iter().map(|path| compiled(path)).collect(),
        }
    };
    OPENINGS.get_or_init(|| TABLE.iter().map(compile).collect())
}

impl Opening {
    /// What it is for.
    pub(super) fn what(&self) -> &'static str {
        self.row.what
    }

    /// What the file at `path`, which calls these functions, opens.
    pub(super) fn opened_by(&self, path: &str, calls: &BTreeSet<String>) -> &[Pattern] {
        let opens = match self.row.opener {
            File(_) => self.opener.as_ref().is_some_and(|opener| opener.matches(path)),
            Caller(function) => calls.contains(function),
            Names(_) => false,
        };
        if opens { &self.patterns } else { &[] }
    }

    /// Whether the text at `path` names what is opened.
    pub(super) fn is_named_in(&self, path: &str) -> bool {
        matches!(self.row.opener, Names(_)) && self.opener.as_ref().is_some_and(|opener| opener.matches(path))
    }

    /// The patterns of what the words of a text name.
    pub(super) fn patterns_of(&self, text: &str) -> Vec<Pattern> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let words = lines
            .flat_map(str::split_whitespace)
            .filter(|word| word.strip_suffix(".so").is_some_and(|stem| stem.bytes().all(plain)));
        let folders = self.row.opens;
        words
            .flat_map(|word| folders.iter().map(move |folder| compiled(&format!("{folder}{word}"))))
            .collect()
    }
}

fn compiled(pattern: &str) -> Pattern {
    pattern.parse().expect("a pattern of ours")
}

/// nsswitch.conf(5): `/etc/nsswitch.conf` names services, each a library `libnss_<service>.so.2`; those
/// of `files` and `dns` are in the C library itself since glibc 2.34.
pub(super) fn name_services(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let words = lines.filter_map(|line| line.split_once(':')).flat_map(|(_, words)| words.split_whitespace());
    let services = words.filter(|word| !word.starts_with('[') && !word.ends_with(']'));
    let mut services: Vec<String> = services
        .filter(|word| !matches!(*word, "files" | "dns"))
        .map(|word| format!("libnss_{word}.so.2"))
        .collect();
    services.sort();
    services.dedup();
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_opens_what_its_row_says() {
        let calls = BTreeSet::from(["pthread_exit".to_owned()]);
        let opened: Vec<&str> =
            table().iter().flat_map(|row| row.opened_by("/usr/bin/x", &calls)).map(Pattern::as_str).collect();
        assert_eq!(opened, ["/usr/lib/*/libgcc_s.so.1"]);
    }

    #[test]
    fn services_beyond_the_c_library_s_own_are_libraries() {
        let text = "passwd: files ldap # people\nhosts: files [NOTFOUND=return] dns mymachines\n";
        assert_eq!(name_services(text), ["libnss_ldap.so.2", "libnss_mymachines.so.2"]);
    }

    #[test]
    fn words_of_a_pam_file_name_modules_and_nothing_else() {
        let row = table().iter().find(|row| row.is_named_in("/etc/pam.d/login")).expect("there");
        let patterns =
            row.patterns_of("auth required pam_unix.so nullok\n# pam_x.so\nauth x ../../evil.so\n");
        let texts: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
        assert_eq!(texts, ["/usr/lib/*/security/pam_unix.so"]);
    }
}
