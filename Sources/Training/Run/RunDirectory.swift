import Checkpoints
import Foundation
import Storage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder of one training run, which a crash at any moment leaves usable.
///
/// ```
/// RUN/run.yaml                     the options in effect, versions, seed
/// RUN/time-plan.json               the steps of a run that has a time
/// RUN/metrics.jsonl                one record every few steps and one an epoch
/// RUN/events.out.tfevents.deit     the same for TensorBoard
/// RUN/checkpoints/step-200/        a model directory, with the trainer's state next to it
/// RUN/checkpoints/step-200-ema/    a model directory of the averaged weights, where they are the best
/// RUN/checkpoints/last, best       links to the newest and the best of them
/// ```
///
/// One process at a time: the folder is locked as long as this object lives.
public final class RunDirectory: Sendable {
    private static let manifestName = "run.yaml"

    /// The path as it was given.
    public let path: String
    private let lock: Int32

    /// Opens or creates a run's folder and locks it.
    ///
    /// - Parameters:
    ///   - path: The folder; it and those above it are created.
    ///   - resume: Whether it must hold a run already. Else it must be empty or absent.
    /// - Throws: ``RunError`` where it cannot be used.
    public convenience init(path: String, resume: Bool) throws(RunError) {
        try Self.check(path, resume: resume)
        try self.init(locking: path)
    }

    /// Opens or creates the folder of a program's own training, which has no `run.yaml`, and locks it.
    ///
    /// - Parameter path: The folder: absent, empty, or one that such a training wrote.
    /// - Throws: ``RunError`` where it holds something else or cannot be used.
    convenience init(goingOnIn path: String) throws(RunError) {
        let isOwn =
            FileManager.default.fileExists(atPath: path + "/metrics.jsonl")
            && !FileManager.default.fileExists(atPath: "\(path)/\(Self.manifestName)")
        if !isOwn { try Self.check(path, resume: false) }
        try self.init(locking: path)
    }

