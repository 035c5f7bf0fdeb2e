import Storage
import Yams

/// A study's file as it was written, before its rows are made.
struct StudyFile {
    /// One direction of a grid.
    struct Axis {
        let name: String
        /// What each value is called and the options that it sets.
        let values: [(name: String, changes: [Recipe.Value])]
    }

    let name: String
    var recipe = "quickstart"
    var base: [Recipe.Value] = []
    var rows: [(name: String, changes: [Recipe.Value])] = []
    var switchOff: [[String]] = []
    var axes: [Axis] = []
    var seeds = [0]
    var heads = Study.Head.allCases

    private static let keys = ["base", "rows", "switch-off", "axes", "seeds", "heads"]

    init(name: String, yaml: String) throws(OptionError) {
        self.name = name
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw .conflict("the study \(name) cannot be read: \(Recipe.oneLine(error))")
        }
        guard let mapping = root?.mapping else {
            throw .conflict(
                "the study \(name) cannot be read: expected a mapping with the keys "
                    + Self.keys.joined(separator: ", ")
            )
        }
        for (keyNode, value) in mapping {
            try read(keyNode.string ?? "", value)
        }
    }

    private mutating func read(_ key: String, _ value: Node) throws(OptionError) {
        switch key.replacing("_", with: "-") {
        case "base": try readBase(value)
        case "rows":
            for (name, node) in try mapping(value, "rows") {
                rows.append((name, try options(node, "the row \"\(name)\" of \(self.name)")))
            }
        case "switch-off": switchOff = try readSwitchOff(value)
        case "axes":
            for (name, node) in try mapping(value, "axes") { axes.append(try axis(name, node)) }
        case "seeds": seeds = try readSeeds(value)
        case "heads": heads = try readHeads(value)
        default:
            throw .conflict(
                "the study \(name) has no key \"\(key)\""
                    + (Suggestion.nearest(to: key, among: Self.keys)
                        .map { "; did you mean \"\($0)\"?" }
                        ?? "; it takes \(Self.keys.joined(separator: ", "))")
            )
        }
    }

    private mutating func readBase(_ value: Node) throws(OptionError) {
        var others: [(Node, Node)] = []
        guard let mapping = value.mapping else {
            throw wrong("base", "a mapping such as \"{recipe: cifar, epochs: 10}\"")
        }
        for (key, node) in mapping {
            guard key.string == "recipe" else {
                others.append((key, node))
                continue
            }
            guard let text = node.scalar?.string, !text.isEmpty else {
                throw wrong("recipe", "a recipe's name or a YAML file")
            }
            recipe = text
        }
        base = try options(Node(others), "the base of \(name)")
    }

    /// Options, of which none is the seed.
    private func options(_ node: Node, _ source: String) throws(OptionError) -> [Recipe.Value] {
        if node.isNothing { return [] }
        guard let mapping = node.mapping else {
            throw .conflict("\(source) must be a mapping of options such as \"{mixup: 0}\"")
        }
        if mapping.contains(where: { $0.key.string == "recipe" }) {
            throw .conflict("\(source) has a recipe; it belongs to base, for all rows")
        }
        let values = try Recipe.values(of: mapping, source: source)
        if values.contains(where: { $0.key == Settings.declared.seed.key }) {
            throw .conflict(
                "\(source) has a seed: every row is trained with each of `seeds: [0, 1]`"
            )
        }
        var options = TrainingOptions()
        for value in values { try options.set(value.key, to: value.text, source: source) }
        return values
    }

    private func axis(_ axis: String, _ node: Node) throws(OptionError) -> Axis {
        let source = "the axis \"\(axis)\" of \(name)"
        if let values = node.sequence {
            var read: [(String, [Recipe.Value])] = []
            for value in values {
                let changes = try options(Node([(Node(axis), value)]), source)
                read.append((changes.map(\.text).joined(), changes))
            }
            if !read.isEmpty { return Axis(name: axis, values: read) }
        }
        guard node.sequence == nil, node.mapping?.isEmpty == false else {
            throw .conflict(
                "\(source) must be a list of values of the option, or a mapping from names to options "
                    + "such as \"{small: {lr: 1.0e-4}}\""
            )
        }
        var read: [(String, [Recipe.Value])] = []
        for (value, changes) in try mapping(node, axis) {
            read.append((value, try options(changes, "\"\(value)\" in \(source)")))
        }
        return Axis(name: axis, values: read)
    }

    private func readSwitchOff(_ value: Node) throws(OptionError) -> [[String]] {
        let lists = (value.sequence.map(Array.init) ?? [value]).map { node in
            (node.sequence.map(Array.init) ?? [node]).compactMap { $0.scalar?.string }
        }
        guard !lists.isEmpty, lists.allSatisfy({ !$0.isEmpty }) else {
            throw wrong("switch-off", "a list of options such as [mixup, cutmix]")
        }
        return lists
    }

    private func readSeeds(_ value: Node) throws(OptionError) -> [Int] {
        let nodes = value.sequence.map(Array.init) ?? [value]
        let seeds = nodes.compactMap(\.int).filter { $0 >= 0 }
        guard !seeds.isEmpty, seeds.count == nodes.count, Set(seeds).count == seeds.count else {
            throw wrong("seeds", "different integers of at least 0, such as [0, 1]")
        }
        return seeds
    }

    private func readHeads(_ value: Node) throws(OptionError) -> [Study.Head] {
        let names = (value.sequence.map(Array.init) ?? [value]).map { $0.scalar?.string ?? "" }
        let known = Study.Head.allCases.map(\.rawValue)
        for name in names where !known.contains(name) {
            throw wrong("heads", "of cls, dist, both" + Suggestion.phrase(for: name, among: known))
        }
        let heads = names.compactMap(Study.Head.init)
        guard !heads.isEmpty, Set(heads).count == heads.count else {
            throw wrong("heads", "of cls, dist, both, each once")
        }
        return heads
    }

    private func mapping(_ node: Node, _ key: String) throws(OptionError) -> [(String, Node)] {
        guard let mapping = node.mapping, !mapping.isEmpty else {
            throw wrong(key, "a mapping from names to options such as \"{full: {}}\"")
        }
        return try mapping.map { (key, value) throws(OptionError) -> (String, Node) in
            guard let name = key.scalar?.string, !name.isEmpty else {
                throw wrong(key.string ?? "rows", "names, each with its options")
            }
            return (name, value)
        }
    }

    private func wrong(_ key: String, _ expected: String) -> OptionError {
        .conflict("\(key) in the study \(name) must be \(expected)")
    }
}

extension Node {
    /// Whether the value is empty, as after `full:`.
    fileprivate var isNothing: Bool {
        guard let scalar else { return false }
        return scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null"
    }
}
