#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writing of files such that at every moment either the old or the new one is there, whole.
///
/// The bytes go to a temporary file in the same folder, which is synced to the disk and then takes
/// the name. When anything fails, a full disk or the process being killed, the old file stays as it
/// was; after a failure that the process survives, the temporary file is gone too.
public enum AtomicFile {
    /// Writes bytes to a file.
    ///
    /// - Parameters:
    ///   - bytes: The whole content, such as a `Data`, an `[UInt8]` or `text.utf8`.
    ///   - path: The file, in a folder that exists.
    /// - Throws: ``StorageError/unwritable(path:reason:)`` with the system's reason.
    public static func write(
        _ bytes: some Collection<UInt8>,
        to path: String
    ) throws(StorageError) {
        let content = Array(bytes)
        try write(to: path) { sink throws(StorageError) in try sink.write(content) }
    }

    /// Writes a file piece by piece.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists.
    ///   - body: A closure that writes the pieces in order; what it throws reaches the caller.
    /// - Throws: ``StorageError/unwritable(path:reason:)``, or what `body` throws.
    public static func write<Failure: StorageFailure>(
        to path: String,
        _ body: (FileSink) throws(Failure) -> Void
    ) throws(Failure) {
        let temporary = temporaryPath(for: path)
        let sink: FileSink
        do throws(StorageError) {
            sink = try FileSink(creating: temporary, for: path)
        } catch {
            throw Failure(error)
        }
        do throws(Failure) {
            try body(sink)
            do throws(StorageError) {
                try sink.finish(renaming: temporary)
            } catch {
                throw Failure(error)
            }
        } catch {
            sink.close()
            unlink(temporary)
            throw error
        }
        synchronizeFolder(folder(of: path))
    }

    /// Writes a file aside by other means, and gives it its name once all is well.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists.
    ///   - body: A closure that writes the file whose path it gets, and checks it; what it throws reaches the caller, and
    ///     the file is gone.
    /// - Throws: ``StorageError/unwritable(path:reason:)``, or what `body` throws.
    package static func write(aside path: String, _ body: (String) throws -> Void) throws {
        let temporary = temporaryPath(for: path)
        do {
            try body(temporary)
            guard uninterrupted({ rename(temporary, path) }) == 0 else {
                throw StorageError.unwritable(path: path, reason: systemReason())
            }
        } catch {
            unlink(temporary)
            if let error = error as? any StorageFailure {
                throw error.renaming(temporary, to: path)
            }
            throw error
        }
        synchronizeFolder(folder(of: path))
    }

    /// An unused name in the folder of `path`, hidden so that no reader takes it for the file.
    package static func temporaryPath(for path: String) -> String {
        ExclusiveFile.path(beside: path)
    }
}

/// The open temporary file that ``AtomicFile/write(to:_:)`` fills.
public final class FileSink {
    private var descriptor: Int32
    private let path: String

    /// The number of bytes written so far.
    public private(set) var count = 0

    package init(creating temporary: String, for path: String) throws(StorageError) {
        self.path = path
        descriptor = ExclusiveFile.create(temporary)
        guard descriptor >= 0 else {
            throw StorageError.unwritable(path: path, reason: systemReason())
        }
    }

    /// Appends bytes.
    ///
    /// - Parameter bytes: The bytes.
    /// - Throws: ``StorageError/unwritable(path:reason:)`` when the disk is full or fails.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        do throws(SystemError) {
            try Descriptor.write(bytes, to: descriptor)
        } catch {
            throw StorageError.unwritable(path: path, reason: error.reason)
        }
        count += bytes.count
    }

    /// Appends bytes.
    ///
    /// - Parameter bytes: The bytes.
    /// - Throws: ``StorageError/unwritable(path:reason:)`` when the disk is full or fails.
    public func write(_ bytes: [UInt8]) throws(StorageError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(StorageError) in try write(buffer) }
        }
        try result.get()
    }

    /// Brings the bytes to the disk, closes the file and gives it its name.
    fileprivate func finish(renaming temporary: String) throws(StorageError) {
        // A full disk may show only here, when the system writes what it has kept back.
        guard uninterrupted({ fsync(descriptor) }) == 0 else {
            throw StorageError.unwritable(path: path, reason: systemReason())
        }
        close()
        guard uninterrupted({ rename(temporary, path) }) == 0 else {
            throw StorageError.unwritable(path: path, reason: systemReason())
        }
    }

    fileprivate func close() {
        guard descriptor >= 0 else { return }
        #if canImport(Glibc)
        _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #else
        _ = Darwin.close(descriptor)
        #endif
        descriptor = -1
    }

    deinit { close() }
}
