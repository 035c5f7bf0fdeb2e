import Checkpoints
import Storage
import Torch

/// The `index.json` of an index, and the features that it names.
struct NeighbourIndexFile {
    static let name = "index.json"
    static let modelName = "model"
    static let format = "swift-deit neighbour index"
    /// What this code reads and writes.
    static let formatVersion = 1

    let settings: NeighbourIndex.Settings
    let version: Int
    let classNames: [String]

    init(_ settings: NeighbourIndex.Settings, version: Int, classNames: [String]) {
        self.settings = settings
        self.version = version
        self.classNames = classNames
    }

    static func featuresName(_ version: Int) -> String { "features-\(version).safetensors" }

    init(readingFrom folder: String) throws {
        let path = "\(folder)/\(Self.name)"
        let fields = JSONFields(
            object: try CheckpointError.of(try SmallFile.readObject(path)),
            file: path
        )
        guard try fields.string("format") == Self.format else {
            throw fields.unsupported("format", "is not \"\(Self.format)\"")
        }
        let format = try fields.int("format_version")
        guard format == Self.formatVersion else {
            throw fields.unsupported(
                "format_version",
                "is \(format), this version of deit reads \(Self.formatVersion): build the index again"
            )
        }
        let tokens = try (fields.strings("tokens") ?? []).map { name in
            guard let token = FeatureRequest.Token(rawValue: name) else {
                throw fields.malformed("tokens", "has the unknown token \"\(name)\"")
            }
            return token
        }
        settings = .init(
            k: try fields.int("k"),
            temperature: try fields.double("temperature"),
            request: FeatureRequest(tokens: tokens, blocks: try fields.int("blocks"))
        )
        version = try fields.int("version")
        // The next one must be a number, too.
        guard (1..<Int.max).contains(version) else {
            throw fields.malformed("version", "is \(version)")
        }
        classNames = try fields.strings("classes") ?? []
        do {
            try settings.check()
        } catch {
            throw CheckpointError.malformed(file: path, reason: "\(error)")
        }
    }

    func write(to folder: String) throws(CheckpointError) {
        let object: JSONValue = [
            "format": .string(Self.format), "format_version": .integer(Self.formatVersion),
            "version": .integer(version), "k": .integer(settings.k),
            "temperature": .number(settings.temperature),
            "tokens": .array(settings.request.tokens.map { .string($0.rawValue) }),
            "blocks": .integer(settings.request.blocks),
            "classes": .array(classNames.map(JSONValue.string)),
        ]
        try CheckpointError.of(
            try AtomicFile.write((object.text() + "\n").utf8, to: "\(folder)/\(Self.name)")
        )
    }

    /// Writes the features that this names.
    func writeFeatures(_ features: LabelledFeatures, in folder: String) throws {
        var tensors: [(name: String, tensor: Tensor)] = [
            ("vectors", try Tensor(features.values, shape: [features.count, features.width])),
            ("labels", try Tensor(features.labels.map(Int64.init), shape: [features.count])),
            ("names", try StoredTexts.tensor(features.names)),
        ]
        if !features.digests.isEmpty {
            tensors.append(("digests", try StoredTexts.tensor(features.digests)))
        }
        try Safetensors.write(tensors, to: "\(folder)/\(Self.featuresName(version))")
    }

    /// Reads the features that this names.
    func readFeatures(in folder: String) throws -> LabelledFeatures {
        let path = "\(folder)/\(Self.featuresName(version))"
        let file = try SafetensorsFile(path: path)
        func tensor(_ name: String, _ dtype: DType, rank: Int) throws(CheckpointError) -> Tensor {
            guard let entry = file.tensors.first(where: { $0.name == name }),
                entry.dtype == SafetensorsDType(dtype), entry.shape.count == rank
            else { throw .malformed(file: path, reason: "it lacks the index's \(name)") }
            return try file.read(entry)
        }
        let vectors = try tensor("vectors", .float32, rank: 2)
        let labels = try tensor("labels", .int64, rank: 1).int64s()
        let names = try StoredTexts.texts(tensor("names", .uint8, rank: 1))
        let shape = vectors.shape
        guard shape[0] == labels.count, names.count == labels.count, shape[0] > 0, shape[1] > 0,
            labels.allSatisfy({ (0..<Int64(classNames.count)).contains($0) })
        else {
            throw CheckpointError.malformed(
                file: path,
                reason: "the numbers of its vectors, labels, names and classes do not match"
            )
        }
        return LabelledFeatures(
            values: try vectors.floats(),
            width: shape[1],
            labels: labels.map { Int($0) },
            names: names,
            digests: try StoredTexts.optional("digests", of: file, count: labels.count),
            classNames: classNames
        )
    }
}
