//! Two images that should be the same, and are not: which layer, which entries, which bytes, and why as
//! far as it can be told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diag::Result;
use crate::image::{self, EntryFacts, Image, OpenPlatform, layer_entries, layer_file};

/// How many entries of a layer are named; the rest is counted.
const NAMED: usize = 20;

/// How many files of a layer are compared byte by byte.
const LOOKED_INTO: usize = 5;

/// The most bytes of a file that are compared.
const MOST: u64 = 64 << 20;

/// Something that differs between what was published and what was rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `linux/amd64`, `linux/amd64 layer 1 (base)`.
    pub place: String,
    /// What, in a line: was, is now.
    pub what: String,
}

/// A file whose bytes differ, for a look into it.
#[derive(Debug)]
pub struct DifferingFile {
    /// Where it is.
    pub place: String,
    /// Its path in the layer.
    pub path: String,
    /// Its bytes as published.
    pub theirs: Vec<u8>,
    /// Its bytes as rebuilt.
    pub ours: Vec<u8>,
}

/// What differs, and some of the files that do.
#[derive(Debug, Default)]
pub struct Differences {
    /// In the order of the image.
    pub lines: Vec<Difference>,
    /// A few.
    pub files: Vec<DifferingFile>,
}

impl Differences {
    fn add(&mut self, place: &str, what: String) {
        self.lines.push(Difference { place: place.to_owned(), what });
    }
}

/// Compares what was published (`theirs`) with what was rebuilt (`ours`).
pub fn differences(theirs: &Image, ours: &Image) -> Result<Differences> {
    let mut found = Differences::default();
    maps("index", "annotation", &theirs.annotations, &ours.annotations, &mut found);
    for platform in &theirs.platforms {
        let same = ours.platforms.iter().find(|other| other.platform == platform.platform);
        match same {
            None => found.add(&platform.platform, "was published, and is not rebuilt".to_owned()),
            Some(other) if other.digest == platform.digest => {}
            Some(other) => {
                let before = found.lines.len();
                compare_platform(theirs, platform, ours, other, &mut found)?;
                if found.lines.len() == before {
                    found.add(
                        &platform.platform,
                        "other fields of the manifest or the configuration".to_owned(),
                    );
                }
            }
        }
    }
    let digest = |image: &Image| image.descriptor().map(|own| own.digest);
    if found.lines.is_empty() && digest(theirs) != digest(ours) {
        found.add("index", "the order of its platforms, or other fields of it".to_owned());
    }
    Ok(found)
}

fn compare_platform(
    theirs: &Image,
    a: &OpenPlatform,
    ours: &Image,
    b: &OpenPlatform,
    found: &mut Differences,
) -> Result<()> {
    let place = &a.platform;
    maps(place, "annotation", &a.annotations, &b.annotations, found);
    compare_packages(place, theirs, a, ours, b, found)?;
    if a.layers.len() != b.layers.len() {
        found.add(place, format!("{} layers, rebuilt {}", a.layers.len(), b.layers.len()));
    }
    for at in 0..a.layers.len().min(b.layers.len()) {
        if a.layers[at].2 == b.layers[at].2 {
            continue;
        }
        let name = layer_name(a, at);
        let place = format!("{place} layer {at}{name}");
        if diff_id(a, at).is_some() && diff_id(a, at) == diff_id(b, at) {
            let what = format!(
                "the same tar, compressed to other bytes: {} bytes, rebuilt {}",
                a.layers[at].1, b.layers[at].1
            );
            found.add(&place, what);
            continue;
        }
        compare_layer(&place, (theirs, a), (ours, b), at, found)?;
    }
    compare_config(place, &a.config, &b.config, found);
    Ok(())
}

/// The packages that differ: a pin that moved shows here first.
fn compare_packages(
    place: &str,
    theirs: &Image,
    a: &OpenPlatform,
    ours: &Image,
    b: &OpenPlatform,
    found: &mut Differences,
) -> Result<()> {
    let versions = |image: &Image, platform: &OpenPlatform| -> Result<BTreeMap<String, String>> {
        let contents = image::contents(image, platform)?;
        Ok(contents.packages.into_iter().map(|(name, facts)| (name, facts.version)).collect())
    };
    maps(place, "package", &versions(theirs, a)?, &versions(ours, b)?, found);
    Ok(())
}

fn maps(
    place: &str,
    kind: &str,
    theirs: &BTreeMap<String, String>,
    ours: &BTreeMap<String, String>,
    found: &mut Differences,
) {
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for name in names {
        let (was, is) = (theirs.get(name), ours.get(name));
        if was != is {
            let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "nothing".to_owned());
            found.add(place, format!("{kind} {name}: {}, rebuilt {}", text(was), text(is)));
        }
    }
}

