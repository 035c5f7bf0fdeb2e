import Foundation
public import ImagePipeline
public import Storage

/// Writes masks of images: a PNG for each, and sheets to look at.
public final class MaskFolder {
    /// The mask of one image.
    public struct Entry: Sendable {
        /// The image's file.
        public let file: String

        /// The mask's file, relative to the folder.
        public let mask: String

        /// The share of the image that is foreground, 0 to 1.
        public let share: Double

        /// How much of mask and truth they have in common, 0 to 1; nil where there is no right mask.
        public let overlap: Double?
    }

    /// The masks so far.
    public private(set) var entries: [Entry] = []

    private let segmenter: Segmenter
    private var folder: OutputFolder
    private let truth: String?
    private var overview = TileSheet(side: 200)
    private var row: [TileSheet.Tile] = []

    private static let imagesOfARow = 4
    private static let mostOverviewImages = 80

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - segmenter: What finds foreground.
    ///   - folder: Where to write.
    ///   - truth: A folder of right masks with the same names, if there is one.
    public init(_ segmenter: Segmenter, in folder: OutputFolder, truth: String? = nil) {
        self.segmenter = segmenter
        self.folder = folder
        self.truth = truth
    }

    /// Finds the foreground of an image and writes its mask.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - file: Its file.
    /// - Throws: ``EvaluationError`` when it would need too much memory or the right mask does not fit, `ImageError`
    ///   when an image cannot be used, `CheckpointError` when the disk does not take a file.
    public func add(_ image: Image, file: String) throws {
        let foreground = try segmenter(image)
        let name = folder.name(for: file)
        let overlap = try overlap(foreground.mask, name)
        try folder.write(foreground.mask.encodedPNG(), to: "\(name).png")
        let cutout = try HeatImage.cutout(image, by: foreground.mask)
        var sheet = TileSheet(side: 480)
        let tiles = [
            TileSheet.Tile(image: image, caption: name),
            TileSheet.Tile(
                image: cutout,
                caption: "\(Int((foreground.share * 100).rounded()))% foreground"
            ),
        ]
        try sheet.add(tiles)
        try folder.write(sheet.drawn().encodedPNG(), to: "sheets/\(name).png")
        if entries.count < Self.mostOverviewImages {
            row += tiles
            if row.count == 2 * Self.imagesOfARow { try flush() }
        }
        entries.append(
            Entry(file: file, mask: "\(name).png", share: foreground.share, overlap: overlap)
        )
    }

    /// Writes the overview of the first images.
    ///
    /// - Returns: Its file, relative to the folder; none where there were no images.
    /// - Throws: `CheckpointError` when the disk does not take it.
    public func finish() throws -> [String] {
        guard !entries.isEmpty else { return [] }
        if !row.isEmpty { try flush() }
        try folder.write(overview.drawn().encodedPNG(), to: "overview.png")
        return ["overview.png"]
    }

    /// The mean overlap of the images that have a right mask; nil where none has.
    public var meanOverlap: Double? {
        let overlaps = entries.compactMap(\.overlap)
        return overlaps.isEmpty ? nil : overlaps.reduce(0, +) / Double(overlaps.count)
    }

    /// What was written, as a JSON object.
    ///
    /// - Parameter overview: What ``finish()`` returned.
    /// - Returns: The object.
    public func json(_ overview: [String]) -> JSONValue {
        let masks = entries.map { entry -> JSONValue in
            var object: JSONObject = [
                "file": .string(entry.file), "mask": .string(entry.mask),
                "foreground": .number(entry.share),
            ]
            object["overlap"] = entry.overlap.map(JSONValue.number)
            return .object(object)
        }
        var object: JSONObject = [
            "output": .string(folder.path), "masks": .array(masks),
            "overview": .array(overview.map(JSONValue.string)),
        ]
        object["meanOverlap"] = meanOverlap.map(JSONValue.number)
        return .object(object)
    }

    private func flush() throws {
        try overview.add(row)
        row = []
    }

    /// The foreground's overlap with the right mask: all that is not black there.
    private func overlap(_ mask: Image, _ name: String) throws -> Double? {
        guard let truth else { return nil }
        let path = "\(truth)/\(name).png"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let right = try Image(contentsOf: path)
        guard (right.height, right.width) == (mask.height, mask.width) else {
            throw EvaluationError.invalid(
                "\(path) has \(right.size), the image \(mask.size)"
            )
        }
        var (both, either) = (0, 0)
        for pixel in mask.pixels.indices {
            let start = pixel * right.channels
            let isRight = right.pixels[start..<(start + right.channels)].contains { $0 != 0 }
            let isFound = mask.pixels[pixel] != 0
            if isRight && isFound { both += 1 }
            if isRight || isFound { either += 1 }
        }
        return either > 0 ? Double(both) / Double(either) : 1
    }
}
