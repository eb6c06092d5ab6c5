//! The catalog's images, built from Debian's own archive through the host's apt sources, looked at
//! and run with other people's tools. `cargo xtask ci` installs these and runs what is ignored here.

#![allow(clippy::disallowed_methods)] // tests are their own host

mod outside;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use outside::{Docker, Workshop, read_layers, run, tool};
use serde_json::Value;

/// One build of the python image for all tests here: building it again is a test of its own.
fn workshop() -> &'static Workshop {
    static WORKSHOP: OnceLock<Workshop> = OnceLock::new();
    WORKSHOP.get_or_init(|| {
        let workshop = Workshop::new();
        workshop.hardpan(&["build", "recipes/python.toml", "--locked", "--out", "out/python"]);
        workshop
    })
}

const PROGRAM: &str = "import os, ssl, sqlite3, bz2, lzma, zlib, ctypes, readline, curses, uuid, decimal, zoneinfo; \
    print(os.getuid(), ssl.OPENSSL_VERSION.split()[0], zoneinfo.ZoneInfo('Europe/Paris'), len(ssl.create_default_context().get_ca_certs()) > 100)";

const SAID: &str = "65532 OpenSSL Europe/Paris True\n";

#[test]
#[ignore = "needs skopeo and Debian's archive"]
fn skopeo_inspects_and_copies_the_layout() {
    let workshop = workshop();
    let said = run(&mut tool("skopeo", &["inspect", &workshop.oci("out/python:3.13")]));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["Labels"]["org.opencontainers.image.title"], "python");
    for platform in ["amd64", "arm64"] {
        let to = workshop.oci(&format!("copy-{platform}:x"));
        run(&mut tool(
            "skopeo",
            &["--override-arch", platform, "copy", "-q", &workshop.oci("out/python:3.13"), &to],
        ));
        let config = run(&mut tool("skopeo", &["inspect", "--config", &to, "--override-arch", platform]));
        let config: Value = serde_json::from_str(&config).expect("JSON");
        assert_eq!(config["architecture"], platform);
    }
}

#[test]
#[ignore = "needs skopeo, umoci, runc and Debian's archive"]
fn runc_prints_a_result_as_65532_with_a_read_only_root() {
    let workshop = workshop();
    let bundle = workshop.bundle("out/python:3.13", &["/usr/bin/python3", "-c", PROGRAM]);
    assert_eq!(workshop.runc(&bundle), SAID);
    // umoci read every member of every layer: its diff ids were compared. The tree is ours to see.
    let cache = run(tool("ldconfig", &["-p", "-C"]).arg(bundle.join("rootfs/etc/ld.so.cache")));
    assert!(cache.contains("libssl.so.3 (libc6,x86-64) => /lib/x86_64-linux-gnu/libssl.so.3"), "{cache}");
    for path in cache.lines().filter_map(|line| line.split("=> ").nth(1)) {
        let path = path.trim();
        assert!(bundle.join("rootfs").join(path.trim_start_matches('/')).exists(), "{path}");
    }
}

#[test]
#[ignore = "needs docker and Debian's archive"]
fn a_docker_archive_loads_into_a_real_daemon_and_runs_there() {
    let workshop = workshop();
    let built = workshop.hardpan(&[
        "build",
        "recipes/python.toml",
        "--locked",
        "--format",
        "docker-archive",
        "--out",
        "python.tar",
        "--json",
    ]);
    let built: Value = serde_json::from_str(&built).expect("JSON");
    let docker = Docker::start();
    let loaded = docker.run(&["load", "-i", &workshop.path("python.tar")]);
    assert!(loaded.contains("python:3.13"), "{loaded}");
    let id = docker.run(&["image", "inspect", "--format", "{{.Id}}", "python:3.13"]);
    assert_eq!(id.trim(), built["platforms"][0]["config"].as_str().expect("a digest"));
    let said = docker.run(&[
        "run",
        "--rm",
        "--pull",
        "never",
        "--network",
        "none",
        "--read-only",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "python:3.13",
        "-c",
        PROGRAM,
    ]);
    assert_eq!(said, SAID);
}

#[test]
#[ignore = "needs skopeo and Debian's archive"]
fn archives_are_read_by_skopeo_either_way() {
    let workshop = workshop();
    for (format, transport) in [("oci-archive", "oci-archive"), ("docker-archive", "docker-archive")] {
        let out = workshop.path(&format!("{format}.tar"));
        workshop.hardpan(&[
            "build",
            "recipes/base.toml",
            "--locked",
            "--platform",
            "linux/amd64",
            "--format",
            format,
            "--out",
            &out,
        ]);
        let name = if format == "oci-archive" {
            format!("{transport}:{out}:13")
        } else {
            format!("{transport}:{out}")
        };
        let folder = format!("dir:{}", workshop.path(&format!("{format}.dir")));
        run(&mut tool("skopeo", &["copy", "-q", &name, &folder]));
    }
}

