// The inner loops of a resize. Sums fit 32 bits: the weights of a sample sum to 2^22 and overshoot by less
// than a factor of two, a sample has 8 bits.

/// Half of the last place, added before the shift so that it rounds.
private let half = Int32(1) << Int32(ResampleWeights.precision - 1)

@inline(__always)
private func clipped(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: max(0, min(255, sum >> Int32(ResampleWeights.precision))))
}

/// Convolves one row of grey samples.
func convolveRow1(
    _ row: UnsafeBufferPointer<UInt8>,
    weights: ResampleWeights,
    into output: UnsafeMutableBufferPointer<UInt8>
) {
    weights.values.withUnsafeBufferPointer { values in
        for x in 0..<weights.starts.count {
            let start = weights.starts[x]
            let base = x * weights.stride
            var sum = half
            for k in 0..<weights.counts[x] {
                sum &+= Int32(row[start &+ k]) &* values[base &+ k]
            }
            output[x] = clipped(sum)
        }
    }
}

/// Convolves one row of RGB samples.
func convolveRow3(
    _ row: UnsafeBufferPointer<UInt8>,
    weights: ResampleWeights,
    into output: UnsafeMutableBufferPointer<UInt8>
) {
    weights.values.withUnsafeBufferPointer { values in
        for x in 0..<weights.starts.count {
            var at = weights.starts[x] &* 3
            let base = x * weights.stride
            var red = half
            var green = half
            var blue = half
            for k in 0..<weights.counts[x] {
                let weight = values[base &+ k]
                red &+= Int32(row[at]) &* weight
                green &+= Int32(row[at &+ 1]) &* weight
                blue &+= Int32(row[at &+ 2]) &* weight
                at &+= 3
            }
            output[3 * x] = clipped(red)
            output[3 * x + 1] = clipped(green)
            output[3 * x + 2] = clipped(blue)
        }
    }
}

/// Convolves all columns, one new row after another.
///
/// - Parameters:
///   - input: Rows of `rowBytes` samples, the first of which is row `firstRow` of the weights.
///   - rowBytes: The samples of a row.
///   - firstRow: The number of the first row in `input`.
///   - weights: The weights of the new rows.
///   - output: Room for the new rows.
func convolveColumns(
    _ input: UnsafeBufferPointer<UInt8>,
    rowBytes: Int,
    firstRow: Int,
    weights: ResampleWeights,
    into output: UnsafeMutableBufferPointer<UInt8>
) {
    guard let source = input.baseAddress else { return }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowBytes) { sums in
        for y in 0..<weights.starts.count {
            sums.update(repeating: half)
            for k in 0..<weights.counts[y] {
                let weight = weights.values[y * weights.stride + k]
                let row = source + (weights.starts[y] - firstRow + k) * rowBytes
                for x in 0..<rowBytes { sums[x] &+= Int32(row[x]) &* weight }
            }
            for x in 0..<rowBytes { output[y * rowBytes + x] = clipped(sums[x]) }
        }
    }
}
