import ImagePipeline

/// Looks at every image of a data set, and at all of them together, before anything is trained.
///
/// Images are read and decoded on all cores; what is kept of each is some tens of bytes, and a thumbnail on the disk.
/// The result does not depend on the number of workers.
public struct DataCheck: Sendable {
    /// The data.
    public let location: DatasetLocation
    /// How many images are checked at the same time.
    public let workers: Int

    /// Prepares a check.
    ///
    /// - Parameters:
    ///   - path: The folder, list or archive.
    ///   - workers: How many images are checked at the same time, at least 1.
    ///   - labels: How labels are written, where the data can be read in two ways.
    /// - Throws: ``DatasetError`` when there is nothing, or the number of workers makes no sense.
    public init(
        path: String,
        workers: Int,
        labels: LabelFormat = LabelFormat()
    ) throws(DatasetError) {
        guard (1...1024).contains(workers) else {
            throw .invalid("the number of workers must be from 1 to 1024, not \(workers)")
        }
        location = try DatasetLocation(path: path, labels: labels)
        self.workers = workers
    }

    /// The images that one task looks at before it reports.
    private static let chunkSize = 32

    /// Looks at everything.
    ///
    /// - Parameters:
    ///   - isolation: The actor that progress is reported on: the caller's.
    ///   - progress: Called with the number of images done and of all.
    /// - Returns: What was found.
    /// - Throws: ``DatasetError`` when the data cannot be opened at all, or the task was cancelled.
    public func run(
        isolation: isolated (any Actor)? = #isolation,
        progress: (Int, Int) -> Void = { _, _ in }
    ) async throws(DatasetError) -> DataReport {
        let survey = try DatasetSurvey(location)
        let store = try ThumbnailStore()
        var examiners: [ImageExaminer] = []
        var total = 0
        for (part, dataset) in survey.datasets.enumerated() {
            examiners.append(
                ImageExaminer(dataset: dataset, part: part, store: store, offset: total)
            )
            total += dataset.count
        }
        var (facts, findings) = try await examine(examiners, total: total, progress)
        findings = survey.findings + findings
        findings += DuplicateFindings(facts, store, survey.datasets).findings
        findings += ClassBalance.findings(survey)
        return DataReport(survey: survey, facts: facts, findings: findings)
    }

    private func examine(
        _ examiners: [ImageExaminer],
        total: Int,
        isolation: isolated (any Actor)? = #isolation,
        _ progress: (Int, Int) -> Void
    ) async throws(DatasetError) -> (facts: [ImageFacts], findings: [Finding]) {
        var chunks: [(examiner: ImageExaminer, range: Range<Int>)] = []
        for examiner in examiners {
            for start in stride(from: 0, to: examiner.dataset.count, by: Self.chunkSize) {
                let end = min(start + Self.chunkSize, examiner.dataset.count)
                chunks.append((examiner, start..<end))
            }
        }
        var results = [[ImageExaminer.Result]?](repeating: nil, count: chunks.count)
        var done = 0
        await withTaskGroup(of: (Int, [ImageExaminer.Result]).self) { group in
            var next = 0
            func add() {
                guard next < chunks.count, !Task.isCancelled else { return }
                let (place, chunk) = (next, chunks[next])
                next += 1
                group.addTask { (place, chunk.range.map(chunk.examiner.examine)) }
            }
            for _ in 0..<workers { add() }
            while let (place, result) = await group.next(isolation: #isolation) {
                results[place] = result
                done += result.count
                progress(done, total)
                add()
            }
        }
        if Task.isCancelled { throw .cancelled }
        let all = results.flatMap { $0 ?? [] }
        return (all.map(\.facts), all.flatMap(\.findings))
    }
}
