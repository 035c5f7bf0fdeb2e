/// A file of a teacher's answers that cannot be used.
public enum TeacherCacheError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path is that of a folder or of a file of another kind.
    case notACache(path: String)
    /// The answers are another teacher's, or to other images.
    case otherKey(path: String, differences: [String])
    /// The teacher answers otherwise than the file has it, although all names are the same.
    case otherAnswers(path: String, step: Int)
    /// The options do not fit the file's head.
    case tooManyOptions

    /// One sentence: what, where, what to do.
    public var description: String {
        switch self {
        case .notACache(let path):
            return
                "\(path) is not a cache of teacher outputs and is left unchanged; give --cache-teacher another path, "
                + "or a directory ending in / to keep a file per kind of run"
        case .otherKey(let path, let differences):
            return
                "the teacher outputs in \(path) belong to another kind of run, which differs in "
                + "\(differences.joined(separator: "; ")); give --cache-teacher another path, or a "
                + "directory ending in / to keep a file per kind of run"
        case .otherAnswers(let path, let step):
            return
                "the teacher outputs in \(path) of step \(step) differ from the teacher's on these images, which "
                + "have changed since; delete the file, or give --cache-teacher another path"
        case .tooManyOptions:
            return
                "the options are too long for the header of a teacher cache: leave out --cache-teacher"
        }
    }
}
