//! Packages and ELF files, held against dpkg-deb, md5sum and readelf.

use crate::support::{AARCH64, Codec, Deb, Elf, ElfKind, Run, Sandbox, Tarball, X86_64, elf};

fn dpkg_deb(sandbox: &Sandbox, verb: &str, deb: &[u8]) -> crate::support::Output {
    let path = sandbox.write("a.deb", deb);
    sandbox.run_program("dpkg-deb", &[verb, path.to_str().unwrap()]).output()
}

fn hello() -> Deb {
    Deb::new("hello", "1.0-1")
        .depends("libc6 (>= 2.3), foo | bar")
        .provides("greeting (= 1)")
        .source("src", "1.0-1")
        .multi_arch("same")
        .field("X", "y")
        .control_file("postinst", "#!/bin/sh\nexit 0\n", 0o755)
        .file("/usr/bin/hello", b"hello\n", 0o4755)
        .owner(7, 42)
        .mtime(86_400)
        .xattr("user.note", b"a\nb")
        .dir("/var/lib/hello", 0o2770)
        .symlink("/usr/bin/hi", "hello")
        .hardlink("/usr/bin/ahoy", "/usr/bin/hello")
        .device("/dev/null")
        .file(&format!("/usr/share/{}/long", "x".repeat(150)), "long", 0o644)
}

/// A line without the blanks that make columns of it.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n"
}

#[test]
fn dpkg_reads_the_control_file_and_the_contents_in_every_compression() {
    let sandbox = Sandbox::new();
    for codec in Codec::ALL {
        let deb = hello().control_codec(codec).data_codec(codec).build();
        let info = dpkg_deb(&sandbox, "--info", &deb).ok().stdout;
        for line in ["Package: hello", "Depends: libc6 (>= 2.3), foo | bar", "Multi-Arch: same", "X: y"] {
            assert!(info.contains(line), "{codec:?}: {line} is not in\n{info}");
        }
        assert!(info.contains("postinst") && info.contains("Source: src\n"), "{info}");
        let contents = dpkg_deb(&sandbox, "--contents", &deb).ok().stdout;
        for words in [
            "drwxr-xr-x 0/0 0 2023-11-14 22:13 ./\n",
            "-rwsr-xr-x 7/42 6 1970-01-02 00:00 ./usr/bin/hello\n",
            "drwxrws--- 0/0 0 2023-11-14 22:13 ./var/lib/hello/\n",
            "./usr/bin/hi -> hello\n",
            "./usr/bin/ahoy link to ./usr/bin/hello\n",
            "1,3 2023-11-14 22:13 ./dev/null\n",
            "./usr/share/doc/hello/copyright\n",
            "xx/long\n",
        ] {
            let shown: Vec<_> = contents.split_inclusive('\n').map(squeezed).collect();
            assert!(shown.concat().contains(words), "{codec:?}: {words} is not in\n{contents}");
        }
    }
}

#[test]
fn the_checksums_of_a_package_are_those_of_its_files() {
    let sandbox = Sandbox::new();
    let deb = Deb::new("hello", "1").file("/usr/bin/hello", "hello\n", 0o755).build();
    let path = sandbox.write("a.deb", deb);
    sandbox.run_program("dpkg-deb", &["-R", path.to_str().unwrap(), "out"]).output().ok();
    let check = Run::new("/usr/bin/md5sum", &["--strict", "-c", "DEBIAN/md5sums"]).cwd(sandbox.path("out"));
    assert_eq!(check.output().ok().stdout.lines().count(), 2);
}

#[test]
fn extended_attributes_reach_their_file() {
    let deb = Tarball::new().file("a", "1", 0o644).xattr("security.capability", b"\x01\0\xff").build();
    let mut archive = tar::Archive::new(&deb[..]);
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    let extension = entry.pax_extensions().unwrap().unwrap().next().unwrap().unwrap();
    assert_eq!(extension.key_bytes(), b"SCHILY.xattr.security.capability");
    assert_eq!(extension.value_bytes(), b"\x01\0\xff");
}

