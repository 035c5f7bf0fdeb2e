import Foundation
import Storage

/// A name in a folder.
struct FolderEntry {
    /// The type of a directory entry, links followed.
    enum Kind {
        case folder
        case file
        /// A link that leads nowhere, or in a circle.
        case deadLink
        /// A pipe, a socket, a device: nothing to read images from.
        case other
    }

    let name: String
    let path: String
    let kind: Kind
    let isLink: Bool

    var isFolder: Bool { kind == .folder }
}

/// What a folder holds.
struct FolderContents {
    /// The names, hidden ones left out, sorted by code points as Python's `sorted` does.
    var entries: [FolderEntry] = []
    /// Names of files that are not UTF-8, with `\xNN` for what is none.
    var oddFiles: [String] = []
    /// Such names of folders, and of what may be one.
    var oddFolders: [String] = []

    var folders: [FolderEntry] { entries.filter(\.isFolder) }
    var fileNames: Set<String> { Set(entries.filter { $0.kind == .file }.map(\.name)) }
}

/// Lists a folder, links followed.
///
/// Names are read as bytes: Foundation changes or omits names that are not UTF-8.
func listFolder(_ path: String) throws(DatasetError) -> FolderContents {
    guard let folder = opendir(path) else {
        throw .unreadableSet(path: path, detail: systemReason())
    }
    defer { closedir(folder) }
    var contents = FolderContents()
    while let entry = readdir(folder) {
        let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
        guard bytes.first != UInt8(ascii: ".") else { continue }
        guard let name = String(validating: bytes, as: UTF8.self) else {
            let isFile = Int(entry.pointee.d_type) == Int(DT_REG)
            if isFile {
                contents.oddFiles.append(escaped(bytes))
            } else {
                contents.oddFolders.append(escaped(bytes))
            }
            continue
        }
        let whole = path.hasSuffix("/") ? path + name : path + "/" + name
        let type = Int(entry.pointee.d_type)
        contents.entries.append(
            FolderEntry(
                name: name,
                path: whole,
                kind: kind(type, of: whole),
                isLink: type == Int(DT_LNK)
            )
        )
    }
    contents.entries.sort { precedes($0.name, $1.name) }
    contents.oddFiles.sort()
    contents.oddFolders.sort()
    return contents
}

/// The type of a name; `stat` is called only if the listing does not contain it.
private func kind(_ type: Int, of path: String) -> FolderEntry.Kind {
    switch type {
    case Int(DT_DIR): return .folder
    case Int(DT_REG): return .file
    default:
        guard let status = fileStatus(path) else { return .deadLink }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG: return .file
        default: return .other
        }
    }
}

/// The status of a path, links followed; nil if nothing exists there.
func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
}

/// The number of bytes of a regular file; nil where there is none.
func fileSize(_ path: String) -> Int? {
    guard let status = fileStatus(path), status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
}

/// What changes when a file is replaced: its size and the time of its last change.
func fileStamp(_ path: String) -> String {
    guard let status = fileStatus(path) else { return "" }
    #if canImport(Darwin)
    let time = status.st_mtimespec
    #else
    let time = status.st_mtim
    #endif
    return "\(status.st_size) \(time.tv_sec) \(time.tv_nsec)"
}

/// Whether there is a folder, or a link to one, at a path.
func isFolder(_ path: String) -> Bool {
    fileStatus(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
}

/// Whether there is anything at a path.
func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// Whether one name comes before another in the order of Unicode code points, which is that of UTF-8's bytes.
func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

/// The path with all links followed, for telling folders apart and for naming files from elsewhere.
func resolvedPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// The ending of a file's name in small letters, or nil where it has none.
func fileExtension(_ name: some StringProtocol) -> String? {
    // By code points: a mark that combines with the dot must not hide it.
    let scalars = String(name).unicodeScalars
    guard let dot = scalars.lastIndex(of: ".") else { return nil }
    let ending = scalars[dot...].dropFirst()
    return ending.contains("/") ? nil : String(ending).lowercased()
}

/// A file's name without its ending.
func fileStem(_ name: String) -> String {
    guard let dot = name.unicodeScalars.lastIndex(of: ".") else { return name }
    return String(name.unicodeScalars[..<dot])
}

/// The first names of many, and how many more there are.
func listed(_ names: some Collection<String>, limit: Int = 5) -> String {
    let shown = names.prefix(limit).joined(separator: ", ")
    return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
}
