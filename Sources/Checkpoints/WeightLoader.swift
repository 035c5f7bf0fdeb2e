import Torch
import TorchNN
import VisionModels

/// Filling of a network with the tensors of a file.
struct WeightLoader {
    typealias Place = HuggingFaceKeyMap.Place

    /// One tensor that the network wants: a parameter, a buffer, or a third of a `qkv`.
    struct Wish {
        let place: Place
        let name: String
        let shape: [Int]
        let target: Tensor
    }

    static let headKeys: Set<String> = [
        "head.weight", "head.bias", "head_dist.weight", "head_dist.bias", "fc.weight", "fc.bias",
    ]

    let weights: WeightsFile
    let isDistilled: Bool

    /// Copies the file's tensors into a network; nothing is changed when they do not fit.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - relaxations: What may differ.
    ///   - freshHead: Whether the classifier keeps its fresh values even where the file's would fit.
    /// - Returns: What was not simply taken over.
    /// - Throws: ``CheckpointError`` with all differences at once.
    func load(
        into model: any ImageClassifier,
        relaxations: LoadOptions.Relaxations,
        freshHead: Bool
    ) throws(CheckpointError) -> LoadReport {
        let wishes = try wishes(of: model)
        var report = LoadReport()
        report.ignored = weights.unused
        let differing = wishes.contains { wish in
            Self.headKeys.contains(wish.place.key)
                && weights.entries[wish.place]?.shape != wish.shape
        }
        let keepsHead = !(relaxations.contains(.replaceHead) && (differing || freshHead))
        var wanted: [Wish] = []
        for wish in wishes {
            if !keepsHead, Self.headKeys.contains(wish.place.key) {
                report.replaced.append(wish.name)
            } else {
                wanted.append(wish)
            }
        }
        try check(wanted, keepsHead: keepsHead)
        for wish in wanted { try copy(wish) }
        return report
    }

    private func wishes(of model: any ImageClassifier) throws(CheckpointError) -> [Wish] {
        let map = HuggingFaceKeyMap(isDistilled: isDistilled)
        var wishes: [Wish] = []
        for (key, tensor) in model.namedTensors() {
            let names =
                weights.isHuggingFace ? map.huggingFaceKeys(of: key) : [weights.prefix + key]
            guard names.count == 3 else {
                let name = names.first ?? key
                wishes.append(
                    Wish(place: Place(key: key), name: name, shape: tensor.shape, target: tensor)
                )
                continue
            }
            for (third, name) in names.enumerated() {
                let rows = (tensor.shape.first ?? 0) / 3
                let part = try part(
                    of: tensor,
                    rows: (third * rows)..<((third + 1) * rows),
                    name: name
                )
                wishes.append(
                    Wish(
                        place: Place(key: key, third: third),
                        name: name,
                        shape: part.shape,
                        target: part
                    )
                )
            }
        }
        return wishes
    }

    private func part(
        of tensor: Tensor,
        rows: Range<Int>,
        name: String
    ) throws(CheckpointError) -> Tensor {
        do throws(TorchError) {
            return try tensor.detached().narrowed(0, rows)
        } catch {
            throw CheckpointError.tensor(name: name, reason: "\(error)")
        }
    }

    private func check(_ wanted: [Wish], keepsHead: Bool) throws(CheckpointError) {
        var missing: [String] = []
        var shapes: [CheckpointError.ShapeMismatch] = []
        var known: Set<Place> = []
        for wish in wanted {
            known.insert(wish.place)
            guard let entry = weights.entries[wish.place] else {
                missing.append(wish.name)
                continue
            }
            if entry.shape != wish.shape {
                shapes.append(.init(key: entry.name, expected: wish.shape, found: entry.shape))
            }
        }
        let unexpected = weights.entries.filter { place, _ in
            !known.contains(place) && (keepsHead || !Self.headKeys.contains(place.key))
        }
        guard missing.isEmpty, unexpected.isEmpty, shapes.isEmpty else {
            let places = Set(unexpected.keys.map(\.key))
            throw CheckpointError.incompatible(
                file: weights.file.path,
                missing: missing.sorted(),
                unexpected: unexpected.values.map(\.name).sorted(),
                shapes: shapes.sorted { $0.key < $1.key },
                hint: hint(missing: missing, unexpected: places, shapes: shapes)
            )
        }
    }

    private func hint(
        missing: [String],
        unexpected: Set<String>,
        shapes: [CheckpointError.ShapeMismatch]
    ) -> String {
        func key(_ name: String) -> String { HuggingFaceKeyMap.place(of: name)?.key ?? name }
        let missing = Set(missing.map(key))
        let misshapen = Set(shapes.map { key($0.key) })
        if missing.contains("dist_token") {
            return
                "The file has no distillation token: it is of the plain model, not the distilled one"
        }
        if unexpected.contains("dist_token") {
            return
                "The file has a distillation token: it is of the distilled model, not the plain one"
        }
        if misshapen.isEmpty, unexpected.isEmpty, missing.isSubset(of: Self.headKeys) {
            return "The file lacks a classifier: only training on with a fresh one makes it of use"
        }
        if missing.union(misshapen).isSubset(of: Self.headKeys),
            unexpected.isSubset(of: Self.headKeys)
        {
            return "Only the classifier differs: ask for a fresh one to train on other classes"
        }
        if misshapen == ["pos_embed"], missing.isEmpty, unexpected.isEmpty {
            return
                "Only the positions differ: the file is of the same model for another size of picture"
        }
        return "The file is of another architecture; check config.json, or name the right preset"
    }

    private func copy(_ wish: Wish) throws(CheckpointError) {
        guard let entry = weights.entries[wish.place] else { return }
        let value = try Safetensors.tensor(entry, of: weights.file)
        do throws(TorchError) {
            try wish.target.copy(from: value)
        } catch {
            throw CheckpointError.tensor(name: entry.name, reason: "\(error)")
        }
    }
}
