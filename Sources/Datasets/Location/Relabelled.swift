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
    func label(at index: Int) -> Int { labels[base.label(at: index)] }
    func image(at index: Int) throws(ImageError) -> Image { try base.image(at: index) }
    func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try base.encodedImage(at: index)
    }
    func name(at index: Int) -> String { base.name(at: index) }
    func filePath(at index: Int) -> String? { base.filePath(at: index) }
    func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? { try base.fileBytes(at: index) }
}
