import Foundation
import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the run's folder asks of the operating system beyond `AtomicFile`: appending, links, syncing.
enum DurableFiles {
    /// Writes every byte of a value to a descriptor.
    static func writeAll(_ data: Data, to descriptor: Int32, path: String) throws(RunError) {
        do throws(SystemError) {
            try Descriptor.write([UInt8](data), to: descriptor)
        } catch {
            throw failure(path, code: error.code)
        }
    }

    /// Makes sure that a folder's files, and then the folder, are on the disk.
    static func syncTree(_ folder: String) throws(RunError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            let path = folder + "/" + name
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure(path) }
            let result = fsync(descriptor)
            close(descriptor)
            guard result == 0 else { throw failure(path) }
        }
        try syncFolder(folder)
    }

    /// Makes renames inside a folder durable.
    static func syncFolder(_ folder: String) throws(RunError) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder) }
        defer { close(descriptor) }
        // Some file systems cannot sync folders and say so with EINVAL; nothing can be done there.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure(folder) }
    }

    static func rename(_ from: String, to: String) throws(RunError) {
        #if canImport(Darwin)
        let result = Darwin.rename(from, to)
        #else
        let result = Glibc.rename(from, to)
        #endif
        guard result == 0 else { throw failure(to) }
    }

    /// Points a symbolic link at a new target in one step.
    static func point(_ link: String, to target: String) throws(RunError) {
        let aside = link + ".new"
        unlink(aside)
        guard symlink(target, aside) == 0 else { throw failure(link) }
        try rename(aside, to: link)
        try syncFolder(folder(of: link))
    }

    /// Creates a folder and those above it.
    static func createFolder(_ path: String) throws(RunError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .cannotWrite(path: path, reason: reason(error))
        }
    }

    /// What the operating system says was wrong with a path.
    static func failure(_ path: String, code: Int32 = errno) -> RunError {
        .cannotWrite(path: path, reason: String(cString: strerror(code)))
    }

    /// The operating system's words for a Foundation error.
    static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        if let underlying, underlying.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(underlying.code)))
        }
        return error.localizedDescription
    }

    static func folder(of path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }
}
