import Foundation

/// What a finished run measured, read from its folder.
public struct RunResult: Sendable, Equatable {
    /// How often one state of the weights was right.
    public struct Score: Sendable, Equatable {
        /// The epochs that were done.
        public let epoch: Int
        /// Whether these are the averaged weights.
        public let isAverage: Bool
        /// The share of validation images whose class was predicted, 0 to 1; of images with several labels the mean average
        /// precision.
        public let top1: Double
        /// The same by the class head alone, of a model with two heads.
        public let cls: Double?
        /// The same by the distillation head alone, of a model with two heads.
        public let dist: Double?

        /// Creates a score.
        public init(epoch: Int, isAverage: Bool, top1: Double, cls: Double?, dist: Double?) {
            self.epoch = epoch
            self.isAverage = isAverage
            self.top1 = top1
            self.cls = cls
            self.dist = dist
        }

        /// The score of one head.
        public func of(_ head: Study.Head) -> Double? {
            switch head {
            case .cls: cls
            case .dist: dist
            case .both: top1
            }
        }
    }

    /// The state with the highest score on the validation images, which `checkpoints/best` holds.
    public let best: Score
    /// The same kind of weights after the last epoch.
    public let last: Score
    /// The seconds of the whole run.
    public let seconds: Double
    /// What the scores are: top-1, or of images with several labels the mean average precision.
    public let metric: BestMetric

    /// Creates a result.
    public init(best: Score, last: Score, seconds: Double, metric: BestMetric = .top1) {
        self.best = best
        self.last = last
        self.seconds = seconds
        self.metric = metric
    }

    /// Reads the result of a run that is at its end.
    ///
    /// - Parameters:
    ///   - run: The run's folder.
    ///   - state: Its state.
    /// - Throws: ``RunError`` where its records cannot be read.
    init(run: String, state: TrainerState) throws(RunError) {
        let path = run + "/metrics.jsonl"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let best = state.best
        else { throw .unreadable(path: path, reason: "it is missing") }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let epochs = text.split(separator: "\n").compactMap {
            try? decoder.decode(Epoch.self, from: Data($0.utf8))
        }.filter { $0.event == "epoch" }
        guard let last = epochs.last,
            let found = epochs.last(where: { $0.step == best.step }),
            let bestScore = found.score(isAverage: best.isAverage),
            let lastScore = last.score(isAverage: best.isAverage)
        else { throw .unreadable(path: path, reason: "it has no records of epochs") }
        self.init(
            best: bestScore,
            last: lastScore,
            seconds: state.seconds,
            metric: last.valMap == nil ? .top1 : .map
        )
    }

    /// What is wanted of an epoch's record.
    private struct Epoch: Decodable {
        let event: String
        let epoch: Int
        let step: Int
        let valTop1: Double?
        let valClsTop1: Double?
        let valDistTop1: Double?
        let emaValTop1: Double?
        let emaValClsTop1: Double?
        let emaValDistTop1: Double?
        let valMap: Double?
        let valClsMap: Double?
        let valDistMap: Double?
        let emaValMap: Double?
        let emaValClsMap: Double?
        let emaValDistMap: Double?

        func score(isAverage: Bool) -> Score? {
            guard let top1 = isAverage ? emaValTop1 ?? emaValMap : valTop1 ?? valMap else {
                return nil
            }
            return Score(
                epoch: epoch,
                isAverage: isAverage,
                top1: top1,
                cls: isAverage ? emaValClsTop1 ?? emaValClsMap : valClsTop1 ?? valClsMap,
                dist: isAverage ? emaValDistTop1 ?? emaValDistMap : valDistTop1 ?? valDistMap
            )
        }
    }
}
