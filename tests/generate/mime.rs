//! The database of MIME types.

use crate::support::{Deb, World};
use crate::{refused, world};

const TYPES: &str = r#"<?xml version="1.0"?>
<!DOCTYPE mime-info [ <!ELEMENT mime-info (mime-type)+> ]>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="text/x-b">
    <comment>B</comment>
    <comment xml:lang="de">Be</comment>
    <sub-class-of type="text/plain"/>
    <alias type="application/b"/>
    <generic-icon name="text-x-generic"/>
    <root-XML namespaceURI="http://b.example" localName="b"/>
    <glob pattern="*.B" weight="60"/>
    <glob pattern="*.C" case-sensitive="true"/>
    <magic priority="40">
      <match type="string" value="PK\003\004" offset="0:4" mask="0xff00ff00"><match type="host16" value="0x0102" offset="4"/></match>
    </magic>
    <treemagic><treematch path="B" type="directory" non-empty="true"/></treemagic>
  </mime-type>
  <mime-type type="text/x-a"><magic><match type="little32" value="1" offset="0"/></magic><glob pattern="*.a"/></mime-type>
  <mime-type type="not a type"><glob pattern="*.none"/></mime-type>
  <mime-type type="text/x-broken"><glob pattern="*.before"/><magic><match type="what" value="1" offset="0"/></magic><glob pattern="*.after"/></mime-type>
</mime-info>
"#;

fn mime() -> Deb {
    Deb::new("shared-mime-info", "2.4-5+b2").file(
        "/usr/share/mime/packages/freedesktop.org.xml",
        TYPES,
        0o644,
    )
}

#[test]
fn the_database_says_what_the_packages_say() {
    let world = world(&[mime()], "[system]\nmime = true\n");
    world.build(&[]).ok();
    let image = world.image();
    let text = |name: &str| image.text(&format!("/usr/share/mime/{name}")).to_owned();
    assert_eq!(text("types"), "text/x-a\ntext/x-b\ntext/x-broken\n");
    assert_eq!(text("aliases"), "application/b text/x-b\n");
    assert_eq!(text("subclasses"), "text/x-b text/plain\n");
    assert_eq!(text("XMLnamespaces"), "http://b.example b text/x-b\n");
    assert_eq!((text("icons"), text("generic-icons")), (String::new(), "text/x-b:text-x-generic\n".into()));
    let globs =
        "60:text/x-b:*.b\n50:text/x-a:*.a\n50:text/x-broken:*.before\n50:text/x-b:*.C:cs\n50:text/x-b:*.C\n";
    let mut found: Vec<String> = text("globs2").lines().skip(2).map(ToOwned::to_owned).collect();
    assert_eq!(found[0], "60:text/x-b:*.b");
    found.sort();
    let mut wanted: Vec<&str> = globs.lines().collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    let magic = &image.item("/usr/share/mime/magic").content;
    let wanted: [&[u8]; 5] = [
        b"MIME-Magic\0\n[50:text/x-a]\n>0=\0\x04\x01\0\0\0\n[40:text/x-b]\n>0=\0\x04PK\x03\x04&\xff\0\xff\0+5\n",
        b"1>4=\0\x02\x01\x02~2\n",
        b"",
        b"",
        b"",
    ];
    assert_eq!(*magic, wanted.concat());
    assert_eq!(text("treemagic"), "MIME-TreeMagic\0\n[50:text/x-b]\n>\"B\"=directory,non-empty\n");
    assert_eq!(text("version"), "2.4\n");
}

#[test]
fn a_recipe_above_makes_it_anew_with_its_own_types() {
    let more = TYPES.replace("text/x-b", "text/x-more");
    let more = Deb::new("more", "1").file("/usr/share/mime/packages/more.xml", more, 0o644);
    let world = world(&[mime(), more], "");
    let low = "system.mime = true\ndebian.packages = [\"shared-mime-info\"]\n";
    world.sandbox.write("low.toml", World::head("low") + low);
    world.recipe("extends = \"low\"\ndebian.packages = [\"more\"]\n");
    world.build(&[]).ok();
    let types = world.image().text("/usr/share/mime/types").to_owned();
    assert!(types.contains("text/x-b\n") && types.contains("text/x-more\n"), "{types}");
}

#[test]
fn nothing_to_make_it_of_is_an_error_and_so_is_what_is_no_xml() {
    let world = crate::world(&[Deb::new("hello", "1")], "[system]\nmime = true\n");
    refused(&world, "HP307").says("shared-mime-info");
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">\
                <!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">\
                <!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">]><x>&g;</x>";
    for text in ["", "<x/>", "<mime-info>", bomb, "<!DOCTYPE x SYSTEM \"/etc/passwd\"><x/>"] {
        let deb = Deb::new("bad", "1").file("/usr/share/mime/packages/bad.xml", text, 0o644);
        let world = crate::world(&[deb], "[system]\nmime = true\n");
        world.build(&[]).exits(5).says("error[HP506]").says("bad.xml");
    }
}
