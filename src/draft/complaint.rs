//! What a program that was tried says is missing, where a package that it depends on has it.

use super::plan::Plan;
use super::runtime;
use super::scripts::find_program;
use super::words;
use super::world::World;
use crate::ident::ImagePath;

/// Files that one complaint may bring.
const MAX_FILES: usize = 4000;

/// Phrases behind which a program's name stands.
const PROGRAMS_BEHIND: [&str; 5] =
    ["exec: ", "No such file or directory: ", "Cannot run program ", "failed to execute ", "cannot execute "];

/// Phrases before which a program's name stands.
const PROGRAMS_AHEAD: [&str; 4] =
    [": not found", ": command not found", ": executable file not found", ": No such file or directory"];

/// The locale that every system has, and that knows all characters.
const LOCALE: (&str, &str) = ("LANG", "C.UTF-8");

/// Where it is.
const LOCALE_FOLDER: &str = "/usr/lib/locale/C.utf8";

/// Adds to the plan what the words of a program ask for and the packages have; what was added.
pub(super) fn heed(
    world: &World,
    plan: &mut Plan,
    said: &str,
    is_there: &dyn Fn(&ImagePath) -> bool,
) -> Vec<String> {
    let mut wanted: Vec<(ImagePath, String)> = Vec::new();
    for path in words::paths(said) {
        wanted.extend(
            at_path(world, path).into_iter().map(|found| (found, format!("the program looks for {path}"))),
        );
    }
    for (ending, word) in modules(said) {
        let found = world.paths_ending(&ending).into_iter().take(8).cloned();
        wanted.extend(found.map(|found| (found, format!("the program loads {word}"))));
    }
    let behind = PROGRAMS_BEHIND.iter().flat_map(|phrase| words::behind(said, phrase));
    let ahead = PROGRAMS_AHEAD.iter().flat_map(|phrase| words::ahead(said, phrase));
    for name in behind.chain(ahead) {
        let found = find_program(world, name);
        wanted.extend(found.map(|found| (found, format!("the program starts {name}"))));
    }
    let libraries = words::ahead(said, ": cannot open shared object file");
    for name in libraries {
        let found = world.paths_ending(&format!("/{name}")).into_iter().next().cloned();
        wanted.extend(found.map(|found| (found, format!("the program opens {name}"))));
    }
    if said.to_lowercase().contains("locale") && !plan.env.contains_key(LOCALE.0) {
        let found = at_path(world, LOCALE_FOLDER);
        wanted.extend(found.into_iter().map(|found| (found, "the program asks for a locale".to_owned())));
        plan.env.insert(LOCALE.0.to_owned(), LOCALE.1.to_owned());
    }
    let mut added = Vec::new();
    for path in words::paths(said) {
        let Some((link, target)) = template(world, path) else { continue };
        if !is_there(&link) && !plan.links.contains_key(&link) {
            wanted.push((target.clone(), format!("what {link} begins as")));
            plan.links.insert(link, target.to_string());
        }
    }
    for (path, why) in wanted.into_iter().take(MAX_FILES) {
        if !is_there(&path) && !plan.more.contains_key(&path) {
            added.push(why.clone());
            plan.more.insert(path, why);
        }
    }
    added.dedup();
    added
}

/// A file of `/etc` that a maintainer script would copy from `/usr/share`, and where it comes from.
fn template(world: &World, path: &str) -> Option<(ImagePath, ImagePath)> {
    let link: ImagePath = path.parse().ok()?;
    if !path.starts_with("/etc/") || world.find(&link).is_some() || world.below(&link).next().is_some() {
        return None;
    }
    let found = world.paths_ending(&format!("/{}", link.file_name()));
    let mut shared = found.into_iter().filter(|found| {
        found.as_str().starts_with("/usr/share/")
            && runtime::is_wanted(found)
            && world.content(found).is_some()
    });
    let first = shared.next()?.clone();
    shared.next().is_none().then_some((link, first))
}

/// The file at a path; all that is for run time below it, if it is a folder of packages.
fn at_path(world: &World, path: &str) -> Vec<ImagePath> {
    let Ok(path) = crate::recipe::merged(path).parse::<ImagePath>() else { return Vec::new() };
    if world.find(&path).is_some() {
        return vec![path];
    }
    // A folder that many packages share says nothing.
    let deep = path.member().split('/').count() >= 3;
    let below = world.below(&path).filter(|found| deep && runtime::is_wanted(found));
    below.take(MAX_FILES).cloned().collect()
}

/// Modules that scripts miss: how the paths of their files end, and what they are called.
fn modules(said: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |ending: String, word: &str| found.push((ending, word.to_owned()));
    for word in words::behind(said, "Can't locate") {
        add(format!("/{word}"), word);
    }
    for word in words::behind(said, "No module named") {
        let path = word.replace('.', "/");
        add(format!("/{path}.py"), word);
        add(format!("/{path}/__init__.py"), word);
    }
    for word in words::behind(said, "cannot load such file --") {
        add(format!("/{word}.rb"), word);
    }
    for word in words::behind(said, "Cannot find module") {
        add(format!("/{word}/package.json"), word);
        add(format!("/{word}/index.js"), word);
    }
    found
}
