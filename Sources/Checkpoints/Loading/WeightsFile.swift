import Storage
import Torch
import VisionModels

/// A weights file whose tensors are known by timm's names, whoever's names they have in it.
struct WeightsFile {
    typealias Place = HuggingFaceKeyMap.Place

    static let headKeys = Set(ModelFamilies.heads.flatMap { ["\($0).weight", "\($0).bias"] })

    let archive: any TensorArchive
    /// Whose names the tensors have.
    let scheme: NameScheme

    /// The prefix of the names of the network's tensors in the file; usually empty.
    let prefix: String

    /// The tensors with a place in a model.
    let entries: [Place: ArchivedTensor]

    /// The tensors of the pooler and of masked modelling, by timm's names, which no classifier uses.
    let extras: [String: ArchivedTensor]

    /// What tells how linear layers compute in 8 bits, by the layers' keys.
    let quantized: [String: Int8Reader.Parts]

    /// Whether the positions begin with the class token's although registers follow the token (``ClassPosition``).
    let hasClassPosition: Bool

    /// The names of the network's tensors, without what wraps them, by their names in the file.
    private let rests: [String: String]

    /// The names of the tensors that nothing here uses.
    let ignored: [String]

    /// Whether the file has the head that DINO trains with.
    let isOfDINO: Bool

    /// What is taken for granted of the file's tensors, one sentence each.
    let assumptions: [String]

    /// How the file was read, where that is not plain.
    let notes: [String]

    /// The arguments of the training that a PyTorch file carries.
    let arguments: [String: String]

    var path: String { archive.path }

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - stateDict: Which of several nested dictionaries is taken.
    ///   - head: A file with the linear classifier of the network, as DINOv2 publishes them.
    /// - Throws: ``CheckpointError`` when a file cannot be read or understood, or the classifier is not of the network.
    init(path: String, stateDict: String? = nil, head: String? = nil) throws(CheckpointError) {
        let archive = try WeightsArchive.open(path, stateDict: stateDict)
        let network = try WeightsFile(archive)
        self =
            try head.map { (head) throws(CheckpointError) in
                try WeightsFile(HeadedArchive(archive, head: head, of: network))
            } ?? network
    }

    init(_ archive: any TensorArchive) throws(CheckpointError) {
        self.archive = archive
        let plain = archive.tensors.map { TimmNames.withoutInnerWrappers($0.name) }
        let place = try NetworkPlace(
            zip(plain, archive.tensors).map { ($0, $1.shape) },
            file: archive.path
        )
        var names: [(ArchivedTensor, (prefix: String, rest: String))] = []
        var outside: [String] = []
        for (name, tensor) in zip(plain, archive.tensors) {
            guard let place else {
                names.append((tensor, TimmNames.unwrapped(name)))
                continue
            }
            if let rest = place.name(of: name), !TimmNames.isBookkeeping(rest) {
                names.append((tensor, (place.prefix, rest)))
            } else {
                outside.append(tensor.name)
            }
        }
        rests = Dictionary(names.map { ($0.0.name, $0.1.rest) }, uniquingKeysWith: { a, _ in a })
        let isHuggingFace = names.contains { _, name in
            HuggingFaceKeyMap.place(of: name.rest)?.key == "patch_embed.proj.weight"
        }
        let tensors = names.map { (name: $0.1.rest, shape: $0.0.shape) }
        let others = ModelFamilies.all.lazy.compactMap { $0.otherNames(tensors) }.first
        scheme = isHuggingFace ? .huggingFace : others?.scheme ?? .timm
        let registers =
            isHuggingFace ? "embeddings.\(DINOv2Names.registers)" : DINOv2Names.registers
        hasClassPosition = tensors.contains {
            (isHuggingFace ? HuggingFaceKeyMap.baseKey(of: $0.name) : $0.name) == registers
        }
        if let others, !isHuggingFace {
            names = names.map { ($0, ($1.prefix, others.key(of: $1.rest))) }
        }
        var sorter = Sorter(path: archive.path, isHuggingFace: isHuggingFace)
        for (tensor, name) in names { try sorter.add(tensor, name.rest) }
        entries = sorter.entries
        extras = sorter.extras
        quantized = sorter.quantized
        isOfDINO =
            names.contains { TimmNames.isProjectionHeadOfDINO($0.1.rest) }
            || outside.contains { TimmNames.isProjectionHeadOfDINO(TimmNames.unwrapped($0).rest) }
        ignored = sorter.ignored + outside
        prefix = place?.prefix ?? names.first?.1.prefix ?? ""
        let prefixes = Set(names.map(\.1.prefix)).subtracting([""]).sorted()
        var notes: [String] = []
        if !prefixes.isEmpty {
            let list = prefixes.map { "\"\($0)\"" }.joined(separator: ", ")
            notes.append("the names of the network's tensors begin with \(list), which was removed")
        }
        if let place, !place.others.isEmpty {
            let list = place.others.map { String($0.dropLast()) }
            notes.append(
                "the network \(place.prefix.isEmpty ? "without a prefix" : "under \(place.prefix.dropLast())") is used; "
                    + "the file also contains: \(LoadReport.list(list)) (--state-dict \(list[0]))"
            )
        }
        if !outside.isEmpty {
            let noun = outside.count == 1 ? "tensor" : "tensors"
            notes.append(
                "ignored \(outside.count) \(noun) outside the network: \(LoadReport.list(outside, limit: 4))"
            )
        }
        assumptions = place?.assumption.map { [$0] } ?? []
        if names.contains(where: { TimmNames.key(of: $0.1.rest) != $0.1.rest }) {
            notes.append("read gamma_1 and gamma_2 as ls1.gamma and ls2.gamma")
        }
        let file = ((archive as? HeadedArchive)?.network ?? archive) as? PyTorchFile
        self.notes = (file?.notes ?? (archive as? SelectedArchive)?.notes ?? []) + notes
        arguments = file?.arguments ?? [:]
    }

