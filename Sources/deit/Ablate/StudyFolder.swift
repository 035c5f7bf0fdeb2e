import Checkpoints
import Foundation
import Storage
import Training

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder of a study, for one process at a time.
final class StudyFolder {
    let path: String
    private let lock: Int32

    /// Creates the folder where there is none, and locks it.
    ///
    /// - Throws: `RunError` where it cannot be written, or another process is at work in it.
    init(_ path: String) throws(RunError) {
        self.path = path
        for name in ["runs", "logs"] {
            do {
                try FileManager.default.createDirectory(
                    atPath: "\(path)/\(name)",
                    withIntermediateDirectories: true
                )
            } catch {
                throw .cannotWrite(path: path, reason: "its folders cannot be created")
            }
        }
        let file = open(path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw .locked(path: path)
        }
        lock = file
    }

    deinit {
        flock(lock, LOCK_UN)
        close(lock)
    }

    func write(_ text: String, name: String) throws(CheckpointError) {
        try CheckpointError.of(try AtomicFile.write(text.utf8, to: "\(path)/\(name)"))
    }
}