    private init(locking path: String) throws(RunError) {
        self.path = path
        try DurableFiles.createFolder(path + "/checkpoints")
        let lock = open(path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else { throw DurableFiles.failure(path) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(lock)
            throw code == EWOULDBLOCK ? .locked(path: path) : DurableFiles.failure(path, code: code)
        }
        self.lock = lock
        try removeLeftovers()
    }

    deinit {
        // Closing alone is not enough: a child that another thread is just starting holds the lock until it runs.
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// Whether a new or a resumed run could use a path, before anything is created.
    public static func check(_ path: String, resume: Bool) throws(RunError) {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let isRun = FileManager.default.fileExists(atPath: "\(path)/\(manifestName)")
        if resume {
            guard isRun else { throw .notARun(path: path) }
            return
        }
        guard exists else { return }
        guard isFolder.boolValue else { throw .notEmpty(path: path, isRun: false) }
        // A lock, an empty folder and part of a run.yaml are what a start that fails or is killed leaves; nobody needs them.
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter {
                $0 != ".lock" && $0 != "checkpoints"
                    && !ExclusiveFile.isTemporary($0, of: manifestName)
            }
        let checkpoints = try? FileManager.default.contentsOfDirectory(
            atPath: path + "/checkpoints"
        )
        guard names.isEmpty, checkpoints?.isEmpty ?? true else {
            throw .notEmpty(path: path, isRun: isRun)
        }
    }

    /// Whether another process writes the run in a folder.
    public static func isLocked(_ path: String) -> Bool {
        let lock = open(path + "/.lock", O_RDONLY | O_CLOEXEC)
        guard lock >= 0 else { return false }
        defer { close(lock) }
        guard flock(lock, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
        flock(lock, LOCK_UN)
        return false
    }

    /// The file of options, versions and seed.
    public var manifestPath: String { "\(path)/\(Self.manifestName)" }

    /// The file of records.
    public var metricsPath: String { path + "/metrics.jsonl" }

    /// The file of the same records for TensorBoard.
    public var eventsPath: String { path + "/events.out.tfevents.deit" }

    /// The folder of a checkpoint by its name, such as `step-200`.
    public func checkpointPath(_ name: String) -> String { "\(path)/checkpoints/\(name)" }

    /// Whether a checkpoint of a name is there.
    public func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: checkpointPath(name))
    }

    /// Writes a file for people, such as an image, whole or not at all.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - name: Its path in the run's folder; folders on the way are made.
    /// - Throws: `StorageError` where it cannot be written, or the error of making a folder.
    func write(_ bytes: [UInt8], to name: String) throws {
        let file = "\(path)/\(name)"
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try AtomicFile.write(bytes, to: file)
    }

    // MARK: - Checkpoints

    /// Saves a checkpoint: `write` fills a folder aside, which is then synced and renamed.
    ///
    /// Where anything fails, the folder aside is removed and every other checkpoint stays as it is.
    ///
    /// - Parameters:
    ///   - name: `step-200` or `step-200-ema`.
    ///   - write: Gets the path of an empty folder.
    /// - Throws: ``RunError``, or what `write` throws.
    public func saveCheckpoint(_ name: String, write: (_ folder: String) throws -> Void) throws {
        let final = checkpointPath(name)
        let aside = checkpointPath(".new-" + name)
        try? FileManager.default.removeItem(atPath: aside)
        do {
            try DurableFiles.createFolder(aside)
            try write(aside)
            try DurableFiles.syncTree(aside)
        } catch {
            try? FileManager.default.removeItem(atPath: aside)
            throw error
        }
        // A folder cannot be renamed over one with files; a crash in between is put right on opening.
        let old = checkpointPath(".old-" + name)
        let replaces = FileManager.default.fileExists(atPath: final)
        if replaces { try DurableFiles.rename(final, to: old) }
        try DurableFiles.rename(aside, to: final)
        try DurableFiles.syncFolder(path + "/checkpoints")
        if replaces { try? FileManager.default.removeItem(atPath: old) }
    }

    /// Points `last` or `best` at a checkpoint.
    public func point(_ pointer: Pointer, to name: String) throws(RunError) {
        try DurableFiles.point(checkpointPath(pointer.rawValue), to: name)
    }

    /// The checkpoint that `last` or `best` points at, where it exists.
    public func target(of pointer: Pointer) -> String? {
        let link = checkpointPath(pointer.rawValue)
        guard let name = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
            FileManager.default.fileExists(atPath: checkpointPath(name))
        else { return nil }
        return name
    }

    /// The names of the run's checkpoints, the newest first, without those of averaged weights.
    public var checkpointNames: [String] {
        allNames.filter { !$0.hasSuffix("-ema") }
            .sorted { (Self.step(of: $0) ?? 0) > (Self.step(of: $1) ?? 0) }
    }

    /// Removes all but the newest checkpoints and what `best` and `last` point at.
    ///
    /// - Parameters:
    ///   - keepLast: How many of the newest are kept.
    ///   - best: A checkpoint that `best` will point at, but does not yet.
    public func prune(keepLast: Int, keeping best: String? = nil) {
        var kept = Set(checkpointNames.prefix(keepLast))
        if let best { kept.insert(best) }
        for pointer in Pointer.allCases {
            if let name = target(of: pointer) { kept.insert(name) }
        }
        for name in allNames where !kept.contains(name) {
            try? FileManager.default.removeItem(atPath: checkpointPath(name))
        }
    }

    /// The two links next to the checkpoints.
    public enum Pointer: String, CaseIterable, Sendable {
        /// The newest checkpoint.
        case last
        /// The checkpoint with the best validation score.
        case best
    }

    /// The name of the checkpoint after so many steps.
    public static func checkpointName(step: Int) -> String { "step-\(step)" }

    static func step(of name: String) -> Int? {
        let parts = name.split(separator: "-")
        guard parts.count >= 2, parts[0] == "step" else { return nil }
        return Int(parts[1])
    }

    private var allNames: [String] {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")) ?? []
        return names.filter { Self.step(of: $0) != nil }
    }

    /// Puts right what a process left that was killed while it saved.
    private func removeLeftovers() throws(RunError) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where ExclusiveFile.isTemporary(name, of: Self.manifestName) {
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
        let folder = path + "/checkpoints"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(".old-") {
            let final = folder + "/" + name.dropFirst(".old-".count)
            if FileManager.default.fileExists(atPath: final) {
                try? FileManager.default.removeItem(atPath: folder + "/" + name)
            } else {
                try DurableFiles.rename(folder + "/" + name, to: final)
            }
        }
        for name in names where name.hasPrefix(".new-") || name.hasSuffix(".new") {
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}
