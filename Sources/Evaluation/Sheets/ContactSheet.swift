public import Datasets
public import ImagePipeline

/// Images as a model sees them, side by side in one image, with what they show written below.
///
/// Every batch is a row. Normalisation is undone, so that what is left are the changes of augmentation; values beyond
/// black and white, as in erased rectangles of noise, are cut off.
public struct ContactSheet: Sendable {
    /// The rows of text below an image.
    static let captionLines = 2
    /// Small images are shown several times as large, at least so many pixels wide.
    static let leastTile = 96

    /// One image and what it shows.
    struct Tile: Sendable {
        let image: Image
        let caption: [String]
    }

    private var rows: [[Tile]] = []
    private let normalization: Normalization
    private let classNames: [String]

    /// Creates an empty sheet.
    ///
    /// - Parameters:
    ///   - normalization: What images were normalised with.
    ///   - classNames: The names of the classes.
    public init(normalization: Normalization, classNames: [String]) {
        self.normalization = normalization
        self.classNames = classNames
    }

    /// Adds the images of a batch as a row.
    ///
    /// - Parameter batch: The images.
    /// - Throws: `ImageError` when the batch has other channels than the statistics.
    public mutating func add(_ batch: ImageBatch) throws(ImageError) {
        let pixels = batch.pixels
        let sample = batch.channels * batch.height * batch.width
        var row: [Tile] = []
        for i in 0..<batch.count {
            let part = pixels[(i * sample)..<((i + 1) * sample)]
            row.append(
                Tile(
                    image: try normalization.image(
                        Array(part),
                        height: batch.height,
                        width: batch.width
                    ),
                    caption: caption(batch, at: i)
                )
            )
        }
        if !row.isEmpty { rows.append(row) }
    }

    /// Adds a row for each image of a batch: its crops, the large ones first.
    ///
    /// - Parameters:
    ///   - batch: A row of numbers for each image, as `crops` writes them.
    ///   - crops: What wrote them.
    /// - Throws: `ImageError` when the batch is of other crops.
    public mutating func add(_ batch: ImageBatch, crops: MultiCrop) throws(ImageError) {
        guard batch.height * batch.width * batch.channels == crops.count else {
            throw .invalid("the batch does not match the crops")
        }
        for index in 0..<batch.count {
            let start = index * crops.count
            var row: [Tile] = []
            for (range, shape) in zip(crops.ranges, crops.shapes) {
                let part = batch.pixels[(start + range.lowerBound)..<(start + range.upperBound)]
                row.append(
                    Tile(
                        image: try normalization.image(
                            Array(part),
                            height: shape[1],
                            width: shape[2]
                        ),
                        caption: row.isEmpty ? caption(batch, at: index) : []
                    )
                )
            }
            rows.append(row)
        }
    }

    /// The names of the classes with the largest shares, largest first.
    func caption(_ batch: ImageBatch, at index: Int) -> [String] {
        func name(_ label: Int) -> String {
            classNames.indices.contains(label) ? classNames[label] : "class \(label)"
        }
        guard let targets = batch.targets, batch.count > 0 else {
            return [name(batch.labels[index])]
        }
        let classes = targets.count / batch.count
        let own = Array(targets[(index * classes)..<((index + 1) * classes)])
        // What smoothing gives to each class says nothing.
        var least = own.min() ?? 0
        var sum = own.reduce(0) { $0 + ($1 - least) }
        if batch.isMultiLabel {
            // Every class is a share of its own; an image with all classes has no lower target.
            least = min(least, 0.25)
            sum = 1 - 2 * least
            if own.allSatisfy({ $0 <= least }) { return ["none"] }
        }
        return own.indices.sorted { (own[$0], $1) > (own[$1], $0) }
            .prefix(ContactSheet.captionLines)
            .filter { own[$0] > least }
            .map { label in
                let share = sum > 0 ? Double((own[label] - least) / sum) : 1
                return share > 0.995
                    ? name(label) : "\(Int((share * 100).rounded()))% \(name(label))"
            }
    }

    /// Draws the sheet.
    ///
    /// - Returns: The sheet, in colour.
    /// - Throws: `ImageError` when there are no images, or too many.
    public func drawn() throws(ImageError) -> Image {
        guard let first = rows.first?.first?.image else {
            throw .invalid("a sheet without images cannot be drawn")
        }
        let scale = max(1, (ContactSheet.leastTile + first.width - 1) / first.width)
        let line = DotFont.height + 3
        let cell = (
            height: first.height * scale + ContactSheet.captionLines * line + 6,
            width: first.width * scale + 6
        )
        let columns = rows.map(\.count).max() ?? 1
        var canvas = try Canvas(height: rows.count * cell.height, width: columns * cell.width)
        for (r, row) in rows.enumerated() {
            for (c, tile) in row.enumerated() {
                let (top, left) = (r * cell.height + 3, c * cell.width + 3)
                canvas.paste(tile.image, top: top, left: left, scale: scale)
                for (i, text) in tile.caption.prefix(ContactSheet.captionLines).enumerated() {
                    canvas.write(
                        text,
                        top + tile.image.height * scale + 3 + i * line,
                        left,
                        room: first.width * scale
                    )
                }
            }
        }
        return try canvas.image()
    }
}

extension Normalization {
    /// Undoes the normalisation of `[channels, height, width]`; what is beyond 0 to 255 is cut off.
    func image(_ values: [Float], height: Int, width: Int) throws(ImageError) -> Image {
        let plane = height * width
        let channels = mean.count
        guard values.count == plane * channels else {
            throw .invalid(
                "\(values.count) values do not form an image of \(ImageSize(height: height, width: width))"
            )
        }
        var pixels = [UInt8](repeating: 0, count: values.count)
        for i in 0..<plane {
            for c in 0..<channels {
                let value = (values[c * plane + i] * std[c] + mean[c]) * 255
                pixels[i * channels + c] = UInt8(
                    max(0, min(255, value.isNaN ? 0 : value.rounded()))
                )
            }
        }
        return try Image(height: height, width: width, channels: channels, pixels: pixels)
    }
}
