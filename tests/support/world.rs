//! An archive, a recipe over it, and the sandbox that it is built in: what most tests begin with.

use std::fs;
use std::path::Path;

use super::archive::Archive;
use super::deb::Deb;
use super::image::Image;
use super::run::Output;
use super::sandbox::Sandbox;

/// Paths and what is there, sorted.
type State = Vec<(String, Vec<u8>)>;

/// A recipe `made.toml` over one archive, `made`.
#[derive(Debug)]
pub struct World {
    /// The archive, published.
    pub archive: Archive,
    /// Where it is built.
    pub sandbox: Sandbox,
    /// The address that hardpan is given for the archive; none if empty.
    pub url: String,
}

impl World {
    /// An archive with these packages, and a recipe that takes all files of each.
    pub fn new(debs: &[Deb]) -> Self {
        let mut archive = Archive::new("made");
        for deb in debs {
            archive.add("trixie", "main", deb.build());
        }
        Self::over(archive)
    }

    /// A recipe that takes all files of each package of an archive.
    pub fn over(archive: Archive) -> Self {
        archive.publish();
        let world = Self { url: archive.file_url(), archive, sandbox: Sandbox::new() };
        world.trust();
        let list: Vec<String> =
            world.archive.packages().iter().map(|name| format!("{name} = \"all\"\n")).collect();
        world.recipe(&format!("[debian.packages]\n{}", list.concat()));
        world
    }

    /// Writes the public key of the archive beside the recipe.
    pub fn trust(&self) {
        self.sandbox.write("made.asc", self.archive.key().armored_public());
    }

    /// The head of each recipe: its name, its platform, its archive, and why it may run as root.
    pub fn head(name: &str) -> String {
        format!(
            "name = \"{name}\"\nplatforms = [\"linux/amd64\"]\ntags = [\"1\"]\n\
             debian.archives.made = {{ suites = [\"trixie\"], keys = [\"made.asc\"], origin = \"Made\", label = \"Made\" }}\n\
             policy.allow.root = \"it is a test\"\n"
        )
    }

    /// Writes `made.toml`: its head, and what follows.
    pub fn recipe(&self, rest: &str) -> &Self {
        self.sandbox.write("made.toml", Self::head("made") + rest);
        self
    }

    /// The arguments, with the address of the archive.
    pub fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
        if !self.url.is_empty() {
            all.push(format!("--mirror=made={}", self.url));
        }
        all
    }

    /// Runs hardpan with the address of the archive.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let all = self.arguments(arguments);
        self.sandbox.hardpan(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `hardpan build made.toml`.
    pub fn build(&self, more: &[&str]) -> Output {
        self.run(&[&["build", "made.toml"], more].concat())
    }

    /// `hardpan lock made.toml`.
    pub fn lock(&self, more: &[&str]) -> Output {
        self.run(&[&["lock", "made.toml"], more].concat())
    }

    /// The image that was built.
    pub fn image(&self) -> Image {
        Image::open(&self.sandbox.path("out/made"))
    }

    /// Runs hardpan, which must refuse with this code, and leave lock, output and the folder for
    /// temporary files as they were.
    #[track_caller]
    pub fn refuses(&self, code: &str, arguments: &[&str]) -> Output {
        let before = self.state();
        let out = self.run(arguments);
        let digit = code["HP".len()..].chars().next().and_then(|digit| digit.to_digit(10));
        let out = out.exits(i32::try_from(digit.expect("a code")).expect("a digit")).says(code);
        let after = self.state();
        let names = |state: &State| state.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&after), names(&before), "something was left behind, or taken away");
        assert!(after == before, "a file was changed");
        out
    }

    /// Everything in the work folder and the folder for temporary files, with its bytes.
    pub fn state(&self) -> State {
        let mut found = Vec::new();
        walk(&self.sandbox.path(""), &mut found);
        walk(&self.sandbox.tmp(), &mut found);
        found.sort();
        found
    }

    /// Removes the output and everything in the store.
    pub fn forget(&self) {
        let _ = fs::remove_dir_all(self.sandbox.path("out"));
        fs::remove_dir_all(self.sandbox.store()).expect("our own folder");
    }
}

fn walk(folder: &Path, found: &mut State) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.push((name, Vec::new()));
            walk(&path, found);
        } else {
            found.push((name, fs::read(&path).expect("readable")));
        }
    }
}
