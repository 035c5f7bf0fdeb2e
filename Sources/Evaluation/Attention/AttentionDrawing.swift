import ImagePipeline
import Inference
import VisionModels

/// How what a model attends to becomes images.
public struct AttentionDrawing: Sendable {
    /// What can be drawn.
    public enum Part: String, Sendable, CaseIterable {
        /// A map of each head.
        case heads
        /// The mean of the heads.
        case mean
        /// The rollout through all blocks.
        case rollout
        /// The patches' features as colours.
        case features
    }

    /// What is drawn.
    public var parts: Set<Part>

    /// The share of the attention that masks keep, 0 to 1.
    public var threshold: Double

    /// How maps become as large as the image.
    public var upscaling: Upscaling

    /// The colours of maps.
    public var colors: ColorMap

    /// Whether features are those of the foreground alone, everything else being black.
    public var isForeground: Bool

    /// Creates a way to draw.
    ///
    /// - Parameters:
    ///   - parts: What is drawn.
    ///   - threshold: The share of the attention that masks keep, above 0 and up to 1; DINO's paper shows 0.6.
    ///   - upscaling: How maps become as large as the image.
    ///   - colors: The colours of maps.
    ///   - isForeground: Whether features are those of the foreground alone.
    /// - Throws: ``EvaluationError/invalid(_:)`` for a share out of range.
    public init(
        parts: Set<Part> = Set(Part.allCases),
        threshold: Double = 0.6,
        upscaling: Upscaling = .nearest,
        colors: ColorMap = .inferno,
        isForeground: Bool = false
    ) throws(EvaluationError) {
        guard threshold > 0, threshold <= 1 else {
            throw .invalid(
                "the fraction of attention that a mask keeps must be above 0 and at most 1, not \(threshold)"
            )
        }
        self.parts = parts
        self.threshold = threshold
        self.upscaling = upscaling
        self.colors = colors
        self.isForeground = isForeground
    }

    /// A map and what it is called.
    struct NamedMap {
        let name: String
        let caption: String
        let map: AttentionMap
        let part: Part
    }

    /// The maps to draw: for each token mean, rollout, heads.
    func maps(of reading: AttentionReading) -> [NamedMap] {
        reading.tokens.flatMap { token in
            let name = token.name.rawValue
            var maps: [NamedMap] = []
            func add(_ what: String, _ caption: String, _ map: AttentionMap, _ part: Part) {
                guard parts.contains(part) else { return }
                maps.append(
                    NamedMap(
                        name: "\(name)-\(what)",
                        caption: "\(name) \(caption)",
                        map: map,
                        part: part
                    )
                )
            }
            add("mean", "mean of heads", token.mean, .mean)
            if let rollout = token.rollout { add("rollout", "rollout", rollout, .rollout) }
            for (head, map) in token.heads.enumerated() {
                add("head-\(head + 1)", "head \(head + 1)", map, .heads)
            }
            return maps
        }
    }

    /// The patches whose features are shown: all, or those of the foreground.
    func foreground(of reading: AttentionReading) throws -> [Bool] {
        guard isForeground else { return [Bool](repeating: true, count: reading.grid.count) }
        return try NormalizedCut(reading.keys, grid: reading.grid).mask
    }

    /// A map drawn in all its forms, each of the image's size.
    struct Drawn {
        let named: NamedMap
        let colored: Image
        let overlay: Image
        let mask: Image
        let cutout: Image
    }

    /// Draws a map.
    func drawn(_ named: NamedMap, _ scale: AttentionScale, on image: Image) throws -> Drawn {
        let heat = heat(for: image)
        let range = scale.ranges[named.name] ?? ValueRange(low: 0, high: 1)
        let colored = try heat.colored(named.map.values, named.map.grid, range)
        let mask = try heat.mask(named.map.mask(keeping: threshold), named.map.grid)
        return Drawn(
            named: named,
            colored: colored,
            overlay: try heat.overlay(colored, on: image),
            mask: mask,
            cutout: try HeatImage.cutout(image, by: mask)
        )
    }

    /// Draws the patches' features as colours; nil where they are not wanted.
    func features(
        of reading: AttentionReading,
        _ scale: AttentionScale,
        on image: Image
    ) throws -> Image? {
        guard let components = scale.components else { return nil }
        let heat = heat(for: image)
        let parts = try components.project(reading.features)
        let drawn = try heat.rgb(parts, scale.colorRanges, reading.grid)
        guard isForeground else { return drawn }
        let mask = try heat.mask(foreground(of: reading), reading.grid)
        var pixels = drawn.pixels
        for i in mask.pixels.indices where mask.pixels[i] == 0 {
            for c in 0..<3 { pixels[3 * i + c] = 0 }
        }
        return try Image(
            height: drawn.height,
            width: drawn.width,
            channels: 3,
            pixels: pixels
        )
    }

    private func heat(for image: Image) -> HeatImage {
        HeatImage(
            height: image.height,
            width: image.width,
            upscaling: upscaling,
            colors: colors
        )
    }
}
