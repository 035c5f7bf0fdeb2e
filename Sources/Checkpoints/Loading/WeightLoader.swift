import Storage
import Torch
import TorchNN
import VisionModels

/// Filling of a network with the tensors of a file.
struct WeightLoader {
    typealias Place = HuggingFaceKeyMap.Place
    typealias Wish = WeightMatch.Wish

    let plan: LoadPlan

    private var weights: WeightsFile { plan.weights }

    /// Copies the file's tensors into a network; nothing is changed when they do not fit.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - relaxations: What may differ.
    /// - Returns: What was not simply taken over.
    /// - Throws: ``CheckpointError`` with all differences at once.
    func load(
        into model: any ImageClassifier,
        relaxations: LoadOptions.Relaxations
    ) throws(CheckpointError) -> LoadReport {
        let wishes = try wishes(of: model)
        var report = LoadReport()
        report.ignored = weights.extras.values.map(\.name).sorted() + weights.ignored
        report.resampling = plan.positions?.resampling
        report.assumptions = plan.assumptions
        report.notes = plan.notes
        if plan.head == .none { report.dropped = weights.heads }
        let differing = wishes.contains { wish in
            WeightsFile.headKeys.contains(wish.place.key)
                && weights.entries[wish.place]?.shape != wish.shape
        }
        let isFresh = plan.head == .fresh || relaxations.contains(.replaceHead) && differing
        var wanted: [Wish] = []
        for wish in wishes {
            if isFresh, WeightsFile.headKeys.contains(wish.place.key) {
                report.replaced.append(wish.name)
            } else {
                wanted.append(wish)
            }
        }
        let keepsHead = !isFresh && plan.head != .none
        try check(wanted, keepsHead: keepsHead)
        let linears = Int8Format.linears(of: model)
        let quantizations = try Int8Reader(weights: weights).read(
            for: linears,
            keepsHead: keepsHead
        )
        for wish in wanted { try copy(wish, quantizations) }
        try WeightMatch.requireFinite(wanted, file: weights.path)
        for (layer, linear) in linears { linear.quantization = quantizations[layer] }
        report.tellInt8(quantizations.count)
        return report
    }

    /// Compares names and shapes without reading a number, but those beside weights in 8 bits.
    ///
    /// - Parameter model: The network.
    /// - Throws: ``CheckpointError`` with all differences at once.
    func check(_ model: any ImageClassifier) throws(CheckpointError) {
        let keepsHead = plan.head != .none
        try check(try wishes(of: model), keepsHead: keepsHead)
        _ = try Int8Reader(weights: weights).read(
            for: Int8Format.linears(of: model),
            keepsHead: keepsHead
        )
    }

    private func wishes(of model: any ImageClassifier) throws(CheckpointError) -> [Wish] {
        var wishes: [Wish] = []
        for (key, tensor) in model.namedTensors() {
            let names = names(of: key)
            guard names.count == 3 else {
                let name = names.first ?? key
                wishes.append(
                    Wish(
                        place: Place(key: key),
                        name: name,
                        shape: storedShape(key, tensor.shape),
                        target: tensor
                    )
                )
                continue
            }
            for (third, name) in names.enumerated() {
                let rows = (tensor.shape.first ?? 0) / 3
                let range = (third * rows)..<((third + 1) * rows)
                let part = try tensor.part(rows: range, of: name)
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

    /// What the file would call a tensor of the network.
    private func names(of key: String) -> [String] {
        guard weights.scheme == .huggingFace else { return [weights.prefix + key] }
        let isDistilled = plan.description.configuration.isDistilled
        let named = plan.description.originalConfiguration["architectures"]?.arrayValue?.first
        let architecture = named?.stringValue.flatMap(HuggingFaceArchitecture.init(rawValue:))
        let map = HuggingFaceKeyMap(isDistilled: isDistilled)
        guard let architecture, architecture.isDistilled == isDistilled else {
            return map.huggingFaceKeys(of: key)
        }
        let names = HuggingFaceKeyMap(architecture).huggingFaceKeys(of: key)
        return names.isEmpty ? map.huggingFaceKeys(of: key) : names
    }

    private func check(_ wanted: [Wish], keepsHead: Bool) throws(CheckpointError) {
        let match = WeightMatch(wanted, in: weights.entries)
        let unexpected = match.unexpected.filter {
            keepsHead || !WeightsFile.headKeys.contains($0.place.key)
        }
        guard match.missing.isEmpty, unexpected.isEmpty, match.misshapen.isEmpty else {
            throw CheckpointError.incompatible(
                file: weights.path,
                missing: match.missing.map(\.name),
                unexpected: unexpected.map(\.entry.name),
                shapes: match.misshapen.map(WeightMatch.mismatch),
                hint: LoadHint.hint(
                    missing: Set(match.missing.map(\.place.key)),
                    unexpected: Set(unexpected.map(\.place.key)),
                    misshapen: Set(match.misshapen.map(\.wish.place.key))
                )
            )
        }
    }

    /// The shape that a tensor is to have in the file.
    private func storedShape(_ key: String, _ shape: [Int]) -> [Int] {
        guard key == "pos_embed", let positions = plan.positions, shape.count == 3 else {
            return shape
        }
        return [shape[0], positions.prefixTokens + positions.resampling.from.count, shape[2]]
    }

    private func copy(
        _ wish: Wish,
        _ quantizations: [String: LinearQuantization]
    ) throws(CheckpointError) {
        guard let entry = weights.entries[wish.place] else { return }
        if entry.dtype == .int8, wish.place.key.hasSuffix(".weight"),
            let quantization = quantizations[String(wish.place.key.dropLast(".weight".count))]
        {
            return try copy(entry, quantization, into: wish.target)
        }
        guard wish.place.key == "pos_embed", let positions = plan.positions else {
            return try weights.archive.copy(entry, into: wish.target)
        }
        let stored = try weights.archive.read(entry)
        do throws(TorchError) {
            let resampled = try withoutGradient { () throws(TorchError) in
                try positions.resampling.variant.resample(
                    stored.to(.float32),
                    prefixTokens: positions.prefixTokens,
                    from: positions.resampling.from,
                    to: positions.resampling.to
                )
            }
            try wish.target.copy(from: resampled)
        } catch {
            throw CheckpointError.tensor(name: entry.name, reason: "\(error)")
        }
    }

    /// Copies a weight in 8 bits as the numbers that it stands for.
    private func copy(
        _ entry: ArchivedTensor,
        _ quantization: LinearQuantization,
        into target: Tensor
    ) throws(CheckpointError) {
        let stored = try weights.archive.read(entry)
        do throws(TorchError) {
            let scale = quantization.weightScale
            try target.copy(
                from: Int8Format.values(stored, Tensor(scale, shape: [scale.count]))
            )
        } catch {
            throw CheckpointError.tensor(name: entry.name, reason: "\(error)")
        }
    }
}

extension Tensor {
    /// Whether there is neither infinity nor NaN in it.
    func isFiniteThroughout() throws(TorchError) -> Bool {
        guard dtype.isFloatingPoint, elementCount > 0 else { return true }
        // A sum is quick, and finite only if all is; a sum of huge numbers is looked at again.
        if try detached().to(.float32).sum().item().isFinite { return true }
        return try detached().isFinite().to(.float32).min().item() > 0
    }

    /// Some rows of a tensor, which share its memory and have no gradient.
    func part(rows: Range<Int>, of name: String) throws(CheckpointError) -> Tensor {
        do throws(TorchError) {
            return try detached().narrowed(0, rows)
        } catch {
            throw CheckpointError.tensor(name: name, reason: "\(error)")
        }
    }
}
