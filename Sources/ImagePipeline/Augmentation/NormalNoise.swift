import Foundation

/// Numbers of the standard normal distribution, many at a time.
///
/// ## Source
/// Marsaglia and Tsang, "The Ziggurat Method for Generating Random Variables" (2000), with 256 layers; as Doornik
/// (2005) proposes, sign and place come from bits that do not choose the layer.
enum NormalNoise {
    /// Where the last layer begins and the area of each.
    private static let edge = 3.654152885361009
    private static let area = 0.00492867323397465

    /// The right edges of the layers, from the base upward, and the density there.
    private static let edges: [Double] = {
        var edges = [area / density(edge), edge]
        for i in 2..<256 {
            edges.append((-2 * log(area / edges[i - 1] + density(edges[i - 1]))).squareRoot())
        }
        return edges + [0]
    }()
    private static let heights = edges.map(density)

    private static func density(_ x: Double) -> Double { exp(-0.5 * x * x) }

    /// Fills a row with numbers.
    static func fill(
        _ output: UnsafeMutableBufferPointer<Float>,
        using generator: inout SplitMix64
    ) {
        edges.withUnsafeBufferPointer { edges in
            heights.withUnsafeBufferPointer { heights in
                for i in 0..<output.count {
                    output[i] = Float(next(edges, heights, &generator))
                }
            }
        }
    }

    private static func next(
        _ edges: UnsafeBufferPointer<Double>,
        _ heights: UnsafeBufferPointer<Double>,
        _ generator: inout SplitMix64
    ) -> Double {
        while true {
            let bits = generator.next()
            let layer = Int(bits & 0xFF)
            // 53 bits from -1 to 1.
            let place = Double(Int64(bitPattern: bits) >> 11) * 0x1p-52
            let x = place * edges[layer]
            if abs(x) < edges[layer + 1] { return x }
            if layer == 0 {
                let far = tail(&generator)
                return place < 0 ? -far : far
            }
            let height =
                heights[layer] + (heights[layer + 1] - heights[layer]) * generator.uniform()
            if height < density(x) { return x }
        }
    }

    /// A number beyond the edge.
    private static func tail(_ generator: inout SplitMix64) -> Double {
        while true {
            let x = -log(1 - generator.uniform()) / edge
            let y = -log(1 - generator.uniform())
            if y + y > x * x { return edge + x }
        }
    }
}
