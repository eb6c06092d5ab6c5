//! Headers, tables and notes that lie. Such a file may be passed over or refused; it may not make the
//! build hang, crash, or print what moves a terminal's cursor.

use std::time::Instant;

use crate::support::{Deb, Elf, World};
use crate::{app, dynamic, library, program, shared, world};

const A: &str = "/usr/lib/x86_64-linux-gnu/liba.so.1";

/// Tags of the dynamic section (`DT_VERNEEDNUM` and so on).
const VERNEED: u64 = 0x6fff_fffe;
const VERNEEDNUM: u64 = 0x6fff_ffff;
const VERDEFNUM: u64 = 0x6fff_fffd;
const STRSZ: u64 = 10;
const STRTAB: u64 = 5;

/// Where the value of a tag is.
fn value_of(bytes: &[u8], tag: u64) -> usize {
    let wanted = tag.to_le_bytes();
    // Entries of the dynamic section are aligned to eight bytes.
    let found = (0..bytes.len() / 8).find(|at| bytes[at * 8..].starts_with(&wanted));
    found.expect("the tag is there") * 8 + 8
}

fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn with_tag(elf: &Elf, tag: u64, value: u64) -> Vec<u8> {
    let mut bytes = elf.build();
    let at = value_of(&bytes, tag);
    set(&mut bytes, at, &value.to_le_bytes());
    bytes
}

/// Builds an image with this program, and a library that has one version of symbols.
#[track_caller]
fn survives(bytes: Vec<u8>) -> crate::support::Output {
    let deb = Deb::new("app", "1").file("/usr/bin/app", bytes, 0o755).depends("liba");
    let liba = shared().soname("liba.so.1").has_version("A_1").build();
    let world = world(&[deb, Deb::new("liba", "1").file(A, liba, 0o644)], "");
    let start = Instant::now();
    let out = world.build(&["--no-attest"]);
    assert!(start.elapsed().as_secs() < 60, "it takes too long");
    assert!(out.code == 0 || out.code == 3 || out.code == 5, "{}: {}", out.code, out.stderr);
    assert!(!out.stderr.contains('\u{1b}') && !out.stderr.contains("HP1"), "{}", out.stderr);
    out
}

fn user() -> Elf {
    // Of the kind whose addresses are places in the file.
    shared().needed("liba.so.1").needs_version("liba.so.1", "A_1").needs_version("liba.so.1", "A_1")
}

#[test]
fn counts_of_versions_that_no_file_can_hold_are_not_believed() {
    for count in [0, 3, 1 << 20, u64::MAX] {
        survives(with_tag(&user(), VERNEEDNUM, count)).ok();
        let library = user().has_version("B_1").has_version("B_2");
        survives(with_tag(&library, VERDEFNUM, count)).ok();
    }
}

#[test]
fn tables_of_versions_that_lead_out_of_the_file_end_there() {
    let whole = user().build();
    let length = whole.len() as u64;
    for place in [length - 1, length - 17, length, u64::MAX, u64::MAX - 8, 0] {
        survives(with_tag(&user(), VERNEED, place)).ok();
    }
    let table = usize::try_from(u64::from_le_bytes(
        whole[value_of(&whole, VERNEED)..][..8].try_into().expect("eight bytes"),
    ))
    .expect("small");
    // The next record, the first version, the number of versions, the library's name; then, of the
    // version's own record, its name and the next one.
    for (at, length) in [(12, 4), (8, 4), (2, 2), (4, 4), (24, 4), (28, 4)] {
        let mut bytes = whole.clone();
        set(&mut bytes, table + at, &vec![0xff; length]);
        survives(bytes).ok();
    }
}

#[test]
fn chains_of_versions_that_come_back_to_themselves_end() {
    let whole = user().build();
    let table = value_of(&whole, VERNEED);
    let table = u64::from_le_bytes(whole[table..][..8].try_into().expect("eight bytes"));
    // Links only lead forwards, so a circle is the same records again and again: here each record says
    // that its versions are all that follow it. What is read as its number of versions, as the library's
    // name and as the way to the first version is a version's own mark, name and next one, too.
    let fields = [0xffff_0001_u32, 2, 16, 16].map(u32::to_le_bytes).concat();
    let mut bytes = with_tag(&user(), VERNEEDNUM, u64::MAX);
    bytes.truncate(usize::try_from(table).expect("small"));
    bytes.extend(fields.repeat(1 << 17));
    let length = bytes.len() as u64;
    // The first program header is that of the whole file: its lengths there and in memory.
    set(&mut bytes, 64 + 32, &[length.to_le_bytes(), length.to_le_bytes()].concat());
    survives(bytes);
}

