//! The licences that a package's machine-readable copyright file names (Debian's copyright-format
//! 1.0), as written there. What they mean to SPDX is the `sbom` room's business.

use std::collections::BTreeSet;

use super::compose::Inputs;
use super::tree::merged_path;
use crate::ident::{ImagePath, PackageName};
use crate::source::{ContentReader, Kind, Parcel};

/// The largest copyright file that is read, in bytes.
const MAX: u64 = 4 << 20;

/// What a package's copyright file names; `None` if it has none, or one that only people can read.
pub(super) fn of_package(name: &PackageName, inputs: &Inputs) -> Option<BTreeSet<String>> {
    named(&text(name, inputs)?)
}

/// The copyright file, by way of links to a sibling's folder or file.
fn text(name: &PackageName, inputs: &Inputs) -> Option<String> {
    let mut path: ImagePath = format!("/usr/share/doc/{name}/copyright").parse().ok()?;
    for _ in 0..8 {
        let folder = path.parent()?;
        path = match (find(inputs, &path), find(inputs, &folder)) {
            (Some((parcel, Kind::File(content))), _) if content.size <= MAX => {
                let bytes = ContentReader::new().bytes(parcel, content).ok()?;
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
            (Some((_, Kind::HardLink(target))), _) => target.clone(),
            (Some((_, Kind::Symlink(target))), _) => merged_path(&path.resolve(target).ok()?),
            (None, Some((_, Kind::Symlink(target)))) => {
                merged_path(&folder.resolve(target).ok()?).join(path.file_name()).ok()?
            }
            _ => return None,
        };
    }
    None
}

fn find<'a>(inputs: &'a Inputs, path: &ImagePath) -> Option<(&'a Parcel, &'a Kind)> {
    let found =
        inputs.packages.iter().filter_map(|package| Some((&package.parcel, &package.entry(path)?.kind)));
    found.into_iter().find(|(_, kind)| **kind != Kind::Directory)
}

/// The first lines of the `License` fields of all paragraphs about files; of the header if there are
/// none (copyright-format 1.0, "Files paragraph", "License field").
fn named(text: &str) -> Option<BTreeSet<String>> {
    let paragraphs: Vec<Vec<&str>> = text
        .split("\n\n")
        .map(|paragraph| paragraph.lines().filter(|line| !line.starts_with('#')).collect())
        .filter(|lines: &Vec<&str>| lines.iter().any(|line| !line.trim().is_empty()))
        .collect();
    let field = |paragraph: &[&str], name: &str| {
        let value = paragraph.iter().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        value.filter(|value| !value.is_empty())
    };
    let header = paragraphs.first()?;
    let format = header.iter().any(|line| line.to_ascii_lowercase().starts_with("format:"));
    if !format {
        return None;
    }
    let about_files = paragraphs.iter().skip(1).filter(|paragraph| {
        paragraph.iter().any(|line| line.split(':').next().is_some_and(|f| f.eq_ignore_ascii_case("files")))
    });
    let mut found: BTreeSet<String> =
        about_files.filter_map(|paragraph| field(paragraph, "license")).collect();
    if found.is_empty() {
        found.extend(field(header, "license"));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn licences_of_files_are_named_once() {
        let text = "Format: copyright-format/1.0/\n\
                    Upstream-Name: x\n\nFiles: *\nCopyright: someone\nLicense: GPL-2+ or Artistic\n text of it\n\n\
                    Files: debian/*\nLicense: Expat\n\nFiles: a b\nLicense: Expat\n\nLicense: Expat\n Permission is\n";
        assert_eq!(named(text), Some(set(&["Expat", "GPL-2+ or Artistic"])));
    }

    #[test]
    fn a_header_speaks_for_a_file_without_paragraphs_about_files() {
        assert_eq!(named("Format: x\nLicense: ISC\n"), Some(set(&["ISC"])));
        assert_eq!(named("Format: x\n\nLicense: ISC\n text\n"), Some(set(&[])));
    }

    #[test]
    fn a_file_for_people_names_nothing() {
        assert_eq!(named("This package was debianized by someone.\n\nLicense: GPL-2\n"), None);
        assert_eq!(named(""), None);
    }
}
