import Training

extension LabelledFeatures {
    /// The cosine from which on two vectors are those of one image, where nothing else is known of it: rounding by another
    /// size of batches changes less.
    private static let sameCosine: Float = 1 - 1e-6
    /// The copies of an image that are looked for where they are told by features.
    private static let copies = 8

    /// Which of other features are those of the same images as these.
    ///
    /// - Parameter bank: The other features.
    /// - Returns: The rule; nil where no image is among both for certain.
    func itself(among bank: LabelledFeatures) -> KNNClassifier.Itself? {
        let own = labels.indices.map(digest(at:))
        let others = bank.labels.indices.map(bank.digest(at:))
        let isKnown = !own.contains(nil) && !others.contains(nil)
        let shared = Set(own.compactMap(\.self))
        var counts: [String: Int] = [:]
        for case let digest? in others where shared.contains(digest) {
            counts[digest, default: 0] += 1
        }
        let most = max(counts.values.max() ?? 0, isKnown ? 0 : Self.copies)
        guard most > 0 else { return nil }
        return KNNClassifier.Itself(most: most) { query, place, similarity in
            guard let one = own[query], let other = others[place] else {
                return similarity >= Self.sameCosine
            }
            return one == other
        }
    }

    /// How many of these images are among others, by their content.
    func sharedCount(with other: LabelledFeatures) -> Int {
        let known = Set(other.labels.indices.compactMap(other.digest(at:)))
        return labels.indices.count { index in digest(at: index).map(known.contains) ?? false }
    }
}
