public import Storage

/// A checkpoint, or a file next to it, that cannot be read, understood or written.
///
/// Every case names the file, says what is wrong with it and, where there is one, the way out.
public enum CheckpointError: Error, Sendable, Equatable {
    /// The file or folder could not be opened or read; `reason` is the system's own.
    case unreadable(path: String, reason: String)

    /// The file is not what its name says, or contradicts itself.
    case malformed(file: String, reason: String)

    /// The file is well formed, but holds something that this library does not do.
    case unsupported(file: String, reason: String)

    /// The weights do not fit the model: all the differences at once, and what to do about them.
    case incompatible(
        file: String,
        missing: [String],
        unexpected: [String],
        shapes: [ShapeMismatch],
        hint: String
    )

    /// The file could not be written; what was there before is still there, unchanged.
    case unwritable(path: String, reason: String)

    /// A tensor could not be made from, or turned into, bytes.
    case tensor(name: String, reason: String)
}

extension CheckpointError {
    /// A tensor whose shape in the file differs from the one that the model expects.
    public struct ShapeMismatch: Sendable, Equatable {
        /// The key of the tensor.
        public let key: String

        /// The shape in the model.
        public let expected: [Int]

        /// The shape in the file.
        public let found: [Int]

        /// Creates a mismatch.
        ///
        /// - Parameters:
        ///   - key: The key of the tensor.
        ///   - expected: The shape in the model.
        ///   - found: The shape in the file.
        public init(key: String, expected: [Int], found: [Int]) {
            self.key = key
            self.expected = expected
            self.found = found
        }
    }
}

extension CheckpointError: CustomStringConvertible {
    /// One sentence that says what is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            StorageError.unreadable(path: path, reason: reason).description
        case .malformed(let file, let reason):
            StorageError.malformed(file: file, reason: reason).description
        case .unsupported(let file, let reason):
            StorageError.unsupported(file: file, reason: reason).description
        case .unwritable(let path, let reason):
            StorageError.unwritable(path: path, reason: reason).description
        case .tensor(let name, let reason): "tensor \(name): \(reason)"
        case .incompatible(let file, let missing, let unexpected, let shapes, let hint):
            Self.describe(file, missing, unexpected, shapes, hint)
        }
    }

    private static func describe(
        _ file: String,
        _ missing: [String],
        _ unexpected: [String],
        _ shapes: [ShapeMismatch],
        _ hint: String
    ) -> String {
        /// The first few: of a wrong model all names would be pages.
        func listed(_ names: [String]) -> String {
            let limit = 8
            let shown = names.prefix(limit).joined(separator: ", ")
            return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
        }
        var parts: [String] = []
        if !missing.isEmpty {
            parts.append("missing (\(missing.count)): \(listed(missing))")
        }
        if !unexpected.isEmpty {
            parts.append("unexpected (\(unexpected.count)): \(listed(unexpected))")
        }
        if !shapes.isEmpty {
            let list = shapes.map { "\($0.key) is \($0.found), the model has \($0.expected)" }
            parts.append("other shape (\(shapes.count)): \(listed(list))")
        }
        let difference = parts.joined(separator: "; ")
        return "\(file) does not fit the model: \(difference)" + (hint.isEmpty ? "" : ". \(hint)")
    }
}

extension CheckpointError: StorageFailure {
    /// The error of a checkpoint for one of its files.
    ///
    /// - Parameter error: What happened to the file.
    public init(_ error: StorageError) {
        self =
            switch error {
            case .unreadable(let path, let reason): .unreadable(path: path, reason: reason)
            case .malformed(let file, let reason): .malformed(file: file, reason: reason)
            case .unsupported(let file, let reason): .unsupported(file: file, reason: reason)
            case .unwritable(let path, let reason): .unwritable(path: path, reason: reason)
            }
    }

    /// The same error with another path in every text; see `StorageFailure`.
    ///
    /// - Parameters:
    ///   - old: The path where the work was done.
    ///   - new: The path that was requested.
    /// - Returns: The error.
    public func renaming(_ old: String, to new: String) -> CheckpointError {
        func renamed(_ text: String) -> String { text.replacing(old, with: new) }
        return switch self {
        case .unreadable(let path, let reason):
            .unreadable(path: renamed(path), reason: renamed(reason))
        case .malformed(let file, let reason):
            .malformed(file: renamed(file), reason: renamed(reason))
        case .unsupported(let file, let reason):
            .unsupported(file: renamed(file), reason: renamed(reason))
        case .unwritable(let path, let reason):
            .unwritable(path: renamed(path), reason: renamed(reason))
        case .tensor(let name, let reason): .tensor(name: name, reason: renamed(reason))
        case .incompatible(let file, let missing, let unexpected, let shapes, let hint):
            .incompatible(
                file: renamed(file),
                missing: missing,
                unexpected: unexpected,
                shapes: shapes,
                hint: hint
            )
        }
    }

    /// Runs work of any errors, and gives one of files as a checkpoint's.
    ///
    /// - Parameter work: The work.
    /// - Returns: What the work returns.
    /// - Throws: ``CheckpointError`` where the work throws `StorageError`, and what else the work throws.
    package static func translating<Result>(_ work: () throws -> Result) throws -> Result {
        do { return try work() } catch let error as StorageError { throw CheckpointError(error) }
    }

    /// Runs work on files and gives its error as a checkpoint's.
    ///
    /// - Parameter work: The work.
    /// - Returns: What the work returns.
    /// - Throws: ``CheckpointError`` where the work throws `StorageError`.
    package static func of<Result: ~Copyable>(
        _ work: @autoclosure () throws(StorageError) -> Result
    ) throws(CheckpointError) -> Result {
        do throws(StorageError) { return try work() } catch { throw CheckpointError(error) }
    }
}
