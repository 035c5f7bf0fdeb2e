import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The few calls to the system that the cache makes, with errors that name the path.
enum HubFileSystem {
    /// The error of the system's last call.
    static func failure(at path: String, _ code: Int32 = errno) -> HubError {
        .cache(path: path, reason: String(cString: strerror(code)))
    }

    /// The size of the file that a path leads to, or nil where there is none.
    static func size(_ path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The whole of a small file, or nil where there is none or it is larger.
    static func text(_ path: String, limit: Int = 4_096) -> String? {
        guard let size = size(path), size <= limit else { return nil }
        let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = bytes.withUnsafeMutableBytes { buffer in
            uninterrupted { read(descriptor, buffer.baseAddress, buffer.count) }
        }
        guard count >= 0 else { return nil }
        return String(validating: bytes.prefix(count), as: UTF8.self)
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) throws(HubError) {
        guard !isFolder(path) else { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        // Another process may have made it in the meantime.
        guard mkdir(path, 0o777) == 0 || (errno == EEXIST && isFolder(path)) else {
            throw failure(at: path)
        }
    }

    /// Writes a small file such that readers see the old one or the new one, whole.
    static func write(_ text: String, to path: String) throws(HubError) {
        do throws(StorageError) {
            try AtomicFile.write(text.utf8, to: path)
        } catch {
            if case .unwritable(let path, let reason) = error {
                throw HubError.cache(path: path, reason: reason)
            }
            throw HubError.cache(path: path, reason: "\(error)")
        }
    }

    /// Makes a symbolic link, or puts it in the place of what is there.
    static func link(_ path: String, to target: String) throws(HubError) {
        guard symlink(target, path) != 0 else { return }
        guard errno == EEXIST else { throw failure(at: path) }
        let temporary = path + ".\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
        guard symlink(target, temporary) == 0 else { throw failure(at: path) }
        guard rename(temporary, path) == 0 else {
            let error = failure(at: path)
            unlink(temporary)
            throw error
        }
    }

    static func rename(_ source: String, to path: String) throws(HubError) {
        guard rename(source, path) == 0 else { throw failure(at: path) }
    }

    private static func rename(_ source: String, _ path: String) -> Int32 {
        uninterrupted {
            #if canImport(Glibc)
            Glibc.rename(source, path)
            #elseif canImport(Musl)
            Musl.rename(source, path)
            #else
            Darwin.rename(source, path)
            #endif
        }
    }

    static func remove(_ path: String) { unlink(path) }

    /// How many bytes an ordinary user can still write below a folder, or nil where the system does not report it.
    static func freeBytes(at folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let (bytes, overflows) = UInt64(status.f_bavail)
            .multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflows ? Int.max : Int(clamping: bytes)
    }

    /// Whether a name fits a shell's pattern; one that ends in a slash means all that is in the folder.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        ShellPattern.matches(name, pattern.hasSuffix("/") ? pattern + "*" : pattern)
    }
}
