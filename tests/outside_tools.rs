//! The outside programs themselves, without hardpan: that the tests which drive them can see a success
//! and can see a failure. `cargo xtask ci` installs them and runs what is ignored here.

#![allow(clippy::disallowed_methods)] // tests are their own host

#[path = "outside_tools/cosigns.rs"]
mod cosigns;
#[path = "outside_tools/documents.rs"]
mod documents;
mod outside;
#[path = "outside_tools/registries.rs"]
mod registries;

use std::path::Path;

use outside::registry::Registry;
use outside::{run, tool};

/// An image that umoci makes, with one Debian package as dpkg tells of it.
fn layout(folder: &Path) -> String {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("ours");
        path.display().to_string()
    };
    let status = "Package: hello\nStatus: install ok installed\nMaintainer: A <a@hardpan.example>\n\
                  Architecture: amd64\nVersion: 2.10-3\nDescription: says hello\n";
    let status = write("status", status);
    let release = write("os-release", "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n");
    let layout = folder.join("layout").display().to_string();
    let image = format!("{layout}:x");
    let umoci = |arguments: &[&str]| run(&mut tool("umoci", arguments));
    umoci(&["init", "--layout", &layout]);
    umoci(&["new", "--image", &image]);
    umoci(&["insert", "--rootless", "--image", &image, &status, "/var/lib/dpkg/status"]);
    umoci(&["insert", "--rootless", "--image", &image, &release, "/etc/os-release"]);
    umoci(&["config", "--image", &image, "--architecture", "amd64", "--os", "linux"]);
    layout
}

/// Puts that image into a registry: its reference by digest.
fn pushed(registry: &Registry, name: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let from = format!("oci:{}:x", layout(folder.path()));
    let to = format!("docker://{}", registry.reference(&format!("{name}:1")));
    run(&mut tool("skopeo", &["copy", "-q", "--dest-tls-verify=false", &from, &to]));
    let said = run(&mut tool("skopeo", &["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &to]));
    registry.reference(&format!("{name}@{}", said.trim()))
}
