/// Several runs that differ in a few options each, and are to be compared: what a table of ablations is made of.
///
/// ``init(name:yaml:overrides:)`` tells the form of a study's file.
public struct Study: Sendable, Equatable {
    /// What is measured of a model with two heads.
    public enum Head: String, Sendable, CaseIterable {
        /// The class head alone.
        case cls
        /// The distillation head alone.
        case dist
        /// The mean of both, which is the model's prediction; of a model with one head, that head.
        case both
    }

    /// One way to train.
    public struct Row: Sendable, Equatable {
        /// What the row is called.
        public let name: String
        /// The options that make it differ from the base.
        public let changes: [Recipe.Value]
        /// The options given besides the recipe: those of the base and the changes.
        public let given: [Recipe.Value]
        /// The options in effect, with the first seed.
        public let options: TrainingOptions

        /// The name for files: letters, digits and `.=_-`, others become `-`.
        public var fileName: String {
            let parts = name.unicodeScalars.map { scalar -> Character in
                let isPlain = scalar.isASCII && scalar.properties.isAlphabetic
                let isDigit = ("0"..."9").contains(scalar)
                return isPlain || isDigit || ".=_-".unicodeScalars.contains(scalar)
                    ? Character(scalar) : "-"
            }
            // A leading dot would hide the folder.
            return String(parts).replacing(/^\./, with: "-")
        }
    }

    /// What the study is called: its file's name without ending.
    public let name: String
    /// The recipe that all rows begin with.
    public let recipe: String
    /// The rows, in the order of the table.
    public let rows: [Row]
    /// The seeds; every row is trained once with each.
    public let seeds: [Int]
    /// What is measured, in the order of the table.
    public let heads: [Head]
    /// What was noticed and is not an error, one sentence each.
    public let notes: [String]

    /// Reads a study.
    ///
    /// ```yaml
    /// base:                          # a recipe and options, for all rows
    ///   recipe: cifar
    ///   epochs: 10
    /// rows:                          # names and what differs
    ///   full: {}
    ///   large batch: {batch: 512, lr: 2.0e-3}
    /// switch-off: [mixup, [mixup, cutmix], ema]
    /// axes:                          # every combination is a row
    ///   lr: [5.0e-4, 1.0e-3]
    ///   method:
    ///     none: {distillation: none}
    ///     hard: {distillation: hard, teacher: runs/teacher}
    /// seeds: [0, 1]
    /// heads: [cls, dist, both]
    /// ```
    ///
    /// - Parameters:
    ///   - name: What the study is called in errors and in its table.
    ///   - yaml: The file's text.
    ///   - overrides: Options that win over those of the base.
    /// - Throws: ``OptionError`` for text that is not a study, unknown keys, values that an option does not take, rows that
    ///   repeat a name.
    public init(
        name: String,
        yaml: String,
        overrides: [Recipe.Value] = []
    ) throws(OptionError) {
        let file = try StudyFile(name: name, yaml: yaml)
        var expansion = try StudyExpansion(file, overrides: overrides)
        try expansion.addNamedRows()
        try expansion.addSwitchedOff()
        try expansion.addGrid()
        self.name = name
        recipe = file.recipe
        rows = try expansion.finished()
        seeds = file.seeds
        heads = file.heads
        notes = expansion.notes
    }

    /// The runs of the study: every row with every seed, the seeds of a row after one another.
    public var runs: [StudyRun] {
        rows.flatMap { row in
            seeds.map { StudyRun(row: row, seed: $0, recipe: recipe) }
        }
    }
}
