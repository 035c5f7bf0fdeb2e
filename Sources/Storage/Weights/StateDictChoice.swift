/// Which of the dictionaries in a checkpoint holds the weights that were asked for.
package struct StateDictChoice {
    /// The dictionaries of tensors under the names that trainers give them.
    package let names: [String]

    /// The place of the chosen one in the heap.
    package let dictionary: Int

    /// What the choice leaves aside, one sentence each.
    package let notes: [String]

    private static let plain = ["model", "state_dict", "module", "model_state_dict"]
    private static let averaged = ["model_ema", "state_dict_ema", "ema", "model_ema_state_dict"]
    private static let pair = ["student", "teacher"]

    /// Chooses.
    ///
    /// - Parameters:
    ///   - wanted: The name of the dictionary; nil takes the plain weights where only one can be meant.
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
                reason: "it holds \(container.root.kind) rather than a dictionary of tensors"
            )
        }
        let nested = Self.nested(in: root, container.heap)
        names = nested.map(\.name)
        let found = Set(names)
        func place(_ name: String) -> Int { nested.first { $0.name == name }?.place ?? root }
        if let wanted {
            guard found.contains(wanted) else { throw Self.absent(wanted, names, file) }
            (dictionary, notes) = (place(wanted), [])
            return
        }
        let known = (Self.plain + Self.averaged + Self.pair).filter(found.contains)
        if known.isEmpty, Self.hasTensors(root, container.heap) {
            (dictionary, notes) = (root, [])
            return
        }
        let candidates = known.isEmpty ? names : known.filter { !Self.averaged.contains($0) }
        guard let only = candidates.first, candidates.count == 1 else {
            throw Self.undecided(candidates.isEmpty ? known : candidates, file)
        }
        dictionary = place(only)
        let rest = names.filter { $0 != only }
        let beside = rest.isEmpty ? "" : "; also there: \(rest.joined(separator: ", "))"
        notes = ["the weights under \"\(only)\" were taken" + beside]
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
            reason: "it has no dictionary of tensors named \(wanted.debugDescription); \(there)"
        )
    }

    private static func undecided(_ names: [String], _ file: String) -> StorageError {
        guard !names.isEmpty else {
            return .unsupported(file: file, reason: "it holds no tensors")
        }
        let reason =
            names.count == 1
            ? "it holds only averaged weights, \(list(names))"
            : "it holds several sets of weights, \(list(names))"
        return .unsupported(
            file: file,
            reason: reason + "; say which one is meant (--state-dict NAME)"
        )
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).map { $0.count > 40 ? $0.prefix(40) + "…" : $0[...] }
        return shown.joined(separator: ", ") + (names.count > 8 ? ", …" : "")
    }
}
