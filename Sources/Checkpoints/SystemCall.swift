#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The system's own words for what went wrong last, such as "No space left on device".
func systemReason(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
}

/// Calls until the call is not interrupted by a signal; -1 is a failure, told by `errno`.
func uninterrupted<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result == -1, errno == EINTR { continue }
        return result
    }
}

/// The folder part of a path; "." where there is none.
func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last part of a path, without the slashes at its end.
func lastComponent(of path: String) -> String {
    String(path.split(separator: "/").last ?? "")
}

/// Asks the system to bring a folder's list of names to the disk.
func synchronizeFolder(_ path: String) {
    let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { return }
    // Some file systems refuse to sync folders; the rename before is then as safe as it gets.
    _ = uninterrupted { fsync(descriptor) }
    close(descriptor)
}
