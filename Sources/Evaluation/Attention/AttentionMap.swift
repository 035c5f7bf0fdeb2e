import Torch
public import VisionModels

/// How much a token looks at each patch of an image.
public struct AttentionMap: Sendable, Equatable {
    /// The patches, down and across.
    public let grid: PatchGrid

    /// One number for each patch, row by row, 0 or more.
    public let values: [Float]

    /// Creates a map.
    ///
    /// - Parameters:
    ///   - values: One number for each patch, row by row.
    ///   - grid: The patches, down and across.
    /// - Throws: ``EvaluationError/invalid(_:)`` when the numbers are not as many as the patches.
    public init(_ values: [Float], grid: PatchGrid) throws(EvaluationError) {
        guard values.count == grid.count, !values.isEmpty else {
            throw .invalid("\(values.count) values do not form a map of \(grid) patches")
        }
        self.values = values
        self.grid = grid
    }

    /// The mean of maps of one image.
    ///
    /// - Parameter maps: The maps, at least one.
    /// - Throws: ``EvaluationError/invalid(_:)`` when there are none or their grids differ.
    public init(meanOf maps: [AttentionMap]) throws(EvaluationError) {
        guard let first = maps.first, maps.allSatisfy({ $0.grid == first.grid }) else {
            throw .invalid("maps of different grids cannot be averaged")
        }
        let count = Float(maps.count)
        let sums = first.values.indices.map { i in maps.reduce(0) { $0 + $1.values[i] } / count }
        try self.init(sums, grid: first.grid)
    }

    /// The patches that together hold a share of the attention, the most attended first.
    ///
    /// Patches are added up from the least on; those at which the sum has passed `1 - share` are kept.
    ///
    /// - Parameter share: The share to keep, 0 to 1.
    /// - Returns: For each patch whether it is kept.
    ///
    /// ## Source
    /// Caron et al., `dino/visualize_attention.py`, `--threshold`.
    public func mask(keeping share: Double) -> [Bool] {
        let sum = values.reduce(0.0) { $0 + Double($1) }
        var mask = [Bool](repeating: false, count: values.count)
        guard sum > 0 else { return mask }
        var passed = 0.0
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        for index in order {
            passed += Double(values[index]) / sum
            mask[index] = passed > 1 - share
        }
        // A share too small for any patch still keeps the one that is looked at most.
        if let last = order.last, share > 0 { mask[last] = true }
        return mask
    }
}

/// How a grid of numbers becomes as large as the image.
public enum Upscaling: String, Sendable, CaseIterable {
    /// Every patch one square, as DINO shows them.
    case nearest
    /// Straight lines between the patches' middles.
    case bilinear
    /// Smooth curves between the patches' middles.
    case bicubic

    /// Returns the numbers in another size.
    ///
    /// - Parameters:
    ///   - values: One number for each place of the grid, row by row.
    ///   - grid: The grid.
    ///   - height: The rows wanted, at least 1.
    ///   - width: The columns wanted, at least 1.
    /// - Returns: `height * width` numbers, row by row, none beyond the range of `values`.
    /// - Throws: `TorchError` when the numbers do not fit the grid.
    func callAsFunction(
        _ values: [Float],
        _ grid: PatchGrid,
        height: Int,
        width: Int
    ) throws(TorchError) -> [Float] {
        if self == .nearest, values.count == grid.count {
            return (0..<height).flatMap { y in
                let row = y * grid.height / height * grid.width
                return (0..<width).map { values[row + $0 * grid.width / width] }
            }
        }
        let resized = try Functional.resize2d(
            Tensor(values, shape: [1, 1, grid.height, grid.width]),
            height: height,
            width: width,
            resampling: self == .bicubic ? .bicubic : .bilinear,
            antialias: false
        )
        // Cubic curves swing beyond the numbers that they join.
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        return try resized.floats().map { Swift.min(Swift.max($0, low), high) }
    }
}
