//! Patch runs on Debian's own archives: images that were locked without security updates are brought up to date, and what is
//! said to be fixed is what Debian's changelogs name; one that fails its test is kept back.
#![allow(clippy::disallowed_methods)]

mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use outside::registry::{Kind, Registry};
use outside::{Workshop, run, tool};
use serde_json::Value;

/// What is built, in `tests/oldstable`: four that serve or run something, and what they stand on. They are of Debian 12,
/// whose main archive has had its last point release: what security has beyond it only grows. A stable release's main
/// archive takes all security updates in every few weeks, and for some days there is nothing to patch.
const RECIPES: [&str; 5] = ["base", "haproxy", "nginx", "python", "redis"];

/// A tag of each, which moves with security updates.
const TAGS: [(&str, &str); 5] =
    [("base", "12"), ("haproxy", "2.6"), ("nginx", "1.22"), ("python", "3.11"), ("redis", "7")];

/// Instead of security updates, Debian's main archive once more.
const WITHOUT_SECURITY: &str = "suite = \"bookworm\"\n\n[debian.archives.debian-security]\nsuites = [\"bookworm\"]\nlabel = \"Debian\"\n";

struct House {
    shop: Workshop,
    registry: Registry,
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

impl House {
    /// The images as they are without any security update, published.
    fn new() -> Self {
        let house = Self { shop: Workshop::new(), registry: Registry::start(Kind::Cncf) };
        let folder = house.shop.path("recipes");
        std::fs::remove_dir_all(&folder).expect("the catalog's");
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oldstable");
        run(tool("cp", &["-r"]).arg(ours).arg(&folder));
        let text = house.text("recipes/base.toml");
        let without = text.replacen("suite = \"bookworm\"\n", WITHOUT_SECURITY, 1);
        assert_ne!(text, without);
        house.write("recipes/base.toml", &without);
        let main = house.mirror();
        house.shop.hardpan(&["build", "--all", "--quiet", "--mirror", &format!("debian-security={main}")]);
        let out: Vec<String> = std::fs::read_dir(house.shop.path("out"))
            .expect("built")
            .map(|entry| entry.expect("listed").path().display().to_string())
            .collect();
        let to = house.to();
        let mut arguments = vec!["publish", "--quiet", "--to", &to];
        arguments.extend(out.iter().map(String::as_str));
        house.shop.hardpan(&arguments);
        house.write("recipes/base.toml", &text);
        house
    }

    /// Where this machine has Debian's main archive from.
    fn mirror(&self) -> String {
        let all: Value = serde_json::from_str(&self.shop.hardpan(&["mirrors", "--json"])).expect("JSON");
        let main =
            all.as_array().expect("a list").iter().find(|one| one["archive"] == "debian").expect("known");
        let used = main["mirrors"].as_array().expect("a list").iter().find(|one| one["used"] == true);
        used.expect("a mirror")["url"].as_str().expect("an address").to_owned()
    }

