//! What is scanned here: status files, roots, docker archives, SBOMs; and what it is scanned with.

use hardpan::advisory::{Shelf, Snapshot};
use hardpan::ident::Epoch;
use hardpan::scan::{Report, Want, of_prefix, scan};
use serde_json::{Value, json};

use super::support::{Sandbox, Tarball, sha256_hex};

/// OSV's records of bookworm, made from changelogs.
pub const OSV: &[u8] = include_bytes!("../advisories/osv-bookworm.tar.gz");

/// A package: its name, its version, and the field `Source` or nothing.
pub type Installed<'a> = (&'a str, &'a str, &'a str);

/// What bookworm's main has of three sources.
pub const MAIN: [Installed; 5] = [
    ("libssl3", "3.0.20-1~deb12u2", "openssl"),
    ("openssl", "3.0.20-1~deb12u2", ""),
    ("libexpat1", "2.5.0-1+deb12u2", "expat"),
    ("redis-server", "5:7.0.15-1~deb12u7", "redis"),
    ("redis-tools", "5:7.0.15-1~deb12u7", "redis"),
];

/// What its security suite has of them.
pub const SECURITY: [Installed; 5] = [
    ("libssl3", "3.0.22-1~deb12u2", "openssl"),
    ("openssl", "3.0.22-1~deb12u2", ""),
    ("libexpat1", "2.5.0-1+deb12u5", "expat"),
    ("redis-server", "5:7.0.15-1~deb12u10", "redis"),
    ("redis-tools", "5:7.0.15-1~deb12u10", "redis"),
];

/// os-release of a release.
pub fn os_release(number: &str) -> String {
    format!(
        "PRETTY_NAME=\"Debian GNU/Linux {number}\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"{number}\"\nID=debian\n"
    )
}

/// A stanza of a status file.
pub fn stanza((name, version, source): &Installed) -> String {
    let source = if source.is_empty() { String::new() } else { format!("Source: {source}\n") };
    format!(
        "Package: {name}\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\n{source}Version: {version}\n\
         Description: made\n for a test\n\n"
    )
}

/// A status file.
pub fn status(installed: &[Installed]) -> String {
    installed.iter().map(stanza).collect()
}

/// Writes a root folder of bookworm with these packages.
pub fn root(sandbox: &Sandbox, name: &str, installed: &[Installed]) -> String {
    sandbox.write(format!("{name}/etc/os-release"), os_release("12"));
    sandbox.write(format!("{name}/etc/debian_version"), "12.12\n");
    sandbox.write(format!("{name}/var/lib/dpkg/status"), status(installed));
    sandbox.path(name).display().to_string()
}

/// What `docker save` writes of these layers, the lowest first.
pub fn docker(layers: &[Tarball]) -> Vec<u8> {
    labelled(layers, &json!({}))
}

/// The same with labels.
pub fn labelled(layers: &[Tarball], labels: &Value) -> Vec<u8> {
    let tars: Vec<Vec<u8>> = layers.iter().map(Tarball::build).collect();
    let ids: Vec<String> = tars.iter().map(|tar| format!("sha256:{}", sha256_hex(tar))).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": ids },
    });
    let names: Vec<String> = (0..tars.len()).map(|at| format!("{at}/layer.tar")).collect();
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["made:1"], "Layers": names }]);
    let mut outer = Tarball::new().file("config.json", config.to_string(), 0o644).file(
        "manifest.json",
        manifest.to_string(),
        0o644,
    );
    for (name, tar) in names.iter().zip(&tars) {
        outer = outer.file(name, tar, 0o644);
    }
    outer.build()
}

/// A layer with a whole dpkg.
pub fn base(installed: &[Installed]) -> Tarball {
    Tarball::new()
        .file("usr/lib/os-release", os_release("12"), 0o644)
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("etc/debian_version", "12.12\n", 0o644)
        .file("var/lib/dpkg/status", status(installed), 0o644)
}

/// A sandbox with the sample's records imported.
pub fn sampled() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("osv.tar.gz", OSV);
    sandbox.hardpan(&["advisories", "import", "osv.tar.gz"]).ok();
    sandbox
}

/// A sandbox with a tracker export imported.
pub fn tracked(export: &Value) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("tracker.json", export.to_string());
    sandbox.hardpan(&["advisories", "import", "tracker.json", "--kind=tracker", "--date=2026-11-20"]).ok();
    sandbox
}

/// The current snapshot.
pub fn snapshot(sandbox: &Sandbox) -> Snapshot {
    Shelf::at(&sandbox.store()).open_current().expect("imported").0
}

/// The time that reports are asked for: 2026-11-23T00:00:00Z.
pub const NOW: Epoch = Epoch(1_795_392_000);

/// What a root of bookworm with these packages has.
pub fn scanned(sandbox: &Sandbox, installed: &[Installed]) -> Report {
    root(sandbox, "scanned", installed);
    let subject = of_prefix(&sandbox.path("scanned"), &Want::default()).expect("a root");
    scan(&subject, &snapshot(sandbox), NOW).expect("a snapshot")
}

/// How one release stands to a vulnerability, for an export of the tracker.
pub fn stands(fields: Value) -> Value {
    let mut stands = json!({ "repositories": { "bookworm": "1-1" }, "urgency": "not yet assigned" });
    for (name, value) in fields.as_object().expect("fields") {
        stands[name] = value.clone();
    }
    json!({ "description": "", "scope": "remote", "releases": { "bookworm": stands } })
}

/// What a run printed as JSON.
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}
