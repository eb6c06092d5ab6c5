//! Images' own tests, run in real containers: runc as root, crun as an ordinary user. `cargo xtask ci`
//! installs both, and busybox, which is the image; and runs what is ignored here.

#![allow(clippy::disallowed_methods)] // tests are their own host

#[path = "outside_trial/ends.rs"]
mod ends;
#[path = "outside_trial/hostile.rs"]
mod hostile;
#[path = "outside_trial/isolation.rs"]
mod isolation;
#[path = "outside_trial/layers.rs"]
mod layers;
#[path = "outside_trial/results.rs"]
mod results;
#[path = "outside_trial/rootless.rs"]
mod rootless;
#[path = "outside_trial/servers.rs"]
mod servers;
mod support;

use std::path::Path;

use serde_json::Value;
use support::{Deb, Layout, Output, World};

/// Where busybox is in the image.
const BOX: &str = "/usr/bin/busybox-made";

/// An image of busybox alone, and a place to test it in.
struct Stage {
    world: World,
}

impl Stage {
    /// One whose image is in `out/made`.
    fn new() -> Self {
        Self::with("")
    }

    /// One whose recipe says more.
    fn with(more: &str) -> Self {
        let program = Path::new("/usr/bin/busybox");
        let bytes = std::fs::read(program).expect("busybox is missing: `cargo xtask ci` installs it");
        let deb = Deb::new("busybox", "1.0").file(BOX, bytes, 0o755);
        let world = World::new(&[deb.dir("/var/lib/made", 0o750)]);
        world.recipe(&format!(
            "[debian.packages]\nbusybox = \"all\"\n[directories]\n\"/tmp\" = \"1777\"\n\"/home/made\" = \"0755\"\n\
             [users]\nroot = {{ uid = 0, home = \"/root\" }}\nmade = {{ uid = 65532, home = \"/home/made\" }}\n\
             [image]\nuser = \"made\"\nentrypoint = [\"{BOX}\"]\ncmd = [\"echo\", \"from cmd\"]\n\
             env = {{ COLOUR = \"green\" }}\nworkdir = \"/home/made\"\n{more}"
        ));
        world.build(&[]).ok();
        Self { world }
    }

    /// Runs tests, which need not be those that the image was built with.
    fn test(&self, tests: &str, more: &[&str]) -> Output {
        self.world.sandbox.write("tests.toml", World::head("made") + &tests.replace("BOX", BOX));
        let arguments = ["test", "out/made", "--recipe", "tests.toml", "--runtime", "runc"];
        self.world.sandbox.hardpan(&[&arguments, more].concat())
    }

    /// Runs tests, which must pass.
    #[track_caller]
    fn passes(&self, tests: &str) -> Output {
        self.test(tests, &[]).ok()
    }

    /// Runs one test, which must fail: what is said of it.
    #[track_caller]
    fn fails(&self, test: &str) -> Failed {
        let out = self.test(test, &["--json"]).exits(6).says("HP611");
        let value: Value = serde_json::from_str(&out.stdout).expect("JSON");
        let test = &value["tests"][0];
        assert_eq!(test["outcome"], "failed", "{value}");
        Failed { failures: test["failures"].as_array().expect("failures").clone(), test: test.clone() }
    }

    fn layout(&self) -> Layout {
        Layout(self.world.sandbox.path("out/made"))
    }

    /// Nothing of any run may be left.
    #[track_caller]
    fn is_tidy(&self) {
        let left: Vec<_> = std::fs::read_dir(self.world.sandbox.store().join("trial"))
            .expect("tests ran")
            .map(|entry| entry.expect("readable").path())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A test that failed.
struct Failed {
    failures: Vec<Value>,
    test: Value,
}

impl Failed {
    /// There must be this one failure.
    #[track_caller]
    fn only(&self, what: &str, expected: &str, found: &str) {
        assert_eq!(self.failures.len(), 1, "{}", self.test);
        self.has(what, expected, found);
    }

    /// There must be a failure with these words.
    #[track_caller]
    fn has(&self, what: &str, expected: &str, found: &str) {
        let says = |value: &Value, words: &str| value.as_str().expect("text").contains(words);
        let fits = |one: &Value| {
            says(&one["what"], what) && says(&one["expected"], expected) && says(&one["found"], found)
        };
        assert!(self.failures.iter().any(fits), "{what}, {expected}, {found}: {}", self.test);
    }
}

/// The processes whose command line has these words.
fn processes(words: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("proc").flatten() {
        let Ok(number) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(words) && number != std::process::id() {
            found.push(number);
        }
    }
    found
}
