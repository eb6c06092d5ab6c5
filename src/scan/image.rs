//! Images: ours, which list their packages one by one, and those of anybody that have a whole dpkg.
//!
//! What an image says of itself elsewhere, in labels or attached SBOMs, is not asked: its layers are read, and their
//! digests compared on the way.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::dpkg::{self, FOLDER, Stanza};
use super::release::{self, DEBIAN_VERSION, OS_RELEASE, Said};
use super::subject::{Notes, Subject, Want, What, merged, plain};
use super::tree::Tree;
use crate::diag::{Problem, Result, codes};
use crate::host;
use crate::ident::ImagePath;
use crate::image::{Image, OpenPlatform};
use crate::store::Store;

/// The annotation that our images have their recipe's name in (image specification, annotations.md), and the label, which
/// stays where annotations have no place: in what `docker save` and `skopeo copy docker-archive:` write.
const TITLE: &str = "org.opencontainers.image.title";

/// What builders of images put beside platforms to attach statements: no image.
const NO_PLATFORM: &str = "unknown/unknown";

/// The packages of an image, of one platform or of all together. With a store, layers that were read before are known
/// by their digests, and not read again.
pub fn of_image(image: &Image, want: &Want, store: Option<&Store>) -> Result<Subject> {
    let platforms: Vec<&OpenPlatform> = image
        .platforms
        .iter()
        .filter(|one| one.platform != NO_PLATFORM || image.platforms.len() == 1)
        .filter(|one| want.takes(&one.platform))
        .collect();
    if platforms.is_empty() {
        let there: Vec<&str> = image.platforms.iter().map(|one| one.platform.as_str()).collect();
        let asked = want.platform.as_deref().unwrap_or("any platform");
        let what = format!("`{}` has nothing for {}", plain(image.name()), plain(asked));
        return Err(Problem::new(codes::USAGE, what).found(there.join(", ")).into());
    }
    let read = host::side_by_side(host::cores(), &platforms, |platform| one(image, platform, want, store));
    let mut whole = Subject {
        name: image.name().to_owned(),
        what: What::Image,
        digest: image.descriptor().map(|found| found.digest.0),
        product: title(image, &platforms),
        manifests: platforms.iter().filter_map(|one| one.digest).collect(),
        platforms: platforms.iter().map(|one| one.platform.clone()).collect(),
        distro: None,
        packages: Vec::new(),
        paths: None,
        notes: Vec::new(),
    };
    let mut paths = BTreeSet::new();
    if want.platform.is_some() {
        whole.digest = platforms[0].digest.map(|digest| digest.0);
    }
    let several = platforms.len() > 1;
    for (platform, part) in platforms.iter().zip(read) {
        let part = part?;
        let of = |note: String| if several { format!("{}: {note}", platform.platform) } else { note };
        whole.notes.extend(part.notes.into_iter().map(of));
        if part.what == What::Foreign {
            whole.what = What::Foreign;
        }
        if whole.distro.as_ref().is_some_and(|distro| *distro != part.distro) {
            whole.notes.push("its platforms are of several releases of Debian".to_owned());
        }
        whole.distro.get_or_insert(part.distro);
        whole.packages.extend(part.packages);
        paths.extend(part.paths);
    }
    whole.paths = Some(Arc::new(paths));
    whole.packages = merged(whole.packages);
    Ok(whole)
}

/// The recipe's name by the annotation, else by the label that all platforms have.
fn title(image: &Image, platforms: &[&OpenPlatform]) -> Option<String> {
    let label = |one: &&OpenPlatform| {
        let labels = one.config.pointer("/config/Labels")?;
        Some(labels.get(TITLE)?.as_str()?.to_owned())
    };
    let by_labels = || {
        let first = platforms.first().and_then(label)?;
        platforms.iter().all(|one| label(one).as_ref() == Some(&first)).then_some(first)
    };
    image.annotation(TITLE).map(str::to_owned).or_else(by_labels).filter(|title| !title.is_empty())
}

