/// Something found in data that needs inspection.
public struct Finding: Sendable, Equatable {
    /// An image of the data that was checked.
    public struct Item: Sendable, Hashable, Comparable {
        /// The part of the data, as an index into ``DataReport/parts``.
        public let part: Int
        /// The image's index in that part.
        public let index: Int

        /// Names an image.
        ///
        /// - Parameters:
        ///   - part: The part of the data, as an index into ``DataReport/parts``.
        ///   - index: The image's index in that part.
        public init(part: Int, index: Int) {
            self.part = part
            self.index = index
        }

        /// In the order of the data.
        ///
        /// - Parameters:
        ///   - left: One image.
        ///   - right: Another.
        /// - Returns: Whether the first comes before the second.
        public static func < (left: Item, right: Item) -> Bool {
            (left.part, left.index) < (right.part, right.index)
        }
    }

    /// What it is.
    public let kind: FindingKind
    /// The images: one, those of a group that belong together, or none where it is about a class or a file.
    public let images: [Item]
    /// What is the matter, in words.
    public let detail: String

    /// Creates a finding.
    ///
    /// - Parameters:
    ///   - kind: What it is.
    ///   - images: The images.
    ///   - detail: What is the matter, in words.
    public init(kind: FindingKind, images: [Item] = [], detail: String) {
        self.kind = kind
        self.images = images
        self.detail = detail
    }
}