#[test]
fn strings_that_lie_outside_the_file_name_nothing() {
    for (tag, value) in [(STRSZ, u64::MAX), (STRSZ, 0), (STRSZ, 1), (STRTAB, u64::MAX), (STRTAB, 1 << 40)] {
        survives(with_tag(&user(), tag, value)).ok();
    }
}

#[test]
fn a_file_that_is_cut_short_anywhere_is_survived() {
    let whole = user().has_version("B_1").opens("[]").calls("pthread_exit").build();
    for length in (4..whole.len()).step_by(61) {
        survives(whole[..length].to_vec());
    }
}

#[test]
fn notes_that_are_no_notes_are_passed_over() {
    for note in [
        "",
        "{}",
        "[{}]",
        "[{\"soname\":[]}]",
        "[{\"soname\":[],\"priority\":\"required\"}]",
        "[{\"soname\":[\"libx.so\"],\"priority\":\"urgent\"}]",
        "[{\"soname\":\"libx.so\",\"priority\":\"required\"}]",
        "[{\"soname\":[7],\"priority\":\"required\"}]",
        "\u{fffd}[[",
    ] {
        survives(dynamic().opens(note).build()).ok();
    }
    survives(dynamic().opens(&"[".repeat(100_000)).build()).ok();
    survives(dynamic().opens(&format!("[{}0]", "1,".repeat(100_000))).build()).ok();
}

#[test]
fn lengths_of_notes_that_no_file_can_hold_are_not_believed() {
    let whole = dynamic().opens("[{\"soname\":[\"libgone.so\"],\"priority\":\"required\"}]").build();
    let head = whole.windows(4).rposition(|window| window == b"FDO\0").expect("a note") - 12;
    for (at, value) in [(0, u32::MAX), (4, u32::MAX), (4, 0), (0, 0), (8, 0)] {
        let mut bytes = whole.clone();
        set(&mut bytes, head + at, &value.to_le_bytes());
        survives(bytes).ok();
    }
    survives(whole).exits(3);
}

#[test]
fn a_note_of_very_many_libraries_does_not_take_long() {
    let names: Vec<String> = (0..200_000).map(|number| format!("\"lib{number}.so\"")).collect();
    let note = format!("[{{\"soname\":[{}],\"priority\":\"recommended\"}}]", names.join(","));
    survives(dynamic().opens(&note).build()).ok();
}

#[test]
fn a_header_of_very_many_needs_does_not_take_long() {
    let elf = (0..20_000).fold(program(), |elf, number| elf.needed(&format!("lib{}.so", number % 10_000)));
    survives(elf.build()).exits(3);
}

#[test]
fn names_that_would_move_a_terminals_cursor_are_shown_harmless() {
    let evil = "lib\u{1b}[2J\u{7}x.so";
    let out = survives(program().needed(evil).build()).exits(3);
    assert!(!out.stderr.contains('\u{7}'), "{:?}", out.stderr);
    survives(dynamic().opens("[{\"soname\":[\"lib\\u001b[2Jx.so\"],\"priority\":\"required\"}]").build())
        .exits(3);
    survives(program().interp("/lib/\u{1b}[2Jld.so").build());
    survives(shared().needed("liba.so.1").needs_version("liba.so.1", "V\u{1b}[2J").build()).exits(3);
    survives(b"#!/usr/bin/\x1b[2Jperl\n".to_vec());
}

#[test]
fn names_that_climb_lead_nowhere() {
    for name in ["../../../etc/passwd", "..", ".", "/", "", "/../x", "a/b", "//"] {
        let out = survives(program().needed(name).build());
        assert!(out.code == 3 || name.is_empty(), "{name:?}: {}", out.stderr);
    }
    let evil = app(&program().needed("../liba.so.1").runpath("/usr/lib/x86_64-linux-gnu/x")).depends("liba");
    let world: World = world(&[evil, library("liba", A)], "");
    crate::lacks(&world, "HP317", "`../liba.so.1`");
}