#[test]
fn broken_packages_are_broken_for_dpkg_too() {
    let sandbox = Sandbox::new();
    let plain = |deb: Deb| deb.data_codec(Codec::Plain);
    for (name, deb) in [
        ("cut", hello().truncate_data(20)),
        ("no tar", hello().data_tar(vec![b'x'; 2048])),
        ("no stream", hello().data_member("data.tar.xz", b"no xz")),
        ("no known member", hello().data_member("data.tar.rar", b"")),
        ("no control", hello().control_member("control.tar.xz", b"no xz")),
        ("no version known", hello().format_version(b"3.0\n")),
        ("a header of noise", plain(hello().raw_entry(&[b'z'; 512], b"content"))),
    ] {
        let out = dpkg_deb(&sandbox, "-W", &deb.build());
        let contents = dpkg_deb(&sandbox, "--contents", &deb.build());
        assert!(out.code != 0 || contents.code != 0, "{name}: {contents:?}");
    }
}

#[test]
fn hooks_leave_the_bytes_that_they_were_given() {
    let garbage = hello().append_to_data_stream(b"GARBAGE!").member("_extra", b"odd").build();
    let at = garbage.windows(8).position(|window| window == b"GARBAGE!").unwrap();
    assert!(garbage[at..].windows(7).any(|window| window == b"_extra "));
    assert_eq!(garbage.len() % 2, 0);
    let names = Tarball::new().file("../../etc/passwd", "", 0o644).symlink("/abs", "../..").build();
    let mut archive = tar::Archive::new(&names[..]);
    let paths: Vec<_> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path_bytes().into_owned()).collect();
    assert_eq!(paths, [b"../../etc/passwd".to_vec(), b"/abs".to_vec()]);
    let bare = Deb::new("a", "1").no_copyright().no_parents();
    assert!(bare.build().len() < Deb::new("a", "1").build().len());
}

#[test]
fn readelf_reads_what_a_file_needs() {
    let sandbox = Sandbox::new();
    let library = elf(AARCH64, ElfKind::Shared, Some("liba.so.1"), &["libc.so.6", "libm.so.6"], None);
    let path = sandbox.write("liba.so.1", library);
    let out = sandbox.run_program("readelf", &["-hldW", path.to_str().unwrap()]).output().ok();
    for words in ["AArch64", "soname: [liba.so.1]", "library: [libc.so.6]", "library: [libm.so.6]"] {
        assert!(out.stdout.contains(words), "{words} is not in\n{}", out.stdout);
    }
    assert_eq!(out.stderr, "");
    let program = Elf::new(X86_64, ElfKind::Shared).interp("/lib64/ld-linux-x86-64.so.2");
    let path = sandbox.write("a", program.needed("libc.so.6").runpath("$ORIGIN/../lib").build());
    let out = sandbox.run_program("readelf", &["-hldW", path.to_str().unwrap()]).output().ok();
    for words in ["X86-64", "interpreter: /lib64/ld-linux-x86-64.so.2", "runpath: [$ORIGIN/../lib]"] {
        assert!(out.stdout.contains(words), "{words} is not in\n{}", out.stdout);
    }
    assert_eq!(out.stderr, "");
}

#[test]
fn the_object_crate_reads_what_a_file_needs() {
    use object::LittleEndian as LE;
    use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};
    let bytes = elf(X86_64, ElfKind::Exec, None, &["libc.so.6"], Some("/lib64/ld.so"));
    let header = object::elf::FileHeader64::<LE>::parse(&bytes[..]).unwrap();
    let segments = header.program_headers(LE, &bytes[..]).unwrap();
    let interp = segments.iter().find_map(|segment| segment.interpreter(LE, &bytes[..]).unwrap());
    assert_eq!(interp, Some(&b"/lib64/ld.so"[..]));
    let tags = segments.iter().find_map(|segment| segment.dynamic(LE, &bytes[..]).unwrap()).unwrap();
    let value = |wanted: i64| tags.iter().find(|tag| tag.d_tag(LE).0 == wanted).unwrap().d_val(LE);
    let load = segments.iter().find(|segment| segment.p_type(LE) == object::elf::PT_LOAD).unwrap();
    let start = usize::try_from(value(5) + value(1) - load.p_vaddr(LE)).unwrap();
    assert!(bytes[start..].starts_with(b"libc.so.6\0"));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_program_that_needs_nothing_runs() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let path = sandbox.write("true", elf(X86_64, ElfKind::Exec, None, &[], None));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.run_program(path.to_str().unwrap(), &[]).output().ok();
}
