//! What all tests of a run share: the runtime, and the images, each unpacked once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bundle::{Bind, Powers};
use super::foreign::{Emulation, emulation};
use super::ground::Ground;
use super::rootfs::unpack;
use super::runtime::Runtime;
use super::setup::Setup;
use crate::diag::{Problem, Result, codes};
use crate::host::{self, Rooted};
use crate::ident::{ImagePath, RecipeName};
use crate::image::{Image, OpenPlatform};

/// Where an emulator is put in containers of another processor.
const EMULATOR: &str = "/.hardpan-emulator";

/// An image, unpacked.
pub(super) struct Subject {
    /// How it runs.
    pub(super) setup: Setup,
    /// Where its files are.
    pub(super) rootfs: PathBuf,
    /// The same, to look at.
    pub(super) tree: Rooted,
    /// Through what its programs run.
    pub(super) emulator: Option<Bind>,
}

impl Subject {
    /// What stands before a program's path.
    pub(super) fn prefix(&self) -> Option<String> {
        self.emulator.as_ref().map(|bind| bind.destination.to_string())
    }
}

/// Where tests are run.
pub(super) struct Hall {
    pub(super) runtime: Runtime,
    pub(super) ground: Ground,
    pub(super) powers: Powers,
    subjects: BTreeMap<Option<RecipeName>, Subject>,
}

impl Hall {
    /// One with nothing unpacked.
    pub(super) fn open(home: &Path, runtime: &Runtime) -> Result<Self> {
        if !runtime.root && !runtime.is_runc() {
            host::hide_mixed_cgroups();
        }
        let ground = Ground::take(home, runtime)?;
        let powers = Powers { root: runtime.root, cgroups: runtime.root, seccomp: runtime.seccomp };
        Ok(Self { runtime: runtime.clone(), ground, powers, subjects: BTreeMap::new() })
    }

    /// Unpacks an image, by the name that tests call it; `None` is the one that is tested.
    pub(super) fn unpack(
        &mut self,
        name: Option<&RecipeName>,
        image: &Image,
        platform: &OpenPlatform,
    ) -> Result<()> {
        let rootfs = self.ground.new_folder("images")?;
        unpack(image, platform, &rootfs, self.powers.root)?;
        let emulator = match emulation(&platform.platform) {
            Emulation::Through(program) => Some(Bind {
                source: host::whole_path(&program),
                destination: EMULATOR.parse().expect("a path"),
                folder: false,
                writable: false,
            }),
            _ => None,
        };
        let tree = Rooted::open(&rootfs).map_err(|error| host::file_problem("opening", &rootfs, &error))?;
        let setup = Setup::of(&platform.config);
        self.subjects.insert(name.cloned(), Subject { setup, rootfs, tree, emulator });
        Ok(())
    }

    /// An unpacked image.
    pub(super) fn subject(&self, name: Option<&RecipeName>) -> &Subject {
        self.subjects.get(&name.cloned()).expect("all images of all tests were unpacked first")
    }

    /// Makes the places of an image at which something will be mounted, where it has none; they go again
    /// with [`Self::tidy`].
    pub(super) fn prepare(
        &mut self,
        name: Option<&RecipeName>,
        places: &[(ImagePath, bool)],
    ) -> std::result::Result<Vec<PathBuf>, String> {
        let subject = self.subjects.get_mut(&name.cloned()).expect("unpacked");
        let mut made = Vec::new();
        for (path, folder) in places {
            match subject.tree.make_mount_point(Path::new(path.as_str()), *folder) {
                Ok(more) => made.extend(more),
                Err(error) => {
                    self.tidy(name, made);
                    return Err(format!("nothing can be mounted at `{path}`: {error}"));
                }
            }
        }
        Ok(made)
    }

    /// Takes away what [`Self::prepare`] made.
    pub(super) fn tidy(&mut self, name: Option<&RecipeName>, made: Vec<PathBuf>) {
        let subject = self.subjects.get_mut(&name.cloned()).expect("unpacked");
        for path in made.into_iter().rev() {
            let _ = subject.tree.remove(&path);
        }
    }
}

/// The one platform of an image that is to be tested.
pub fn platform_of<'a>(image: &'a Image, wanted: &str) -> Result<&'a OpenPlatform> {
    image.platforms.iter().find(|platform| platform.platform == wanted).ok_or_else(|| {
        let there: Vec<&str> = image.platforms.iter().map(|platform| platform.platform.as_str()).collect();
        let what = format!("`{}` is not for {wanted}", image.name());
        Problem::new(codes::USAGE, what).expected(format!("one of {}", there.join(", "))).into()
    })
}
