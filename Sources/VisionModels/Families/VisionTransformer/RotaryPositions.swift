import Foundation
import Torch

/// Rotary positions of the patches of one grid: every head's queries and keys are turned by angles that depend on the
/// place of their patch (DINOv3).
///
/// A patch's row and column, scaled to -1…1 by the grid's height and width, are divided by periods from 1 to almost the
/// temperature; the tokens before the patches stay as they are. There is nothing to learn, and any grid is served.
///
/// ## Source
/// Siméoni et al., "DINOv3" (arXiv:2508.10104), section 3.2; `timm/layers/pos_embed_sincos.py`,
/// `RotaryEmbeddingDinoV3` with `rotate_half`; Su et al., "RoFormer" (arXiv:2104.09864).
public struct RotaryPositions {
    /// The cosines of the angles, `[patches, headDim]`.
    private let cos: Tensor

    /// The sines of the angles, `[patches, headDim]`.
    private let sin: Tensor

    /// The cosines and sines of one half of a head, `[patches, headDim / 2]`; the other half turns by the same angles.
    let angles: (cosines: Tensor, sines: Tensor)

    /// The tokens before the patches.
    private let prefix: Int

    /// Creates the positions of a grid.
    ///
    /// - Parameters:
    ///   - grid: The patches down and across.
    ///   - headDim: The width of a head, a multiple of 4.
    ///   - prefix: The tokens before the patches, which are not turned.
    ///   - temperature: The base of the periods; DINOv3 uses 100.
    ///   - device: Where the queries and keys are.
    /// - Throws: `TorchError` for a lack of memory.
    init(
        grid: PatchGrid,
        headDim: Int,
        prefix: Int,
        temperature: Double,
        device: Device
    ) throws(TorchError) {
        let periods = Self.periods(headDim: headDim, temperature: temperature)
        var (cosines, sines): ([Float], [Float]) = ([], [])
        cosines.reserveCapacity(grid.count * headDim)
        sines.reserveCapacity(grid.count * headDim)
        for row in 0..<grid.height {
            for column in 0..<grid.width {
                // The centre of the patch, from -1 to 1.
                let places = [
                    2 * ((Float(row) + 0.5) / Float(grid.height)) - 1,
                    2 * ((Float(column) + 0.5) / Float(grid.width)) - 1,
                ]
                let angles = places.flatMap { place in
                    periods.map { 2 * Float.pi * place / $0 }
                }
                // Both halves of a head turn by the same angles.
                let (c, s) = (angles.map { Foundation.cos($0) }, angles.map { Foundation.sin($0) })
                cosines += c + c
                sines += s + s
            }
        }
        self.cos = try Tensor(cosines, shape: [grid.count, headDim]).to(device)
        self.sin = try Tensor(sines, shape: [grid.count, headDim]).to(device)
        let half = 0..<(headDim / 2)
        self.angles = (
            try cos.narrowed(1, half).contiguous(), try sin.narrowed(1, half).contiguous()
        )
        self.prefix = prefix
    }

    /// What the places of patches are divided by, in float32 as timm computes them.
    fileprivate static func periods(headDim: Int, temperature: Double) -> [Float] {
        (0..<(headDim / 4)).map { index in
            pow(Float(temperature), 2 * Float(index) / Float(headDim / 2))
        }
    }

    /// Returns queries or keys turned by the angles of their patches.
    ///
    /// - Parameter heads: `[batch, heads, prefix + patches, headDim]`.
    /// - Returns: The same shape and type.
    /// - Throws: `TorchError` when the number of tokens does not fit.
    func callAsFunction(_ heads: Tensor) throws(TorchError) -> Tensor {
        let (_, _, tokens, headDim) = try heads.shape4()
        // In float32 under autocast too: bf16 angles would move patches.
        let patches = try heads.narrowed(2, prefix..<tokens).to(.float32)
        let first = try patches.narrowed(3, 0..<(headDim / 2))
        let second = try patches.narrowed(3, (headDim / 2)..<headDim)
        let turned = try patches * cos + Tensor.cat([second * -1, first], dim: 3) * sin
        guard prefix > 0 else { return try turned.to(heads.dtype) }
        return try Tensor.cat(
            [heads.narrowed(2, 0..<prefix), turned.to(heads.dtype)],
            dim: 2
        )
    }
}

extension ViTConfiguration {
    /// The periods of the rotary positions, from 1 to almost the temperature; nil for a network with learnt positions.
    package var rotaryPeriods: [Float]? {
        rotaryTemperature.map {
            RotaryPositions.periods(headDim: embedDim / max(numHeads, 1), temperature: $0)
        }
    }
}
