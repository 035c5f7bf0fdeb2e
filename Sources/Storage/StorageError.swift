/// A file or folder that cannot be read, understood or written.
///
/// Every case names the file and says what is wrong with it and, where there is one, the way out.
public enum StorageError: Error, Sendable, Equatable {
    /// The file or folder could not be opened or read; `reason` is the system's own.
    case unreadable(path: String, reason: String)

    /// The file is not what its name says, or contradicts itself.
    case malformed(file: String, reason: String)

    /// The file is well formed, but holds something that this library does not do.
    case unsupported(file: String, reason: String)

    /// The file could not be written; what was there before is still there, unchanged.
    case unwritable(path: String, reason: String)
}

extension StorageError {
    /// What is wrong, without the file's name.
    package var reason: String {
        switch self {
        case .unreadable(_, let reason), .malformed(_, let reason), .unsupported(_, let reason),
            .unwritable(_, let reason):
            reason
        }
    }
}

extension StorageError: CustomStringConvertible {
    /// One sentence that says what is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .malformed(let file, let reason): "\(file) is damaged or of another type: \(reason)"
        case .unsupported(let file, let reason): "\(file) cannot be used: \(reason)"
        case .unwritable(let path, let reason):
            "cannot write \(path): \(reason); an existing file is unchanged"
        }
    }
}

/// An error of a higher-level library that can wrap a file error.
///
/// Functions that run a caller's closure between their own steps are generic over it, so that they
/// throw one type: the caller's.
public protocol StorageFailure: Error {
    /// The error of this type for one of files.
    ///
    /// - Parameter error: What happened to the file.
    init(_ error: StorageError)

    /// The same error with another path in every text.
    ///
    /// What is written aside at first fails under a temporary path, which says nothing to its reader.
    ///
    /// - Parameters:
    ///   - old: The path where the work was done.
    ///   - new: The path that was requested.
    /// - Returns: The error.
    func renaming(_ old: String, to new: String) -> Self
}

extension StorageError: StorageFailure {
    /// The error itself.
    ///
    /// - Parameter error: The error.
    public init(_ error: StorageError) { self = error }

    /// The same error with another path in every text; see ``StorageFailure/renaming(_:to:)``.
    public func renaming(_ old: String, to new: String) -> StorageError {
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
        }
    }
}
