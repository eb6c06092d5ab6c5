//! Little that unpacks to far too much.

use std::io::Write as _;

use crate::support::World;
use crate::{hello, refuses};

/// The header of a file of this size.
fn header(name: &str, size: u64) -> [u8; 512] {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    *header.as_bytes()
}

/// What `write` writes, compressed as it comes.
fn squeezed(write: impl FnOnce(&mut dyn std::io::Write)) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    write(&mut encoder);
    encoder.finish().unwrap()
}

fn zeros(out: &mut dyn std::io::Write, mebibytes: usize) {
    let zeros = vec![0; 1 << 20];
    for _ in 0..mebibytes {
        out.write_all(&zeros).unwrap();
    }
}

fn store_size(world: &World) -> u64 {
    fn size(folder: &std::path::Path) -> u64 {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries
            .map(
                |entry| {
                    if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }
                },
            )
            .sum()
    }
    size(&world.sandbox.store())
}

#[test]
fn two_gigabytes_of_zeros_in_one_file_are_refused_and_the_store_stays_small() {
    let size: u64 = 2 << 30;
    let data = squeezed(|out| {
        out.write_all(&header("./zeros", size)).unwrap();
        zeros(out, 2048);
        out.write_all(&[0; 1024]).unwrap();
    });
    let deb = hello().data_member("data.tar.zst", &data).build();
    assert!(deb.len() < 1 << 20);
    let world = crate::world(&deb);
    world.lock(&[]).ok();
    world.refuses("HP506", &["build", "made.toml", "--locked"]).says("a bomb");
    assert!(store_size(&world) < 8 << 20);
}

#[test]
fn many_files_that_are_large_together_are_refused() {
    let data = squeezed(|out| {
        for at in 0..20 {
            out.write_all(&header(&format!("./zeros-{at}"), 32 << 20)).unwrap();
            zeros(out, 32);
        }
        out.write_all(&[0; 1024]).unwrap();
    });
    refuses(hello().data_member("data.tar.zst", &data).build(), "it unpacks to far more than it is long");
}

#[test]
fn zeros_without_end_after_the_tar_are_refused() {
    let data = squeezed(|out| {
        out.write_all(&header("./empty", 0)).unwrap();
        zeros(out, 256);
    });
    refuses(hello().data_member("data.tar.zst", &data).build(), "there is more data after the end");
}

#[test]
fn more_than_half_a_million_entries_are_refused() {
    let data = squeezed(|out| {
        for at in 0..=500_000 {
            out.write_all(&header(&format!("./{at}"), 0)).unwrap();
        }
        out.write_all(&[0; 1024]).unwrap();
    });
    refuses(hello().data_member("data.tar.zst", &data).build(), "more than 500000 entries");
}

#[test]
fn an_extended_header_that_is_too_long_is_refused() {
    let data = squeezed(|out| {
        let mut long = tar::Header::from_byte_slice(&header("././@LongLink", 512 << 20)).clone();
        long.set_entry_type(tar::EntryType::GNULongName);
        long.set_cksum();
        out.write_all(long.as_bytes()).unwrap();
        zeros(out, 512);
        out.write_all(&[0; 1024]).unwrap();
    });
    refuses(hello().data_member("data.tar.zst", &data).build(), "is too long");
}

#[test]
fn a_control_file_that_never_ends_is_refused() {
    let data = squeezed(|out| {
        out.write_all(&header("./control", 1 << 30)).unwrap();
        zeros(out, 1024);
        out.write_all(&[0; 1024]).unwrap();
    });
    refuses(hello().control_member("control.tar.zst", &data).build(), "its control.tar");
}

#[test]
fn a_stream_that_asks_for_more_memory_than_a_package_needs_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(31).unwrap();
    encoder.write_all(&header("./empty", 0)).unwrap();
    zeros(&mut encoder, 1);
    let data = encoder.finish().unwrap();
    refuses(hello().data_member("data.tar.zst", &data).build(), "its data.tar");
}
