//! Who a container's process is: a `User` of an image's configuration, looked up in its own passwd and
//! group files (image specification, config.md, "User").

use std::path::Path;

use crate::host::Rooted;

/// The largest passwd or group file that is read, in bytes.
const MOST: u64 = 4 << 20;

/// Numbers, groups and home of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Account {
    /// User.
    pub(super) uid: u32,
    /// Group.
    pub(super) gid: u32,
    /// Further groups.
    pub(super) groups: Vec<u32>,
    /// Home folder; `/` for a user that passwd does not list.
    pub(super) home: String,
}

/// One line of passwd(5), as far as it matters.
struct Line<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// The account of `user` or `user:group`, names or numbers; the error says what is unknown.
pub(super) fn account(tree: &Rooted, user: &str) -> Result<Account, String> {
    let text = |path: &str| {
        let bytes = tree.read(Path::new(path), MOST).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    resolve(user, &text("/etc/passwd"), &text("/etc/group"))
}

fn resolve(text: &str, passwd: &str, group: &str) -> Result<Account, String> {
    let (user, wanted) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let number = user.parse::<u32>().ok();
    let lines = passwd.lines().filter_map(passwd_line);
    let found = lines.into_iter().find(|line| line.name == user || Some(line.uid) == number);
    let uid = found
        .as_ref()
        .map(|line| line.uid)
        .or(number)
        .ok_or_else(|| format!("the image has no user `{user}`"))?;
    let gid = match wanted {
        None => found.as_ref().map_or(0, |line| line.gid),
        Some(wanted) => group_number(group, wanted)?,
    };
    // A group that is said takes the place of all that the user is in.
    let name = found.as_ref().map(|line| line.name).filter(|_| wanted.is_none());
    let groups = name.map(|name| groups_of(group, name)).unwrap_or_default();
    Ok(Account { uid, gid, groups, home: found.map_or("/", |line| line.home).to_owned() })
}

fn passwd_line(line: &str) -> Option<Line<'_>> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, ..] = fields[..] else { return None };
    Some(Line { name, uid: uid.parse().ok()?, gid: gid.parse().ok()?, home })
}

/// Name, number and members of each group.
fn group_lines(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        Some((name, number.parse().ok()?, fields.next().unwrap_or_default()))
    })
}

fn group_number(group: &str, wanted: &str) -> Result<u32, String> {
    let named = group_lines(group).find(|(name, ..)| *name == wanted).map(|(_, number, _)| number);
    named.or_else(|| wanted.parse().ok()).ok_or_else(|| format!("the image has no group `{wanted}`"))
}

fn groups_of(group: &str, user: &str) -> Vec<u32> {
    let lines = group_lines(group).filter(|(.., members)| members.split(',').any(|member| member == user));
    lines.map(|(_, number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/var/www:/x\nbroken\n";
    const GROUP: &str = "root:x:0:\nweb:x:34:\nssl:x:110:web,other\n";

    fn numbers(user: &str) -> (u32, u32, Vec<u32>, String) {
        let found = resolve(user, PASSWD, GROUP).expect("known");
        (found.uid, found.gid, found.groups, found.home)
    }

    #[test]
    fn a_user_is_found_by_name_and_by_number_with_its_groups_and_home() {
        let web = (33, 34, vec![110], "/var/www".to_owned());
        assert_eq!(numbers("web"), web);
        assert_eq!(numbers("33"), web);
        assert_eq!(numbers(""), (0, 0, vec![], "/root".to_owned()));
    }

    #[test]
    fn a_group_that_is_said_is_the_only_one() {
        assert_eq!(numbers("web:ssl"), (33, 110, vec![], "/var/www".to_owned()));
        assert_eq!(numbers("33:7"), (33, 7, vec![], "/var/www".to_owned()));
    }

    #[test]
    fn numbers_that_nobody_lists_are_taken_and_names_are_not() {
        assert_eq!(numbers("5000"), (5000, 0, vec![], "/".to_owned()));
        assert!(resolve("nobody", PASSWD, GROUP).is_err());
        assert!(resolve("web:nobody", PASSWD, GROUP).is_err());
    }
}
