public import ImagePipeline

/// The images that could not be used so far, each counted once however often it was met.
public struct SkippedImages: Sendable, Equatable {
    /// How many names are kept.
    public static let keptNames = 10

    /// The number of different images that could not be used.
    public var count: Int { indices.count }
    /// The first few, in the order in which they were met: the name and what is wrong.
    public private(set) var first: [Entry] = []
    /// How many are accepted.
    public let limit: Int

    private var indices: Set<Int> = []

    /// One image that could not be used.
    public struct Entry: Sendable, Equatable {
        /// The image's file or place.
        public let name: String
        /// What is wrong with it.
        public let error: ImageError

        /// Creates an entry.
        ///
        /// - Parameters:
        ///   - name: The image's file or place.
        ///   - error: What is wrong with it.
        public init(name: String, error: ImageError) {
            self.name = name
            self.error = error
        }
    }

    /// Creates an empty report.
    ///
    /// - Parameter limit: How many unusable images are accepted.
    public init(limit: Int) {
        self.limit = limit
    }

    /// The first few names with what is wrong, for a sentence; says how many more there are.
    public var listing: String { listing(after: 0) }

    /// The names with their errors, without those already reported.
    ///
    /// - Parameter told: The number already reported.
    /// - Returns: The others of the first few, and how many more there are.
    public func listing(after told: Int) -> String {
        let names = first.dropFirst(told).map { "\($0.name) (\($0.error.reason))" }
        let more = count - max(first.count, told)
        guard more > 0 else { return names.joined(separator: ", ") }
        return names.isEmpty
            ? "\(more) more" : "\(names.joined(separator: ", ")) and \(more) more"
    }

    /// Adds an image unless it is known.
    mutating func insert(index: Int, entry: Entry) {
        guard indices.insert(index).inserted, first.count < SkippedImages.keptNames else {
            return
        }
        first.append(entry)
    }
}
