import ImagePipeline

/// Whether classes have about as many images.
enum ClassBalance {
    /// A class with this many times more or fewer images than the median class is reported.
    static let factor = 10

    /// What is lop-sided, in the part to learn from.
    static func findings(_ survey: DatasetSurvey) -> [Finding] {
        guard let dataset = survey.datasets.first, survey.names.first != "val" else { return [] }
        let counts = dataset.classCounts
        if let only = dataset.classNames.first, dataset.classNames.count == 1 {
            return [
                Finding(
                    kind: .lopsidedClass,
                    detail: "\(only) is the only class; a classifier needs at least two"
                )
            ]
        }
        let present = counts.filter { $0 > 0 }.sorted()
        guard present.count > 1 else { return [] }
        let middle = present[present.count / 2]
        return counts.indices.compactMap { label in
            let (count, name) = (counts[label], dataset.classNames[label])
            if count == 0 {
                let isTold = survey.findings.contains { $0.kind == .emptyClass }
                return isTold
                    ? nil
                    : Finding(kind: .emptyClass, detail: "\(name) has no training images")
            }
            guard count * factor < middle || count > middle * factor else { return nil }
            return Finding(
                kind: .lopsidedClass,
                detail:
                    "\(name) has \(counted(count, "image")); the median class has \(middle)"
            )
        }
    }
}
