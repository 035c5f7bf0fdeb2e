import Foundation
import Storage

/// Which of a repository's files to fetch.
public struct HubFileSelection: Sendable, Equatable {
    /// Patterns, such as `*.safetensors`, of which a file must fit one; empty for the files of a model.
    public var include: [String]

    /// Patterns of files to leave out.
    public var exclude: [String]

    /// What a model needs: configuration, pre-processing, one form of the weights, class names and the card.
    public static let model = HubFileSelection()

    /// Creates a selection.
    ///
    /// - Parameters:
    ///   - include: Patterns, such as `*.safetensors`, of which a file must fit one; empty for the files of a model.
    ///   - exclude: Patterns of files to leave out.
    public init(include: [String] = [], exclude: [String] = []) {
        self.include = include
        self.exclude = exclude
    }

    static let configuration = "config.json"
    static let processor = "preprocessor_config.json"
    static let indexEnding = ".index.json"

    /// The forms of the weights, the best first.
    ///
    /// Pickled files come last: they are slower to read.
    static let weights = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ]

    static let essential = [configuration, processor, weights[0]]
    private static let optional = ["labels.txt", "README.md", "LICENSE", "LICENSE.txt"]

    /// The files to fetch of those in a repository, without the shards that an index names.
    func choose(from files: [String], of repository: HubRepository) throws(HubError) -> [String] {
        guard include.isEmpty else { return try chooseByPattern(from: files, of: repository) }
        let present = Set(files.filter { !isExcluded($0) })
        guard let weights = Self.weights.first(where: present.contains) else {
            throw HubError.noModel(
                repository: repository.name,
                reason: Self.advice(for: files)
            )
        }
        return [Self.configuration, Self.processor].filter(present.contains)
            + Self.optional.filter(present.contains) + [weights]
    }

    private func chooseByPattern(
        from files: [String],
        of repository: HubRepository
    ) throws(HubError) -> [String] {
        let chosen = files.filter { file in
            include.contains { HubFileSystem.matches(file, $0) } && !isExcluded(file)
        }
        guard !chosen.isEmpty else {
            throw HubError.notFound(
                what: "file of \(repository.name) that matches the patterns",
                reason: "it has \(Self.list(files))"
            )
        }
        return chosen
    }

    private func isExcluded(_ file: String) -> Bool {
        exclude.contains { HubFileSystem.matches(file, $0) }
    }

    private static func advice(for files: [String]) -> String {
        "it has neither model.safetensors nor pytorch_model.bin, but \(list(files)); "
            + "select other files with --include"
    }

    private static func list(_ files: [String]) -> String {
        guard !files.isEmpty else { return "no files" }
        let shown = files.sorted().prefix(8).joined(separator: ", ")
        return files.count > 8 ? "\(shown) and \(files.count - 8) more" : shown
    }

    /// The files that an index of shards names.
    static func shards(ofIndex path: String) throws(HubError) -> [String] {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        func unusable(_ reason: String) -> HubError { .badAnswer(what: name, reason: reason) }
        guard let size = HubFileSystem.size(path), size <= 1 << 26,
            let data = FileManager.default.contents(atPath: path)
        else { throw HubError.cache(path: path, reason: "it cannot be read, or is too large") }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse([UInt8](data))
        } catch { throw unusable("\(error)") }
        guard let map = value["weight_map"]?.objectValue else {
            throw unusable("it has no weight_map")
        }
        var shards: Set<String> = []
        for key in map.keys {
            guard let file = map[key]?.stringValue, HubNames.isSafeFile(file), !file.contains("/")
            else {
                let text = HubNames.quoted(map[key]?.stringValue ?? "")
                throw unusable("\(text) is not the name of a file in its directory")
            }
            shards.insert(file)
        }
        return shards.sorted()
    }
}
