import Foundation

/// Files that are written aside before they take their name: nobody can guess the name, or put a link there first.
package enum ExclusiveFile {
    /// An unused name in the file's folder, hidden so that no reader takes it for the file.
    ///
    /// - Parameter path: The file.
    /// - Returns: A path in the same folder.
    package static func path(beside path: String) -> String {
        let scalars = path.unicodeScalars
        let start = scalars.lastIndex(of: "/").map(scalars.index(after:)) ?? scalars.startIndex
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        // A long name must not become too long for the system.
        let name = String(scalars[start...].prefix(40))
        return
            "\(String(scalars[..<start])).\(name).tmp-\(ProcessInfo.processInfo.processIdentifier)-\(random)"
    }

    /// Whether a name is one that ``path(beside:)`` gives: what a process that was killed leaves of a file.
    ///
    /// - Parameters:
    ///   - name: The name, without its folder.
    ///   - file: The name of the file.
    /// - Returns: Whether it is a temporary name of the file.
    package static func isTemporary(_ name: String, of file: String) -> Bool {
        name.hasPrefix(".\(String(file.unicodeScalars.prefix(40))).tmp-")
    }

    /// Makes an empty file where there is nothing, not even a link.
    ///
    /// - Parameter path: The file.
    /// - Returns: The open file, for the caller to close; below 0 on failure, with the reason in `errno`.
    package static func create(_ path: String) -> Int32 {
        while true {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 || errno != EINTR { return descriptor }
        }
    }
}
