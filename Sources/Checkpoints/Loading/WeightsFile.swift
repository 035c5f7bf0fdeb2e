import Storage
import Torch
import VisionModels

/// A weights file whose tensors are known by timm's names, whoever's names they have in it.
struct WeightsFile {
    typealias Place = HuggingFaceKeyMap.Place

    static let headKeys = Set(ModelFamilies.heads.flatMap { ["\($0).weight", "\($0).bias"] })

    let archive: any TensorArchive

    /// The archive as it is stored, where ``archive`` has other views of some tensors.
    let stored: any TensorArchive

    /// Whose names the tensors have.
    let scheme: NameScheme

    /// The names of another library than transformers; nil where they are ours.
    let names: (any TensorNames)?

    /// The prefix of the names of the network's tensors in the file; usually empty.
    let prefix: String

    /// The tensors with a place in a model.
    let entries: [Place: ArchivedTensor]

    /// The tensors of the pooler and of masked modelling, by timm's names, which no classifier uses.
    let extras: [String: ArchivedTensor]

    /// What lies beside weights in 8 bits, by the weights' places.
    let quantized: [Place: Int8Reader.Parts]

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

    /// Whether it is an image tower of transformers' CLIP or SigLIP.
    let isTower: Bool

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

    init(_ stored: any TensorArchive) throws(CheckpointError) {
        let archive = DerivedArchive.wrap(stored)
        (self.archive, self.stored) = (archive, stored)
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
        self.names = isHuggingFace ? nil : others
        isTower = tensors.contains { $0.name == TowerTensors.patches }
        let registers =
            isHuggingFace ? "embeddings.\(DINOv2Names.registers)" : DINOv2Names.registers
        let hasRegisters = tensors.contains {
            (isHuggingFace ? HuggingFaceKeyMap.baseKey(of: $0.name) : $0.name) == registers
        }
        var sorter = Sorter(path: archive.path, isHuggingFace: isHuggingFace, names: self.names)
        sorter.isGated = tensors.contains { $0.name.hasSuffix(".mlp.gate_proj.weight") }
        for (tensor, name) in names { try sorter.add(tensor, name.rest) }
        entries = sorter.entries
        // A DINOv3 has registers and no positions.
        hasClassPosition = hasRegisters && sorter.entries[Place(key: "pos_embed")] != nil
        extras = sorter.extras
        quantized = sorter.quantized
        isOfDINO =
            !isHuggingFace && names.contains { TimmNames.isProjectionHeadOfDINO($0.1.rest) }
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
        if self.names == nil, names.contains(where: { TimmNames.key(of: $0.1.rest) != $0.1.rest }) {
            notes.append("read gamma_1 and gamma_2 as ls1.gamma and ls2.gamma")
        }
        let file = ((stored as? HeadedArchive)?.network ?? stored) as? PyTorchFile
        self.notes = (file?.notes ?? (stored as? SelectedArchive)?.notes ?? []) + notes
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

    /// The shape of a tensor by timm's name, as timm would have it, together with its parts; nil where there is none.
    func shape(_ key: String) -> [Int]? {
        let count = TensorPlace.partCount(of: key)
        guard let shape = entries[Place(key: key)]?.shape else {
            let part = (0..<count).lazy.compactMap { entries[Place(key: key, part: $0)] }.first
            guard count > 1, let shape = part?.shape, let rows = shape.first else { return nil }
            return [rows * count] + shape.dropFirst()
        }
        guard hasClassPosition, key == "pos_embed", shape.count == 3 else { return shape }
        return [shape[0], shape[1] - 1, shape[2]]
    }

    /// Whether the file has parts of a tensor's rows apart, of which some may be left out.
    func hasParts(of key: String) -> Bool {
        (0..<TensorPlace.partCount(of: key)).contains { entries[Place(key: key, part: $0)] != nil }
    }

    /// Whether a part of a tensor is zeros because the file leaves it out, or a mask takes it out.
    private func isPartial(_ key: String) -> Bool {
        if let whole = entries[Place(key: key)] {
            return (archive as? DerivedArchive)?.isMasked(whole.name) == true
        }
        return (0..<TensorPlace.partCount(of: key)).contains {
            entries[Place(key: key, part: $0)] == nil
        }
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

    private var rotaryPeriodsEntry: ArchivedTensor? {
        guard names is DINOv3Names else { return nil }
        return archive.tensors.first { rests[$0.name] == DINOv3Names.periods }
    }

    /// What a file of DINOv3's own code divides the places of patches by; nil for other files.
    func rotaryPeriods() throws(CheckpointError) -> [Float]? {
        guard let tensor = rotaryPeriodsEntry else { return nil }
        let values = try archive.read(tensor)
        do throws(TorchError) {
            return try values.to(.float32).floats()
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
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
    var namesAndShapes: StoredWeights {
        let keys = Set(entries.keys.map(\.key))
        var shapes = Dictionary(
            uniqueKeysWithValues: keys.compactMap { key in shape(key).map { (key, $0) } }
        )
        shapes[DINOv3Names.periods] = rotaryPeriodsEntry?.shape
        return StoredWeights(
            file: path,
            scheme: scheme,
            keys: keys,
            partial: keys.filter(isPartial),
            shapes: shapes
        )
    }

    /// The sorting of a file's tensors by their use.
    private struct Sorter {
        let path: String
        let isHuggingFace: Bool
        let names: (any TensorNames)?

        /// Whether the feed-forward layers are gated, where transformers' names tell it.
        var isGated = false
        var entries: [Place: ArchivedTensor] = [:]
        var extras: [String: ArchivedTensor] = [:]
        var quantized: [Place: Int8Reader.Parts] = [:]
        var ignored: [String] = []

        mutating func add(_ tensor: ArchivedTensor, _ name: String) throws(CheckpointError) {
            let place = place(of: name)
            if let (layer, part) = Int8Format.part(of: name) {
                let weight = self.place(of: layer + ".weight")
                guard quantized[weight, default: [:]].updateValue(tensor, forKey: part) == nil
                else {
                    throw twice(tensor, place)
                }
            } else if TimmNames.isExtra(place.key) {
                guard extras.updateValue(tensor, forKey: place.key) == nil else {
                    throw twice(tensor, place)
                }
            } else if isHuggingFace && HuggingFaceKeyMap.isUnused(name)
                || TimmNames.isProjectionHead(place.key) || isBesideNetwork(name)
            {
                ignored.append(tensor.name)
            } else if entries.updateValue(tensor, forKey: place) != nil {
                throw twice(tensor, place)
            }
        }

        private func place(of name: String) -> Place {
            if isHuggingFace {
                return HuggingFaceKeyMap.place(of: name, isGated: isGated) ?? Place(key: name)
            }
            let place = names?.place(of: name) ?? Place(key: name)
            return Place(key: TimmNames.key(of: place.key), part: place.part)
        }

        private func isBesideNetwork(_ name: String) -> Bool {
            names is DINOv3Names && DINOv3Names.isBesideNetwork(name)
        }

        private func twice(_ tensor: ArchivedTensor, _ place: Place) -> CheckpointError {
            .malformed(
                file: path,
                reason: "\(tensor.name) and another tensor are the same \(place.key)"
            )
        }
    }
}