    fn to(&self) -> String {
        self.registry.reference("team").trim_end_matches(":latest").to_owned()
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.shop.path(path)).expect("there")
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.shop.path(path), text).expect("ours");
    }

    /// The packages of a lock on amd64: source, version of the source, digest, by name.
    fn pins(&self, recipe: &str) -> BTreeMap<String, (String, String, String)> {
        let lock: toml::Value = toml::from_str(&self.text(&format!("recipes/{recipe}.lock"))).expect("TOML");
        let text = |package: &toml::Value, key: &str| package[key].as_str().expect("text").to_owned();
        let packages = lock["package"].as_array().expect("packages");
        let of_amd64 = packages.iter().filter(|package| package["platform"].as_str() == Some("linux/amd64"));
        let pin = |package: &toml::Value| {
            (
                text(package, "name"),
                (text(package, "source"), text(package, "source-version"), text(package, "sha256")),
            )
        };
        of_amd64.map(pin).collect()
    }

    /// The CVEs that the changelog in a package names, as dpkg, tar and grep see it.
    fn named(&self, sha256: &str) -> Option<BTreeSet<String>> {
        let blob = format!("store/blobs/{}/{sha256}", &sha256[..2]);
        let found = [blob, format!("store/blobs/{sha256}")].map(|path| self.shop.path(&path));
        let blob = found.into_iter().find(|path| Path::new(path).exists())?;
        let script = "dpkg-deb --fsys-tarfile \"$1\" | tar xO --wildcards './usr/share/doc/*/changelog.Debian.gz' 2>/dev/null \
                      | zcat | grep -oE 'CVE-[0-9]{4}-[0-9]{4,}' | sort -u; true";
        let said = run(&mut tool("sh", &["-c", script, "sh", &blob]));
        let named: BTreeSet<String> = said.lines().map(str::to_owned).collect();
        (!named.is_empty()).then_some(named)
    }

    fn digest(&self, name: &str, tag: &str) -> String {
        let reference = format!("docker://{}/{name}:{tag}", self.to());
        run(&mut tool("skopeo", &["inspect", "--tls-verify=false", "--raw", &reference]));
        run(&mut tool("skopeo", &["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &reference]))
            .trim()
            .to_owned()
    }
}

#[test]
#[ignore = "needs runc, skopeo, a registry and Debian's archive"]
fn images_without_security_updates_are_brought_up_to_date_and_one_that_fails_its_test_is_kept_back() {
    let house = House::new();
    let before: BTreeMap<&str, _> = RECIPES.iter().map(|name| (*name, house.pins(name))).collect();
    let digests: BTreeMap<&str, String> = TAGS.map(|(name, tag)| (name, house.digest(name, tag))).into();
    let redis = house.text("recipes/redis.lock");
    let recipe = house.text("recipes/redis.toml");
    let failing = format!(
        "{recipe}\n[[test]]\nname = \"never\"\nrun = [\"/usr/bin/redis-server\", \"--version\"]\nstdout = [\"no such words\"]\n"
    );
    house.write("recipes/redis.toml", &failing);
    let to = house.to();
    // What can be known with no feed at all: the images have what updates fix.
    house.shop.hardpan(&["advisories", "derive", "--all", "--quiet"]);
    let fixable = |(name, tag): (&str, &str)| {
        let said = house.shop.hardpan(&["scan", &format!("{to}/{name}:{tag}"), "--json"]);
        let report: Value = serde_json::from_str(&said).expect("JSON");
        report["counts"]["fixable"].as_u64().expect("a count")
    };
    let exposed: BTreeMap<&str, u64> = TAGS.map(|one| (one.0, fixable(one))).into();
    let patch = ["patch", "--all", "--runtime", "runc", "--to", &to];

    let output = house.shop.try_hardpan(&[&patch[..], &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("HP650") && said.contains("never"), "{said}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows: Vec<Value> = lines(&text).into_iter().filter(|row| row["name"].is_string()).collect();
    assert!(rows.len() >= 10, "{} images", rows.len());
    for row in &rows {
        let kept = row["name"] == "redis" && row["variant"] != "dev";
        assert_eq!(row["outcome"] == "kept back", kept, "{row:#}");
    }
    assert_eq!(house.digest("redis", "7"), digests["redis"]);

    // What is said to be fixed is what the changelogs name by set difference.
    let mut compared = 0;
    for row in rows.iter().filter(|row| row["variant"].is_null() && row["outcome"] == "out") {
        let name = row["name"].as_str().expect("a name");
        let after = house.pins(name);
        for one in row["moves"].as_array().expect("moves") {
            let source = one["source"].as_str().expect("a name");
            let of = |pins: &BTreeMap<String, (String, String, String)>| {
                pins.values().filter(|pin| pin.0 == source).find_map(|pin| house.named(&pin.2))
            };
            let (Some(old), Some(new)) = (of(&before[name]), of(&after)) else { continue };
            let expected: BTreeSet<String> = new.difference(&old).cloned().collect();
            let fixes = one["fixes"].as_array().expect("fixes").iter();
            let said: BTreeSet<String> =
                fixes.map(|fix| fix["id"].as_str().expect("an id").to_owned()).collect();
            assert_eq!(said, expected, "{name}: {source}");
            compared += said.len();
        }
    }
    assert!(compared > 0, "security has nothing newer than main");
    assert!(exposed.values().all(|count| *count > 0), "{exposed:?}");

    // Mended, the rest gets out; then there is nothing left to fix, and old digests are still there.
    house.write("recipes/redis.toml", &recipe);
    house.shop.hardpan(&patch);
    let again = lines(&house.shop.hardpan(&[&patch[..], &["--json"]].concat()));
    assert!(again.iter().all(|row| row["outcome"] == "up to date"), "{again:#?}");
    let plan = lines(&house.shop.hardpan(&["patch", "--all", "--dry-run", "--json"]));
    assert!(plan.iter().all(|row| row["moves"].as_array().is_some_and(Vec::is_empty)), "{plan:#?}");
    for (name, tag) in TAGS {
        let old = &digests[name];
        assert_ne!(house.digest(name, tag), *old, "{name}");
        let reference = format!("docker://{to}/{name}@{old}");
        run(&mut tool("skopeo", &["inspect", "--tls-verify=false", "--raw", &reference]));
    }
    assert_ne!(house.text("recipes/redis.lock"), redis);
    assert_eq!(TAGS.map(fixable), [0; TAGS.len()], "before it was {exposed:?}");
    let report = house.shop.hardpan(&["report", "images", "--format", "json"]);
    assert!(report.contains("redis") && report.contains(&house.digest("redis", "7")), "{report}");
    let note = std::fs::read_dir(house.shop.path("notes")).expect("notes").count();
    assert!(note >= rows.len(), "{note} notes of {} images", rows.len());
}
