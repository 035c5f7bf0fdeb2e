import CImageCodecs

/// Fixed-point weights for one direction of a resize: which samples make up each new one.
///
/// The arithmetic, in doubles first and then in integers of 22 fractional bits, follows Pillow's
/// `precompute_coeffs` and `normalize_coeffs_8bpc` (src/libImaging/Resample.c), so that results agree bit for bit.
struct ResampleWeights {
    /// The fractional bits of a weight: 32, less 8 for the sample and 2 for overshoot.
    static let precision = 32 - 8 - 2

    /// For each new sample the first old one that it draws on.
    private(set) var starts: [Int32] = []
    /// For each new sample how many old ones it draws on.
    private(set) var counts: [Int32] = []
    /// The weights, `stride` for each new sample.
    private(set) var values: [Int32] = []
    /// The room of one new sample in `values`.
    let stride: Int

    /// Computes weights for the new samples `window` of `newSize`, from `oldSize` old ones.
    init(from oldSize: Int, to newSize: Int, window: Range<Int>, interpolation: Interpolation) {
        let scale = Double(oldSize) / Double(newSize)
        let filterScale = max(scale, 1)
        let support = interpolation.support * filterScale
        stride = Int(support.rounded(.up)) * 2 + 1
        starts.reserveCapacity(window.count)
        counts.reserveCapacity(window.count)
        values = [Int32](repeating: 0, count: window.count * stride)
        var weights = [Double](repeating: 0, count: stride)
        for (i, new) in window.enumerated() {
            let center = (Double(new) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let end = min(oldSize, Int(center + support + 0.5))
            let count = max(0, end - start)
            var sum = 0.0
            for k in 0..<count {
                let weight = interpolation.weight(
                    (Double(k + start) - center + 0.5) * (1 / filterScale)
                )
                weights[k] = weight
                sum += weight
            }
            for k in 0..<count {
                let normalised = sum == 0 ? weights[k] : weights[k] / sum
                let scaled = normalised * Double(1 << ResampleWeights.precision)
                values[i * stride + k] = Int32(normalised < 0 ? -0.5 + scaled : 0.5 + scaled)
            }
            starts.append(Int32(start))
            counts.append(Int32(count))
        }
    }

    /// The old samples that the new ones draw on.
    var span: Range<Int> {
        var low = Int32.max
        var high: Int32 = 0
        for (i, start) in starts.enumerated() {
            low = min(low, start)
            high = max(high, start + counts[i])
        }
        return Int(min(low, high))..<Int(high)
    }

    /// Hands the weights to C, with `offset` old samples left out before the first.
    func withKernel(startingAt offset: Int = 0, _ body: (ic_weights) -> Void) {
        let shifted = offset == 0 ? starts : starts.map { $0 - Int32(offset) }
        shifted.withUnsafeBufferPointer { starts in
            counts.withUnsafeBufferPointer { counts in
                values.withUnsafeBufferPointer { values in
                    body(
                        ic_weights(
                            starts: starts.baseAddress,
                            counts: counts.baseAddress,
                            values: values.baseAddress,
                            stride: stride,
                            count: starts.count
                        )
                    )
                }
            }
        }
    }
}
