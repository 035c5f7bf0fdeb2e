/// What may differ between a checkpoint and the model that is made from it, and what the file cannot say.
public struct LoadOptions: Sendable, Equatable {
    /// Deviations that are allowed; without one, loading is strict.
    public struct Relaxations: OptionSet, Sendable {
        /// The bits.
        public let rawValue: Int

        /// Creates a set.
        ///
        /// - Parameter rawValue: The bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// The classifier may be absent or of other classes; the model then gets a fresh one.
        public static let replaceHead = Relaxations(rawValue: 1)
    }

    /// The deviations that are allowed; those that happened are told in ``LoadReport``.
    public var relaxations: Relaxations

    /// The classes that the model is to have, instead of those that the file names.
    public var labels: ClassLabels?

    /// The preset of a bare weights file, which otherwise is deduced from the shapes of its tensors; an error
    /// for a directory, which tells itself.
    public var preset: String?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - relaxations: The deviations that are allowed.
    ///   - labels: The classes that the model is to have.
    ///   - preset: The preset of a bare weights file.
    public init(
        relaxations: Relaxations = [],
        labels: ClassLabels? = nil,
        preset: String? = nil
    ) {
        self.relaxations = relaxations
        self.labels = labels
        self.preset = preset
    }
}

/// What was not simply taken over from a checkpoint.
public struct LoadReport: Sendable, Equatable {
    /// The model's tensors that keep their fresh values, by the names in the file.
    public internal(set) var replaced: [String] = []

    /// The file's tensors that a classifier has no use for, such as the pooler.
    public internal(set) var ignored: [String] = []

    /// What the file did not say and was assumed, one sentence each.
    public internal(set) var assumptions: [String] = []

    /// Creates an empty report.
    public init() {}
}
