/// A weights file whose tensors are known by timm's names, whoever's names they have in it.
struct WeightsFile {
    typealias Place = HuggingFaceKeyMap.Place

    let file: SafetensorsFile

    /// Whether the tensors have Hugging Face's names.
    let isHuggingFace: Bool

    /// What stands before every one of timm's names in the file; mostly nothing.
    let prefix: String

    /// The tensors with a place in a model.
    let entries: [Place: SafetensorsHeader.Entry]

    /// The tensors that a classifier has no use for.
    let unused: [String]

    init(path: String) throws(CheckpointError) {
        file = try SafetensorsFile(path: path)
        let names = file.header.entries.map(\.name)
        isHuggingFace = names.contains {
            HuggingFaceKeyMap.place(of: $0)?.key == "patch_embed.proj.weight"
        }
        // transformers puts this before timm's names when it saves one of timm's networks.
        let wrapper = "timm_model."
        prefix = !names.isEmpty && names.allSatisfy { $0.hasPrefix(wrapper) } ? wrapper : ""
        var entries: [Place: SafetensorsHeader.Entry] = [:]
        var unused: [String] = []
        for entry in file.header.entries {
            if isHuggingFace, HuggingFaceKeyMap.isUnused(entry.name) {
                unused.append(entry.name)
                continue
            }
            let known = isHuggingFace ? HuggingFaceKeyMap.place(of: entry.name) : nil
            let place = known ?? Place(key: String(entry.name.dropFirst(prefix.count)))
            guard entries[place] == nil else {
                throw CheckpointError.malformed(
                    file: path,
                    reason: "\(entry.name) and another tensor are the same \(place.key)"
                )
            }
            entries[place] = entry
        }
        self.entries = entries
        self.unused = unused
    }

    /// The number of numbers in the file.
    var elementCount: Double {
        file.header.entries.reduce(0) { $0 + Double($1.range.count / $1.dtype.byteSize) }
    }

    /// The shape of a tensor by timm's name; nil where the file does not have it whole.
    func shape(_ key: String) -> [Int]? { entries[Place(key: key)]?.shape }

    /// The largest number in names such as `blocks.11.norm1.weight`, plus one.
    func count(after prefix: String) -> Int {
        let numbers = entries.keys.compactMap { place -> Int? in
            guard place.key.hasPrefix(prefix) else { return nil }
            return Int(place.key.dropFirst(prefix.count).prefix { $0 != "." })
        }
        // A number beyond the number of tensors cannot be that of a block.
        return (numbers.filter { (0..<entries.count).contains($0) }.max() ?? -1) + 1
    }
}
