import Storage
import Torch
import TorchNN
import VisionModels

/// Reading of what linear layers in 8 bits are made of, from the tensors next to their weights.
struct Int8Reader {
    typealias Place = HuggingFaceKeyMap.Place
    typealias Parts = [Int8Format.Part: ArchivedTensor]

    let weights: WeightsFile

    /// Reads and checks what belongs to the weights in 8 bits.
    ///
    /// - Parameters:
    ///   - linears: The network's linear layers by their keys.
    ///   - keepsHead: Whether the file's classifiers are of use.
    /// - Returns: What the layers are made of, by their keys.
    /// - Throws: ``CheckpointError`` that names the tensor, for one that is missing, has no weight in 8 bits beside
    ///   it, or is out of range.
    func read(
        for linears: [String: Linear],
        keepsHead: Bool
    ) throws(CheckpointError) -> [String: LinearQuantization] {
        func isOfUse(_ key: String) -> Bool { keepsHead || !WeightsFile.headKeys.contains(key) }
        let entries = weights.entries.sorted { $0.value.name < $1.value.name }
        for (place, entry) in entries where entry.dtype == .int8 && isOfUse(place.key) {
            guard weights.quantized[place] != nil else {
                throw malformed(
                    "\(entry.name) is quantized to 8 bits, but there is no "
                        + "\(Int8Format.Part.weightScale.rawValue) for it"
                )
            }
        }
        var found: [String: LinearQuantization] = [:]
        // The parts of a layer follow each other.
        let places = weights.quantized.keys.filter { isOfUse($0.key) }
            .sorted { ($0.key, $0.part ?? 0) < ($1.key, $1.part ?? 0) }
        for place in places {
            let layer = String(place.key.dropLast(".weight".count))
            let scale = try read(place, weights.quantized[place] ?? [:], linears[layer])
            found[layer, default: LinearQuantization(weightScale: [])].weightScale += scale
        }
        for place in places where place.part != nil {
            let count = places.count { $0.key == place.key }
            let stored = weights.entries.keys.count { $0.key == place.key && $0.part != nil }
            guard count == stored else {
                throw malformed(
                    "of the parts of \(place.key) some are in 8 bits and others are not"
                )
            }
        }
        return found
    }

    private func read(
        _ place: Place,
        _ parts: Parts,
        _ linear: Linear?
    ) throws(CheckpointError) -> [Float] {
        let first = parts.values.map(\.name).min() ?? place.key
        guard let entry = weights.entries[place] else { throw malformed("\(first) has no weight") }
        guard entry.dtype == .int8 else {
            throw malformed(
                "there is \(first), but \(entry.name) has the type \(entry.dtype.rawValue), not I8"
            )
        }
        guard linear != nil, let rows = entry.shape.first else {
            throw CheckpointError.unsupported(
                file: weights.path,
                reason: "\(entry.name) is quantized to 8 bits, which only linear layers support"
            )
        }
        let scale = try numbers(.weightScale, parts, entry, types: [.float32], shape: [rows])
        guard scale.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw malformed("\(name(.weightScale, parts)) is not above 0 and finite throughout")
        }
        return scale
    }

    private func numbers(
        _ part: Int8Format.Part,
        _ parts: Parts,
        _ weight: ArchivedTensor,
        types: [SafetensorsDType],
        shape: [Int]
    ) throws(CheckpointError) -> [Float] {
        guard let tensor = parts[part] else {
            throw malformed(
                "\(weight.name) is quantized to 8 bits, but there is no \(part.rawValue) for it"
            )
        }
        guard types.contains(tensor.dtype), tensor.shape == shape else {
            throw malformed(
                "\(tensor.name) is \(tensor.dtype.rawValue) \(tensor.shape), not "
                    + "\(types.map(\.rawValue).joined(separator: " or ")) \(shape)"
            )
        }
        let value = try weights.archive.read(tensor)
        do throws(TorchError) {
            return try value.to(.float32).floats()
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
    }

    private func name(_ part: Int8Format.Part, _ parts: Parts) -> String {
        parts[part]?.name ?? part.rawValue
    }

    private func malformed(_ reason: String) -> CheckpointError {
        .malformed(file: weights.path, reason: reason)
    }
}
