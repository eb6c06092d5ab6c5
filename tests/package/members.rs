//! The outer archive and the compressed streams in it.

use crate::support::{Codec, Tarball, compress};
use crate::{hello, refuses, takes};

#[test]
fn bytes_that_are_no_package_are_refused() {
    refuses(b"", "cut short");
    refuses(b"\x7fELF is no package", "it is not an ar archive");
    refuses(b"!<arch>\n", "it ends without `debian-binary`");
    refuses(b"!<arch>\ngarbage", "it is cut short in the header of a member");
    refuses([&b"!<arch>\n"[..], &[b'x'; 60]].concat(), "the header of a member is broken");
}

#[test]
fn a_garbage_member_is_refused() {
    refuses(hello().member("garbage", b"garbage").build(), "it has `garbage` where its end belongs");
    refuses(hello().member("_gpgbuilder", b"x").build(), "where its end belongs");
    refuses(hello().member("data.tar.xz", b"x").build(), "where its end belongs");
    let swapped = hello().control_member("garbage", b"x").build();
    refuses(swapped, "it has `garbage` where `control.tar` belongs");
    let garbage = hello().data_member("garbage", b"x").build();
    refuses(garbage, "it has `garbage` where `data.tar` belongs");
}

#[test]
fn bytes_after_the_last_member_are_refused() {
    let mut deb = hello().build();
    deb.extend(b"more");
    refuses(deb, "cut short in the header of a member");
}

#[test]
fn another_format_version_is_refused() {
    refuses(hello().format_version(b"3.0\n").build(), "its format is \"3.0\\n\", not 2.0");
    takes(&hello().format_version(b"2.1\nmore\n"));
}

#[test]
fn an_unknown_compression_is_refused() {
    refuses(hello().data_member("data.tar.lzma", b"x").build(), "`data.tar.lzma` has an unknown compression");
    refuses(hello().data_member("data.tar.bz2", b"x").build(), "`data.tar.bz2` has an unknown compression");
    refuses(hello().control_member("control.tar.Z", b"x").build(), "has an unknown compression");
}

#[test]
fn a_compression_that_is_not_what_its_name_says_is_refused() {
    let gzip = compress(Codec::Gzip, &Tarball::new().file("./x", "x", 0o644).build());
    refuses(hello().data_member("data.tar.xz", &gzip).build(), "its data.tar");
    refuses(hello().data_member("data.tar", &gzip).build(), "its data.tar");
}

#[test]
fn every_known_compression_is_read() {
    for codec in Codec::ALL {
        let deb = hello().data_codec(codec).control_codec(codec).file("/usr/share/hello", "hi", 0o644);
        assert_eq!(takes(&deb).image().text("/usr/share/hello"), "hi", "{codec:?}");
    }
}

#[test]
fn data_cut_short_is_refused_wherever_it_is_cut() {
    let noise: Vec<u8> = (0..20_000_u32).map(|at| u8::try_from(at * at % 251).unwrap()).collect();
    for codec in Codec::ALL {
        let deb = || hello().data_codec(codec).file("/usr/share/hello", &noise, 0o644);
        for cut in [1, 5, 13, 40, 2000] {
            // The end of a plain tar is padding; what is cut there is missed by its last block only.
            if codec != Codec::Plain || cut > 1024 {
                refuses(deb().truncate_data(cut).build(), "");
            }
        }
    }
}

#[test]
fn a_plain_tar_cut_inside_a_file_is_refused() {
    let tar = Tarball::new().file("./hello", [b'x'; 2000], 0o644).build();
    for kept in [512 + 1, 512 + 512, 512 + 1999] {
        refuses(hello().data_tar(tar[..kept].to_vec()).data_codec(Codec::Plain).build(), "cut short");
        refuses(hello().data_tar(tar[..kept].to_vec()).build(), "cut short");
    }
}

#[test]
fn a_package_file_cut_short_is_refused_wherever_it_is_cut() {
    let deb = hello().file("/usr/share/hello", "hi", 0o644).build();
    for kept in [4, 30, 67, 70, 71, 72, 140, deb.len() / 2, deb.len() - 40, deb.len() - 2] {
        refuses(&deb[..kept], "");
    }
}

#[test]
fn more_data_after_the_end_of_the_stream_is_refused() {
    for codec in Codec::ALL {
        let deb = || hello().data_codec(codec).file("/usr/share/hello", "hi", 0o644);
        refuses(deb().append_to_data_stream(b"garbage!").build(), "its data.tar");
    }
}

#[test]
fn another_tar_after_the_end_of_the_first_is_refused() {
    for codec in [Codec::Xz, Codec::Zstd, Codec::Gzip] {
        let second = compress(codec, &Tarball::new().file("./hidden", "x", 0o644).build());
        let deb = hello().data_codec(codec).append_to_data_stream(&second);
        refuses(deb.build(), "there is more data after the end");
    }
}

#[test]
fn a_flipped_check_sum_is_refused() {
    let tar = Tarball::new().file("./hello", "hi", 0o644).build();
    for (codec, from_end) in [(Codec::Gzip, 8), (Codec::Xz, 30), (Codec::Xz, 60)] {
        let mut data = compress(codec, &tar);
        let at = data.len() - from_end;
        data[at] ^= 1;
        refuses(
            hello().data_member(&format!("data.tar{}", codec.extension()), &data).build(),
            "its data.tar",
        );
    }
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut encoder, &tar).unwrap();
    let mut data = encoder.finish().unwrap();
    *data.last_mut().unwrap() ^= 1;
    refuses(hello().data_member("data.tar.zst", &data).build(), "its data.tar");
}

#[test]
fn a_package_without_a_control_file_is_refused() {
    let empty = compress(Codec::Xz, &Tarball::new().dir("./", 0o755).build());
    refuses(hello().control_member("control.tar.xz", &empty).build(), "it has no control file");
}
