import Storage

/// An array of bytes in the IDX format of MNIST: a header of big-endian numbers, then the data.
///
/// ## Source
/// LeCun, Cortes, Burges, "The MNIST database", file formats.
struct IDXFile {
    /// The array's sizes, outermost first.
    let shape: [Int]
    /// The data without the header.
    let bytes: ArraySlice<UInt8>

    /// The most bytes that an IDX file may hold; Fashion-MNIST has 47 million.
    static let limit = 1 << 32

    /// Reads a file, gzipped or not.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - rank: The number of sizes that the array must have.
    /// - Throws: ``DatasetError`` when the file cannot be read or is damaged.
    init(path: String, rank: Int) throws(DatasetError) {
        let opened = try DatasetError.of(OpenFile(path: path))
        let file = try DatasetError.of(opened.bytes(0..<opened.count))
        let headerSize = 4 + 4 * rank
        let isCompressed = Gzip.begins(file)
        let header =
            isCompressed ? try IDXFile.inflated(file, limit: headerSize, path: path).data : file
        let (shape, size) = try IDXFile.parse(header, rank: rank, path: path)
        // The header bounds what is inflated, so a small file cannot fill the memory by chance or malice.
        var data = file
        var hasMore = false
        if isCompressed {
            (data, hasMore) = try IDXFile.inflated(file, limit: headerSize + size, path: path)
        }
        guard data.count == headerSize + size, !hasMore else {
            let relation = data.count < headerSize + size ? "fewer" : "more"
            throw .malformed(
                path: path,
                detail: "it contains \(relation) bytes than the \(size) of its header's \(shape)"
            )
        }
        self.shape = shape
        self.bytes = data[headerSize...]
    }

    private static func inflated(
        _ file: [UInt8],
        limit: Int,
        path: String
    ) throws(DatasetError) -> (data: [UInt8], hasMore: Bool) {
        try DatasetError.of(Gzip.inflate(MemorySource(file, path: path), limit: limit))
    }

    private static func parse(
        _ header: [UInt8],
        rank: Int,
        path: String
    ) throws(DatasetError) -> (shape: [Int], size: Int) {
        guard header.count >= 4 + 4 * rank else {
            throw .malformed(
                path: path,
                detail: "it is shorter than an IDX header of \(4 + 4 * rank) bytes"
            )
        }
        guard header[0] == 0, header[1] == 0, header[2] == 8, Int(header[3]) == rank else {
            throw .malformed(
                path: path,
                detail:
                    "it is not an IDX file of bytes with \(rank) dimension\(rank == 1 ? "" : "s")"
            )
        }
        var shape: [Int] = []
        var size = 1
        for dimension in 0..<rank {
            let at = 4 + 4 * dimension
            let value = header[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) }
            let (product, overflow) = size.multipliedReportingOverflow(by: value)
            guard value > 0, !overflow, product <= limit else {
                throw .malformed(path: path, detail: "its header has impossible sizes")
            }
            shape.append(value)
            size = product
        }
        return (shape, size)
    }
}