    /// The number of numbers in the file.
    var elementCount: Double {
        archive.tensors.reduce(0) { sum, tensor in
            sum + tensor.shape.reduce(1) { $0 * Double($1) }
        }
    }

    /// The type that all floating-point tensors have; nil where they differ, or tensors here have none like it.
    ///
    /// The tensors that belong to weights in 8 bits have their own types.
    var floatingDType: DType? {
        let others = Set(quantized.values.flatMap { $0.values.map(\.name) })
        let types = Set(
            archive.tensors.filter { !others.contains($0.name) }.compactMap { DType($0.dtype) }
                .filter(\.isFloatingPoint)
        )
        return types.count == 1 ? types.first : nil
    }

    /// The shape of a tensor by timm's name, as timm would have it; nil where the file does not have it whole.
    func shape(_ key: String) -> [Int]? {
        guard let shape = entries[Place(key: key)]?.shape else { return nil }
        guard hasClassPosition, key == "pos_embed", shape.count == 3 else { return shape }
        return [shape[0], shape[1] - 1, shape[2]]
    }

    /// How many parts of a tensor's rows the file has apart; 0 where it has the tensor whole or not at all.
    func partCount(of key: String) -> Int {
        entries.keys.count { $0.key == key && $0.part != nil }
    }

    /// The class token and its position apart, where the file has them so.
    func classPosition() throws(CheckpointError) -> ClassPosition? {
        guard hasClassPosition, let token = entries[Place(key: "cls_token")],
            let positions = entries[Place(key: "pos_embed")]
        else { return nil }
        let (first, all) = (try archive.read(token), try archive.read(positions))
        do throws(TorchError) {
            return try ClassPosition(token: first, positions: all)
        } catch {
            throw CheckpointError.tensor(name: positions.name, reason: "\(error)")
        }
    }

    /// Whether there is a tensor by timm's name, whole or in parts.
    func has(_ key: String) -> Bool { entries.keys.contains { $0.key == key } }

    /// The names in the file of the classifiers' tensors.
    var heads: [String] {
        entries.filter { Self.headKeys.contains($0.key.key) }.map(\.value.name).sorted()
    }

    /// The name of a tensor without what wraps the network; nil for one outside the network.
    func rest(of name: String) -> String? { rests[name] }

    /// The width that the classifier reads; nil where there is none.
    var headWidth: Int? { shape("head.weight").flatMap { $0.count == 2 ? $0[1] : nil } }

    /// The number of classes that the classifier tells apart; nil where there is none.
    var classCount: Int? {
        let heads = ModelFamilies.all.compactMap(\.heads.first)
        return ["weight", "bias"].lazy.flatMap { part in heads.map { "\($0).\(part)" } }
            .compactMap { shape($0)?.first }.first
    }

    /// The names and shapes alone, by which families know their networks.
    var stored: StoredWeights {
        StoredWeights(
            file: path,
            scheme: scheme,
            keys: Set(entries.keys.map(\.key)),
            shapes: Dictionary(
                entries.keys.compactMap { place in
                    place.part == nil ? shape(place.key).map { (place.key, $0) } : nil
                },
                uniquingKeysWith: { first, _ in first }
            )
        )
    }

    /// The sorting of a file's tensors by their use.
    private struct Sorter {
        let path: String
        let isHuggingFace: Bool
        var entries: [Place: ArchivedTensor] = [:]
        var extras: [String: ArchivedTensor] = [:]
        var quantized: [String: Int8Reader.Parts] = [:]
        var ignored: [String] = []

        mutating func add(_ tensor: ArchivedTensor, _ name: String) throws(CheckpointError) {
            let known = isHuggingFace ? HuggingFaceKeyMap.place(of: name) : nil
            let place = known ?? Place(key: isHuggingFace ? name : TimmNames.key(of: name))
            if !isHuggingFace, let (layer, part) = Int8Format.part(of: place.key) {
                guard quantized[layer, default: [:]].updateValue(tensor, forKey: part) == nil else {
                    throw twice(tensor, place)
                }
            } else if TimmNames.isExtra(place.key) {
                guard extras.updateValue(tensor, forKey: place.key) == nil else {
                    throw twice(tensor, place)
                }
            } else if isHuggingFace && HuggingFaceKeyMap.isUnused(name)
                || TimmNames.isProjectionHead(place.key)
            {
                ignored.append(tensor.name)
            } else if entries.updateValue(tensor, forKey: place) != nil {
                throw twice(tensor, place)
            }
        }

        private func twice(_ tensor: ArchivedTensor, _ place: Place) -> CheckpointError {
            .malformed(
                file: path,
                reason: "\(tensor.name) and another tensor are the same \(place.key)"
            )
        }
    }
}
