import ImagePipeline

extension Subset {
    /// Divides images into some to learn from and some to measure with, so that every class keeps its share.
    ///
    /// Shares are rounded so that the counts of the classes differ from exact proportion by less than one; no class
    /// gives away its last image. What is held out depends on the data and the seed only.
    ///
    /// - Parameters:
    ///   - base: The whole set.
    ///   - fraction: The share held out for measuring, between 0 and 1.
    ///   - seed: The seed of the draw.
    /// - Returns: Both parts, each in the order of the whole set.
    /// - Throws: ``DatasetError/invalid(_:)`` when the fraction is not between 0 and 1 or leaves a part empty.
    public static func split(
        _ base: any ImageDataset,
        holdingOut fraction: Double,
        seed: UInt64
    ) throws(DatasetError) -> (train: Subset, validation: Subset) {
        try checkFraction(fraction)
        var members = base.strata
        var (kept, heldOut): ([Int], [Int]) = ([], [])
        var exact = 0.0
        for label in members.indices {
            // View 2: the draw of a limited number of images has view 1.
            var generator = SplitMix64(seed: seed, epoch: 0, index: label, view: 2)
            generator.shuffle(&members[label])
            let before = exact.rounded()
            exact += fraction * Double(members[label].count)
            let count = min(Int(exact.rounded() - before), members[label].count - 1)
            heldOut += members[label].prefix(max(0, count))
            kept += members[label].dropFirst(max(0, count))
        }
        guard !heldOut.isEmpty, !kept.isEmpty else {
            guard members.contains(where: { $0.count > 1 }) else {
                throw .invalid(
                    "cannot hold out images for validation: no class has more than one image;"
                        + " add images, or a validation split"
                )
            }
            throw .invalid(
                "a fraction of \(fraction) of \(base.count) images leaves no validation images; use a larger one"
            )
        }
        return (
            try Subset(of: base, indices: kept.sorted()),
            try Subset(of: base, indices: heldOut.sorted())
        )
    }

    /// Refuses what is not a fraction.
    static func checkFraction(_ fraction: Double) throws(DatasetError) {
        guard fraction > 0, fraction < 1 else {
            throw .invalid(
                "the validation fraction must be between 0 and 1, such as 0.1, not \(fraction)"
            )
        }
    }
}
