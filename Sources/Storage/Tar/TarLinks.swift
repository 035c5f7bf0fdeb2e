/// The links of a tar archive, followed inside it.
///
/// Links go by the names in the archive alone: no file outside it is ever read. A hard link names a member, a symbolic
/// link a path relative to its own folder; both may lead to further links, and to a folder.
package struct TarLinks {
    /// Where a link leads.
    package enum Target: Equatable {
        case file(TarMember)
        /// No file: a folder of this name, or nothing.
        case folder([UInt8])
        /// The path leads out of the archive.
        case outside
        case circle
    }

    private var files: [[UInt8]: TarMember] = [:]
    private var links: [[UInt8]: TarMember] = [:]
    /// The files in the order of the archive.
    private var names: [[UInt8]] = []

    /// No path goes through more links.
    private static let stepLimit = 40

    /// Reads the headers of a whole archive, as far as it is intact.
    ///
    /// - Parameter file: The archive.
    package init(_ file: any ByteSource) {
        var reader = TarReader(file)
        while let member = try? reader.next() {
            let name = Self.plain(member.name) ?? member.name
            switch member.kind {
            case .file:
                if files.updateValue(member, forKey: name) == nil { names.append(name) }
            case .hardLink, .symbolicLink: links[name] = member
            case .folder, .other: continue
            }
        }
    }

    /// Follows a link.
    package func target(of link: TarMember) -> Target {
        guard var rest = Self.start(of: link) else { return .outside }
        var done: [[UInt8]] = []
        var steps = 0
        while let part = rest.popLast() {
            if part == Self.up {
                guard done.popLast() != nil else { return .outside }
                continue
            }
            done.append(part)
            let path = Self.joined(done)
            // A name that is there twice means its last member; files are looked for first.
            guard files[path] == nil, let next = links[path] else { continue }
            steps += 1
            guard steps <= Self.stepLimit else { return .circle }
            guard let more = Self.start(of: next) else { return .outside }
            done = []
            rest += more
        }
        let path = Self.joined(done)
        return files[path].map(Target.file) ?? .folder(path)
    }

    /// The number of files.
    package var count: Int { names.count }

    /// The files in a folder and those in it, with the rest of their names.
    package func files(in folder: [UInt8]) -> [(member: TarMember, rest: ArraySlice<UInt8>)] {
        let prefix = folder.isEmpty ? [] : folder + [.slash]
        return names.compactMap { name in
            guard name.starts(with: prefix), let member = files[name] else { return nil }
            return (member, name.dropFirst(prefix.count))
        }
    }

    // MARK: - Paths

    private static let up = Array("..".utf8)

    /// The parts of the path that a link names, from the archive's root, the last first; nil for one that leaves it.
    private static func start(of link: TarMember) -> [[UInt8]]? {
        // What any system takes is far shorter; work on a path grows with its square.
        guard link.name.count + link.target.count <= 8192 else { return nil }
        var parts: [[UInt8]] = []
        if link.kind == .symbolicLink {
            guard link.target.first != .slash else { return nil }
            parts = components(link.name)
            if !parts.isEmpty { parts.removeLast() }
        }
        return (parts + components(link.target)).reversed()
    }

    private static func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: .slash).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
    }

    private static func joined(_ parts: [[UInt8]]) -> [UInt8] {
        Array(parts.joined(separator: [.slash]))
    }

    /// A member's name without `.` and doubled slashes; nil where it goes up.
    private static func plain(_ name: [UInt8]) -> [UInt8]? {
        let parts = components(name)
        return parts.contains(up) ? nil : joined(parts)
    }
}

extension UInt8 {
    fileprivate static let slash = UInt8(ascii: "/")
}
