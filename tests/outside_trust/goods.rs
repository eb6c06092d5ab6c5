//! An image for two platforms, signed by a key, and its names once it is in a registry.

use std::path::PathBuf;

use serde_json::Value;

use crate::outside::registry::Registry;
use crate::outside::run;
use crate::outside::tool;
use crate::support::{Archive, Deb, Output, World};

/// What unlocks the key.
pub const PASSWORD: &str = "made for one test";

/// What the program of the image prints.
pub const SAID: &str = "hello from hardpan\n";

/// The types of statements that every image has, as cosign calls them.
pub const KINDS: [&str; 3] = ["slsaprovenance1", "spdxjson", "cyclonedx"];

/// A built image, and the sandbox with its key.
pub struct Goods {
    pub world: World,
    /// What `build` told of it.
    built: Value,
}

impl Goods {
    /// `out/made`, signed by `team.key`, which `hardpan keys generate` made.
    pub fn signed() -> Self {
        let mut world = world();
        world.sandbox.env("HARDPAN_KEY_PASSWORD", PASSWORD);
        world.sandbox.hardpan(&["keys", "generate", "--out", "team"]).ok();
        Self::built(world, &["--key", "team.key"])
    }

    /// `out/made`, signed by the key that the machine makes itself.
    pub fn of_this_machine() -> Self {
        Self::built(world(), &[])
    }

    fn built(world: World, more: &[&str]) -> Self {
        let built = world.build(&[&["--json"], more].concat()).ok().stdout;
        let built = serde_json::from_str(&built).expect("JSON");
        Self { world, built }
    }

    /// The public key of who signed.
    pub fn public(&self) -> PathBuf {
        self.world.sandbox.path("team.pub")
    }

    /// The digest of the index.
    pub fn digest(&self) -> &str {
        self.built["digest"].as_str().expect("a digest")
    }

    /// The digest of the manifest for a platform.
    pub fn manifest(&self, platform: &str) -> &str {
        let all = self.built["platforms"].as_array().expect("platforms");
        let one = all.iter().find(|one| one["platform"] == platform).expect("it was built");
        one["digest"].as_str().expect("a digest")
    }

    /// `hardpan publish out/made --to REGISTRY/team`.
    pub fn publish(&self, registry: &Registry, more: &[&str]) -> Output {
        self.publish_from("out/made", registry, more)
    }

    /// `hardpan publish LAYOUT --to REGISTRY/team`.
    pub fn publish_from(&self, layout: &str, registry: &Registry, more: &[&str]) -> Output {
        let to = registry.reference("team");
        self.world.sandbox.hardpan(&[&["publish", layout, "--to", &to], more].concat())
    }

    /// A registry's names for the index by tag and digest, and for the manifest of each platform; each
    /// with the digest that it means.
    pub fn names(&self, registry: &Registry) -> Vec<(String, String)> {
        let by_digest = |digest: &str| -> (String, String) {
            (registry.reference(&format!("team/made@{digest}")), digest.trim_start_matches("sha256:").into())
        };
        let index = by_digest(self.digest());
        vec![
            (registry.reference("team/made:1"), index.1.clone()),
            index,
            by_digest(self.manifest("linux/amd64")),
            by_digest(self.manifest("linux/arm64")),
        ]
    }

    /// `hardpan verify IMAGE --key team.pub --json`, which must end with this exit code: what it printed.
    #[track_caller]
    pub fn verify(&self, image: &str, code: i32) -> Value {
        let out = self.world.sandbox.hardpan(&["verify", image, "--key", "team.pub", "--json"]);
        serde_json::from_str(&out.exits(code).stdout).expect("JSON")
    }

    /// What `hardpan sbom` prints of an image in a registry.
    pub fn sbom(&self, image: &str, more: &[&str]) -> Value {
        let out = self.world.sandbox.hardpan(&[&["sbom", image], more].concat());
        serde_json::from_str(&out.ok().stdout).expect("JSON")
    }
}

/// The checks that a verification failed, as `what of`.
pub fn failed(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().expect("a list").iter();
    let failed = checks.filter(|check| check["outcome"] == "failed");
    failed.map(|check| format!("{} {}", text(&check["what"]), text(&check["of"]))).collect()
}

/// skopeo, which need not be told to speak plain http with this one.
pub fn skopeo(arguments: &[&str]) -> String {
    run(tool("skopeo", arguments).arg("--tls-verify=false"))
}

/// Builds `out/bare`: another image for one platform, of which nobody says anything. skopeo's name for it.
pub fn unsigned(goods: &Goods) -> String {
    let sandbox = &goods.world.sandbox;
    sandbox.write("bare.toml", sandbox.text("made.toml").replace("65532", "65533"));
    let more = ["--no-attest", "--platform", "linux/amd64", "--out", "out/bare"];
    goods.world.run(&[&["build", "bare.toml"], &more[..]].concat()).ok();
    format!("oci:{}", sandbox.path("out/bare:1").display())
}

/// Packages of both architectures and of neither, with versions that are hard to write into an address.
fn world() -> World {
    let release = "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n";
    let mut archive = Archive::new("made");
    let base = Deb::new("base-files", "13.8+deb13u7").arch("all").file("/etc/os-release", release, 0o644);
    archive.add("trixie", "main", base.build());
    for (architecture, program) in [("amd64", program()), ("arm64", b"for the other".to_vec())] {
        let hello = Deb::new("hello", "2:1.4+ds-3~b1").arch(architecture).source("greetings", "1.4+ds-3");
        archive.add("trixie", "main", hello.file("/usr/bin/hello", program, 0o755).build());
    }
    let mut world = World::over(archive);
    // A registry beside another test's programs may take its time.
    world.sandbox.env("HARDPAN_TIMEOUT", "30");
    let platforms = "[\"linux/amd64\", \"linux/arm64\"]";
    let head = World::head("made").replace("[\"linux/amd64\"]", platforms);
    let rest = "[debian.packages]\nbase-files = \"all\"\nhello = \"all\"\n\
                [image]\nentrypoint = [\"/usr/bin/hello\"]\nuser = \"65532\"\n";
    world.sandbox.write("made.toml", head + rest);
    world
}

/// A program for x86-64 that needs nothing: `write(1, SAID, …)`, then `exit(0)`.
fn program() -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let length = u8::try_from(SAID.len()).expect("short");
    let mut code = vec![0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0]; // mov eax, 1; mov edi, 1
    code.extend([0x48, 0x8d, 0x35, 16, 0, 0, 0]); // lea rsi, [rip + 16]: what follows the code
    code.extend([0xba, length, 0, 0, 0, 0x0f, 0x05]); // mov edx, length; syscall
    code.extend([0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]); // mov eax, 60; xor edi, edi; syscall
    code.extend(SAID.as_bytes());
    let size = HEADERS + code.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]); // an executable for x86-64
    for value in [BASE + HEADERS, 64, 0] {
        file.extend(value.to_le_bytes()); // entry, program headers, no section headers
    }
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    file.extend([1, 0, 0, 0, 5, 0, 0, 0]); // PT_LOAD, readable and executable
    for value in [0, BASE, BASE, size, size, 0x1000] {
        file.extend(value.to_le_bytes());
    }
    file.extend(code);
    file
}
