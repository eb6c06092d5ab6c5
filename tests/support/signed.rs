//! A signed image of two platforms, built once for all tests of a binary and copied for each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::archive::Archive;
use super::deb::Deb;
use super::hand::Hand;
use super::layout::Layout;
use super::sandbox::Sandbox;
use super::tarball::MTIME;
use super::world::World;

/// The files of a folder.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The copyright file of `hello`, as machines read it.
pub const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
    Files: *\nCopyright: nobody\nLicense: GPL-2+\n\nFiles: x\nCopyright: nobody\nLicense: Expat\n";

/// The recipe, behind the head that names the archive.
pub const RECIPE: &str = "[debian.packages]\nhello = \"all\"\ndata = \"all\"\n\
    [users]\nme = { uid = 1000, home = \"/home/me\" }\n\
    [files]\n\"/etc/motd\" = \"good day\\n\"\n[file]\n\"/etc/app.conf\" = { from = \"app.conf\" }\n";

/// The beginning of the recipe.
pub const HEAD: &str = "name = \"made\"\nsummary = \"made for tests\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n\
    tags = [\"{version}\", \"1\", \"latest\"]\nversion-of = \"hello\"\nimage.user = 1000\nsource = \"https://git.example.org/images\"\n\
    debian.archives.made = { suites = [\"trixie\"], keys = [\"made.asc\"], origin = \"Made\", label = \"Made\" }\n";

/// The trusted key.
pub fn trusted() -> Hand {
    Hand::new(9)
}

/// A package `hello` of this version for an architecture, as old as this.
pub fn hello(version: &str, arch: &str, mtime: u64) -> Deb {
    let deb = Deb::new("hello", version).arch(arch).source("hello-src", "9").depends("data");
    deb.copyright(COPYRIGHT).file("/usr/bin/hello", format!("hello {version} {arch}"), 0o755).mtime(mtime)
}

/// The packages of the image, `hello` in this version.
pub fn archive(version: &str, mtime: u64) -> Archive {
    let mut archive = Archive::new("made");
    for arch in ["amd64", "arm64"] {
        archive.add("trixie", "main", hello(version, arch, mtime).build());
    }
    let data = Deb::new("data", "2:1.0+b1-1").arch("all").copyright("Do as you like.\n");
    archive.add("trixie", "main", data.file("/usr/share/data/text", "text", 0o644).build());
    archive.publish();
    archive
}

/// A world in which the image can be built, by the trusted key.
pub fn world(version: &str, mtime: u64) -> World {
    let world = World::over(archive(version, mtime));
    furnish(&world.sandbox);
    world.sandbox.write("made.toml", format!("{HEAD}{RECIPE}"));
    world
}

/// Writes the trusted key, its public half, another public key and the recipe's own file.
fn furnish(sandbox: &Sandbox) {
    sandbox.write("app.conf", "own = true\n");
    let key = sandbox.write("team.pem", trusted().private_pem());
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("our own file");
    sandbox.write("team.pub", trusted().public_pem());
    sandbox.write("other.pub", Hand::new(8).public_pem());
}

/// The image, and one of an older version of its package.
struct Built {
    current: Files,
    older: Files,
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = |version: &str, mtime: u64| {
            let world = world(version, mtime);
            world.build(&["--key", "team.pem"]).ok();
            files(&world.sandbox.path("out/made"))
        };
        Built { current: build("1.1", MTIME + 20 * 86_400), older: build("1.0", MTIME + 86_400) }
    })
}

/// The files of a folder and of those below it.
pub fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                files.insert(name, fs::read(&path).expect("readable"));
            }
        }
    }
    files
}

/// A sandbox with the image in `made`, the older one in `older`, and keys.
pub struct Signed {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// The image.
    pub image: Layout,
    /// The older image.
    pub older: Layout,
}

impl Signed {
    /// Copies of the images.
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        furnish(&sandbox);
        for (name, files) in [("made", &built().current), ("older", &built().older)] {
            for (path, bytes) in files {
                sandbox.write(Path::new(name).join(path), bytes);
            }
        }
        let (image, older) = (Layout(sandbox.path("made")), Layout(sandbox.path("older")));
        Self { sandbox, image, older }
    }
}
