/// Something found in data that somebody should look at.
public struct Finding: Sendable, Equatable {
    /// A picture of the data that was checked.
    public struct Picture: Sendable, Hashable, Comparable {
        /// The part of the data, as an index into ``DataReport/parts``.
        public let part: Int
        /// The picture's index in that part.
        public let index: Int

        /// Names a picture.
        ///
        /// - Parameters:
        ///   - part: The part of the data, as an index into ``DataReport/parts``.
        ///   - index: The picture's index in that part.
        public init(part: Int, index: Int) {
            self.part = part
            self.index = index
        }

        /// In the order of the data.
        ///
        /// - Parameters:
        ///   - left: One picture.
        ///   - right: Another.
        /// - Returns: Whether the first comes before the second.
        public static func < (left: Picture, right: Picture) -> Bool {
            (left.part, left.index) < (right.part, right.index)
        }
    }

    /// What it is.
    public let kind: FindingKind
    /// The pictures: one, those of a group that belong together, or none where it is about a class or a file.
    public let pictures: [Picture]
    /// What is the matter, in words.
    public let detail: String

    /// Creates a finding.
    ///
    /// - Parameters:
    ///   - kind: What it is.
    ///   - pictures: The pictures.
    ///   - detail: What is the matter, in words.
    public init(kind: FindingKind, pictures: [Picture] = [], detail: String) {
        self.kind = kind
        self.pictures = pictures
        self.detail = detail
    }
}
