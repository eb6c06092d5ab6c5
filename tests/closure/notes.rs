//! Notes in which programs say what they open at run time.

use crate::support::{Deb, World};
use crate::{LIB, app, dynamic, lacks, library, needed, taken, takes, world};

const A: &str = "/usr/lib/x86_64-linux-gnu/liba.so.1";
const B: &str = "/usr/lib/x86_64-linux-gnu/libb.so.1";

/// A program with this note; `liba` and `libb` are in reach.
fn noted(json: &str) -> World {
    let debs = [app(&dynamic().opens(json)).depends("liba, libb"), library("liba", A), library("libb", B)];
    world(&debs, "")
}

/// The same, but nobody has the libraries.
fn alone(json: &str) -> World {
    world(&[app(&dynamic().opens(json))], "")
}

#[test]
fn what_is_required_must_be_there() {
    let note = r#"[{"soname":["liba.so.1"],"feature":"x","priority":"required"}]"#;
    let world = noted(note);
    assert_eq!(taken(&world, &[A, B]), [A]);
    assert_eq!(needed(&world, A), ["/usr/bin/app as opened liba.so.1"]);
    lacks(&alone(note), "HP317", "`/usr/bin/app` needs the library `liba.so.1`");
}

#[test]
fn what_is_recommended_is_taken_if_it_is_there() {
    for priority in [r#","priority":"recommended""#, ""] {
        let note = format!(r#"[{{"soname":["liba.so.1"]{priority}}}]"#);
        assert_eq!(taken(&noted(&note), &[A, B]), [A], "{priority}");
        alone(&note).build(&[]).ok();
    }
}

#[test]
fn what_is_suggested_is_not_taken() {
    let note = r#"[{"soname":["liba.so.1"],"priority":"suggested"}]"#;
    assert!(taken(&noted(note), &[A, B]).is_empty());
}

#[test]
fn of_several_libraries_the_first_that_is_there_serves() {
    let note = |names: &str| format!(r#"[{{"soname":[{names}],"priority":"required"}}]"#);
    assert_eq!(taken(&noted(&note(r#""libnone.so.1","libb.so.1","liba.so.1""#)), &[A, B]), [B]);
    assert_eq!(taken(&noted(&note(r#""liba.so.1","libb.so.1""#)), &[A, B]), [A]);
    lacks(&alone(&note(r#""libnone.so.1","libb.so.1""#)), "HP317", "`libnone.so.1`");
}

#[test]
fn each_feature_of_a_note_is_met() {
    let note = r#"[{"soname":["liba.so.1"],"priority":"required"},{"soname":["libb.so.1"]}]"#;
    assert_eq!(taken(&noted(note), &[A, B]), [A, B]);
}

#[test]
fn what_a_note_names_is_skipped_by_its_name() {
    let world = noted(r#"[{"soname":["liba.so.1","libb.so.1"],"priority":"required"}]"#);
    takes(&world, "closure.skip.\"libb.so.1\" = \"not used here\"\n");
    let out = world.build(&[]).ok();
    assert!(!out.stderr.contains("HP320"), "{}", out.stderr);
    assert!(!world.image().has(A) && !world.image().has(B));
}

#[test]
fn libraries_that_notes_bring_bring_their_own_needs() {
    let first = crate::shared().soname("liba.so.1").needed("libb.so.1").build();
    let note = r#"[{"soname":["liba.so.1"],"priority":"required"}]"#;
    let debs = [
        app(&dynamic().opens(note)).depends("liba, libb"),
        Deb::new("liba", "1").file(A, first, 0o644),
        library("libb", B),
    ];
    let world = world(&debs, "");
    world.build(&[]).ok();
    assert_eq!(needed(&world, B), [format!("{LIB}/liba.so.1 as library libb.so.1")]);
}
