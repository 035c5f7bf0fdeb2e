/// Makes rows out of a study's file.
struct StudyExpansion {
    private let file: StudyFile
    private let base: [Recipe.Value]
    private let baseOptions: TrainingOptions
    private var rows: [Study.Row] = []
    private(set) var notes: [String] = []

    /// No study has more; a grid grows fast.
    private static let mostRows = 1_000

    init(_ file: StudyFile, overrides: [Recipe.Value]) throws(OptionError) {
        self.file = file
        base = Self.merged(file.base, overrides)
        var options = TrainingOptions()
        try options.apply(Recipe.named(file.recipe))
        for value in file.base {
            try options.set(value.key, to: value.text, source: "the base of \(file.name)")
        }
        for value in overrides {
            try options.set(value.key, to: value.text, source: "the command line")
        }
        options.seed = file.seeds.first ?? 0
        baseOptions = options
    }

    /// The rows that have names.
    mutating func addNamedRows() throws(OptionError) {
        for row in file.rows { try add(row.name, row.changes) }
    }

    /// A row for each option that is switched off, and one with all of them on.
    mutating func addSwitchedOff() throws(OptionError) {
        guard !file.switchOff.isEmpty else { return }
        if !rows.contains(where: { $0.options == baseOptions }) { try add("full", []) }
        for keys in file.switchOff {
            var changes: [Recipe.Value] = []
            for key in keys { changes = Self.merged(changes, try off(key)) }
            try add("without " + keys.joined(separator: ", "), changes)
        }
    }

    /// A row for each combination of the axes' values.
    mutating func addGrid() throws(OptionError) {
        guard !file.axes.isEmpty else { return }
        var count = 1
        for axis in file.axes {
            count *= axis.values.count
            guard count <= Self.mostRows else {
                throw .conflict(
                    "the axes of \(file.name) have more than \(Self.mostRows) combinations: remove some values"
                )
            }
        }
        for place in 0..<count {
            var rest = place
            var parts: [String] = []
            var changes: [Recipe.Value] = []
            // The last axis changes fastest.
            for axis in file.axes.reversed() {
                let value = axis.values[rest % axis.values.count]
                rest /= axis.values.count
                parts.insert("\(axis.name)=\(value.name)", at: 0)
                changes = Self.merged(value.changes, changes)
            }
            try add(parts.joined(separator: " "), changes)
        }
    }

    /// All rows; one of the base alone where the file names none.
    mutating func finished() throws(OptionError) -> [Study.Row] {
        if rows.isEmpty { try add("base", []) }
        return rows
    }

    private mutating func add(_ name: String, _ changes: [Recipe.Value]) throws(OptionError) {
        var options = baseOptions
        for value in changes {
            try options.set(
                value.key,
                to: value.text,
                source: "the row \"\(name)\" of \(file.name)"
            )
        }
        let row = Study.Row(
            name: name,
            changes: changes,
            given: Self.merged(base, changes),
            options: options
        )
        if let same = rows.first(where: { $0.options == options }) {
            notes.append("the row \"\(name)\" equals \"\(same.name)\" and is skipped")
            return
        }
        if let other = rows.first(where: { $0.fileName.lowercased() == row.fileName.lowercased() })
        {
            throw .conflict(
                "the rows \"\(other.name)\" and \"\(name)\" of \(file.name) would have the same folder: "
                    + "rename one"
            )
        }
        guard rows.count < Self.mostRows else {
            throw .conflict("\(file.name) has more than \(Self.mostRows) rows")
        }
        rows.append(row)
    }

    /// What switches an option off.
    private func off(_ name: String) throws(OptionError) -> [Recipe.Value] {
        let source = "switch-off of \(file.name)"
        guard let setting = Settings.named(name) else {
            throw .unknownKey(name, source: source)
        }
        let declared = Settings.declared
        // A teacher without distillation would be a contradiction.
        if [declared.distillation.key, declared.teacher.key].contains(setting.key) {
            guard baseOptions.distillation != .none else { throw alreadyOff(name) }
            // Nor may anything be left that belongs to a teacher.
            let defaults = TrainingOptions()
            let settings: [any AnySetting] = [
                declared.distillation, declared.teacher, declared.teacherFinetune,
                declared.cacheTeacher,
            ]
            return settings.filter { !$0.isEqual(baseOptions, defaults) }
                .map { Recipe.Value(key: $0.key, text: $0.text(in: defaults)) }
        }
        for word in ["off", "0", "none"] where setting.expected != "text" {
            var changed = baseOptions
            guard setting.read(word, into: &changed) else { continue }
            guard changed != baseOptions else { throw alreadyOff(name) }
            return [Recipe.Value(key: setting.key, text: word)]
        }
        throw .conflict("\(name) in \(source) cannot be switched off; use rows instead")
    }

    private func alreadyOff(_ name: String) -> OptionError {
        .conflict("\(name) in switch-off of \(file.name) is already off in the base; remove it")
    }

    /// The values of both, of a key in both the second one's at the first one's place.
    private static func merged(_ first: [Recipe.Value], _ second: [Recipe.Value]) -> [Recipe.Value]
    {
        var values = first
        for value in second {
            if let place = values.firstIndex(where: { $0.key == value.key }) {
                values[place] = value
            } else {
                values.append(value)
            }
        }
        return values
    }
}