#[test]
#[ignore = "needs skopeo, umoci, runc and Debian's archive"]
fn zstd_layers_are_read_by_others() {
    let workshop = workshop();
    workshop.hardpan(&[
        "build",
        "recipes/base.toml",
        "--locked",
        "--platform",
        "linux/amd64",
        "--compression",
        "zstd",
        "--out",
        "out/zstd",
    ]);
    let plain = workshop.path("zstd.dir");
    run(&mut tool(
        "skopeo",
        &["copy", "-q", "--dest-decompress", &workshop.oci("out/zstd:13"), &format!("dir:{plain}")],
    ));
    let packed = tempfile::tempdir().expect("a folder");
    for layer in read_layers(Path::new(&workshop.path("out/zstd"))) {
        let path = packed.path().join("layer.zst");
        std::fs::write(&path, layer).expect("ours");
        run(tool("zstd", &["-t", "-q"]).arg(&path));
    }
}

#[test]
#[ignore = "needs gzip, tar and Debian's archive"]
fn gzip_layers_of_many_members_are_read_by_gzip_and_tar() {
    let workshop = workshop();
    for layer in read_layers(Path::new(&workshop.path("out/python"))) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("layer.tar.gz");
        std::fs::write(&path, layer).expect("ours");
        run(tool("gzip", &["-t"]).arg(&path));
        let names = run(tool("tar", &["-tzf"]).arg(&path));
        assert!(names.lines().count() > 3);
        let python = "import gzip,sys,tarfile; n=[m.name for m in tarfile.open(fileobj=gzip.open(sys.argv[1]))]; assert n == sorted(n, key=str.encode), n; print(len(n))";
        run(tool("python3", &["-c", python]).arg(&path));
    }
}

#[test]
#[ignore = "needs readelf and Debian's archive"]
fn arm64s_configuration_and_elf_files_are_arm64s() {
    let workshop = workshop();
    let bundle = workshop.unpacked("out/python:3.13", "arm64");
    let python = run(tool("readelf", &["-h"]).arg(bundle.join("rootfs/usr/bin/python3.13")));
    assert!(python.contains("AArch64"), "{python}");
    let library =
        run(tool("readelf", &["-h"]).arg(bundle.join("rootfs/usr/lib/aarch64-linux-gnu/libcrypto.so.3")));
    assert!(library.contains("AArch64"), "{library}");
}

#[test]
#[ignore = "needs skopeo, umoci and Debian's archive"]
fn there_is_no_shell_no_package_manager_no_perl() {
    let workshop = workshop();
    let bundle = workshop.unpacked("out/python:3.13", "amd64");
    for name in ["sh", "dash", "bash", "busybox", "apt", "apt-get", "dpkg", "perl", "pip", "pip3"] {
        for folder in ["usr/bin", "usr/sbin", "usr/local/bin"] {
            assert!(!bundle.join("rootfs").join(folder).join(name).exists(), "{folder}/{name}");
        }
    }
    let setid = run(tool("find", &["-type", "f", "-perm", "/6000"]).current_dir(bundle.join("rootfs")));
    assert_eq!(setid, "");
}

#[test]
#[ignore = "needs Debian's archive"]
fn bases_layers_are_the_very_blobs_of_pythons_first_ones() {
    let workshop = workshop();
    let layers = |recipe: &str, out: &str| {
        let built = workshop.hardpan(&["build", recipe, "--locked", "--out", out, "--json"]);
        let built: Value = serde_json::from_str(&built).expect("JSON");
        built["platforms"][0]["layers"]
            .as_array()
            .expect("layers")
            .iter()
            .map(|layer| layer["digest"].clone())
            .collect::<Vec<_>>()
    };
    let (base, python) =
        (layers("recipes/base.toml", "out/base"), layers("recipes/python.toml", "out/python2"));
    assert!(base.len() < python.len());
    assert_eq!(base, python[..base.len()]);
}

#[test]
#[ignore = "needs faketime, root and Debian's archive"]
fn another_user_years_away_gets_the_same_digest() {
    let workshop = workshop();
    let first = workshop.hardpan(&["build", "recipes/python.toml", "--locked", "--out", "out/python"]);
    for date in ["2019-02-03 04:05:06", "2041-02-03 04:05:06"] {
        let other = Workshop::with_store_of(workshop);
        let mut command = Command::new("faketime");
        command.args(["-f", &format!("@{date}")]).arg(outside::hardpan());
        command.args(["build", "recipes/python.toml", "--locked", "--offline", "--out", "out/python"]);
        let said = other.run_as(65_533, command);
        assert_eq!(said, first, "{date}");
    }
}

#[test]
#[ignore = "needs skopeo, umoci, runc and Debian's archive"]
fn the_dev_variant_has_a_shell_and_pip() {
    let workshop = workshop();
    workshop.hardpan(&[
        "build",
        "recipes/python.toml",
        "--locked",
        "--variant",
        "dev",
        "--platform",
        "linux/amd64",
        "--out",
        "out/dev",
    ]);
    let script = "set -e; id -u; python3 -m pip --version | cut -c1-3; ls / | head -1";
    let bundle = workshop.bundle("out/dev:3.13-dev", &["/bin/bash", "-c", script]);
    assert_eq!(workshop.runc(&bundle), "0\npip\nbin\n");
}
