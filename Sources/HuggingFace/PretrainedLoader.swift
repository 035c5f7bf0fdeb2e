import Checkpoints
import Foundation
import Storage
import Torch
import VisionModels

/// Copies the weights of a folder into a model; every difference that nobody allowed is an error.
struct PretrainedLoader {
    private let archive: any TensorArchive
    private let architecture: HuggingFaceArchitecture
    private let found: [HuggingFaceKeyMap.Place: ArchivedTensor]

    init(folder: String, architecture: HuggingFaceArchitecture) throws {
        guard let path = CheckpointLocation.weights(in: folder).first else {
            throw CheckpointError.unreadable(
                path: folder,
                reason:
                    "it holds neither model.safetensors nor pytorch_model.bin, nor an index of several"
            )
        }
        // timm's names become transformers', as those of a folder that was converted.
        archive = try TimmFolder(folder)?.archive() ?? WeightsArchive.open(path)
        self.architecture = architecture
        var found: [HuggingFaceKeyMap.Place: ArchivedTensor] = [:]
        for tensor in archive.tensors {
            let identity = Self.identity(of: tensor.name)
            if let other = found.updateValue(tensor, forKey: identity) {
                throw CheckpointError.malformed(
                    file: archive.path,
                    reason: "\(other.name) and \(tensor.name) are the same tensor of the model"
                )
            }
        }
        self.found = found
    }

    /// What two names have in common that mean the same tensor: prefixes and the generation of the name do not count.
    ///
    /// The three kinds of classifier are different tensors here, although they share one place in timm's names.
    private static func identity(of name: String) -> HuggingFaceKeyMap.Place {
        guard PretrainedParts(of: name) != .classifier,
            let place = HuggingFaceKeyMap.place(of: name)
        else { return HuggingFaceKeyMap.Place(key: name) }
        return place
    }

    /// Refuses a configuration whose model is far larger than the file, before memory is taken for it.
    func requireSize<Family>(for config: PretrainedConfig<Family>) throws {
        let network = try config.network(numClasses: 0)
        let width = Double(config.hiddenSize)
        let stride = Double(config.encoderStride)
        let outputs =
            switch architecture {
            case .deitModel, .vitModel: Double(config.poolerOutputSize ?? config.hiddenSize)
            case .deitForMaskedImageModeling: stride * stride * Double(config.numChannels)
            default: 2 * Double(config.numLabels)
            }
        try WeightMatch.requireSize(
            network.networkSize.parameters + outputs * (width + 1),
            held: archive.tensors.reduce(0.0) { $0 + Double($1.elementCount) },
            configuration: "config.json",
            weights: archive.path
        )
    }

    /// Copies what fits.
    func load(
        into tensors: [(name: String, tensor: Tensor)],
        options: PretrainedOptions
    ) throws(CheckpointError) -> LoadingInfo {
        var wishes: [WeightMatch.Wish] = []
        for (name, tensor) in tensors { wishes += try self.wishes(name, tensor) }
        let match = WeightMatch(wishes, in: found)
        var info = LoadingInfo()
        info.missingKeys = match.missing.map(\.name)
        info.unexpectedKeys = match.unexpected.map(\.entry.name)
        info.mismatchedKeys = match.misshapen.map(WeightMatch.mismatch)
        try check(info, options)
        for (entry, wish) in match.fitting { try archive.copy(entry, into: wish.target) }
        try WeightMatch.requireFinite(match.fitting.map(\.wish), file: archive.path)
        return info
    }

    /// A tensor as the file has it: whole, or in parts, as gate and value have names of their own in transformers' memory.
    private func wishes(
        _ name: String,
        _ tensor: Tensor
    ) throws(CheckpointError) -> [WeightMatch.Wish] {
        let place = Self.identity(of: name)
        let count = HuggingFaceKeyMap.Place.partCount(of: place.key)
        let parts = (0..<count).map { HuggingFaceKeyMap.Place(key: place.key, part: $0) }
        guard place.part == nil, found[place] == nil, parts.contains(where: { found[$0] != nil })
        else { return [.init(place: place, name: name, shape: tensor.shape, target: tensor)] }
        var wishes: [WeightMatch.Wish] = []
        do throws(TorchError) {
            let rows = (tensor.shape.first ?? 0) / count
            for (index, part) in parts.enumerated() {
                let target = try tensor.detached().narrowed(
                    0,
                    (index * rows)..<((index + 1) * rows)
                )
                wishes.append(.init(place: part, name: name, shape: target.shape, target: target))
            }
        } catch {
            throw CheckpointError.tensor(name: name, reason: "\(error)")
        }
        return wishes
    }

    private func check(
        _ info: LoadingInfo,
        _ options: PretrainedOptions
    ) throws(CheckpointError) {
        let missing = info.missingKeys.filter {
            let part = PretrainedParts(of: $0)
            return part.isEmpty || !options.newlyInitialized.contains(part)
        }
        let unexpected = info.unexpectedKeys.filter { PretrainedParts(of: $0).isEmpty }
        let shapes = info.mismatchedKeys.filter {
            PretrainedParts(of: $0.key).isEmpty || !options.ignoreMismatchedSizes
        }
        guard missing.isEmpty, unexpected.isEmpty, shapes.isEmpty else {
            throw CheckpointError.incompatible(
                file: archive.path,
                missing: missing,
                unexpected: unexpected,
                shapes: shapes,
                hint: hint(missing, unexpected, shapes)
            )
        }
    }

    private func hint(
        _ missing: [String],
        _ unexpected: [String],
        _ shapes: [CheckpointError.ShapeMismatch]
    ) -> String {
        let all = missing + unexpected + shapes.map(\.key)
        guard all.allSatisfy({ !PretrainedParts(of: $0).isEmpty }) else {
            if unexpected.contains(where: { $0.hasSuffix("embeddings.register_tokens") }) {
                return "The file has register tokens: use the Dinov2WithRegisters classes"
            }
            if missing.contains(where: { $0.hasSuffix("embeddings.register_tokens") }) {
                return "The file has no register tokens: use the Dinov2 classes"
            }
            if all.contains(where: { $0.hasSuffix("embeddings.position_embeddings") }) {
                return "The file is of a model for other images, or of one with other tokens"
            }
            return "The file is of another architecture; check config.json"
        }
        if missing.isEmpty {
            return "Pass ignoreMismatchedSizes to begin with fresh weights there"
        }
        let parts = Set(missing.map { PretrainedParts(of: $0) })
        if parts == [.pooler] {
            return "Pass addPoolingLayer: false, or newlyInitialized: .pooler for a fresh one"
        }
        return "Pass newlyInitialized to begin with fresh weights there"
    }
}
