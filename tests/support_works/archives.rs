//! Archives: the chain of digests, and what the setters and the tampering do to it.

use crate::support::{Archive, Codec, Deb, Key, Sandbox, decompress, md5_hex, release_date, sha256_hex};

fn read(archive: &Archive, path: &str) -> Vec<u8> {
    std::fs::read(archive.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text(archive: &Archive, path: &str) -> String {
    String::from_utf8(read(archive, path)).unwrap()
}

fn small() -> Archive {
    let mut archive = Archive::new("debian");
    archive.suites(&["trixie", "trixie-updates"]).components(&["main", "contrib"]);
    archive.add("trixie", "main", Deb::new("hello", "1:1.0-1").build());
    archive.add("trixie", "main", Deb::new("libfoo1", "2").source("libfoo", "1").arch("all").build());
    archive.publish();
    archive
}

#[test]
fn digests_are_those_that_the_tools_say() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "hello\n");
    let of = |tool| sandbox.run_program(tool, &["a"]).output().ok().stdout;
    assert!(of("sha256sum").starts_with(&sha256_hex(b"hello\n")));
    assert!(of("md5sum").starts_with(&md5_hex(b"hello\n")));
}

#[test]
fn release_dates_are_those_that_date_says() {
    let sandbox = Sandbox::new();
    for seconds in [0, 951_782_399, 951_782_400, 951_868_800, 1_700_000_000, 1_789_199_741, 4_000_000_000] {
        let arguments = ["-u", "-d", &format!("@{seconds}"), "+%a, %d %b %Y %H:%M:%S UTC"];
        let said = sandbox.run_program("date", &arguments).output().ok().stdout;
        assert_eq!(said.trim_end(), release_date(seconds));
    }
}

#[test]
fn the_chain_from_release_to_package_holds() {
    let archive = small();
    let release = text(&archive, &Archive::release_path("trixie"));
    for arch in ["amd64", "arm64"] {
        let paths = archive.index_paths("trixie", "main", arch);
        let packed = read(&archive, &paths[0]);
        assert_eq!(packed, read(&archive, &paths[1]));
        let line = format!("{} {:>8} main/binary-{arch}/Packages.xz\n", sha256_hex(&packed), packed.len());
        assert!(release.contains(&line), "{line} is not in\n{release}");
        let index = String::from_utf8(decompress(Codec::Xz, &packed)).unwrap();
        assert!(index.contains("Filename: pool/main/libf/libfoo/libfoo1_2_all.deb\n"), "{index}");
        assert_eq!(index.contains("Package: hello\n"), arch == "amd64", "{index}");
    }
    let path = archive.pool_path("hello");
    assert_eq!(path, "pool/main/h/hello/hello_1.0-1_amd64.deb");
    let index = archive.index_paths("trixie", "main", "amd64");
    let index = String::from_utf8(decompress(Codec::Xz, &read(&archive, &index[0]))).unwrap();
    assert!(index.contains(&format!("SHA256: {}\n", sha256_hex(&read(&archive, &path)))), "{index}");
}

#[test]
fn release_files_say_what_they_are_told_and_gpgv_takes_them() {
    let mut archive = small();
    let key = Key::new();
    archive.origin("Other").label("Elsewhere").codename("trixie", "tiger").date(1_600_000_000);
    archive.valid_until(Some(1_600_604_800)).by_hash(false).signed_by(std::slice::from_ref(&key)).publish();
    let release = text(&archive, &Archive::release_path("trixie"));
    for line in [
        "Origin: Other\n",
        "Label: Elsewhere\n",
        "Suite: trixie\n",
        "Codename: tiger\n",
        "Date: Sun, 13 Sep 2020 12:26:40 UTC\n",
        "Valid-Until: Sun, 20 Sep 2020 12:26:40 UTC\n",
        "Acquire-By-Hash: no\n",
        "Components: main contrib\n",
    ] {
        assert!(release.contains(line), "{line} is not in\n{release}");
    }
    assert_eq!(archive.index_paths("trixie", "main", "amd64").len(), 1);
    let sandbox = Sandbox::new();
    sandbox.write("ring.gpg", key.public_bytes());
    let path = archive.root().join(Archive::release_path("trixie-updates"));
    let arguments = ["--homedir", ".", "--keyring", "./ring.gpg", path.to_str().unwrap()];
    sandbox.run_program("gpgv", &arguments).output().ok();
    archive.unsigned().publish();
    assert!(text(&archive, &Archive::release_path("trixie")).starts_with("Origin: "));
}

#[test]
fn packages_are_withdrawn_and_what_was_tampered_with_is_mended_by_publishing() {
    let mut archive = small();
    let path = archive.pool_path("hello");
    let whole = read(&archive, &path);
    archive.flip_byte(&path);
    assert_eq!(read(&archive, &path).len(), whole.len());
    assert_ne!(read(&archive, &path), whole);
    archive.truncate(&path);
    assert_eq!(read(&archive, &path).len(), whole.len() / 2);
    archive.remove(&path);
    assert!(!archive.root().join(&path).exists());
    archive.publish();
    assert_eq!(read(&archive, &path), whole);
    archive.withdraw("hello").publish();
    assert!(!archive.root().join(&path).exists());
}

#[test]
fn hostile_indices_are_vouched_for() {
    let mut archive = small();
    archive.add_to_index("trixie", "main", "amd64", "Package: x\nFilename: ../../x\n\n");
    archive.replace_index("trixie", "main", "arm64", b"no xz").publish();
    let index = archive.index_paths("trixie", "main", "amd64");
    let index = decompress(Codec::Xz, &read(&archive, &index[0]));
    assert!(String::from_utf8(index).unwrap().ends_with("Filename: ../../x\n\n"));
    let release = text(&archive, &Archive::release_path("trixie"));
    assert!(release.contains(&format!("{}        5 main/binary-arm64", sha256_hex(b"no xz"))), "{release}");
}
