/// What a checkpoint is, and what is wrong with it.
public struct Diagnosis: Sendable, Equatable {
    /// One thing that was found out.
    public struct Fact: Sendable, Equatable {
        /// What it is about, such as `container`.
        public let name: String

        /// What was found.
        public let value: String
    }

    /// Something that looks wrong.
    public struct Finding: Sendable, Equatable {
        /// How bad it is.
        public enum Severity: String, Sendable {
            /// The model cannot be used as it is, or gives other results than it was trained for.
            case fault

            /// It may be meant, and may be a mistake.
            case warning
        }

        /// How bad it is.
        public let severity: Severity

        /// What it is, and what to do about it: one sentence.
        public let text: String
    }

    /// What was found out, in the order in which it is reported.
    public internal(set) var facts: [Fact] = []

    /// What looks wrong.
    public internal(set) var findings: [Finding] = []

    /// What had to be assumed to understand the checkpoint.
    public internal(set) var assumptions: [String] = []

    /// Whether nothing is wrong; warnings do not count.
    public var isSound: Bool { !findings.contains { $0.severity == .fault } }

    /// Examines a checkpoint: its files, its configuration and every number of it.
    ///
    /// - Parameters:
    ///   - path: As in ``ModelDirectory/load(_:options:)``.
    ///   - options: What its files do not say.
    /// - Returns: What it is and what is wrong with it.
    /// - Throws: ``CheckpointError`` where nothing can be reported because so much is wrong.
    public static func examine(
        _ path: String,
        options: LoadOptions = LoadOptions()
    ) throws -> Diagnosis {
        var examination = try Examination(path, options: options)
        try examination.describeFile()
        try examination.describeModel()
        try examination.checkNumbers()
        return examination.diagnosis
    }

    /// Adds something that was found out.
    package mutating func add(_ name: String, _ value: String) {
        facts.append(Fact(name: name, value: value))
    }

    /// Adds something that is wrong.
    package mutating func fault(_ text: String) {
        findings.append(Finding(severity: .fault, text: text))
    }

    mutating func warn(_ text: String) {
        findings.append(Finding(severity: .warning, text: text))
    }
}
