import Foundation
import ImagePipeline
import Storage

/// What a folder of class folders holds, with everything about it that is odd.
struct FolderScan {
    var classNames: [String] = []
    var files: [String] = []
    var labels: [Int32] = []
    /// Classes without images.
    var emptyClasses: [String] = []
    /// Paths of folders and images whose names are not UTF-8.
    var oddNames: [String] = []
    /// Links that lead nowhere or in a circle.
    var deadLinks: [String] = []
    /// Links that lead back to a folder that they are in.
    var loops: [String] = []
    /// How many images of formats that are not read were met, by the endings of their names.
    var foreign: [String: Int] = [:]
    /// Files that are images by their content, but not by the endings of their names.
    var unnamed: [String] = []
    /// Class folders whose names differ only in their Unicode normal form.
    var sameNames: [String] = []
    /// A note on images next to the class folders.
    var stray: String?

    /// Nothing yet.
    init() {}

    /// Walks through the folders of all classes.
    ///
    /// - Parameter path: The folder of class folders.
    /// - Throws: ``DatasetError`` when a folder cannot be listed.
    init(path: String) throws(DatasetError) {
        var walk = FolderWalk(above: path)
        let contents = try listFolder(path)
        var places: [String: Int] = [:]
        stray = Self.strayNote(contents, beside: "the class folders")
        // At the top only folders count.
        walk.oddNames += contents.oddFolders.map { "\(path)/\($0)" }
        for entry in contents.entries {
            if entry.kind == .deadLink, fileExtension(entry.name) == nil {
                walk.deadLinks.append(entry.path)
            }
            guard entry.isFolder else { continue }
            guard let id = FolderID(entry.path), !walk.ancestors.contains(id) else {
                walk.loops.append(entry.path)
                continue
            }
            let before = walk.files.count
            walk.visited = []
            try walk.visit(entry.path, id)
            let found = walk.files.count - before
            if found == 0 { emptyClasses.append(entry.name) }
            let place = places[entry.name] ?? classNames.count
            labels += repeatElement(Int32(place), count: found)
            if place == classNames.count {
                places[entry.name] = place
                classNames.append(entry.name)
            } else {
                sameNames += [classNames[place], entry.name]
            }
        }
        files = walk.files
        oddNames = walk.oddNames
        deadLinks = walk.deadLinks
        loops = walk.loops
        foreign = walk.foreign
        unnamed = walk.unnamed
    }

    /// Tells of images next to folders, where only those in the folders count; nil where there are none.
    static func strayNote(_ contents: FolderContents, beside folders: String) -> String? {
        let stray = contents.entries.filter { $0.kind == .file && isImage($0.name) }
        guard !stray.isEmpty else { return nil }
        return
            "skipped \(counted(stray.count, "image")) next to \(folders): "
            + listed(stray.map(\.path))
    }

    /// What was left out and does no harm, one sentence each.
    var notes: [String] {
        var notes: [String] = []
        if !loops.isEmpty {
            notes.append(
                "skipped \(counted(loops.count, "link")) that \(loops.count == 1 ? "leads" : "lead") back to a parent folder: "
                    + listed(loops)
            )
        }
        if !deadLinks.isEmpty {
            notes.append(
                "skipped \(counted(deadLinks.count, "link")) that \(deadLinks.count == 1 ? "leads" : "lead") nowhere or form a cycle: "
                    + listed(deadLinks)
            )
        }
        if !foreign.isEmpty {
            let count = foreign.values.reduce(0, +)
            let kinds = foreign.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { "\($0.value) .\($0.key)" }
            notes.append(
                "skipped \(counted(count, "file")) in unsupported formats (\(listed(kinds))): "
                    + "convert them to JPEG, PNG or WebP"
            )
        }
        if !unnamed.isEmpty {
            notes.append(
                "skipped \(counted(unnamed.count, "file")) with JPEG, PNG or WebP content and another extension ("
                    + listed(unnamed) + "): rename them to .jpg, .png or .webp"
            )
        }
        if let stray { notes.append(stray) }
        return notes
    }
}

/// A folder, however it is reached.
struct FolderID: Hashable {
    let device: UInt64
    let inode: UInt64

    init?(_ path: String) {
        guard let status = fileStatus(path) else { return nil }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
    }
}

/// A walk through folders in folders that enters none twice.
struct FolderWalk {
    var files: [String] = []
    var oddNames: [String] = []
    var deadLinks: [String] = []
    var loops: [String] = []
    /// Images of formats that are not read, by the endings of their names.
    var foreign: [String: Int] = [:]
    /// Files that are images by their content, but not by the endings of their names.
    var unnamed: [String] = []
    /// How many files of other names were looked into.
    private var examined = 0
    /// The most files of other names that are looked into, so that a folder of a million texts costs nothing.
    private static let examinedLimit = 2_000
    /// The folders entered since this was last emptied; one reached again through a link is left out.
    var visited: Set<FolderID> = []
    /// The folders around the one that is visited, up to the root: a link to one of them is a loop.
    private(set) var ancestors: Set<FolderID> = []

    /// - Parameter path: The folder that will be visited, or that holds those that will be.
    init(above path: String) {
        var parent = resolvedPath(path)
        while true {
            if let id = FolderID(parent.isEmpty ? "/" : parent) { ancestors.insert(id) }
            guard let slash = parent.lastIndex(of: "/") else { break }
            parent = String(parent[..<slash])
        }
    }

    /// Adds the images of a folder and of the folders in it, sorted folder by folder.
    mutating func visit(_ path: String, _ id: FolderID) throws(DatasetError) {
        guard visited.insert(id).inserted else { return }
        let isNew = ancestors.insert(id).inserted
        defer { if isNew { ancestors.remove(id) } }
        let contents = try listFolder(path)
        let odd = contents.oddFiles.filter { isImage($0) } + contents.oddFolders
        oddNames += odd.map { "\(path)/\($0)" }
        for entry in contents.entries {
            switch entry.kind {
            case .folder:
                guard let inner = FolderID(entry.path), !ancestors.contains(inner) else {
                    loops.append(entry.path)
                    continue
                }
                try visit(entry.path, inner)
            case .file:
                if isImage(entry.name) {
                    files.append(entry.path)
                } else if let ending = fileExtension(entry.name), foreignEndings.contains(ending) {
                    foreign[ending, default: 0] += 1
                } else if examined < Self.examinedLimit {
                    examined += 1
                    if isImageByContent(entry.path) { unnamed.append(entry.path) }
                }
            case .deadLink:
                if isImage(entry.name) || fileExtension(entry.name) == nil {
                    deadLinks.append(entry.path)
                }
            case .other: continue
            }
        }
    }
}

/// The endings of images' names whose formats are not read.
private let foreignEndings: Set<String> = [
    "avif", "bmp", "cr2", "dng", "gif", "heic", "heif", "ico", "jp2", "jxl", "nef", "pbm",
    "pgm", "pnm",
    "ppm", "psd", "raw", "svg", "tga", "tif", "tiff",
]

/// Whether a file begins as JPEG, PNG or WebP files do.
private func isImageByContent(_ path: String) -> Bool {
    guard let bytes = try? OpenFile(path: path).read(at: 0, count: 64) else { return false }
    return bytes.withUnsafeBytes { ImageFormat(bytes: $0) } != nil
}

/// Whether a name is that of an image.
func isImage(_ name: some StringProtocol) -> Bool {
    fileExtension(name).map(ImageFolder.extensions.contains) ?? false
}
