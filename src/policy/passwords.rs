//! Files that hold passwords by what they are for: what is in them decides whether they do.

use serde_json::Value;

use crate::ident::ImagePath;

/// The largest such file that is read, in bytes.
pub(super) const MOST: u64 = 1 << 20;

/// Says what a file of this name holds, given its text; `None` if there is nothing to see.
type Look = fn(&str) -> Option<&'static str>;

/// Names of files, or ends of paths, and what is looked for in them.
const FILES: &[(&str, Look)] = &[
    ("/etc/shadow", hashes),
    ("/etc/shadow-", hashes),
    ("/etc/passwd", hashes),
    ("/etc/passwd-", hashes),
    ("/etc/gshadow", group_hashes),
    ("/etc/gshadow-", group_hashes),
    ("/etc/group", group_hashes),
    ("/.netrc", netrc),
    ("/_netrc", netrc),
    ("/.pgpass", pgpass),
    ("/.my.cnf", |text| assigned(text, &["password"], "a password")),
    ("/.npmrc", |text| {
        assigned(text, &["_authToken", "_auth", "_password"], "a token of a package registry")
    }),
    ("/.pypirc", |text| assigned(text, &["password"], "a password of a package registry")),
    ("/.cargo/credentials", |text| assigned(text, &["token"], "a token of a package registry")),
    ("/.cargo/credentials.toml", |text| assigned(text, &["token"], "a token of a package registry")),
    ("/.gem/credentials", |text| assigned(text, &[":rubygems_api_key"], "a token of a package registry")),
    ("/.aws/credentials", |text| assigned(text, &["aws_secret_access_key"], "an AWS secret")),
    ("/.docker/config.json", registries),
    ("/.dockercfg", registries),
    ("/containers/auth.json", registries),
    ("/.git-credentials", in_addresses),
    ("/pip.conf", in_addresses),
    ("/.kube/config", |text| assigned(text, &["token", "client-key-data", "password"], "a key of a cluster")),
    ("/.htpasswd", |text| {
        let hashed = |line: &str| line.split_once(':').is_some_and(|(_, rest)| !rest.trim().is_empty());
        lines(text).any(hashed).then_some("hashes of passwords")
    }),
    ("/id_rsa", key),
    ("/id_dsa", key),
    ("/id_ecdsa", key),
    ("/id_ed25519", key),
    ("/id_ecdsa_sk", key),
    ("/id_ed25519_sk", key),
];

/// What is looked for in a file at this path; `None` for most.
pub(super) fn look_for(path: &ImagePath) -> Option<Look> {
    let whole = |name: &str| name.starts_with("/etc/");
    let fits = |name: &str| if whole(name) { path.as_str() == name } else { path.as_str().ends_with(name) };
    FILES.iter().find(|(name, _)| fits(name)).map(|(_, look)| *look)
}

/// Names of variables that hold passwords.
const VARIABLES: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "SECRET_KEY",
    "ACCESS_KEY",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
];

/// Whether a variable is named after a password and has a value that is none of the places where
/// passwords are looked up.
pub(super) fn is_password(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let ends = |word: &&str| {
        upper.strip_suffix(*word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    };
    VARIABLES.iter().any(|word| ends(&word)) && !value.is_empty() && !value.starts_with('/')
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
}

/// passwd(5), shadow(5): the second field is a hash, or empty, which lets anybody in.
fn hashes(text: &str) -> Option<&'static str> {
    let open = || lines(text).any(|line| line.split(':').nth(1) == Some(""));
    group_hashes(text).or_else(|| open().then_some("an account without a password"))
}

/// group(5), gshadow(5): a hash is longer than what stands for none, and may be locked by a `!`.
fn group_hashes(text: &str) -> Option<&'static str> {
    let mut fields = lines(text).filter_map(|line| line.split(':').nth(1));
    fields.any(|field| field.trim_start_matches('!').len() > 8).then_some("the hash of a password")
}

/// The file of ftp(1) and curl: `machine … login … password …`.
fn netrc(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).any(|pair| pair[0] == "password").then_some("a password")
}

