import Storage
import Torch
import TorchNN
import VisionModels

/// Reading of how linear layers compute in 8 bits, from the tensors next to their weights.
struct Int8Reader {
    typealias Place = HuggingFaceKeyMap.Place
    typealias Parts = [Int8Format.Part: ArchivedTensor]

    let weights: WeightsFile

    /// Reads and checks what belongs to the weights in 8 bits.
    ///
    /// - Parameters:
    ///   - linears: The network's linear layers by their keys.
    ///   - keepsHead: Whether the file's classifiers are of use.
    /// - Returns: How the layers compute, by their keys.
    /// - Throws: ``CheckpointError`` that names the tensor, for one that is missing, has no weight in 8 bits beside
    ///   it, or is out of range.
    func read(
        for linears: [String: Linear],
        keepsHead: Bool
    ) throws(CheckpointError) -> [String: LinearQuantization] {
        func isOfUse(_ key: String) -> Bool { keepsHead || !WeightsFile.headKeys.contains(key) }
        let entries = weights.entries.sorted { $0.value.name < $1.value.name }
        for (place, entry) in entries where entry.dtype == .int8 && isOfUse(place.key) {
            let layer = place.key.hasSuffix(".weight") ? String(place.key.dropLast(7)) : place.key
            guard weights.quantized[layer] != nil else {
                throw malformed(
                    "\(entry.name) is quantized to 8 bits, but there is no "
                        + "\(Int8Format.Part.weightScale.rawValue) for it"
                )
            }
        }
        var found: [String: LinearQuantization] = [:]
        for (layer, parts) in weights.quantized.sorted(by: { $0.key < $1.key })
        where isOfUse(layer + ".weight") {
            found[layer] = try read(layer, parts, linears[layer])
        }
        return found
    }

    private func read(
        _ layer: String,
        _ parts: Parts,
        _ linear: Linear?
    ) throws(CheckpointError) -> LinearQuantization {
        let first = parts.values.map(\.name).min() ?? layer
        guard let entry = weights.entries[Place(key: layer + ".weight")] else {
            throw malformed("\(first) has no weight")
        }
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
        let input = try numbers(.inputScale, parts, entry, types: [.float32], shape: [])
        for (part, numbers) in [(Int8Format.Part.weightScale, scale), (.inputScale, input)] {
            guard numbers.allSatisfy({ $0.isFinite && $0 > 0 }) else {
                throw malformed("\(name(part, parts)) is not above 0 and finite throughout")
            }
        }
        let zero = try numbers(.inputZeroPoint, parts, entry, types: [.int32, .uint8], shape: [])
        guard let inputScale = input.first, let zeroPoint = zero.first,
            (0...255).contains(zeroPoint)
        else { throw malformed("\(name(.inputZeroPoint, parts)) is not from 0 to 255") }
        return LinearQuantization(
            weightScale: scale,
            inputScale: inputScale,
            inputZeroPoint: Int(zeroPoint)
        )
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
