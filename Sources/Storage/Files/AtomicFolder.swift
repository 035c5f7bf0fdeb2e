import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writing of folders such that under their name there is only ever a whole one.
public enum AtomicFolder {
    /// Fills a folder aside and then gives it its name.
    ///
    /// An older folder of that name is moved aside for the moment of the exchange and removed
    /// afterwards. When `body` or the disk fails, it stays as it was, and what was written is removed.
    ///
    /// - Parameters:
    ///   - path: The folder to write; the folder that contains it exists.
    ///   - body: A closure that is given the path of an empty folder and fills it.
    /// - Throws: ``StorageError/unwritable(path:reason:)``, or what `body` throws.
    public static func write(to path: String, _ body: (String) throws -> Void) throws {
        let path = trimmed(path)
        let temporary = AtomicFile.temporaryPath(for: path)
        guard mkdir(temporary, 0o777) == 0 else {
            throw StorageError.unwritable(path: path, reason: systemReason())
        }
        do {
            try body(temporary)
            synchronizeFolder(temporary)
            try place(temporary, at: path)
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            // Nobody knows the temporary name, and the folder is gone.
            if let error = error as? any StorageFailure {
                throw error.renaming(temporary, to: path)
            }
            throw error
        }
        synchronizeFolder(folder(of: path))
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func place(_ temporary: String, at path: String) throws(StorageError) {
        // An empty folder of that name is replaced by the rename itself.
        if rename(temporary, path) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else {
            throw StorageError.unwritable(path: path, reason: systemReason())
        }
        // A full folder cannot be renamed over: the old one steps aside, and comes back on failure.
        let old = AtomicFile.temporaryPath(for: path)
        guard rename(path, old) == 0, rename(temporary, path) == 0 else {
            let reason = systemReason()
            _ = rename(old, path)
            throw StorageError.unwritable(path: path, reason: reason)
        }
        try? FileManager.default.removeItem(atPath: old)
    }
}
