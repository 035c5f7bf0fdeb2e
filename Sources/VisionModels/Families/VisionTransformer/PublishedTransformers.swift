import ImagePipeline

/// The weights of transformers that timm publishes, by their full names.
///
/// ## Source
/// timm's `default_cfgs`: `table`, which a script makes.
enum PublishedTransformers {
    /// Weights, and what their training knew of classes and images; the size of images is the architecture's.
    struct Weights: Sendable {
        /// The full name, such as `vit_small_patch14_dinov2.lvd142m`.
        let name: String

        /// The classes of their head; 0 for a backbone.
        let numClasses: Int

        /// Where they are, under which license, and how well they do.
        let published: PublishedWeights

        private let mean: [Float]
        private let std: [Float]
        private let interpolation: Interpolation
        private let cropShare: Double
        private let cropMode: CropMode

        /// Reads a line of the table; nil for one that is none.
        init?(_ line: Substring) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 9, let numClasses = Int(words[1]),
                let (mean, std) = Self.statistics[words[2]],
                let interpolation = Interpolation(rawValue: words[3]),
                let cropShare = Double(words[4]), let cropMode = CropMode(rawValue: words[5])
            else { return nil }
            (self.name, self.numClasses) = (words[0], numClasses)
            (self.mean, self.std) = (mean, std)
            (self.interpolation, self.cropShare) = (interpolation, cropShare)
            self.cropMode = cropMode
            self.published = PublishedWeights(
                words[7] == "=" ? "timm/\(words[0])" : words[7],
                top1: Double(words[8]),
                license: words[6] == "-" ? nil : words[6]
            )
        }

        private static let statistics: [String: (mean: [Float], std: [Float])] = [
            "imagenet": (Normalization.imageNet.mean, Normalization.imageNet.std),
            // OpenAI's, of the images that CLIP was trained with.
            "clip": (
                [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
            ),
            // DINOv3's, of satellite images.
            "satellite": ([0.43, 0.411, 0.296], [0.213, 0.156, 0.143]),
            "half": ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
            "none": ([0, 0, 0], [1, 1, 1]),
        ]

        /// How images are made, as timm's `resolve_data_config` has it.
        ///
        /// - Parameter size: The size of the input.
        /// - Returns: The processor.
        /// - Throws: `ImageError` for a size that no image has.
        func processor(size: ImageSize) throws(ImageError) -> ImageProcessor {
            let (height, width) = (size.height, size.width)
            let resize = cropMode.resize(height: height, width: width, share: cropShare)
            let isCropped = resize != .exact(height: height, width: width)
            return try ImageProcessor(
                resize: resize,
                interpolation: interpolation,
                cropHeight: isCropped ? height : nil,
                cropWidth: isCropped ? width : nil,
                mean: mean,
                std: std
            )
        }
    }

    /// All of them, those of an architecture together and its default first.
    static let all: [Weights] = table.split(separator: "\n").compactMap { Weights($0) }

    private static let byArchitecture: [Substring: [Weights]] = Dictionary(grouping: all) {
        $0.name.prefix { $0 != "." }
    }

    /// The weights of an architecture, those first that timm takes where the name says nothing; none of an unknown one.
    static func weights(of architecture: String) -> [Weights] {
        byArchitecture[Substring(architecture)] ?? []
    }

    /// Weights by their full name; nil for unknown ones.
    static func weights(named name: String) -> Weights? {
        weights(of: String(name.prefix { $0 != "." })).first { $0.name == name }
    }

    /// What timm's deprecated names mean now.
    static let aliases: [String: String] = Dictionary(
        deprecated.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            return words.count == 2 ? (words[0], words[1]) : nil
        },
        uniquingKeysWith: { first, _ in first }
    )
}
