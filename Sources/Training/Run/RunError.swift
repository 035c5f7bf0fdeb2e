/// A run directory that cannot be used or written.
public enum RunError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The folder holds something already, and `--resume` was not given.
    case notEmpty(path: String, isRun: Bool)
    /// `--resume` was given, but the folder holds no run.
    case notARun(path: String)
    /// Another process writes this run.
    case locked(path: String)
    /// The operating system refused to write: a full disk, missing rights.
    case cannotWrite(path: String, reason: String)
    /// A file of the run cannot be read or is not what it should be.
    case unreadable(path: String, reason: String)

    /// One sentence: what, where, what to do.
    public var description: String {
        switch self {
        case .notEmpty(let path, isRun: true):
            return
                "\(path) holds a run already; add --resume to continue it, or choose another --output"
        case .notEmpty(let path, isRun: false):
            return "\(path) is not empty and not a run; choose another --output"
        case .notARun(let path):
            return
                "there is no run to resume in \(path) (no run.yaml); leave out --resume to start one"
        case .locked(let path):
            return
                "another process is writing the run \(path); wait for it or choose another --output"
        case .cannotWrite(let path, let reason):
            return "cannot write \(path): \(reason); free space or choose another --output "
                + "(checkpoints saved before are intact)"
        case .unreadable(let path, let reason):
            return "cannot read \(path): \(reason)"
        }
    }
}
