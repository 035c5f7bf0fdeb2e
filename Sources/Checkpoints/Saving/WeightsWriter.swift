import Storage
import Torch

/// Writing of tensors in one file or several.
struct WeightsWriter {
    typealias Named = (name: String, tensor: Tensor)

    let options: SaveOptions

    /// The tensors in the type that was requested; those that are no floating-point numbers stay as they are.
    func converted(_ tensors: [Named]) throws(CheckpointError) -> [Named] {
        guard let dtype = options.dtype else { return tensors }
        var result: [Named] = []
        for (name, tensor) in tensors {
            // Steps of 8-bit numbers are no numbers of the model.
            guard tensor.dtype.isFloatingPoint, tensor.dtype != dtype,
                Int8Format.part(of: name) == nil
            else {
                result.append((name, tensor))
                continue
            }
            do {
                let narrow = try tensor.detached().to(dtype)
                if try !narrow.isFiniteThroughout(), try tensor.isFiniteThroughout() {
                    let largest = try tensor.detached().to(.float32).abs().max().item()
                    throw CheckpointError.tensor(
                        name: name,
                        reason:
                            "its largest value, \(largest), is beyond the range of \(dtype.rawValue); "
                            + "choose \(dtype == .float16 ? "bfloat16 (bf16) or float32 (fp32)" : "float32 (fp32)")"
                    )
                }
                result.append((name, narrow))
            } catch let error as CheckpointError {
                throw error
            } catch {
                throw CheckpointError.tensor(name: name, reason: "\(error)")
            }
        }
        return result
    }

    /// Writes one file.
    func write(
        _ tensors: [Named],
        metadata: [String: String] = [:],
        under key: String? = nil,
        to path: String
    ) throws(CheckpointError) {
        switch options.container {
        case .safetensors:
            let metadata = ["format": "pt"].merging(metadata) { _, new in new }
            try Safetensors.write(tensors, metadata: metadata, to: path)
        case .pytorch: try PyTorchWriter.write(tensors, under: key, to: path)
        }
    }

    /// Writes a folder's weights: one file, or as many as the limit asks for and their index.
    ///
    /// ## Source
    /// huggingface_hub/serialization/_base.py, `split_state_dict_into_shards_factory`.
    func write(_ tensors: [Named], into folder: String) throws(CheckpointError) {
        let isSafetensors = options.container == .safetensors
        let name = isSafetensors ? ModelDirectory.weightsName : ModelDirectory.pytorchName
        let shards = shards(tensors)
        guard shards.count > 1 else { return try write(tensors, to: "\(folder)/\(name)") }
        let ending = isSafetensors ? ".safetensors" : ".bin"
        var map = JSONObject()
        for (index, shard) in shards.enumerated() {
            let file =
                "\(name.dropLast(ending.count))-\(Self.number(index + 1))-of-\(Self.number(shards.count))"
                + ending
            for (name, _) in shard { map[name] = .string(file) }
            try write(shard, to: "\(folder)/\(file)")
        }
        let total = tensors.reduce(0) { $0 + Self.size($1.tensor) }
        let index: JSONObject = [
            "metadata": ["total_size": .integer(total)], "weight_map": .object(map),
        ]
        let text = JSONValue.object(index).text() + "\n"
        try CheckpointError.of(
            try AtomicFile.write(text.utf8, to: "\(folder)/\(name).index.json")
        )
    }

    private func shards(_ tensors: [Named]) -> [[Named]] {
        guard let limit = options.maxShardSize else { return [tensors] }
        var shards: [[Named]] = []
        var filled = 0
        for named in tensors {
            let size = Self.size(named.tensor)
            if shards.isEmpty || filled + size > limit {
                shards.append([])
                filled = 0
            }
            shards[shards.count - 1].append(named)
            filled += size
        }
        return shards
    }

    private static func size(_ tensor: Tensor) -> Int {
        tensor.elementCount * SafetensorsDType(tensor.dtype).byteSize
    }

    private static func number(_ value: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
}
