/// Which of the dictionaries in a checkpoint holds the weights that were requested.
package struct StateDictChoice {
    /// The dictionaries of tensors under the names that trainers give them.
    package let names: [String]

    /// The place of the chosen one in the heap.
    package let dictionary: Int

    /// What the choice leaves aside, one sentence each.
    package let notes: [String]

    /// What the names of the wanted tensors begin with, a dot at its end; empty where all are wanted.
    package let prefix: String

    private static let plain = [
        "model", "state_dict", "module", "model_state_dict", "model_state", "net", "network",
        "weights", "params",
    ]
    private static let pair = ["student", "teacher"]

    /// Words in the names of dictionaries that hold no network.
    private static let others: Set<String> = [
        "loss", "criterion", "optimizer", "optimizers", "optim", "scheduler", "schedulers",
        "scaler",
        "callbacks", "loops", "rng", "queue", "center",
    ]

    /// Chooses.
    ///
    /// - Parameters:
    ///   - wanted: The name of the dictionary, or what the names of tensors begin with (`backbone`), or both with a dot
    ///     between; nil takes the plain weights where only one can be meant.
    ///   - container: The file taken apart.
    ///   - file: The name of the file, for errors and notes.
    /// - Throws: ``StorageError`` where several could be meant or none is there.
    package init(
        _ wanted: String?,
        in container: PyTorchContainer,
        file: String
    ) throws(StorageError) {
        guard case .dictionary(let root) = container.root else {
            throw StorageError.unsupported(
                file: file,
                reason: "it contains \(container.root.kind) instead of a dictionary of tensors"
            )
        }
        let heap = container.heap
        var nested = Self.nested(in: root, heap)
        if nested.isEmpty, !Self.hasTensors(root, heap) { nested = Self.deeper(in: root, heap) }
        names = nested.map(\.name)
        guard let wanted else {
            (dictionary, notes) = try Self.usual(nested, root, heap, file)
            prefix = ""
            return
        }
        if let exact = nested.first(where: { $0.name == wanted }) {
            (dictionary, notes, prefix) = (exact.place, [], "")
            return
        }
        for (name, place) in nested where wanted.hasPrefix(name + ".") {
            let rest = wanted.dropFirst(name.count + 1) + "."
            guard Self.hasNames(place, beginningWith: String(rest), heap) else { continue }
            (dictionary, notes, prefix) = (place, [], String(rest))
            return
        }
        guard let (place, notes) = try? Self.usual(nested, root, heap, file),
            Self.hasNames(place, beginningWith: wanted + ".", heap)
        else { throw Self.absent(wanted, names, file) }
        (dictionary, self.notes, prefix) = (place, notes, wanted + ".")
    }

    /// The plain weights, where only one dictionary can be meant.
    private static func usual(
        _ nested: [(name: String, place: Int)],
        _ root: Int,
        _ heap: PickleHeap,
        _ file: String
    ) throws(StorageError) -> (dictionary: Int, notes: [String]) {
        let names = nested.map(\.name)
        func isKnown(_ name: String) -> Bool { (plain + pair).contains(last(of: name)) }
        let averaged = names.filter { NetworkNames.isCopy(last(of: $0)) && !isKnown($0) }
        var candidates = names.filter(isKnown)
        if candidates.isEmpty, averaged.isEmpty, hasTensors(root, heap) { return (root, []) }
        if candidates.isEmpty {
            candidates = names.filter { name in
                !averaged.contains(name) && others.isDisjoint(with: NetworkNames.words(name))
            }
        }
        // Averaged weights alone are what was kept of the training.
        if candidates.isEmpty { candidates = averaged }
        guard let only = candidates.first, candidates.count == 1,
            let place = nested.first(where: { $0.name == only })?.place
        else { throw undecided(candidates, file) }
        let rest = names.filter { $0 != only }
        let networks = rest.filter { others.isDisjoint(with: NetworkNames.words($0)) }
        let flag = networks.first.map { " (--state-dict \($0))" } ?? ""
        let beside =
            rest.isEmpty ? "" : "; others: \(rest.joined(separator: ", "))\(flag)"
        return (place, ["the weights under \"\(only)\" are used" + beside])
    }

    private static func last(of name: String) -> String {
        name.split(separator: ".").last.map(String.init) ?? name
    }

    /// The dictionaries of tensors in dictionaries, their names joined by dots, where the outermost has none in it.
    private static func deeper(
        in root: Int,
        _ heap: PickleHeap
    ) -> [(name: String, place: Int)] {
        var found: [(name: String, place: Int)] = []
        for (key, value) in zipped(heap.dictionaries[root]) {
            guard let name = key.stringValue, case .dictionary(let place) = value,
                others.isDisjoint(with: NetworkNames.words(name))
            else { continue }
            found += nested(in: place, heap).map { ("\(name).\($0.name)", $0.place) }
        }
        return found
    }

    /// Whether a dictionary has tensors whose names begin so.
    private static func hasNames(
        _ place: Int,
        beginningWith prefix: String,
        _ heap: PickleHeap
    ) -> Bool {
        zipped(heap.dictionaries[place]).contains { key, value in
            guard case .tensor = value else { return false }
            return key.stringValue?.hasPrefix(prefix) ?? false
        }
    }

    /// The dictionaries under a text key that have tensors in them, each name once.
    private static func nested(
        in root: Int,
        _ heap: PickleHeap
    ) -> [(name: String, place: Int)] {
        var nested: [(name: String, place: Int)] = []
        var seen: Set<String> = []
        let dictionary = heap.dictionaries[root]
        for (key, value) in zipped(dictionary) {
            guard let name = key.stringValue, case .dictionary(let place) = value,
                hasTensors(place, heap), seen.insert(name).inserted
            else { continue }
            nested.append((name, place))
        }
        return nested
    }

    private static func zipped(
        _ dictionary: PickleDictionary
    ) -> [(PickleValue, PickleValue)] {
        dictionary.keys.indices.map { (dictionary.keys[$0], dictionary.values[$0]) }
    }

    private static func hasTensors(_ place: Int, _ heap: PickleHeap) -> Bool {
        heap.dictionaries[place].values.contains {
            if case .tensor = $0 { true } else { false }
        }
    }

    private static func absent(
        _ wanted: String,
        _ names: [String],
        _ file: String
    ) -> StorageError {
        let there = names.isEmpty ? "none is nested in it" : "it has \(list(names))"
        return .unsupported(
            file: file,
            reason:
                "it has neither a dictionary of tensors named \(wanted.debugDescription) nor tensors whose "
                + "names begin with it; \(there)"
        )
    }

    private static func undecided(_ names: [String], _ file: String) -> StorageError {
        guard let first = names.first else {
            return .unsupported(file: file, reason: "it contains no tensors")
        }
        return .unsupported(
            file: file,
            reason:
                "it contains several sets of weights, \(list(names)); select one, such as "
                + "--state-dict \(first)"
        )
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).map { $0.count > 40 ? $0.prefix(40) + "…" : $0[...] }
        return shown.joined(separator: ", ") + (names.count > 8 ? ", …" : "")
    }
}
