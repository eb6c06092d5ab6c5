//! The whole catalog, from Debian's own archive: every image passes its own tests in a real runtime,
//! verifies, builds again to the same bytes, and holds what a scanner of others finds.

#![allow(clippy::disallowed_methods)] // tests are their own host

mod outside;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use outside::sboms::syft;
use outside::scanners::{is_told_by_osv, osv_packages};
use outside::{Workshop, run, tool};
use serde_json::Value;

/// The whole catalog, built, and what was found wrong with it. It is one test: a catalog takes gigabytes,
/// which go when the test ends, however it ends.
struct Catalog {
    workshop: Workshop,
    images: Vec<Image>,
    wrong: Vec<String>,
}

/// An image of the catalog.
struct Image {
    /// Its folder below `out`.
    name: String,
    /// A tag.
    tag: String,
    /// Whether it is a variant of another.
    is_variant: bool,
}

/// What is wrong with it.
type Check = fn(&Catalog) -> Vec<String>;

#[test]
#[ignore = "needs runc, skopeo, syft, osv-scanner and Debian's archive"]
fn the_whole_catalog_passes_its_tests_verifies_builds_again_and_holds_what_scanners_find() {
    let mut catalog = Catalog::build();
    let checks: [(&str, Check); 5] = [
        ("nothing is built again", Catalog::is_up_to_date),
        ("verified", Catalog::verifies),
        ("built again", Catalog::builds_again),
        ("own tests", Catalog::passes_its_tests),
        ("scanned", Catalog::holds_what_scanners_find),
    ];
    for (what, check) in checks {
        let begin = Instant::now();
        let wrong = check(&catalog);
        println!("{what}: {} wrong, {:.0} s", wrong.len(), begin.elapsed().as_secs_f64());
        catalog.wrong.extend(wrong);
    }
    assert!(catalog.wrong.is_empty(), "{}", catalog.wrong.join("\n"));
}

impl Catalog {
    fn build() -> Self {
        let workshop = Workshop::new();
        let said = workshop.hardpan(&["build", "--all", "--locked", "--json", "--quiet"]);
        let images = lines(&said).into_iter().map(|row| Image {
            name: row["path"].as_str().expect("a path").trim_start_matches("out/").to_owned(),
            tag: row["tag"].as_str().expect("a tag").to_owned(),
            is_variant: row["variant"].is_string(),
        });
        let images: Vec<Image> = images.collect();
        assert!(images.len() > 40, "{} images", images.len());
        Self { workshop, images, wrong: Vec::new() }
    }

    fn is_up_to_date(&self) -> Vec<String> {
        let said = lines(&self.workshop.hardpan(&["build", "--all", "--locked", "--json", "--quiet"]));
        assert_eq!(said.len(), self.images.len());
        said.iter().filter(|row| row["outcome"] != "unchanged").map(ToString::to_string).collect()
    }

    fn verifies(&self) -> Vec<String> {
        self.each(|image| vec!["verify".into(), format!("out/{}", image.name)])
    }

    /// From the packages alone: what was worked out from them is forgotten before, and after it, for it takes
    /// gigabytes that what comes next needs no more.
    fn builds_again(&self) -> Vec<String> {
        self.workshop.forget();
        let wrong =
            self.each(|image| vec!["rebuild".into(), format!("out/{}", image.name), "--quiet".into()]);
        self.workshop.forget();
        wrong
    }

    /// Runs hardpan for each image; what it said where it failed.
    fn each(&self, arguments: impl Fn(&Image) -> Vec<String> + Sync) -> Vec<String> {
        let failed = |image: &Image| {
            let arguments = arguments(image);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = self.workshop.try_hardpan(&arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            (!output.status.success()).then(|| format!("{arguments:?}: {}\n{said}", output.status))
        };
        side_by_side(&self.images, |image| failed(image).into_iter().collect())
    }

    fn passes_its_tests(&self) -> Vec<String> {
        let failed = |image: &Image| {
            let path = format!("out/{}", image.name);
            let arguments = ["test", &path, "--json", "--platform", "linux/amd64", "--runtime", "runc"];
            let output = self.workshop.try_hardpan(&arguments);
            let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let counts = ["passed", "failed", "untested"].map(|outcome| value[outcome].as_u64());
            let fine = output.status.success() && matches!(counts, [Some(1..), Some(0), Some(0)]);
            let said = String::from_utf8_lossy(&output.stderr);
            (!fine).then(|| format!("{}: {counts:?}\n{value:#}\n{said}", image.name))
        };
        side_by_side(&self.images, |image| failed(image).into_iter().collect())
    }

    /// Of each recipe its own image: variants are the same and some packages more, and a scan takes its time.
    fn holds_what_scanners_find(&self) -> Vec<String> {
        side_by_side(&self.images, |image| if image.is_variant { Vec::new() } else { self.scan(image) })
    }

    fn scan(&self, Image { name, tag, .. }: &Image) -> Vec<String> {
        let said = self.workshop.hardpan(&["sbom", &format!("out/{name}"), "--platform", "linux/amd64"]);
        let listed = listed(&said);
        assert!(!listed.is_empty(), "{name}");
        let archive = self.workshop.path(&format!("scanned-{name}.tar"));
        let from = self.workshop.oci(&format!("out/{name}:{tag}"));
        let to = format!("docker-archive:{archive}:{name}:x");
        run(&mut tool("skopeo", &["--override-arch", "amd64", "copy", "-q", &from, &to]));
        let by_syft = syft(&format!("docker-archive:{archive}"), "linux/amd64").into_iter();
        let by_syft: BTreeSet<(String, String)> = by_syft
            .filter(|package| package.purl.starts_with("pkg:deb/"))
            .map(|package| (package.name, package.version))
            .collect();
        let by_osv = osv_packages(Path::new(&archive));
        run(tool("rm", &[]).arg(&archive));
        let told: BTreeSet<_> = listed.iter().filter(|(name, _)| is_told_by_osv(name)).cloned().collect();
        let differs = |(who, found, listed): (&str, BTreeSet<(String, String)>, BTreeSet<_>)| {
            let apart: Vec<_> = found.symmetric_difference(&listed).collect();
            (!apart.is_empty()).then(|| format!("{name}: {who} and the SBOM differ in {apart:?}"))
        };
        [("syft", by_syft, listed), ("osv-scanner", by_osv, told)].into_iter().filter_map(differs).collect()
    }
}

/// Asks for each image, some at a time: servers that start and end are waited for more than they compute.
fn side_by_side(images: &[Image], ask: impl Fn(&Image) -> Vec<String> + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(image) = images.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let said = ask(image);
                    wrong.lock().expect("nobody panics with it").extend(said);
                }
            });
        }
    });
    wrong.into_inner().expect("nobody panics with it")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The binary packages that an SBOM of ours lists: names and versions.
fn listed(document: &str) -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(document).expect("JSON");
    let packages = document["packages"].as_array().expect("packages").iter().filter(|package| {
        let references = package["externalRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_binary = |purl: &str| purl.starts_with("pkg:deb/") && !purl.contains("arch=source");
        references.iter().any(|one| one["referenceLocator"].as_str().is_some_and(is_binary))
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    packages.map(|package| (text(&package["name"]), text(&package["versionInfo"]))).collect()
}
