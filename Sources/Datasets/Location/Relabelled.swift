import ImagePipeline

/// Images of another set, whose labels are places in another order of the same classes.
struct Relabelled: ImageDataset {
    private let base: any ImageDataset
    private let labels: [Int]
    let classNames: [String]

    /// The images with their classes in a given order and spelling.
    ///
    /// Two parts of a set may spell a class in different Unicode normal forms, and so have it at different places.
    ///
    /// - Parameters:
    ///   - base: The images.
    ///   - classNames: The same classes, perhaps in another order.
    /// - Returns: The set itself where the order is the same.
    static func ordered(_ base: any ImageDataset, as classNames: [String]) -> any ImageDataset {
        guard base.classNames != classNames else { return base }
        let places = ClassNames.places(classNames)
        let labels = base.classNames.map { places[$0] ?? 0 }
        return Relabelled(base: base, labels: labels, classNames: classNames)
    }

    var count: Int { base.count }
    var notes: [String] { base.notes }
    func label(at index: Int) -> Int {
        isMultiLabel ? labels(at: index).first ?? 0 : labels[base.label(at: index)]
    }
    var isMultiLabel: Bool { base.isMultiLabel }
    func labels(at index: Int) -> [Int] { base.labels(at: index).map { labels[$0] }.sorted() }
    func image(at index: Int) throws(ImageError) -> Image { try base.image(at: index) }
    func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try base.encodedImage(at: index)
    }
    func name(at index: Int) -> String { base.name(at: index) }
    func filePath(at index: Int) -> String? { base.filePath(at: index) }
    func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? { try base.fileBytes(at: index) }
}

/// Images of one label each, as images that may have several: what the user states, and the data does not.
struct MultiLabelled: ImageDataset {
    private let base: any ImageDataset

    /// The images, marked where the format says so and they are not.
    static func marked(_ base: any ImageDataset, _ format: LabelFormat) -> any ImageDataset {
        format.isMultiLabel && !base.isMultiLabel ? MultiLabelled(base: base) : base
    }

    var count: Int { base.count }
    var classNames: [String] { base.classNames }
    var notes: [String] { base.notes }
    var isMultiLabel: Bool { true }
    func label(at index: Int) -> Int { base.label(at: index) }
    func image(at index: Int) throws(ImageError) -> Image { try base.image(at: index) }
    func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try base.encodedImage(at: index)
    }
    func name(at index: Int) -> String { base.name(at: index) }
    func filePath(at index: Int) -> String? { base.filePath(at: index) }
    func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? { try base.fileBytes(at: index) }
}
