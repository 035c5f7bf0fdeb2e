public import ImagePipeline
import Storage

/// CIFAR-10 or CIFAR-100 in their binary or their Python form: colour images of 32 × 32 pixels, held in memory.
///
/// Both forms are read from the folder that the official archive unpacks to. The Python form is a pickle, which is read
/// by a small machine that makes lists and arrays and can run nothing. Class names are those of the data's own index
/// (`batches.meta`, `batches.meta.txt`, `meta`, `fine_label_names.txt`), or numbers where that is absent.
///
/// ## Source
/// Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), and the data's page for the formats.
public struct CIFARDataset: ImageDataset {
    /// The two sets of labels of CIFAR-100.
    public enum Labels: Sendable {
        /// The classes: 10, or 100.
        case fine
        /// The 20 groups of CIFAR-100's classes.
        case coarse
    }

    /// The folder or archive.
    public let path: String
    /// The classes' names.
    public let classNames: [String]
    /// What was noticed: batches that are absent.
    public let notes: [String]

    private let pixels: [UInt8]
    private let labels: [UInt8]
    /// The files and how many images come before each.
    private let files: [(name: String, start: Int)]

    /// The samples of one colour, and of all three.
    static let plane = 32 * 32
    static let image = 3 * plane

    /// Reads a part of the data.
    ///
    /// - Parameters:
    ///   - path: The folder of the files.
    ///   - split: The part.
    ///   - labels: Which labels of CIFAR-100; CIFAR-10 has one kind.
    /// - Throws: ``DatasetError`` when files are absent, damaged or contradict each other.
    public init(
        path: String,
        split: DatasetSplit,
        labels: Labels = .fine
    ) throws(DatasetError) {
        let contents = try listFolder(path)
        guard let files = CIFARFiles(folder: path, names: contents.fileNames) else {
            throw .noImages(path: path)
        }
        try self.init(files, split: split, labels: labels)
    }

    init(_ files: CIFARFiles, split: DatasetSplit, labels: Labels) throws(DatasetError) {
        let names = files.files(of: split)
        guard !names.isEmpty else { throw .missingSplit(path: files.path, split: split) }
        var parts: [(name: String, start: Int)] = []
        var (allPixels, allLabels): ([UInt8], [UInt8]) = ([], [])
        let isCoarse = labels == .coarse && files.classCount == 100
        for name in names {
            guard let bytes = try files.read(name) else { continue }
            let path = files.name(of: name)
            let batch =
                switch files.kind {
                case .binary10: try CIFARBatch(binary: bytes, labelBytes: 1, label: 0, path: path)
                case .binary100:
                    try CIFARBatch(
                        binary: bytes,
                        labelBytes: 2,
                        label: isCoarse ? 0 : 1,
                        path: path
                    )
                case .python10: try CIFARBatch(pickle: bytes, key: "labels", path: path)
                case .python100:
                    try CIFARBatch(
                        pickle: bytes,
                        key: isCoarse ? "coarse_labels" : "fine_labels",
                        path: path
                    )
                }
            parts.append((path, allLabels.count))
            allPixels += batch.pixels
            allLabels += batch.labels
        }
        let classes = try CIFARNames.read(files, isCoarse: isCoarse)
        if let wrong = allLabels.first(where: { Int($0) >= classes.count }) {
            throw .malformed(
                path: files.path,
                detail: "it has the label \(wrong), and there are \(classes.count) classes, from 0"
            )
        }
        path = files.path
        classNames = classes
        pixels = allPixels
        self.labels = allLabels
        self.files = parts
        let expected = split == .train && files.classCount == 10 ? 5 : 1
        notes =
            names.count == expected
            ? []
            : ["\(files.path) has \(names.count) of the \(expected) training batches of CIFAR-10"]
    }

    /// The number of images.
    public var count: Int { labels.count }

    /// The label of an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: An index into the classes' names.
    public func label(at index: Int) -> Int { Int(labels[index]) }

    /// Returns an image of 32 × 32 pixels in three channels.
    ///
    /// - Parameter index: The image.
    /// - Returns: The image.
    /// - Throws: Nothing in practice: all sizes were checked when the files were read.
    public func image(at index: Int) throws(ImageError) -> Image {
        let start = index * Self.image
        // The file has all reds, then all greens, then all blues.
        let samples = [UInt8](unsafeUninitializedCapacity: Self.image) { buffer, count in
            for place in 0..<Self.plane {
                for channel in 0..<3 {
                    buffer[3 * place + channel] = pixels[start + channel * Self.plane + place]
                }
            }
            count = Self.image
        }
        return try Image(height: 32, width: 32, channels: 3, pixels: samples)
    }

    /// An image's place, such as "index 17 of FILE".
    ///
    /// - Parameter index: The image.
    /// - Returns: The name.
    public func name(at index: Int) -> String {
        let file = files.last { $0.start <= index } ?? (path, 0)
        return "index \(index - file.start) of \(file.name)"
    }
}

/// The class names in CIFAR's own files.
enum CIFARNames {
    /// Reads them; numbers where there are none.
    static func read(_ files: CIFARFiles, isCoarse: Bool) throws(DatasetError) -> [String] {
        let count = isCoarse ? 20 : files.classCount
        let key =
            files.classCount == 10
            ? "label_names" : isCoarse ? "coarse_label_names" : "fine_label_names"
        let file =
            switch files.kind {
            case .binary10: "batches.meta.txt"
            case .python10: "batches.meta"
            case .binary100: isCoarse ? "coarse_label_names.txt" : "fine_label_names.txt"
            case .python100: "meta"
            }
        guard let bytes = try files.read(file) else { return (0..<count).map(String.init) }
        let path = files.name(of: file)
        let names: [String]
        if file.hasSuffix(".txt") {
            names = try ClassFile.lines(of: bytes, path: path)
        } else {
            let index = try DatasetError.of(
                try PickleContents(MemorySource(bytes, path: path), for: .dataSet)
            )
            guard let found = index.list(index[key])?.map(\.text),
                found.allSatisfy({ $0 != nil })
            else { throw .malformed(path: path, detail: "it has no list \(key)") }
            names = found.compactMap { $0 }
        }
        guard names.count == count else {
            throw .malformed(path: path, detail: "it names \(names.count) classes, not \(count)")
        }
        return names
    }
}
