import CImageCodecs

/// Fixed-point weights for one direction of a resize: which samples make up each new one.
///
/// The arithmetic, in doubles first and then in integers of 22 fractional bits, follows Pillow's
/// `precompute_coeffs` and `normalize_coeffs_8bpc` (src/libImaging/Resample.c), so that results agree bit for bit.
struct ResampleWeights {
    /// The fractional bits of a weight: 32, less 8 for the sample and 2 for overshoot.
    static let precision = 32 - 8 - 2

    /// The old samples that the new ones draw on.
    private(set) var span = 0..<0
    /// For each new sample the first old one that it draws on, counted from the first of ``span``.
    private(set) var starts: [Int32] = []
    /// For each new sample how many old ones it draws on.
    private(set) var counts: [Int32] = []
    /// The weights, `stride` for each new sample.
    private(set) var values: [Int32] = []
    /// The number of weights per new sample in `values`.
    let stride: Int
    /// The same weights for products of 16 bits; see `ic_pack_weights`.
    private var packed: [Int16] = []

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
        moveToOrigin()
    }

    /// Counts the old samples from the first that is needed on, and packs the weights.
    private mutating func moveToOrigin() {
        let low = starts.min() ?? 0
        var high: Int32 = low
        for i in starts.indices {
            high = max(high, starts[i] + counts[i])
            starts[i] -= low
        }
        span = Int(low)..<Int(high)
        let count = unpacked { ic_packed_count($0) }
        packed = [Int16](unsafeUninitializedCapacity: count) { buffer, filled in
            unpacked { ic_pack_weights($0, buffer.baseAddress) }
            filled = count
        }
    }

    /// Hands the weights to C; the first old sample is the first of ``span``.
    func withKernel(_ body: (ic_weights) -> Void) {
        packed.withUnsafeBufferPointer { packed in
            unpacked { weights in
                var weights = weights
                weights.packed = packed.baseAddress
                body(weights)
            }
        }
    }

    private func unpacked<Result>(_ body: (ic_weights) -> Result) -> Result {
        starts.withUnsafeBufferPointer { starts in
            counts.withUnsafeBufferPointer { counts in
                values.withUnsafeBufferPointer { values in
                    body(
                        ic_weights(
                            starts: starts.baseAddress,
                            counts: counts.baseAddress,
                            values: values.baseAddress,
                            stride: stride,
                            count: starts.count,
                            packed: nil
                        )
                    )
                }
            }
        }
    }
}
