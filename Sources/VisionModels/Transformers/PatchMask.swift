public import Torch

/// Patches whose embeddings are replaced by one learnt token, before anything else is added.
public struct PatchMask {
    /// Which patches are replaced, row by row of the image, `[batch, patches]`: every element that is not 0.
    public let positions: Tensor

    /// What takes their place, `[1, 1, embedDim]`.
    public let token: Tensor

    /// Creates a mask.
    ///
    /// - Parameters:
    ///   - positions: `[batch, patches]`, `bool` or numbers; all that is not 0 is replaced.
    ///   - token: `[1, 1, embedDim]`.
    public init(positions: Tensor, token: Tensor) {
        self.positions = positions
        self.token = token
    }

    /// Returns the patches with the token in the masked places.
    ///
    /// - Parameter patches: `[batch, patches, embedDim]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the mask is not one for these patches.
    func callAsFunction(_ patches: Tensor) throws(TorchError) -> Tensor {
        let (batch, count, width) = try patches.shape3()
        guard positions.shape == [batch, count], token.shape == [1, 1, width] else {
            throw TorchError(
                operation: "masking",
                message:
                    "positions of shape \(positions.shape) and a token of shape \(token.shape) do not fit "
                    + "patches of shape \(patches.shape); [batch, patches] and [1, 1, embedDim] are wanted"
            )
        }
        return try Tensor.where(positions.to(.bool).unsqueezed(2), token, patches)
    }
}
