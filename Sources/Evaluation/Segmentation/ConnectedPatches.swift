import VisionModels

/// Patches of a mask that touch one another.
enum ConnectedPatches {
    /// The part of a mask that a patch belongs to, through neighbours above, below and beside.
    ///
    /// - Parameters:
    ///   - mask: For each place whether it belongs to the mask, row by row.
    ///   - seed: The place to start from.
    ///   - grid: The places down and across.
    /// - Returns: The part; nothing where the seed is not in the mask.
    static func part(of mask: [Bool], around seed: Int, _ grid: PatchGrid) -> [Bool] {
        var part = [Bool](repeating: false, count: mask.count)
        guard mask.count == grid.count, mask.indices.contains(seed), mask[seed] else { return part }
        var waiting = [seed]
        part[seed] = true
        while let place = waiting.popLast() {
            let (row, column) = place.quotientAndRemainder(dividingBy: grid.width)
            var beside: [Int] = []
            if row > 0 { beside.append(place - grid.width) }
            if row < grid.height - 1 { beside.append(place + grid.width) }
            if column > 0 { beside.append(place - 1) }
            if column < grid.width - 1 { beside.append(place + 1) }
            for next in beside where mask[next] && !part[next] {
                part[next] = true
                waiting.append(next)
            }
        }
        return part
    }
}