fn layer_name(platform: &OpenPlatform, at: usize) -> String {
    let history = platform.config.pointer(&format!("/history/{at}/created_by")).and_then(Value::as_str);
    history.map(|name| format!(" ({})", name.trim_start_matches("hardpan: "))).unwrap_or_default()
}

fn diff_id(platform: &OpenPlatform, at: usize) -> Option<&str> {
    platform.config.pointer(&format!("/rootfs/diff_ids/{at}"))?.as_str()
}

fn compare_layer(
    place: &str,
    theirs: (&Image, &OpenPlatform),
    ours: (&Image, &OpenPlatform),
    at: usize,
    found: &mut Differences,
) -> Result<()> {
    let (a, b) = (layer_entries(theirs.0, theirs.1, at)?, layer_entries(ours.0, ours.1, at)?);
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let mut count = 0;
    for path in paths {
        let what = match (a.get(path), b.get(path)) {
            (Some(_), None) => "was published, and is not rebuilt".to_owned(),
            (None, Some(_)) => "is rebuilt, and was not published".to_owned(),
            (Some(was), Some(is)) if was != is => facts(was, is),
            _ => continue,
        };
        count += 1;
        if count > NAMED {
            continue;
        }
        let changed = a.get(path).zip(b.get(path)).is_some_and(|(was, is)| was.sha256 != is.sha256);
        let bytes = if changed && found.files.len() < LOOKED_INTO {
            look_into(place, path, theirs, ours, at, found)?
        } else {
            String::new()
        };
        found.add(place, format!("/{path} {what}{bytes}"));
    }
    if count > NAMED {
        found.add(place, format!("and {} more entries", count - NAMED));
    }
    if count == 0 {
        found.add(
            place,
            "the same entries in other bytes: their order or their headers' form differs".to_owned(),
        );
    }
    Ok(())
}

/// In what an entry differs.
fn facts(was: &EntryFacts, is: &EntryFacts) -> String {
    let mode = |facts: &EntryFacts| format!("{:04o}", facts.mode);
    let link = |facts: &EntryFacts| facts.link.clone().unwrap_or_default();
    let pairs = [
        ("kind", was.kind.to_string(), is.kind.to_string()),
        ("mode", mode(was), mode(is)),
        ("owner", was.owner.clone(), is.owner.clone()),
        ("time", was.mtime.to_string(), is.mtime.to_string()),
        ("size", was.size.to_string(), is.size.to_string()),
        ("link", link(was), link(is)),
        ("content", was.sha256.short(), is.sha256.short()),
    ];
    let differ = pairs.into_iter().filter(|(_, was, is)| was != is);
    differ.map(|(name, was, is)| format!("{name} {was}, rebuilt {is}")).collect::<Vec<_>>().join("; ")
}

/// Where the bytes of a file first differ.
fn look_into(
    place: &str,
    path: &str,
    theirs: (&Image, &OpenPlatform),
    ours: (&Image, &OpenPlatform),
    at: usize,
    found: &mut Differences,
) -> Result<String> {
    let was = layer_file(theirs.0, theirs.1, at, path, MOST)?.unwrap_or_default();
    let is = layer_file(ours.0, ours.1, at, path, MOST)?.unwrap_or_default();
    let first = was.iter().zip(&is).position(|(a, b)| a != b).unwrap_or_else(|| was.len().min(is.len()));
    let window = |bytes: &[u8]| -> String {
        let end = bytes.len().min(first + 8);
        bytes[first.min(end)..end].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
    };
    let text = format!("; from byte {first} on: {} rebuilt {}", window(&was), window(&is));
    let (place, path) = (place.to_owned(), path.to_owned());
    found.files.push(DifferingFile { place, path, theirs: was, ours: is });
    Ok(text)
}

fn compare_config(place: &str, was: &Value, is: &Value, found: &mut Differences) {
    let empty = serde_json::Map::new();
    let part = |value: &Value, pointer: &str| {
        let part = if pointer.is_empty() { Some(value) } else { value.pointer(pointer) };
        part.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone())
    };
    for pointer in ["", "/config"] {
        let (was, is) = (part(was, pointer), part(is, pointer));
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names.into_iter().filter(|name| !["config", "rootfs"].contains(&name.as_str())) {
            let text =
                |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            if was.get(name) != is.get(name) {
                let (was, is) = (text(was.get(name)), text(is.get(name)));
                found.add(place, format!("configuration {name}: {was}, rebuilt {is}"));
            }
        }
    }
}
