//! Archives in the manner of Debian, in a temporary folder, signed by keys of the test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::compression::{Codec, compress};
use super::deb::control_of;
use super::index::{field, pool_path, release_date, sha256_hex, stanza};
use super::keys::{Key, sign_inline};

/// A package file and where it is offered.
#[derive(Debug, Clone)]
struct Offer {
    suite: String,
    component: String,
    control: String,
    path: String,
    bytes: Vec<u8>,
}

/// Which index: suite, component, architecture.
type IndexName = (String, String, String);

/// An archive, described by its setters and written by [`Archive::publish`]; what is changed after
/// that shows when it is published again. It is gone when dropped.
#[derive(Debug)]
pub struct Archive {
    folder: tempfile::TempDir,
    origin: String,
    label: String,
    suites: Vec<String>,
    codenames: BTreeMap<String, String>,
    components: Vec<String>,
    architectures: Vec<String>,
    date: u32,
    valid_until: Option<u32>,
    by_hash: bool,
    keys: Vec<Key>,
    fields: Vec<(String, String)>,
    offers: Vec<Offer>,
    additions: BTreeMap<IndexName, String>,
    replacements: BTreeMap<IndexName, Vec<u8>>,
}

impl Archive {
    /// An archive with the suite `trixie`, the component `main`, the architectures amd64 and arm64,
    /// and a key of its own. `debian` has the origin and label `Debian`.
    pub fn new(name: &str) -> Self {
        let mut title = name.to_owned();
        title[..1].make_ascii_uppercase();
        Self {
            folder: tempfile::tempdir().expect("a folder for temporary files"),
            origin: title.clone(),
            label: title,
            suites: vec!["trixie".into()],
            codenames: BTreeMap::new(),
            components: vec!["main".into()],
            architectures: vec!["amd64".into(), "arm64".into()],
            date: 1_700_000_000,
            valid_until: None,
            by_hash: true,
            keys: vec![Key::new()],
            fields: Vec::new(),
            offers: Vec::new(),
            additions: BTreeMap::new(),
            replacements: BTreeMap::new(),
        }
    }

    /// The folder that holds `dists` and `pool`.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The address of that folder.
    pub fn file_url(&self) -> String {
        format!("file://{}", self.root().display())
    }

    /// The first of the keys that sign.
    pub fn key(&self) -> &Key {
        self.keys.first().expect("an archive that is signed")
    }

    /// `Origin` of the release files.
    pub fn origin(&mut self, origin: &str) -> &mut Self {
        self.origin = origin.into();
        self
    }

    /// `Label` of the release files.
    pub fn label(&mut self, label: &str) -> &mut Self {
        self.label = label.into();
        self
    }

    /// The suites there are, in place of those before.
    pub fn suites(&mut self, suites: &[&str]) -> &mut Self {
        self.suites = owned(suites);
        self
    }

    /// `Codename` of a suite; its own name unless said.
    pub fn codename(&mut self, suite: &str, codename: &str) -> &mut Self {
        self.codenames.insert(suite.into(), codename.into());
        self
    }

    /// The components there are, in place of those before.
    pub fn components(&mut self, components: &[&str]) -> &mut Self {
        self.components = owned(components);
        self
    }

    /// The architectures there are, in place of those before.
    pub fn architectures(&mut self, architectures: &[&str]) -> &mut Self {
        self.architectures = owned(architectures);
        self
    }

    /// `Date` of the release files, and when they are signed, in seconds since 1970.
    pub fn date(&mut self, seconds: u32) -> &mut Self {
        self.date = seconds;
        self
    }

    /// `Valid-Until` of the release files, which they don't have unless said.
    pub fn valid_until(&mut self, seconds: Option<u32>) -> &mut Self {
        self.valid_until = seconds;
        self
    }

    /// Whether indices are offered by their digest as well; they are unless said.
    pub fn by_hash(&mut self, offered: bool) -> &mut Self {
        self.by_hash = offered;
        self
    }

    /// One more field of the release files, before their digests.
    pub fn release_field(&mut self, name: &str, value: &str) -> &mut Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The keys that sign, in place of those before.
    pub fn signed_by(&mut self, keys: &[Key]) -> &mut Self {
        self.keys = keys.into();
        self
    }

    /// Release files are bare text.
    pub fn unsigned(&mut self) -> &mut Self {
        self.signed_by(&[])
    }

    /// Offers a package, as its control file describes it.
    pub fn add(&mut self, suite: &str, component: &str, deb: impl AsRef<[u8]>) -> &mut Self {
        let control = control_of(deb.as_ref()).expect("a package with a control file; see `add_as`");
        self.add_as(suite, component, &control, deb)
    }

    /// Offers any bytes as the package that `control` describes.
    pub fn add_as(
        &mut self,
        suite: &str,
        component: &str,
        control: &str,
        deb: impl AsRef<[u8]>,
    ) -> &mut Self {
        let path = pool_path(component, control);
        let (suite, component, control) = (suite.into(), component.into(), control.into());
        self.offers.push(Offer { suite, component, control, path, bytes: deb.as_ref().into() });
        self
    }

    /// Withdraws all versions of a package from all suites.
    pub fn withdraw(&mut self, package: &str) -> &mut Self {
        self.offers.retain(|offer| field(&offer.control, "Package") != Some(package));
        self
    }

