//! Locales out of `locales-all`, which has each as a folder below `/usr/lib/locale` that the C library
//! looks into where there is no archive. Most of their files are links to the same file of another
//! locale; here they are that file, so that no part of a locale is there that nobody asked for.
//! Several names of one file are hard links, as in any layer.

use crate::diag::{Problem, codes};
use crate::ident::ImagePath;
use crate::layer::compose::{PackageParcel, Work};
use crate::layer::select;
use crate::layer::tree::{Node, NodeKind, Reason, merged_path};
use crate::recipe::At;
use crate::source::Kind;

const FOLDER: &str = "/usr/lib/locale";

/// Takes the recipe's locales.
pub(in crate::layer) fn add(work: &mut Work) {
    let recipe = work.recipe;
    for locale in &recipe.system.locales {
        let is_c = locale.value == "C" || locale.value.starts_with("C.");
        let package = if is_c { "libc-bin" } else { "locales-all" };
        let inputs = work.inputs;
        let (at, package) = inputs.package(package).expect("a recipe with locales takes their package");
        let folder = format!("{FOLDER}/{}", folder_name(&locale.value));
        let nodes = folder.parse().map(|folder| nodes(&folder, at, package)).unwrap_or_default();
        if nodes.is_empty() {
            work.problems.push(unknown(locale, package));
        }
        for (path, node) in nodes {
            work.claim(path, node);
        }
    }
}

/// The files of a locale, links followed.
fn nodes(folder: &ImagePath, at: usize, package: &PackageParcel) -> Vec<(ImagePath, Node)> {
    let entries = package.parcel.index.entries.iter();
    let files = entries.filter(|entry| entry.path.is_under(folder) && entry.kind != Kind::Directory);
    let resolved = files.filter_map(|entry| {
        let mut there = entry;
        for _ in 0..8 {
            let Kind::Symlink(target) = &there.kind else { break };
            there = package.entry(&merged_path(&there.path.resolve(target).ok()?))?;
        }
        let node = select::node(there, package, at, Reason::Asked);
        matches!(node.kind, NodeKind::File(_)).then_some((entry.path.clone(), node))
    });
    resolved.collect()
}

/// The folder of a locale: its character set in lower case, letters and digits only.
fn folder_name(locale: &str) -> String {
    let (rest, modifier) = locale.split_once('@').map_or((locale, None), |(rest, more)| (rest, Some(more)));
    let (language, set) = rest.split_once('.').map_or((rest, None), |(language, set)| (language, Some(set)));
    let plain = |set: &str| {
        let kept: String = set.chars().filter(char::is_ascii_alphanumeric).collect();
        let kept = kept.to_ascii_lowercase();
        // Of digits only, glibc makes a name of ISO's.
        if kept.bytes().all(|byte| byte.is_ascii_digit()) { format!("iso{kept}") } else { kept }
    };
    let set = set.map(|set| format!(".{}", plain(set))).unwrap_or_default();
    let modifier = modifier.map(|modifier| format!("@{modifier}")).unwrap_or_default();
    format!("{language}{set}{modifier}")
}

fn unknown(locale: &At<String>, package: &PackageParcel) -> Problem {
    let message = format!("the package `{}` has no locale `{}`", package.name, locale.value);
    let entries = package.parcel.index.entries.iter();
    let names = entries.filter_map(|entry| entry.path.as_str().strip_prefix(FOLDER)?.split('/').nth(1));
    let wanted = folder_name(&locale.value);
    let near = crate::diag::nearest(&wanted, names);
    let help = near.map_or_else(|| "such as `de_CH.UTF-8`".to_owned(), |near| format!("it has `{near}`"));
    locale.place.problem(codes::NO_MATCH, message, "not there").help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_found_as_the_c_library_finds_it() {
        for (locale, folder) in [
            ("de_CH.UTF-8", "de_CH.utf8"),
            ("C.UTF-8", "C.utf8"),
            ("de_DE@euro", "de_DE@euro"),
            ("sr_RS.utf8@latin", "sr_RS.utf8@latin"),
            ("de_DE.ISO-8859-15", "de_DE.iso885915"),
            ("de_DE", "de_DE"),
        ] {
            assert_eq!(folder_name(locale), folder);
        }
    }
}
