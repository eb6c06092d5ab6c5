//! What looks like a secret, wherever it is and however it is cut; and what only looks so at first.

use crate::support::{Deb, World};
use crate::{breaks, recipe, refused, with, world};

/// Letters of base64 that no key has: made here, the same each time.
fn letters(count: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |at: usize| char::from(ALPHABET[(at * 7 + at / 5) % ALPHABET.len()]);
    (0..count).map(letter).collect()
}

/// A key that nobody has: its head, lines of base64, its end.
pub fn pem(label: &str) -> String {
    let body: Vec<String> = (0..6).map(|_| letters(64)).collect();
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    format!("{begin}\n{}\n{end}\n", body.join("\n"))
}

/// Whether a text in a package's file is taken for a secret.
fn is_secret(text: impl AsRef<[u8]>) -> bool {
    let world = world(&[with("/usr/share/text", text, 0o644)]);
    let out = world.build(&[]);
    assert!(matches!(out.code, 0 | 6), "{}", out.stderr);
    if out.code == 6 {
        let path = "`/usr/share/text` of package `thing` holds what looks like";
        assert!(out.stderr.contains(path), "{}", out.stderr);
    }
    out.code == 6
}

fn tokens() -> Vec<String> {
    let t = letters;
    vec![
        pem("PRIVATE KEY"),
        pem("RSA PRIVATE KEY"),
        pem("EC PRIVATE KEY"),
        pem("ENCRYPTED PRIVATE KEY"),
        pem("OPENSSH PRIVATE KEY"),
        pem("PGP PRIVATE KEY BLOCK").replacen('\n', "\nVersion: GnuPG v2\n\n", 1),
        pem("RSA PRIVATE KEY").replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,AB12\n\n", 1),
        pem("PRIVATE KEY").replace('\n', "\r\n"),
        // As JSON, as a program and as a cluster's configuration write it.
        format!("{{\"private_key\": \"{}\"}}", pem("PRIVATE KEY").replace('\n', "\\n")),
        format!("static char key[] = \"{}\";", pem("EC PRIVATE KEY").replace('\n', "\\n\"\n  \"")),
        format!("data: {}", base64_of(pem("EC PRIVATE KEY").as_bytes())),
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n".to_owned(),
        format!("AGE-SECRET-KEY-1{}", t(58).to_uppercase()),
        format!("id = AKIA{}\nsecret = {}\n", t(16).to_uppercase(), t(40)),
        format!("AccountKey={}==", t(86)),
        format!("key=AIza{}", t(35)),
        format!("ghp_{}", t(36)),
        format!("github_pat_{}_{}", t(22), t(59)),
        format!("glpat-{}", t(20)),
        format!("//h.example/:_authToken=npm_{}", t(36)),
        format!("pypi-AgE{}", t(100)),
        format!("dckr_pat_{}", t(27)),
        format!("hf_{}", t(34)),
        format!("xoxb-123456789012-{}", t(24)),
        format!("sk_live_{}", t(24)),
        format!("SG.{}.{}", t(22), t(43)),
        web_token(r#"{"sub":"somebody","exp":2000000000}"#),
    ]
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn web_token(payload: &str) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(payload), letters(43))
}

