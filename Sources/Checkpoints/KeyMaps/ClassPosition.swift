package import Torch

/// The class token and its position as a file has them, where registers stand between the token and the patches.
///
/// DINOv2 and transformers add the positions of the class token and the patches before the registers are there. timm's
/// networks, and ours, have positions for the patches alone then: the class token's is part of the token. Both give the same
/// numbers, bit for bit in `float32`.
///
/// A network does not tell how its class token was split. What it was loaded from does, so that an unchanged token is written
/// as it was; any other gets a position of zeros.
///
/// ## Source
/// timm/models/vision_transformer.py, `_convert_dinov2`.
package struct ClassPosition {
    /// The class token without its position, `[1, 1, embedDim]`.
    package let token: Tensor

    /// Its position, `[1, 1, embedDim]`.
    package let position: Tensor

    package init(token: Tensor, position: Tensor) {
        (self.token, self.position) = (token, position)
    }

    /// Takes both out of a file's tensors.
    ///
    /// - Parameters:
    ///   - token: The class token, `[1, 1, embedDim]`.
    ///   - positions: The positions, `[1, 1 + patches, embedDim]`.
    /// - Throws: `TorchError` when the shapes do not fit.
    package init(token: Tensor, positions: Tensor) throws(TorchError) {
        // Copies: those who load write into both.
        self.token = try token.detached().to(.float32).clone()
        position = try positions.detached().narrowed(1, 0..<1).to(.float32).clone()
    }

    /// The class token of a network: with its position.
    package func sum() throws(TorchError) -> Tensor { try token + position }

    /// A network's tensors, by timm's names, with the class token's position before those of the patches.
    ///
    /// - Parameters:
    ///   - tensors: The tensors.
    ///   - known: How the class token was split where the network is from.
    /// - Returns: The same tensors with another `cls_token` and `pos_embed`, in the type of the network's.
    /// - Throws: ``CheckpointError`` for a lack of memory.
    package static func separate(
        in tensors: [(name: String, tensor: Tensor)],
        known: ClassPosition?
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        guard let token = tensors.first(where: { $0.name == "cls_token" })?.tensor else {
            return tensors
        }
        do throws(TorchError) {
            let split = try self.split(try token.detached(), known)
            var result: [(name: String, tensor: Tensor)] = []
            for (name, tensor) in tensors {
                switch name {
                case "cls_token": result.append((name, split.token))
                case "pos_embed":
                    let first = try split.position.to(tensor.dtype)
                    let all = try Tensor.cat([first, tensor.detached()], dim: 1)
                    result.append((name, all))
                default: result.append((name, tensor))
                }
            }
            return result
        } catch {
            throw CheckpointError.tensor(name: "pos_embed", reason: "\(error)")
        }
    }

    private static func split(
        _ token: Tensor,
        _ known: ClassPosition?
    ) throws(TorchError) -> ClassPosition {
        if let known, known.token.shape == token.shape,
            try known.sum().floats() == token.to(.float32).floats()
        {
            return known
        }
        return ClassPosition(token: token, position: try Tensor.zeros(token.shape))
    }
}
