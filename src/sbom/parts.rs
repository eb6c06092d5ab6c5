//! An image's parts, as every format needs them: each package, archive, recipe and generator once,
//! with its files, and the platforms it is on.

use std::collections::{BTreeMap, BTreeSet};

use super::bill::{Bill, PackagePin, PlatformBill};
use super::licence::{self, Declared};
use crate::ident::{ImagePath, PackageName, Platform, Purl, Sha1, Sha256, Sha512};
use crate::layer::{Origin, PackageItem};

/// A part of an image.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: PartKind,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) sha256: Option<Sha256>,
    pub(super) sha512: Option<Sha512>,
    pub(super) platforms: BTreeSet<Platform>,
    pub(super) files: BTreeMap<(ImagePath, Sha256), Sha1>,
    /// Keys of the parts that it needs and that are in the image.
    pub(super) depends: BTreeSet<String>,
}

/// What a part is.
#[derive(Debug)]
pub(super) enum PartKind {
    /// A Debian package.
    Package(Box<PackagePart>),
    /// An archive or a local file that a recipe names, and where it is from.
    Source(Option<String>),
    /// What a recipe writes itself.
    Recipe,
    /// What hardpan makes.
    Generated,
}

/// What is said of a package beside its name and version.
#[derive(Debug)]
pub(super) struct PackagePart {
    pub(super) purl: Purl,
    pub(super) source_purl: Purl,
    pub(super) pin: PackagePin,
    pub(super) item: PackageItem,
    pub(super) licence: Declared,
}

impl Part {
    fn new(kind: PartKind, name: &str) -> Self {
        let (version, sha256, sha512) = (None, None, None);
        let (platforms, files, depends) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        Self { kind, name: name.to_owned(), version, sha256, sha512, platforms, files, depends }
    }

    pub(super) fn package(&self) -> Option<&PackagePart> {
        if let PartKind::Package(package) = &self.kind { Some(package) } else { None }
    }

    /// What the part is, for people.
    pub(super) fn summary(&self) -> Option<String> {
        match &self.kind {
            PartKind::Package(package) => package.item.summary.clone(),
            PartKind::Source(_) => None,
            PartKind::Recipe => Some("files that the recipe writes itself".to_owned()),
            PartKind::Generated => {
                Some("files that hardpan made, as maintainer scripts would have".to_owned())
            }
        }
    }
}

/// The parts of an image by their keys, which sort and name them the same in every run.
pub(super) fn parts(bill: &Bill) -> BTreeMap<String, Part> {
    let mut parts = BTreeMap::new();
    for platform in &bill.platforms {
        packages(platform, &mut parts);
        sources(platform, &mut parts);
        for (path, file) in &platform.inventory.files {
            let (key, new) = owner(bill, platform, &file.origin);
            let part = parts.entry(key).or_insert_with(new);
            part.platforms.insert(platform.platform);
            part.files.insert((path.clone(), file.sha256), file.sha1);
        }
    }
    parts
}

fn packages(platform: &PlatformBill, parts: &mut BTreeMap<String, Part>) {
    for (name, item) in &platform.inventory.packages {
        let Some(pin) = platform.packages.get(name) else { continue };
        let depends = pin.depends.iter().filter(|name| platform.inventory.packages.contains_key(*name));
        let depends: BTreeSet<String> =
            depends.filter_map(|name| Some(package_key(name, platform.packages.get(name)?))).collect();
        let part = parts.entry(package_key(name, pin)).or_insert_with(|| Part {
            version: Some(pin.version.to_string()),
            sha256: Some(pin.sha256),
            sha512: item.sha512,
            ..Part::new(package_part(name, pin, item), name.as_str())
        });
        part.platforms.insert(platform.platform);
        part.depends.extend(depends);
    }
}

fn package_key(name: &PackageName, pin: &PackagePin) -> String {
    format!("deb {name} {} {}", pin.architecture, pin.version)
}

fn package_part(name: &PackageName, pin: &PackagePin, item: &PackageItem) -> PartKind {
    PartKind::Package(Box::new(PackagePart {
        purl: pin.purl(name),
        source_purl: pin.source_purl(),
        pin: pin.clone(),
        item: item.clone(),
        licence: licence::declared(item.licences.as_ref()),
    }))
}

fn sources(platform: &PlatformBill, parts: &mut BTreeMap<String, Part>) {
    let sources = &platform.inventory.sources;
    for (recipe, name, item) in
        sources.iter().flat_map(|(recipe, own)| own.iter().map(move |(name, item)| (recipe, name, item)))
    {
        let pin = platform.sources.get(&(recipe.clone(), name.clone()));
        let part = parts.entry(source_key(name, pin.map(|pin| pin.sha256))).or_insert_with(|| Part {
            sha256: pin.map(|pin| pin.sha256),
            sha512: item.sha512,
            ..Part::new(PartKind::Source(pin.and_then(|pin| pin.address.clone())), name)
        });
        part.platforms.insert(platform.platform);
    }
}

fn source_key(name: &str, sha256: Option<Sha256>) -> String {
    format!("source {name} {}", sha256.map(|digest| digest.to_string()).unwrap_or_default())
}

/// The key of the part that a file belongs to, and how to make it where it is not there yet.
fn owner<'a>(
    bill: &Bill,
    platform: &'a PlatformBill,
    origin: &'a Origin,
) -> (String, Box<dyn Fn() -> Part + 'a>) {
    let version = || Some(env!("CARGO_PKG_VERSION").to_owned());
    match origin {
        Origin::Package(name) => {
            let key = platform.packages.get(name).map(|pin| package_key(name, pin));
            (
                key.unwrap_or_else(|| format!("deb {name}")),
                Box::new(|| Part::new(PartKind::Recipe, name.as_str())),
            )
        }
        Origin::Source(name) => {
            let pin =
                platform.sources.iter().find(|((_, known), _)| known == name).map(|(_, pin)| pin.sha256);
            (source_key(name, pin), Box::new(|| Part::new(PartKind::Source(None), name)))
        }
        Origin::Recipe => {
            let name = format!("recipe {}", bill.name);
            (name.clone(), Box::new(move || Part::new(PartKind::Recipe, &name)))
        }
        Origin::Generated => {
            let key = format!("generated {}", platform.platform);
            (key, Box::new(move || Part { version: version(), ..Part::new(PartKind::Generated, "hardpan") }))
        }
    }
}