    /// Adds text, whatever it says, to the end of an index.
    pub fn add_to_index(&mut self, suite: &str, component: &str, arch: &str, text: &str) -> &mut Self {
        let name = (suite.into(), component.into(), arch.into());
        self.additions.entry(name).or_default().push_str(text);
        self
    }

    /// Puts other bytes in place of a compressed index; the release file vouches for them.
    pub fn replace_index(&mut self, suite: &str, component: &str, arch: &str, bytes: &[u8]) -> &mut Self {
        self.replacements.insert((suite.into(), component.into(), arch.into()), bytes.into());
        self
    }

    /// The names of the packages that are offered, each once.
    pub fn packages(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.offers.iter().filter_map(|offer| field(&offer.control, "Package")).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Where the package is in the pool, as of its first offer.
    pub fn pool_path(&self, package: &str) -> String {
        let offer = self.offers.iter().find(|offer| field(&offer.control, "Package") == Some(package));
        offer.unwrap_or_else(|| panic!("no package {package} was added")).path.clone()
    }

    /// Where the release file of a suite is.
    pub fn release_path(suite: &str) -> String {
        format!("dists/{suite}/InRelease")
    }

    /// Where a published index is: under its name, and under its digest where that is offered.
    pub fn index_paths(&self, suite: &str, component: &str, arch: &str) -> Vec<String> {
        let folder = format!("dists/{suite}/{component}/binary-{arch}");
        let bytes = self.index(&(suite.into(), component.into(), arch.into())).1;
        let mut paths = vec![format!("{folder}/Packages.xz")];
        paths.extend(self.by_hash.then(|| format!("{folder}/by-hash/SHA256/{}", sha256_hex(&bytes))));
        paths
    }

    /// Writes everything anew. Nothing of what was there before remains.
    pub fn publish(&self) -> &Self {
        for folder in ["dists", "pool"] {
            let _ = fs::remove_dir_all(self.root().join(folder));
        }
        for offer in &self.offers {
            self.put(&offer.path, &offer.bytes);
        }
        for suite in &self.suites {
            let digests = self.publish_indices(suite);
            self.put(&Self::release_path(suite), self.release(suite, &digests).as_bytes());
        }
        self
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a writable folder");
        fs::write(path, bytes).expect("a writable folder");
    }

    /// Writes the indices of a suite; their lines for the release file.
    fn publish_indices(&self, suite: &str) -> String {
        let mut lines = String::new();
        for component in &self.components {
            for arch in &self.architectures {
                let (plain, packed) = self.index(&(suite.into(), component.clone(), arch.clone()));
                for path in self.index_paths(suite, component, arch) {
                    self.put(&path, &packed);
                }
                // Archives vouch for the plain index too, though they don't offer it.
                for (name, bytes) in [("Packages", plain), ("Packages.xz", packed)] {
                    let (digest, size) = (sha256_hex(&bytes), bytes.len());
                    let _ = writeln!(lines, " {digest} {size:>8} {component}/binary-{arch}/{name}");
                }
            }
        }
        lines
    }

    /// An index, plain and compressed. Packages for all architectures are in each of them.
    fn index(&self, name: &IndexName) -> (Vec<u8>, Vec<u8>) {
        let (suite, component, arch) = name;
        let here = |offer: &&Offer| {
            let fits = field(&offer.control, "Architecture").is_some_and(|of| of == "all" || of == arch);
            fits && offer.suite == *suite && offer.component == *component
        };
        let offers = self.offers.iter().filter(here);
        let mut text: String =
            offers.map(|offer| stanza(&offer.control, &offer.path, &offer.bytes)).collect();
        text.push_str(self.additions.get(name).map_or("", String::as_str));
        let packed = self.replacements.get(name).cloned();
        let packed = packed.unwrap_or_else(|| compress(Codec::Xz, text.as_bytes()));
        (text.into_bytes(), packed)
    }

    fn release(&self, suite: &str, digests: &str) -> String {
        let codename = self.codenames.get(suite).map_or(suite, String::as_str);
        let mut text = String::new();
        let mut put = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}: {value}");
        };
        put("Origin", &self.origin);
        put("Label", &self.label);
        put("Suite", suite);
        put("Codename", codename);
        put("Date", &release_date(self.date));
        if let Some(moment) = self.valid_until {
            put("Valid-Until", &release_date(moment));
        }
        put("Acquire-By-Hash", if self.by_hash { "yes" } else { "no" });
        put("Architectures", &self.architectures.join(" "));
        put("Components", &self.components.join(" "));
        self.fields.iter().for_each(|(name, value)| put(name, value));
        text.push_str("SHA256:\n");
        text.push_str(digests);
        let keys: Vec<&Key> = self.keys.iter().collect();
        if keys.is_empty() { text } else { sign_inline(&text, self.date, &keys) }
    }

    fn tamper(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> &Self {
        let path: PathBuf = self.root().join(path);
        let mut bytes = fs::read(&path).expect("a published file");
        change(&mut bytes);
        fs::write(&path, bytes).expect("a writable file");
        self
    }

    /// Changes one bit in the middle of a published file.
    pub fn flip_byte(&self, path: &str) -> &Self {
        self.tamper(path, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        })
    }

    /// Cuts a published file in half.
    pub fn truncate(&self, path: &str) -> &Self {
        self.tamper(path, |bytes| bytes.truncate(bytes.len() / 2))
    }

    /// Removes a published file.
    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.root().join(path)).expect("a published file");
        self
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}