#[test]
fn keys_and_tokens_of_every_kind_are_found() {
    let mut missed = Vec::new();
    for token in tokens() {
        if hardpan::source::secrets(format!("x = '{token}'\n").as_bytes()).is_empty() {
            missed.push(token);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    // And in a build, of the same mind.
    assert!(is_secret(tokens().remove(0)));
}

#[test]
fn what_only_speaks_of_keys_is_none() {
    let t = letters;
    for text in [
        // Programs that read keys hold these words.
        "\0-----BEGIN RSA PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----\0".to_owned(),
        "-----BEGIN %s PRIVATE KEY-----\n%s\n".to_owned(),
        "if line == '-----BEGIN PRIVATE KEY-----': the lines that follow are the key\n".to_owned(),
        // Documentation shows these.
        format!("-----BEGIN PRIVATE KEY-----\n{}...\n-----END PRIVATE KEY-----\n", t(56)),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n".to_owned(),
        format!("-----BEGIN PRIVATE KEY-----\n{}\n", "x".repeat(64)),
        // What is public.
        pem("CERTIFICATE"),
        pem("PUBLIC KEY"),
        pem("OPENSSH PUBLIC KEY"),
        // Almost the form of a token.
        format!("my_ghp_{}", t(36)),
        format!("ghp_{}", t(20)),
        "npm_config_registry".to_owned(),
        format!("AKIA{}", t(16).to_uppercase()),
        format!("AKIAIOSFODNN7EXAMPLE {}EXAMPLE{}", t(20), t(13)),
        web_token(r#"{"some":"payload"}"#),
        "eyJhbGciOiJIUzI1NiJ9".to_owned(),
        "PuTTY-User-Key-File-3: %s\nEncryption: %s\n".to_owned(),
    ] {
        assert!(hardpan::source::secrets(text.as_bytes()).is_empty(), "{text}");
    }
}

#[test]
fn a_key_is_found_across_the_border_of_what_is_read_at_once() {
    let key = pem("RSA PRIVATE KEY");
    for before in [1_usize, 12, 30, 200, 700, 5000] {
        let mut content = vec![b'\n'; (1 << 20) - before];
        content.extend_from_slice(key.as_bytes());
        assert!(is_secret(&content), "{before} bytes before the border");
        content.extend(std::iter::repeat_n(b'\n', 3 << 20));
        assert!(is_secret(&content), "{before} bytes before the border of a longer file");
    }
    let mut at_the_end = vec![b' '; (2 << 20) + 7];
    at_the_end.extend_from_slice(key.as_bytes());
    assert!(is_secret(&at_the_end));
}

#[test]
fn secrets_are_found_in_texts_local_files_and_archives_of_the_recipe() {
    let world = world(&[with("/usr/share/x", "x", 0o644)]);
    let takes = crate::all(&world);
    world.sandbox.write("local.pem", pem("EC PRIVATE KEY"));
    recipe(&world, &format!("{takes}[file]\n\"/etc/local.pem\" = \"local.pem\"\n"), "");
    refused(&world)
        .says("`/etc/local.pem` of file `local.pem` of recipe `made` holds what looks like a private key");
    recipe(
        &world,
        &format!("{takes}[files]\n\"/etc/text.pem\" = \"\"\"\n{}\"\"\"\n", pem("EC PRIVATE KEY")),
        "",
    );
    refused(&world).says("`/etc/text.pem` of recipe `made` holds what looks like a private key");
}

#[test]
fn files_of_passwords_are_found_by_what_they_are_for() {
    for (path, text) in [
        ("/etc/shadow", "root:$6$salt$hash:1::::::\n"),
        ("/home/a/.netrc", "machine m login l password p\n"),
        ("/home/x/.pgpass", "h:1:d:u:p\n"),
        ("/home/a/.npmrc", "_authToken=abc\n"),
        ("/home/a/.docker/config.json", "{\"auths\": {\"h\": {\"auth\": \"eDp5\"}}}"),
        ("/home/a/.ssh/id_ed25519", "of a kind that nobody knows yet"),
    ] {
        breaks(&world(&[with(path, text, 0o600)]), "secrets", path);
    }
    for (path, text) in [
        ("/etc/shadow", "root:*:1::::::\ndaemon:!:1::::::\n"),
        ("/home/a/.npmrc", "_authToken=${NPM_TOKEN}\n"),
        ("/home/a/.docker/config.json", "{\"auths\": {\"h\": {}}}"),
        ("/usr/share/doc/shadow", "root:$6$salt$hash:1::::::\n"),
    ] {
        world(&[with(path, text, 0o600)]).build(&[]).ok();
    }
}

#[test]
fn variables_labels_and_arguments_are_looked_at_too() {
    let world = world(&[with("/usr/share/x", "x", 0o644)]);
    let takes = crate::all(&world);
    let token = format!("ghp_{}", letters(36));
    for (says, words) in [
        (
            "image.env = { DB_PASSWORD = \"hunter2\" }\n".to_owned(),
            "`DB_PASSWORD`, which is named after a password",
        ),
        (
            format!("image.env = {{ HOOK = \"https://x:{token}@h/\" }}\n"),
            "`HOOK` to what looks like an access token",
        ),
        (format!("image.labels = {{ note = \"{token}\" }}\n"), "a label `note` that looks like"),
        (format!("image.cmd = [\"--token={token}\"]\n"), "an argument that looks like"),
    ] {
        recipe(&world, &format!("{says}{takes}"), "");
        refused(&world).says("the image ").says(words).says("rule: secrets: ");
    }
    recipe(&world, &format!("image.env = {{ DB_PASSWORD_FILE = \"/run/db\", TOKEN = \"\" }}\n{takes}"), "");
    world.build(&[]).ok();
}

#[test]
fn a_second_build_finds_the_same_without_reading_anything_again() {
    let world = world(&[Deb::new("keys", "1").file("/etc/key.pem", pem("PRIVATE KEY"), 0o600)]);
    let first = refused(&world);
    // Neither the package nor its parcel is there to be read any more.
    fs_forget(&world, "parcels");
    let second = refused(&world);
    let told =
        |out: &str| out.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n");
    assert_eq!(told(&first.stderr), told(&second.stderr));
    recipe(&world, &crate::all(&world), "secrets = \"a test\"");
    world.build(&[]).ok().says("1 of 1 reused");
}

fn fs_forget(world: &World, kind: &str) {
    std::fs::remove_dir_all(world.sandbox.store().join("derived").join(kind)).expect("the store's own");
}
