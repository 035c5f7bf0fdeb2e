/// Whether a list next to class folders says the same as they do.
enum ListAgreement {
    /// Compares.
    ///
    /// - Parameters:
    ///   - list: The list.
    ///   - path: Its file, for errors.
    ///   - folder: The images of the folders.
    /// - Returns: What was noticed and is not a contradiction: images that the list does not name.
    /// - Throws: ``DatasetError/labelsDisagree(list:count:first:)`` when an image has different classes in both,
    ///   ``DatasetError/missingFiles(list:count:first:)`` when the list names files that are not there.
    static func check(
        _ list: ImageList,
        path: String,
        against folder: ImageFolder
    ) throws(DatasetError) -> [String] {
        if let problem = list.problems.first { throw problem }
        // The images' numbers in the list.
        var classOf: [String: Int] = [:]
        // Two forms of a name may be two files; where there is no such file, another form of it is meant.
        var exact: [[UInt8]: Int] = [:]
        for row in list.files.indices {
            classOf[list.files[row]] = row
            exact[Array(list.files[row].utf8)] = row
        }
        var disagreeing: [String] = []
        var (count, unnamed) = (0, 0)
        for index in 0..<folder.count {
            let file = folder.name(at: index)
            guard let row = exact[Array(file.utf8)] ?? classOf[file] else {
                unnamed += 1
                continue
            }
            let own = Set(folder.labels(at: index).map { folder.classNames[$0] })
            let labels = list.labelSets?[row] ?? [Int(list.labels[row])]
            let other = labels.map { list.classNames[$0] }
            guard own != Set(other) else { continue }
            count += 1
            if disagreeing.count < 3 {
                let names = other.isEmpty ? "no class" : other.joined(separator: ", ")
                disagreeing.append("\(file) (\(names))")
            }
        }
        if count > 0 {
            throw .labelsDisagree(list: path, count: count, first: disagreeing)
        }
        guard unnamed > 0, unnamed < folder.count else { return [] }
        return [
            "the list \(path) does not name \(unnamed) of the \(folder.count) images in the folders"
        ]
    }
}
