public import Checkpoints
import Foundation
import Storage

/// A folder that images are written to, with a name of its own for each.
public struct OutputFolder {
    /// The folder's path.
    public let path: String

    /// The files written so far, relative to the folder.
    public private(set) var files: [String] = []

    private let roots: [String]
    // What stands beside the images' own files.
    private var used: Set<String> = ["overview", "sheet", "index"]
    private var folders: Set<String> = []

    /// Looks at a folder without touching it; the first file makes it.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - roots: The folders that images come from; names are taken relative to them.
    ///   - overwrites: Whether the folder may hold files.
    /// - Throws: ``EvaluationError/notEmpty(path:)`` when it has files, ``EvaluationError/invalid(_:)`` for a file.
    public init(
        _ path: String,
        roots: [String] = [],
        overwrites: Bool
    ) throws(EvaluationError) {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                throw .invalid("\(path) is a file; choose a directory")
            }
            let content = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            guard overwrites || content.isEmpty else { throw .notEmpty(path: path) }
        }
        self.path = path
        self.roots = roots.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
    }

    private func create(_ folder: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true
            )
        } catch {
            throw .unwritable(path: folder, reason: "the directory cannot be created")
        }
    }

    /// A name for what is made of an image, which no other image has.
    ///
    /// - Parameter file: The image's file, or what it is called.
    /// - Returns: The place within its folder without the ending, such as `cats/first`.
    public mutating func name(for file: String) -> String {
        let root = roots.filter { file.hasPrefix($0) }.max { $0.count < $1.count }
        let relative = root.map { String(file.dropFirst($0.count)) } ?? Self.last(of: file)
        var parts = relative.split(separator: "/").filter { $0 != ".." && $0 != "." }
            .map(String.init)
        if let last = parts.popLast() {
            let stem = last.lastIndex(of: ".").map { String(last[..<$0]) } ?? last
            parts.append(stem.isEmpty ? last : stem)
        }
        if parts.count > 1, parts[0] == "sheets" { parts[0] = "sheets-2" }
        let plain = parts.isEmpty ? "image" : parts.joined(separator: "/")
        var name = plain
        var number = 2
        while !used.insert(name).inserted {
            name = "\(plain)-\(number)"
            number += 1
        }
        return name
    }

    private static func last(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Writes a file; it is whole or not there.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - file: The place within the folder.
    /// - Throws: `CheckpointError.unwritable` when the disk does not take it.
    public mutating func write(
        _ bytes: some Collection<UInt8>,
        to file: String
    ) throws(CheckpointError) {
        let place = "\(path)/\(file)"
        if let slash = place.lastIndex(of: "/"), folders.insert(String(place[..<slash])).inserted {
            try create(String(place[..<slash]))
        }
        try CheckpointError.of(try AtomicFile.write(bytes, to: place))
        files.append(file)
    }
}
