import Checkpoints
public import Datasets
public import ImagePipeline
import Torch

/// Images without labels, in order: named files, those of folders, bytes that stand in no file.
public struct ImageFileList: ImageDataset {
    /// Where one image comes from.
    public enum Source: Sendable, Equatable {
        /// A file.
        case file(String)
        /// The bytes of a file, and what to call them in messages.
        case bytes([UInt8], name: String)
    }

    /// Where the images come from.
    public let sources: [Source]

    /// The folders that hold no image.
    public let emptyFolders: [String]

    /// How the images are decoded.
    public let options: DecodingOptions

    /// One class for all, as nothing is known of them.
    public var classNames: [String] { ["image"] }

    /// Creates a list.
    ///
    /// - Parameters:
    ///   - sources: Where the images come from.
    ///   - options: How they are decoded.
    public init(_ sources: [Source], options: DecodingOptions = DecodingOptions()) {
        self.sources = sources
        self.options = options
        emptyFolders = []
    }

    /// Lists files and folders in the order given.
    ///
    /// A file is taken whatever its name; of a folder and all folders in it the names that end in `jpg`, `jpeg`,
    /// `png` or `webp`, sorted. What does not exist shows when it is read.
    ///
    /// - Parameters:
    ///   - paths: The files and folders.
    ///   - options: How images are decoded.
    /// - Throws: `DatasetError` when a folder cannot be listed.
    public init(
        paths: [String],
        options: DecodingOptions = DecodingOptions()
    ) throws(DatasetError) {
        var sources: [Source] = []
        var empty: [String] = []
        for path in paths {
            guard let found = try ImageFolder.images(below: path) else {
                sources.append(.file(path))
                continue
            }
            if found.isEmpty { empty.append(path) }
            sources += found.map(Source.file)
        }
        self.sources = sources
        self.options = options
        emptyFolders = empty
    }

    /// The number of images.
    public var count: Int { sources.count }

    /// The label that all images have.
    ///
    /// - Parameter index: The image.
    /// - Returns: 0.
    public func label(at index: Int) -> Int { 0 }

    /// Reads and decodes an image.
    ///
    /// - Parameter index: The image.
    /// - Returns: The image.
    /// - Throws: `ImageError` when it cannot be read or decoded.
    public func image(at index: Int) throws(ImageError) -> Image {
        switch sources[index] {
        case .file(let path): try Image(contentsOf: path, options: options)
        case .bytes(let bytes, _): try Image(decoding: bytes, options: options)
        }
    }

    /// Reads an image's file without decoding it.
    ///
    /// - Parameter index: The image.
    /// - Returns: The file.
    /// - Throws: `ImageError` when the file cannot be read or is not an image.
    public func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        switch sources[index] {
        case .file(let path): try EncodedImage(contentsOf: path, options: options)
        case .bytes(let bytes, _): try EncodedImage(bytes, options: options)
        }
    }

    /// What to call an image in a message.
    ///
    /// - Parameter index: The image.
    /// - Returns: The path, or the name of the bytes.
    public func name(at index: Int) -> String {
        switch sources[index] {
        case .file(let path): path
        case .bytes(_, let name): name
        }
    }

    /// The list with the bytes in place of every file of one name.
    ///
    /// - Parameters:
    ///   - path: The name, such as `-`.
    ///   - bytes: The bytes.
    ///   - name: What to call them in messages.
    /// - Returns: The other list.
    public func replacing(_ path: String, by bytes: [UInt8], named name: String) -> ImageFileList {
        ImageFileList(
            sources: sources.map { $0 == .file(path) ? .bytes(bytes, name: name) : $0 },
            emptyFolders: emptyFolders,
            options: options
        )
    }

    private init(sources: [Source], emptyFolders: [String], options: DecodingOptions) {
        self.sources = sources
        self.emptyFolders = emptyFolders
        self.options = options
    }
}

// MARK: - Classification

extension ImageFileList {
    /// The images that the model sees at once.
    private static let batchSize = 16

    /// Decodes the images ahead of need, names what each batch shows and delivers the results in the list's order.
    ///
    /// - Parameters:
    ///   - processor: The way from an image to the model's input.
    ///   - workers: How many batches are decoded at the same time, at least 1.
    ///   - predict: Names what the images of a batch show; its `indices` are places in the list.
    ///   - deliver: Called for each image.
    /// - Throws: What the closures throw. An image that cannot be used is a result of its own.
    @ModelActor
    func classified(
        through processor: ImageProcessor,
        workers: Int,
        by predict: (ImageBatch) throws -> [ImagePrediction],
        deliver: (ImageResult) throws -> Void
    ) async throws {
        guard count > 0 else { return }
        let loader = try DataLoader(
            dataset: self,
            transform: processor,
            plan: EpochPlan(
                count: count,
                batchSize: processor.hasFixedSize ? Self.batchSize : 1,
                shuffles: false
            ),
            workers: workers,
            policy: .drop(limit: .max)
        )
        var next = 0
        func deliverFailures(before index: Int) throws {
            while next < index {
                let reason = failure(of: next, processor)
                try deliver(.failure(file: name(at: next), reason: reason))
                next += 1
            }
        }
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            let predictions = try predict(batch)
            for (row, index) in batch.indices.enumerated() {
                try deliverFailures(before: index)
                try deliver(.prediction(predictions[row]))
                next = index + 1
            }
        }
        try deliverFailures(before: count)
    }

    /// Why an image was left out; it is read again, as the loader keeps the reasons of the first few only.
    private func failure(of index: Int, _ processor: ImageProcessor) -> String {
        do throws(ImageError) {
            let image = try image(at: index, upright: processor.appliesOrientation)
            _ = try processor.prepare(image)
            return "it could not be read at first"
        } catch {
            // The error of a file that cannot be opened names it, which the sentence around it does already.
            if case .unreadable(_, let detail) = error { return detail }
            return error.reason
        }
    }
}

extension ImageProcessor {
    /// Whether images of all sizes come out in one.
    package var hasFixedSize: Bool {
        if cropHeight != nil { return true }
        if case .exact = resize { return true }
        return false
    }
}
