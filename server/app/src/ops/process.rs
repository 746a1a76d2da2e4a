//! What the kernel knows about this process. Linux tells by `/proc`; elsewhere there is nothing to tell.

use std::fs;

/// Files, sockets and pipes open now.
pub(crate) fn open_descriptors() -> Option<u64> {
    // The listing itself holds one.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u64::try_from(open).ok()
}

/// How many may be open at once.
pub(crate) fn descriptor_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Memory in RAM.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1_024)
}

/// Threads now.
pub(crate) fn threads() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_it_uses() {
        let before = open_descriptors().unwrap();
        let files: Vec<_> = (0..64).map(|_| tempfile::tempfile().unwrap()).collect();
        // Other tests of this process open and close files meanwhile.
        assert!(open_descriptors().unwrap() > before);
        drop(files);
        assert!(descriptor_limit().unwrap() >= open_descriptors().unwrap());
        assert!(resident_bytes().unwrap() > 1_000_000 && threads().unwrap() >= 1);
    }
}
