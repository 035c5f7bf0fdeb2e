import Foundation
import ImagePipeline
public import VisionModels

/// Which patches of an image are hidden: as many of every image, drawn again for each image and epoch.
///
/// The draw is a function of seed, epoch and the image's index alone.
///
/// ## Source
/// Xie et al., "SimMIM" (arXiv:2111.09886), `data/data_simmim.py, MaskGenerator`; Bao et al., "BEiT" (arXiv:2106.08254),
/// algorithm 1, `beit/masking_generator.py`. Where BEiT's rectangles find no more room, single patches make up the number,
/// as in BEiT v2.
public struct PatchMasking: Sendable, Equatable {
    /// How the hidden patches lie.
    public let kind: MaskKind

    /// The image's grid of patches.
    public let grid: PatchGrid

    /// The side of random squares, in patches.
    public let unit: Int

    /// The share that is hidden, above 0 and below 1.
    public let ratio: Double

    /// The patches that are hidden of every image.
    public let hiddenCount: Int

    /// The view of an image that masks are drawn for, far from those of its augmentations.
    private static let view = 0x6D61_736B

    /// Creates a way to mask; nil for numbers that do not fit together.
    ///
    /// - Parameters:
    ///   - kind: How the hidden patches lie.
    ///   - grid: The image's grid of patches.
    ///   - unit: The side of random squares, in patches, which divides both sides of the grid.
    ///   - ratio: The share that is hidden, above 0 and below 1; the number is rounded up, and at least one square stays.
    public init?(_ kind: MaskKind, grid: PatchGrid, unit: Int, ratio: Double) {
        guard grid.height > 0, grid.width > 0, ratio > 0, ratio < 1, unit > 0 else { return nil }
        let isRandom = kind == .random
        guard !isRandom || (grid.height.isMultiple(of: unit) && grid.width.isMultiple(of: unit))
        else { return nil }
        let area = isRandom ? unit * unit : 1
        let squares = grid.count / area
        guard squares > 1 else { return nil }
        self.kind = kind
        self.grid = grid
        self.unit = unit
        self.ratio = ratio
        // SimMIM rounds up; a share such as 0.6 of 5 must not become 4 by rounding of the product.
        let wanted = (Double(squares) * ratio - 1e-9).rounded(.up)
        hiddenCount = min(max(1, Int(wanted)), squares - 1) * area
    }

    /// The hidden patches of an image.
    ///
    /// - Parameters:
    ///   - index: The image.
    ///   - epoch: The epoch.
    ///   - seed: The run's seed.
    /// - Returns: For each patch, row by row, 1 where it is hidden and 0 elsewhere.
    public func mask(of index: Int, epoch: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(seed: seed, epoch: epoch, index: index, view: Self.view)
        return kind == .random ? randomMask(&generator) : blockMask(&generator)
    }

    private func randomMask(_ generator: inout SplitMix64) -> [UInt8] {
        let (rows, columns) = (grid.height / unit, grid.width / unit)
        var squares = Array(0..<(rows * columns))
        generator.shuffle(&squares)
        var mask = [UInt8](repeating: 0, count: grid.count)
        for square in squares.prefix(hiddenCount / (unit * unit)) {
            let (row, column) = (square / columns * unit, square % columns * unit)
            hide(rows: row..<(row + unit), columns: column..<(column + unit), in: &mask)
        }
        return mask
    }

    private func blockMask(_ generator: inout SplitMix64) -> [UInt8] {
        var mask = [UInt8](repeating: 0, count: grid.count)
        var rest = hiddenCount
        // 16 of ImageNet's 196 patches.
        let smallest = min(Double(rest), max(1, Double(grid.count) * 16 / 196))
        while rest > 0, let added = addBlock(&mask, upTo: rest, smallest, &generator) {
            rest -= added
        }
        var open = mask.indices.filter { mask[$0] == 0 }
        generator.shuffle(&open)
        for place in open.prefix(rest) { mask[place] = 1 }
        return mask
    }

    /// Hides one rectangle.
    ///
    /// - Returns: The patches that it added; nil where ten draws found none that fits.
    private func addBlock(
        _ mask: inout [UInt8],
        upTo limit: Int,
        _ smallest: Double,
        _ generator: inout SplitMix64
    ) -> Int? {
        for _ in 0..<10 {
            let area = generator.uniform(smallest, max(smallest, Double(limit)))
            let aspect = exp(generator.uniform(log(0.3), log(1 / 0.3)))
            let height = Int((area * aspect).squareRoot().rounded())
            let width = Int((area / aspect).squareRoot().rounded())
            guard height > 0, width > 0, height < grid.height, width < grid.width else { continue }
            let top = generator.integer(below: grid.height - height + 1)
            let left = generator.integer(below: grid.width - width + 1)
            let (rows, columns) = (top..<(top + height), left..<(left + width))
            let fresh = rows.reduce(0) { sum, row in
                sum + columns.count { mask[row * grid.width + $0] == 0 }
            }
            guard fresh > 0, fresh <= limit else { continue }
            hide(rows: rows, columns: columns, in: &mask)
            return fresh
        }
        return nil
    }

    private func hide(rows: Range<Int>, columns: Range<Int>, in mask: inout [UInt8]) {
        for row in rows {
            for column in columns { mask[row * grid.width + column] = 1 }
        }
    }
}
