import ImagePipeline

/// One part of a data set, in one of the forms that are understood.
enum DatasetSource: Sendable {
    /// Class folders, with the lists next to them that must agree.
    case folder(String, lists: [String], LabelFormat)
    case list(ImageList, path: String, DatasetSplit?)
    case shards(ShardIndex, path: String, DatasetSplit?)
    case cifar(CIFARFiles, DatasetSplit)
    case idx(images: String, labels: String)

    /// Opens the part strictly: whatever is wrong with it is an error.
    func open(_ options: DecodingOptions) throws(DatasetError) -> any ImageDataset {
        switch self {
        case .folder(let path, let lists, let format):
            let folder = try ImageFolder(path: path, labels: format, options: options)
            var notes: [String] = []
            for path in lists {
                let list = try ImageList([.init(path: path)], format)
                notes += try ListAgreement.check(list, path: path, against: folder)
            }
            return notes.isEmpty ? folder : Annotated(folder, notes: notes)
        case .list(let list, let path, let split):
            if let problem = list.problems.first { throw problem }
            return try checked(ListDataset(list, split: split, options: options), path, split)
        case .shards(let index, let path, let split):
            if let problem = index.problems.first { throw problem }
            return try checked(ShardDataset(index, split: split, options: options), path, split)
        case .cifar(let files, let split):
            return try CIFARDataset(files, split: split, labels: .fine)
        case .idx(let images, let labels):
            return try IDXDataset(images: images, labels: labels)
        }
    }

    private func checked(
        _ dataset: any ImageDataset,
        _ path: String,
        _ split: DatasetSplit?
    ) throws(DatasetError) -> any ImageDataset {
        guard dataset.count == 0 else { return dataset }
        throw split.map { .missingSplit(path: path, split: $0) } ?? .noImages(path: path)
    }
}

/// Images of another data set, with additional notes.
struct Annotated: ImageDataset {
    let base: any ImageDataset
    let notes: [String]

    init(_ base: any ImageDataset, notes: [String]) {
        self.base = base
        self.notes = base.notes + notes
    }

    var count: Int { base.count }
    var classNames: [String] { base.classNames }
    func label(at index: Int) -> Int { base.label(at: index) }
    var isMultiLabel: Bool { base.isMultiLabel }
    func labels(at index: Int) -> [Int] { base.labels(at: index) }
    func image(at index: Int) throws(ImageError) -> Image { try base.image(at: index) }
    func encodedImage(at index: Int) throws(ImageError) -> EncodedImage? {
        try base.encodedImage(at: index)
    }
    func name(at index: Int) -> String { base.name(at: index) }
    func filePath(at index: Int) -> String? { base.filePath(at: index) }
    func fileBytes(at index: Int) throws(ImageError) -> [UInt8]? { try base.fileBytes(at: index) }
}
