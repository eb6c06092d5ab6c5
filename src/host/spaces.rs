//! Name spaces of the kernel, for what runs containers: a user name space in which an ordinary user
//! is root, and a network with nothing in it but its own loopback.

use std::io;

use rustix::mount::{MountFlags, mount};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::process::{getegid, geteuid, getpid, set_child_subreaper, setsid};
use rustix::thread::UnshareFlags;

/// Where the kernel's groups of processes are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Whether this process may do what root may, in the name space that it is in.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Whether this is a user name space other than the machine's own, which maps every number to itself.
pub fn in_user_space() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let fields: Vec<&str> = map.split_ascii_whitespace().collect();
    !fields.is_empty() && fields != ["0", "0", "4294967295"]
}

/// Makes this process root of a user name space of its own, in which its user is the only one, and
/// gives it its own view of mounts. It must not have started a thread yet.
pub fn become_own_root() -> io::Result<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    leave(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    // Without this, the kernel lets no ordinary user say which group is which (user_namespaces(7)).
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    Ok(())
}

/// crun refuses to begin where both versions of cgroups are mounted with controllers, even if it is to
/// use neither. An ordinary user has none to use, so it is shown none; only for who [`become_own_root`].
pub fn hide_mixed_cgroups() {
    let unified = std::path::Path::new(CGROUPS).join("unified/cgroup.controllers");
    if unified.exists() {
        let _ = mount("tmpfs", CGROUPS, "tmpfs", MountFlags::RDONLY, None);
    }
}

/// Puts this process into a network of its own, whose loopback is up.
pub fn become_alone_in_network() -> io::Result<()> {
    leave(UnshareFlags::NEWNET)?;
    raise_loopback()
}

/// What is safe here: only the sharing of files between threads would not be, and it is not touched.
#[allow(deprecated)]
fn leave(spaces: UnshareFlags) -> io::Result<()> {
    Ok(rustix::thread::unshare(spaces)?)
}

/// Asks the kernel to bring up interface 1, which is the loopback in every new network: a message
/// `RTM_NEWLINK` of rtnetlink(7), and its acknowledgement.
fn raise_loopback() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
    const LOOPBACK: i32 = 1;
    const UP: u32 = 1;
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    message.extend([0; 8]); // number and sender
    message.extend([0; 4]); // family, padding, kind of device
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes()); // which of the flags are meant
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0; 256];
    let (got, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    let code = answer[..got].get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match code {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::Error::other("the kernel's answer is too short")),
    }
}

/// Makes this process the parent of what its children leave behind, so that it hears of its end.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Takes this process out of its terminal's reach: a key pressed there does not end it.
pub fn leave_terminal() {
    let _ = setsid();
}

/// The number of this process.
pub fn own_id() -> u32 {
    std::process::id()
}