/// `host:port:database:user:password`.
fn pgpass(text: &str) -> Option<&'static str> {
    let filled = |line: &str| line.split(':').nth(4).is_some_and(|password| !password.is_empty());
    lines(text).any(filled).then_some("a password")
}

/// `name = value`, where the value is no variable; a name may be the end of a longer one.
fn assigned(text: &str, names: &[&str], what: &'static str) -> Option<&'static str> {
    let given = |line: &str| {
        // A name may hold colons (npm's are addresses), a value either.
        let at = [line.find('='), line.find(": ")].into_iter().flatten().min()?;
        let (name, value) = (&line[..at], &line[at + 1..]);
        let (name, value) = (name.trim(), value.trim().trim_matches(['"', '\'']));
        let named = names.iter().any(|known| {
            name.strip_suffix(known).is_some_and(|before| !before.ends_with(char::is_alphanumeric))
        });
        (named && !value.is_empty() && !value.starts_with("${")).then_some(())
    };
    lines(text).any(|line| given(line).is_some()).then_some(what)
}

/// docker's and podman's credentials.
fn registries(text: &str) -> Option<&'static str> {
    let value: Value = serde_json::from_str(text).ok()?;
    let auths = value.get("auths").unwrap_or(&value).as_object()?;
    let filled = |entry: &Value| {
        ["auth", "password", "identitytoken", "registrytoken"]
            .iter()
            .any(|name| entry.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty()))
    };
    auths.values().any(filled).then_some("credentials of an image registry")
}

/// `https://user:password@host`.
fn in_addresses(text: &str) -> Option<&'static str> {
    let mut addresses = lines(text).flat_map(|line| line.split("://").skip(1));
    let with_password = |rest: &str| {
        let host = rest.split(['/', ' ']).next().unwrap_or_default();
        let user = host.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("${"))
    };
    addresses.any(with_password).then_some("a password in an address")
}

fn key(text: &str) -> Option<&'static str> {
    (!text.trim().is_empty()).then_some("a private key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, text: &str) -> Option<&'static str> {
        look_for(&path.parse().expect("a path")).and_then(|look| look(text))
    }

    #[test]
    fn files_of_passwords_are_told_from_those_without() {
        for (path, with, without) in [
            ("/etc/shadow", "root:$y$j9T$abc$def:19000::::::\n", "root:*:19000::::::\nx:!:1::::::\n"),
            ("/etc/passwd", "root:abcdefghijklm:0:0::/:/x\n", "root:x:0:0::/:/x\n"),
            ("/home/a/.netrc", "machine h\n login u\n password p\n", "machine h login u\n"),
            ("/home/a/.pgpass", "h:5432:d:u:p\n", "#h:5432:d:u:p\n"),
            (
                "/home/a/.npmrc",
                "//h.example/:_authToken=abc\n",
                "//h.example/:_authToken=${TOKEN}\nfund=false\n",
            ),
            ("/home/a/.pypirc", "[x]\npassword = p\n", "[x]\nusername = u\n"),
            (
                "/home/a/.docker/config.json",
                r#"{"auths":{"h":{"auth":"eA=="}}}"#,
                r#"{"auths":{"h":{}},"credsStore":"x"}"#,
            ),
            ("/etc/pip.conf", "index-url = https://u:p@h/x\n", "index-url = https://h/x\n"),
            ("/home/a/.ssh/id_rsa", "anything", " \n"),
            ("/srv/.htpasswd", "u:$apr1$x\n", "# none\n"),
        ] {
            assert!(seen(path, with).is_some(), "{path}: {with}");
            assert_eq!(seen(path, without), None, "{path}: {without}");
        }
        assert_eq!(seen("/usr/share/x/shadow", "root:$y$j9T$abc$def:1::::::\n"), None);
    }

    #[test]
    fn variables_are_passwords_by_their_names() {
        for name in ["PASSWORD", "DB_PASSWORD", "GH_TOKEN", "aws_secret_access_key"] {
            assert!(is_password(name, "x"), "{name}");
        }
        assert!(!is_password("DB_PASSWORD_FILE", "x"));
        assert!(!is_password("DB_PASSWORD", "/run/secrets/db"));
        assert!(!is_password("DB_PASSWORD", ""));
        assert!(!is_password("BROKEN", "x"));
    }
}
