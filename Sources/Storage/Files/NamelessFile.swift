import Foundation

/// Files for what does not fit into memory: they have no name, and are gone when they are closed or the process ends.
package enum NamelessFile {
    /// `TMPDIR`, or `/var/tmp`, which unlike `/tmp` is seldom in memory.
    package static var temporaryFolder: String {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        return wanted.isEmpty ? "/var/tmp" : wanted
    }

    /// Makes an empty file.
    ///
    /// - Parameter folder: A folder on the disk that is to hold it.
    /// - Returns: The open file, for the caller to close; below 0 on failure, with the reason in `errno`.
    package static func open(in folder: String) -> Int32 {
        var template = Array("\(folder)/.swift-deit-XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { buffer in
            guard let name = buffer.baseAddress else { return -1 }
            let descriptor = mkstemp(name)
            if descriptor >= 0 { unlink(name) }
            return descriptor
        }
    }
}