/// What is found in one platform.
struct Part {
    what: What,
    distro: String,
    packages: Vec<super::Package>,
    paths: BTreeSet<ImagePath>,
    notes: Vec<String>,
}

fn one(image: &Image, platform: &OpenPlatform, want: &Want, store: Option<&Store>) -> Result<Part> {
    let tree = Tree::of(image, platform, store)?;
    let mut notes = Notes::default();
    if tree.strange > 0 {
        notes.add(format!("{} members of its layers have names that no file can have", tree.strange));
    }
    let content = |path: &str| tree.read(path).map(<[u8]>::to_vec);
    let said = Said {
        os_release: OS_RELEASE.iter().find_map(|path| content(path)),
        debian_version: content(DEBIAN_VERSION),
    };
    let (stanzas, what) = stanzas(&tree, &mut notes);
    if stanzas.is_empty() && said.os_release.is_none() && said.debian_version.is_none() {
        return Err(no_packages(image.name(), notes));
    }
    let distro = release::decide(image.name(), &said, want.release.as_deref(), &mut notes)?;
    if stanzas.is_empty() {
        return Err(no_packages(image.name(), notes));
    }
    let packages = stanzas
        .into_iter()
        .map(|(stanza, single)| {
            let files = files(&tree, &stanza, single);
            stanza.package(&distro, files)
        })
        .collect();
    Ok(Part { what, distro, packages, paths: tree.paths().collect(), notes: notes.into_vec() })
}

/// Of an entry that is there, and whose content was not kept.
const UNREADABLE: &str = "is a hard link, or leads to nothing that lists packages, and was passed over";

/// The packages, each with whether it has a file of its own in `status.d`.
fn stanzas(tree: &Tree, notes: &mut Notes) -> (Vec<(Stanza, bool)>, What) {
    let mut found = Vec::new();
    let mut what = What::Image;
    let whole = format!("{FOLDER}/status");
    match tree.read(&whole) {
        Some(bytes) => {
            found.extend(
                dpkg::stanzas(bytes, &format!("/{whole}"), notes).into_iter().map(|one| (one, false)),
            );
            what = What::Foreign;
        }
        None if tree.has(&whole) => {
            notes.add(format!("/{whole} {UNREADABLE}"));
        }
        None => {}
    }
    let folder = format!("{FOLDER}/status.d");
    for name in tree.names(&folder).into_iter().filter(|name| !name.ends_with(".md5sums")) {
        let path = format!("{folder}/{name}");
        match tree.read(&path) {
            Some(bytes) => {
                found.extend(
                    dpkg::stanzas(bytes, &format!("/{path}"), notes).into_iter().map(|one| (one, true)),
                );
            }
            None => notes.add(format!("/{} {UNREADABLE}", plain(&path))),
        }
    }
    (found, what)
}

/// The files of a package that are there.
fn files(tree: &Tree, stanza: &Stanza, single: bool) -> Option<BTreeSet<ImagePath>> {
    let there = |bytes: &[u8], sums: bool| {
        dpkg::listed(bytes, sums).filter(|path| tree.has_file(path)).collect::<BTreeSet<_>>()
    };
    if single {
        let sums = tree.read(&format!("{FOLDER}/status.d/{}.md5sums", stanza.name))?;
        return Some(there(sums, true));
    }
    let lists = stanza.lists();
    let list = lists.iter().find_map(|name| tree.read(&format!("{FOLDER}/info/{name}")))?;
    Some(there(list, false))
}

fn no_packages(name: &str, notes: Notes) -> crate::diag::Failure {
    let what = format!("`{}` lists no Debian packages", plain(name));
    let problem = Problem::new(codes::NOT_DEBIAN, what)
        .fact("looked for", "/var/lib/dpkg/status and /var/lib/dpkg/status.d");
    let note = notes.into_vec().into_iter().next();
    let problem = if let Some(note) = note { problem.found(note) } else { problem };
    problem
        .help("an image without packages of Debian can't be scanned: take its SBOM, if it has one, as `hardpan sbom IMAGE` prints it")
        .into()
}
