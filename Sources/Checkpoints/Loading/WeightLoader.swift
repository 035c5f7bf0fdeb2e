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
        let (wishes, absent) = try wishes(of: model)
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
        for (name, part) in absent { try zero(part, name) }
        try checkPeriods()
        try WeightMatch.requireFinite(wanted, file: weights.path)
        for (layer, linear) in linears { linear.quantization = quantizations[layer] }
        report.tellInt8(quantizations.count)
        return report
    }

    /// Compares names and shapes without reading a number, but those next to weights in 8 bits.
    ///
    /// - Parameter model: The network.
    /// - Throws: ``CheckpointError`` with all differences at once.
    func check(_ model: any ImageClassifier) throws(CheckpointError) {
        let keepsHead = plan.head != .none
        try check(try wishes(of: model).wishes, keepsHead: keepsHead)
        _ = try Int8Reader(weights: weights).read(
            for: Int8Format.linears(of: model),
            keepsHead: keepsHead
        )
    }

    /// What the network needs of the file, and the parts of its tensors that the file's names leave out.
    private func wishes(
        of model: any ImageClassifier
    ) throws(CheckpointError) -> (wishes: [Wish], absent: [(name: String, part: Tensor)]) {
        var wishes: [Wish] = []
        var absent: [(name: String, part: Tensor)] = []
        for (key, tensor) in model.namedTensors() {
            let names = names(of: key)
            let isWhole = weights.entries[Place(key: key)] != nil
            // Files of transformers' names in memory have gate and value apart, files that it saved in one.
            let count =
                isWhole
                ? 1 : weights.hasParts(of: key) ? TensorPlace.partCount(of: key) : names.count
            guard count > 1 else {
                let name = names.first.flatMap { $0 } ?? key
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
            let rows = (tensor.shape.first ?? 0) / count
            for index in 0..<count {
                let place = Place(key: key, part: index)
                let name = index < names.count ? names[index] : key
                let target = try tensor.part(rows: (index * rows)..<((index + 1) * rows), of: key)
                guard name != nil || weights.entries[place] != nil else {
                    absent.append((key, target))
                    continue
                }
                wishes.append(
                    Wish(place: place, name: name ?? key, shape: target.shape, target: target)
                )
            }
        }
        return (wishes, absent)
    }

    private func zero(_ part: Tensor, _ name: String) throws(CheckpointError) {
        do throws(TorchError) {
            try part.fill(0)
        } catch {
            throw CheckpointError.tensor(name: name, reason: "\(error)")
        }
    }

    /// Refuses rotary positions with other periods than the network's, which are in files of DINOv3's own code.
    private func checkPeriods() throws(CheckpointError) {
        guard let vit = plan.description.configuration.transformer,
            let periods = try weights.rotaryPeriods(), let expected = vit.rotaryPeriods
        else { return }
        // Stored in bf16 by some trainings.
        let isSame =
            periods.count == expected.count
            && zip(periods, expected).allSatisfy { abs($0 - $1) <= 0.01 * $1 }
        guard !isSame else { return }
        throw CheckpointError.unsupported(
            file: weights.path,
            reason: "\(DINOv3Names.periods) are not those of rotary positions with the temperature "
                + "\(vit.rotaryTemperature ?? 0), which are built here"
        )
    }

    /// What the file would call a tensor of the network.
    private func names(of key: String) -> [String?] {
        guard weights.scheme == .huggingFace,
            let vit = plan.description.configuration.transformer
        else {
            guard let names = weights.names else { return [weights.prefix + key] }
            return names.names(of: key).map { $0.map { weights.prefix + $0 } }
        }
        if weights.isTower {
            return HuggingFaceKeyMap.towerNames(of: key).map { $0.map { weights.prefix + $0 } }
        }
        let named = plan.description.originalConfiguration["architectures"]?.arrayValue?.first
        if let architecture = named?.stringValue.flatMap(HuggingFaceArchitecture.init(rawValue:)),
            architecture.refusal(of: vit) == nil
        {
            let names = HuggingFaceKeyMap(architecture, of: vit).names(of: key)
            if !names.isEmpty { return names }
        }
        var classifier = vit
        classifier.numClasses = max(1, vit.numClasses)
        classifier.singleHead = false
        return HuggingFaceKeyMap(HuggingFaceArchitecture(of: classifier), of: vit)
            .names(of: key)
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
        guard key == "pos_embed", shape.count == 3 else { return shape }
        let count =
            plan.positions.map { $0.prefixTokens + $0.resampling.from.count } ?? shape[1]
        let hasRegisters = plan.description.configuration.transformer.map { $0.regTokens > 0 }
        let isApart = weights.hasClassPosition && hasRegisters == true
        return [shape[0], isApart ? count + 1 : count, shape[2]]
    }

    private func copy(
        _ wish: Wish,
        _ quantizations: [String: LinearQuantization]
    ) throws(CheckpointError) {
        guard let entry = weights.entries[wish.place] else { return }
        if entry.dtype == .int8, wish.place.key.hasSuffix(".weight"),
            let quantization = quantizations[String(wish.place.key.dropLast(".weight".count))]
        {
            return try copy(entry, quantization, wish)
        }
        if wish.place.key == "cls_token", let split = try weights.classPosition() {
            do throws(TorchError) {
                return try wish.target.copy(from: split.sum())
            } catch {
                throw CheckpointError.tensor(name: entry.name, reason: "\(error)")
            }
        }
        guard wish.place.key == "pos_embed", plan.positions != nil || weights.hasClassPosition
        else { return try weights.archive.copy(entry, into: wish.target) }
        let stored = try weights.archive.read(entry)
        do throws(TorchError) {
            let resampled = try withoutGradient { () throws(TorchError) in
                try self.positions(stored.to(.float32))
            }
            try wish.target.copy(from: resampled)
        } catch {
            throw CheckpointError.tensor(name: entry.name, reason: "\(error)")
        }
    }

    /// The network's positions from those of the file, `[1, positions, embedDim]`.
    private func positions(_ stored: Tensor) throws(TorchError) -> Tensor {
        // The class token contains its position.
        let own =
            try weights.hasClassPosition
            ? stored.narrowed(1, 1..<stored.shape3().1) : stored
        guard let positions = plan.positions else { return own }
        return try positions.resampling.variant.resample(
            own,
            prefixTokens: positions.prefixTokens,
            from: positions.resampling.from,
            to: positions.resampling.to,
            hasRegisters: plan.description.configuration.transformer.map { $0.regTokens > 0 }
                ?? false
        )
    }

    /// Copies a weight in 8 bits as the numbers that it represents.
    private func copy(
        _ entry: ArchivedTensor,
        _ quantization: LinearQuantization,
        _ wish: Wish
    ) throws(CheckpointError) {
        let stored = try weights.archive.read(entry)
        do throws(TorchError) {
            let scale = try Int8Format.scale(
                quantization,
                part: wish.place.part,
                rows: wish.shape.first ?? 0
            )
            try wish.target.copy(from: Int8Format.values(stored, scale))
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
