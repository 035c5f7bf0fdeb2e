import Foundation

/// A name in a folder.
struct FolderEntry {
    let name: String
    let path: String
    let isFolder: Bool
}

/// Lists a folder, links followed, hidden names left out, sorted by code points as Python's `sorted` does.
func listFolder(_ path: String) throws(DatasetError) -> [FolderEntry] {
    let names: [String]
    do {
        names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
        throw .unreadableSet(path: path, detail: "the folder cannot be listed")
    }
    return names.filter { !$0.hasPrefix(".") }
        .sorted(by: precedes)
        .map { name in
            let whole = path.hasSuffix("/") ? path + name : path + "/" + name
            return FolderEntry(name: name, path: whole, isFolder: isFolder(whole))
        }
}

/// Whether there is a folder, or a link to one, at a path.
func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        && isDirectory.boolValue
}

/// Whether there is anything at a path.
func fileExists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
}

/// Whether one name comes before another in the order of Unicode code points.
func precedes(_ left: String, _ right: String) -> Bool {
    left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars)
}

/// The path with all links followed, for telling folders apart.
func resolvedPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
}
