public import Training

/// What a study has found so far: its rows with their runs, and its teachers.
public struct StudyReport: Sendable, Equatable {
    /// One seed of a row.
    public struct Run: Sendable, Equatable {
        /// The seed.
        public let seed: Int
        /// The folder, as the command has it.
        public let folder: String
        /// The command that makes the run.
        public let command: String
        /// What it measured; nil where it is not at its end.
        public let result: RunResult?
        /// Why it has no result; nil where it has one, or has not been tried.
        public let failure: String?

        /// Creates a run.
        public init(
            seed: Int,
            folder: String,
            command: String,
            result: RunResult?,
            failure: String?
        ) {
            self.seed = seed
            self.folder = folder
            self.command = command
            self.result = result
            self.failure = failure
        }
    }

    /// One way to train.
    public struct Row: Sendable, Equatable {
        /// What it is called.
        public let name: String
        /// The options that make it differ from the base: `mixup 0`.
        public let changes: [String]
        /// The number of the model's parameters.
        public let parameterCount: Int
        /// A run for each seed.
        public let runs: [Run]

        /// Creates a row.
        public init(name: String, changes: [String], parameterCount: Int, runs: [Run]) {
            self.name = name
            self.changes = changes
            self.parameterCount = parameterCount
            self.runs = runs
        }

        /// The results of the runs that are at their end.
        public var results: [RunResult] { runs.compactMap(\.result) }

        /// The share of right predictions of a head, over the seeds; nil where there is none.
        public func spread(of head: Study.Head) -> Spread? {
            Spread(results.compactMap { $0.best.of(head) })
        }
    }

    /// A teacher of some of the rows.
    public struct Teacher: Sendable, Equatable {
        /// Its checkpoint.
        public let path: String
        /// The share of validation images whose class it predicts, 0 to 1; of images with several labels the mean average
        /// precision.
        public let top1: Double
        /// The validation images.
        public let count: Int

        /// Creates a teacher's score.
        public init(path: String, top1: Double, count: Int) {
            self.path = path
            self.top1 = top1
            self.count = count
        }
    }

    /// What the study is called.
    public let name: String
    /// The command that makes the whole study.
    public let command: String
    /// What is measured, in the order of the table.
    public let heads: [Study.Head]
    /// The seeds.
    public let seeds: [Int]
    /// The rows, in the order of the table.
    public let rows: [Row]
    /// The teachers.
    public let teachers: [Teacher]

    /// Creates a report.
    public init(
        name: String,
        command: String,
        heads: [Study.Head],
        seeds: [Int],
        rows: [Row],
        teachers: [Teacher]
    ) {
        self.name = name
        self.command = command
        self.heads = heads
        self.seeds = seeds
        self.rows = rows
        self.teachers = teachers
    }

    /// What the scores are: top-1, or of images with several labels the mean average precision.
    var metric: BestMetric {
        rows.lazy.flatMap(\.results).first?.metric ?? .top1
    }

    /// The heads that any row has a number for; a study of models with one head has one column.
    var shownHeads: [Study.Head] {
        let found = heads.filter { head in rows.contains { $0.spread(of: head) != nil } }
        return found.isEmpty ? [.both] : found
    }

    /// The head that rows are compared by: the prediction, where it is measured.
    var mainHead: Study.Head {
        shownHeads.contains(.both) ? .both : shownHeads.first ?? .both
    }
}

/// Numbers of several repeats, summed up.
public struct Spread: Sendable, Equatable {
    /// The numbers.
    public let values: [Double]
    /// Their mean.
    public let mean: Double
    /// The sample's standard deviation, with the number less one as divisor; nil for a single number.
    public let deviation: Double?

    /// Sums numbers up; nil where there are none.
    public init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        self.values = values
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = values.count > 1 ? (squares / (count - 1)).squareRoot() : nil
    }
}
