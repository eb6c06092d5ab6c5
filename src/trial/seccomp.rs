//! The system calls that a test's program has no business with.
//!
//! Not docker's list of what is allowed, but a shorter one of what is not: calls that need a capability
//! fail without it anyway, so what is left are parts of the kernel that any user reaches and no image
//! that hardpan makes needs.

use serde_json::{Value, json};

/// Calls that fail with "operation not permitted".
const REFUSED: &[&str] = &[
    "add_key",
    "bpf",
    "fanotify_init",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "name_to_handle_at",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setns",
    "swapoff",
    "swapon",
    "umount",
    "umount2",
    "unshare",
    "userfaultfd",
    "vmsplice",
];

/// `CLONE_NEWUSER`: a user name space would bring back what was dropped.
const NEW_USER_SPACE: u64 = 0x1000_0000;

/// "Operation not permitted".
const EPERM: u32 = 1;

/// "No such system call".
const ENOSYS: u32 = 38;

/// The profile, as the runtime specification has it (config-linux.md, "Seccomp").
pub(super) fn profile() -> Value {
    let architectures = if cfg!(target_arch = "aarch64") {
        json!(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])
    } else {
        json!(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
    };
    let new_space = json!({
        "index": 0, "value": NEW_USER_SPACE, "valueTwo": NEW_USER_SPACE, "op": "SCMP_CMP_MASKED_EQ",
    });
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": architectures,
        "syscalls": [
            { "names": REFUSED, "action": "SCMP_ACT_ERRNO", "errnoRet": EPERM },
            { "names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": EPERM, "args": [new_space] },
            // Its flags are in memory, where no filter can look: libraries fall back to `clone`.
            { "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS },
        ],
    })
}
