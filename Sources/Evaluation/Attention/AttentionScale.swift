public import Torch

/// What numbers become which colours: of one image, or of all frames of a sequence alike, so that they do not flicker.
public struct AttentionScale: Sendable {
    /// The range of each kind of map, by its name.
    let ranges: [String: ValueRange]

    /// The directions of patch features that become red, green and blue; nil where features are not wanted.
    let components: PrincipalComponents?

    /// The range along each direction.
    let colorRanges: [ValueRange]

    /// Gathers the numbers of images that share their colours.
    public struct Collector {
        /// More features than these say nothing more of the directions.
        private static let mostFeatures = 20_000
        private static let featuresOfAFrame = 1_000

        private var values: [String: [Float]] = [:]
        private var features: [Tensor] = []
        private var count = 0
        private let drawing: AttentionDrawing

        /// Creates an empty collector.
        ///
        /// - Parameter drawing: What will be drawn.
        public init(_ drawing: AttentionDrawing) { self.drawing = drawing }

        /// Adds an image.
        ///
        /// - Parameters:
        ///   - reading: What was attended to in it.
        ///   - isAlone: Whether it is the only one, all features of which count.
        /// - Throws: `TorchError` when features do not fit those before.
        public mutating func add(_ reading: AttentionReading, isAlone: Bool = false) throws {
            for map in drawing.maps(of: reading) { values[map.name, default: []] += map.map.values }
            guard drawing.parts.contains(.features), count < Self.mostFeatures else { return }
            let kept = try drawing.foreground(of: reading)
            let wanted = kept.indices.filter { kept[$0] }
            guard !wanted.isEmpty else { return }
            let step = isAlone ? 1 : max(1, wanted.count / Self.featuresOfAFrame)
            let places = stride(from: 0, to: wanted.count, by: step).map { Int64(wanted[$0]) }
            features.append(
                try reading.features.indexSelected(0, Tensor(places, shape: [places.count]))
            )
            count += places.count
        }

        /// The scale of the images added.
        ///
        /// - Returns: The scale.
        /// - Throws: `TorchError` when features of images do not fit together.
        public func scale() throws(TorchError) -> AttentionScale {
            // Where a few patches get most of the attention, the others would all look alike.
            let ranges = values.mapValues { ValueRange(of: $0, lower: 0, upper: 0.98) }
            guard !features.isEmpty else {
                return AttentionScale(ranges: ranges, components: nil, colorRanges: [])
            }
            let all = try Tensor.cat(features, dim: 0)
            let components = try PrincipalComponents(of: all)
            return AttentionScale(
                ranges: ranges,
                components: components,
                colorRanges: try components.project(all).map {
                    ValueRange(of: $0, lower: 0.02, upper: 0.98)
                }
            )
        }
    }
}
