import Storage
import Torch
import TorchNN
import VisionModels

/// How linear layers in 8 bits lie in a file of weights.
///
/// A layer `X` has `X.weight` as I8 `[out, in]`, and beside it `X.weight_scale` (F32 `[out]`): the weight is
/// `weight_scale` times the 8-bit number of its row. In Hugging Face's form queries, keys and values are layers of their
/// own. `X.input_scale` and `X.input_zero_point`, which earlier versions wrote, are read over: inputs are rounded with
/// steps of their own.
enum Int8Format {
    typealias Place = HuggingFaceKeyMap.Place

    /// A tensor beside the weight.
    enum Part: String, CaseIterable {
        case weightScale = "weight_scale"
        case inputScale = "input_scale"
        case inputZeroPoint = "input_zero_point"
    }

    /// The key of a configuration under which libraries look for how a model's numbers are packed.
    static let configurationKey = "quantization_config"

    /// What stands there, so that libraries that do not know the form refuse the file.
    static let configuration: JSONValue = ["quant_method": "deit-int8"]

    /// The layer and the part that a tensor's name tells; nil for every other tensor.
    static func part(of name: String) -> (layer: String, part: Part)? {
        guard let dot = name.lastIndex(of: "."),
            let part = Part(rawValue: String(name[name.index(after: dot)...]))
        else { return nil }
        return (String(name[..<dot]), part)
    }

    /// The linear layers of a network by the keys that their tensors begin with.
    static func linears(of model: Module) -> [String: Linear] {
        var layers: [String: Linear] = [:]
        for (name, module) in model.namedModules() {
            if let linear = module as? Linear { layers[name] = linear }
        }
        return layers
    }

    /// How the layers compute that compute in 8 bits.
    static func quantizations(of model: Module) -> [String: LinearQuantization] {
        linears(of: model).compactMapValues(\.quantization)
    }

    // MARK: - Writing

    /// A network's tensors as they are written, with those next to the weights in 8 bits.
    ///
    /// - Parameters:
    ///   - tensors: The network's tensors, by the names in the file.
    ///   - model: The network.
    ///   - place: The place in the network of a tensor of a name.
    /// - Returns: The tensors.
    /// - Throws: ``CheckpointError/tensor(name:reason:)`` for a weight that is no longer made of whole steps.
    static func packed(
        _ tensors: [(name: String, tensor: Tensor)],
        of model: Module,
        place: (String) -> Place = { Place(key: $0) }
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        let quantizations = quantizations(of: model)
        guard !quantizations.isEmpty else { return tensors }
        var result: [(name: String, tensor: Tensor)] = []
        for (name, tensor) in tensors {
            let place = place(name)
            guard place.key.hasSuffix(".weight"), tensor.shape.count == 2,
                let quantization = quantizations[String(place.key.dropLast(".weight".count))]
            else {
                result.append((name, tensor))
                continue
            }
            do throws(TorchError) {
                let scale = try scale(quantization, part: place.part, rows: tensor.shape[0])
                let layer = name.dropLast("weight".count)
                result += [
                    (name, try steps(of: tensor, scale)),
                    (layer + Part.weightScale.rawValue, scale),
                ]
            } catch {
                throw CheckpointError.tensor(name: name, reason: error.message)
            }
        }
        return result
    }

    /// The steps of some of a weight's rows, `[rows]`: of all, or of one of several parts.
    static func scale(
        _ quantization: LinearQuantization,
        part: Int?,
        rows: Int
    ) throws(TorchError) -> Tensor {
        let all = quantization.weightScale
        let first = (part ?? 0) * rows
        guard part == nil || first + rows <= all.count else {
            return try Tensor(all, shape: [all.count])
        }
        let some = part == nil ? all : Array(all[first..<(first + rows)])
        return try Tensor(some, shape: [some.count])
    }

    /// The 8-bit numbers of a weight, of which every number is exactly that many steps.
    private static func steps(
        of weight: Tensor,
        _ scale: Tensor
    ) throws(TorchError) -> Tensor {
        guard weight.shape.count == 2, weight.shape[0] == scale.elementCount else {
            throw TorchError(
                operation: "int8",
                message: "its shape \(weight.shape) does not fit its scale of "
                    + "\(scale.elementCount) rows"
            )
        }
        return try withoutGradient { () throws(TorchError) in
            let weight = try weight.detached()
            // Numbers that are whole but for rounding; the nearest is the one meant.
            let rounded = try (weight / scale.unsqueezed(1) + 0.5).floor()
            let steps = try rounded.clamped(-128...127).to(.int8)
            let same = try values(steps, scale).equal(weight).to(.float32)
            guard try weight.elementCount == 0 ? true : same.min().item() > 0 else {
                throw TorchError(
                    operation: "int8",
                    message:
                        "it was changed after quantization; quantize the model again"
                )
            }
            return steps
        }
    }

    /// The numbers that steps represent.
    static func values(_ steps: Tensor, _ scale: Tensor) throws(TorchError) -> Tensor {
        try steps.to(.float32) * scale.unsqueezed(1)
    }
}
