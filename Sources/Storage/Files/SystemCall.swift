#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The system's own words for what went wrong last, such as "No space left on device".
package func systemReason(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
}

/// Repeats a call while a signal interrupts it; -1 is a failure, with the reason in `errno`.
package func uninterrupted<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result == -1, errno == EINTR { continue }
        return result
    }
}

/// The folder part of a path; "." where there is none.
package func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last part of a path, without the slashes at its end.
package func lastComponent(of path: String) -> String {
    String(path.split(separator: "/").last ?? "")
}

/// Asks the system to bring a folder's list of names to the disk.
package func synchronizeFolder(_ path: String) {
    let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { return }
    // Some file systems refuse to sync folders; the rename before is then as safe as it gets.
    _ = uninterrupted { fsync(descriptor) }
    close(descriptor)
}

/// A call of the system that failed.
package struct SystemError: Error, Sendable, Equatable {
    /// The value of `errno`.
    package let code: Int32

    /// The system's own words.
    package var reason: String { systemReason(code) }

    /// Takes the failure of the last call.
    package init(code: Int32 = errno) { self.code = code }
}

/// Reading and writing of whole pieces through a descriptor: the one loop that goes on after a signal or a short count.
package enum Descriptor {
    // One call moves less than 2 GiB on Linux, whatever is asked.
    private static let largestPiece = 1 << 30

    /// Writes all bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - descriptor: An open file.
    ///   - offset: Where they go, in bytes; nil for the place where the last write ended.
    /// - Throws: ``SystemError`` when the disk is full or fails; some bytes may then be written.
    package static func write(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: Int32,
        at offset: Int? = nil
    ) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[done...].prefix(largestPiece))
            let moved = uninterrupted {
                if let offset {
                    pwrite(descriptor, piece.baseAddress, piece.count, off_t(offset + done))
                } else {
                    systemWrite(descriptor, piece.baseAddress, piece.count)
                }
            }
            // A disk that takes no byte and says nothing is as good as full.
            guard moved > 0 else { throw SystemError(code: moved == 0 ? ENOSPC : errno) }
            done += moved
        }
    }

    /// Writes all bytes of an array, as the function above.
    package static func write(
        _ bytes: [UInt8],
        to descriptor: Int32,
        at offset: Int? = nil
    ) throws(SystemError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try write(bytes, to: descriptor, at: offset) }
        }
        try result.get()
    }

    /// Reads bytes at an offset; fewer than the buffer holds only at the end of the file.
    ///
    /// - Parameters:
    ///   - target: Where they go.
    ///   - descriptor: An open file.
    ///   - offset: The place of the first byte.
    /// - Returns: The number of bytes read.
    /// - Throws: ``SystemError`` when the disk fails.
    package static func read(
        into target: UnsafeMutableRawBufferPointer,
        from descriptor: Int32,
        at offset: Int
    ) throws(SystemError) -> Int {
        var done = 0
        while done < target.count {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: target[done...].prefix(largestPiece)
            )
            let moved = uninterrupted {
                pread(descriptor, piece.baseAddress, piece.count, off_t(offset + done))
            }
            guard moved >= 0 else { throw SystemError() }
            guard moved > 0 else { return done }
            done += moved
        }
        return done
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
    Glibc.write(descriptor, bytes, count)
    #elseif canImport(Musl)
    Musl.write(descriptor, bytes, count)
    #else
    Darwin.write(descriptor, bytes, count)
    #endif
}
