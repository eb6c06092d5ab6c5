//! `hardpan patch` over made archives and a registry: what moves and why, what gets out, and what is left when something
//! fails or is killed on the way.
#![allow(clippy::disallowed_methods)]

#[path = "patch/broken.rs"]
mod broken;
#[path = "patch/decided.rs"]
mod decided;
#[path = "patch/ledger.rs"]
mod ledger;
#[path = "patch/moves.rs"]
mod moves;
#[path = "patch/out.rs"]
mod out;
#[path = "patch/sample.rs"]
mod sample;
#[path = "patch/schedules.rs"]
mod schedules;
#[path = "patch/settled.rs"]
mod settled;
#[path = "patch/since.rs"]
mod since;
mod support;
#[path = "patch/tried.rs"]
mod tried;
#[path = "patch/usage.rs"]
mod usage;

use std::io::Write as _;

use serde_json::Value;
use support::{Archive, Deb, Output, Registry, Sandbox};

/// Two archives, as Debian has them, recipes over both, and a registry.
struct House {
    suite: &'static str,
    main: Archive,
    security: Archive,
    registry: Registry,
    sandbox: Sandbox,
}

/// A changelog's entries, the newest first: version and text.
fn changelog(source: &str, entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(version, text): &(&str, &str)| {
        format!(
            "{source} ({version}) trixie; urgency=medium\n\n  * {text}\n\n -- A <a@example.org>  Tue, 09 Jan 2024 13:42:30 +0000\n\n"
        )
    };
    let text: String = entries.iter().map(entry).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("in memory");
    gzip.finish().expect("in memory")
}

/// A package with a file that tells its version, and a changelog with these entries, the newest first.
fn deb(name: &str, entries: &[(&str, &str)]) -> Deb {
    let version = entries[0].0;
    Deb::new(name, version).file(&format!("/usr/share/{name}"), format!("{name} {version}"), 0o644).file(
        &format!("/usr/share/doc/{name}/changelog.Debian.gz"),
        changelog(name, entries),
        0o644,
    )
}

fn now() -> u32 {
    u32::try_from(support::now()).expect("before 2106")
}

impl House {
    /// Trixie's main with these packages, nothing in security, and no recipe yet.
    fn new(debs: &[Deb]) -> Self {
        Self::of("trixie", debs)
    }

    /// The same of another release.
    fn of(suite: &'static str, debs: &[Deb]) -> Self {
        let mut main = Archive::new("debian");
        main.suites(&[suite, &format!("{suite}-updates")]).date(now() - 86_400 * 9);
        for deb in debs {
            main.add(suite, "main", deb.build());
        }
        let mut security = Archive::new("debian");
        security.label("Debian-Security").suites(&[&format!("{suite}-security")]).date(now() - 86_400 * 8);
        let house = Self { suite, main, security, registry: Registry::start(), sandbox: Sandbox::new() };
        house.main.publish();
        house.security.publish();
        house.sandbox.write("recipes/main.asc", house.main.key().armored_public());
        house.sandbox.write("recipes/security.asc", house.security.key().armored_public());
        house
    }

    /// A recipe with these packages, whole; `more` stands before its tables.
    fn recipe(&self, name: &str, more: &str, packages: &[&str]) -> &Self {
        let packages: Vec<String> = packages.iter().map(|name| format!("{name} = \"all\"\n")).collect();
        let text = format!(
            "name = \"{name}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\", \"latest\"]\n{more}\
             policy.allow.root = \"it is a test\"\n\
             debian.suite = \"{}\"\ndebian.archives.debian = {{ keys = [\"main.asc\"] }}\n\
             debian.archives.debian-security = {{ keys = [\"security.asc\"] }}\n\n[debian.packages]\n{}",
            self.suite,
            packages.concat()
        );
        self.sandbox.write(format!("recipes/{name}.toml"), text);
        self
    }

    /// A recipe that stands on another.
    fn standing(&self, name: &str, below: &str, packages: &[&str]) -> &Self {
        let packages: Vec<String> = packages.iter().map(|name| format!("{name} = \"all\"\n")).collect();
        let text = format!(
            "name = \"{name}\"\nextends = \"{below}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\", \"latest\"]\n\n[debian.packages]\n{}",
            packages.concat()
        );
        self.sandbox.write(format!("recipes/{name}.toml"), text);
        self
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        all.push(format!("--mirror=debian={}", self.main.file_url()));
        all.push(format!("--mirror=debian-security={}", self.security.file_url()));
        all
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let all = self.arguments(arguments);
        self.sandbox.hardpan(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn to(&self) -> String {
        format!("{}/team", self.registry.host())
    }

    /// `patch --all --to REGISTRY/team`, without tests, and what follows.
    fn patch(&self, more: &[&str]) -> Output {
        let to = self.to();
        let mut arguments = vec!["patch", "--all", "--no-test", "--to", &to];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// What a run says of each image, by name.
    fn patched(&self, more: &[&str]) -> std::collections::BTreeMap<String, Value> {
        let mut arguments = more.to_vec();
        arguments.push("--json");
        rows(&self.patch(&arguments).ok())
    }

    /// What a tag names.
    fn tag(&self, name: &str, tag: &str) -> Option<String> {
        self.registry.tag(&format!("team/{name}"), tag)
    }

    /// A package gets into security, in a release file of this age.
    fn fix(&mut self, deb: &Deb, age: u32) -> &mut Self {
        self.security.add(&format!("{}-security", self.suite), "main", deb.build());
        self.security.date(now() - age).publish();
        self
    }

    /// A package gets into main.
    fn update(&mut self, deb: &Deb) -> &mut Self {
        self.main.add(self.suite, "main", deb.build());
        self.main.date(now() - 86_400 * 7).publish();
        self
    }

    fn lock(&self, name: &str) -> String {
        self.sandbox.text(format!("recipes/{name}.lock"))
    }
}

/// The rows of a run, by image.
fn rows(output: &Output) -> std::collections::BTreeMap<String, Value> {
    let rows = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    rows.filter(|row| row.get("name").is_some())
        .map(|row| (row["name"].as_str().expect("a name").to_owned(), row))
        .collect()
}
