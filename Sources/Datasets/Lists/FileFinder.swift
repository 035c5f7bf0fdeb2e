/// Finds files whose names are spelled in another Unicode normal form than on the disk.
struct FileFinder {
    /// The names in each folder that was listed.
    private var folders: [[UInt8]: [String: String]] = [:]

    /// The path of a file as it is on the disk; the path itself where there is no such file in any form.
    mutating func find(_ path: String) -> String {
        // Other names have one form only.
        guard path.utf8.contains(where: { $0 >= 0x80 }), !fileExists(path) else { return path }
        return found(path) ?? path
    }

    private mutating func found(_ path: String) -> String? {
        if fileExists(path) { return path }
        let parent = parentFolder(path)
        guard let name = pathComponents(path).last, parent.utf8.count < path.utf8.count,
            let folder = found(parent)
        else { return nil }
        let key = Array(folder.utf8)
        if folders[key] == nil {
            let entries = (try? listFolder(folder))?.entries ?? []
            folders[key] = Dictionary(entries.map { ($0.name, $0.name) }) { first, _ in first }
        }
        return folders[key]?[name].map { folder == "/" ? "/\($0)" : "\(folder)/\($0)" }
    }
}
