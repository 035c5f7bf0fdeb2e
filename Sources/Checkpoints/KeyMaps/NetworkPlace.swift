import Storage
import VisionModels

/// Where in a file a network's tensors are, whatever a trainer has wrapped around them.
///
/// Trainers put names before the names of the network (`module.`, `model.`, `backbone.`, `encoder.`) and other parts
/// beside it: projectors, losses, averaged copies. The network is found by its first layer, which only a network has.
struct NetworkPlace {
    private static let anchors = ModelFamilies.all.flatMap(\.anchors)

    /// What a linear classifier beside a network is called.
    private static let linearNames = ["head", "classifier", "fc", "linear", dinov2Linear]

    /// What DINOv2 calls a classifier on the class tokens of some blocks and the mean of the patches.
    private static let dinov2Linear = "linear_head"

    /// What stands before the names of the network's tensors; empty or with a dot at its end.
    let prefix: String

    /// The networks beside it, by what stands before their names.
    let others: [String]

    private let head: String
    /// What stands before `.weight` of the linear layer beside the network that is its classifier.
    private let linear: String?

    /// Looks for the network; nil where there is no first layer of a known one.
    ///
    /// - Parameters:
    ///   - tensors: The names, without what wrappers of single layers put into them, and the shapes.
    ///   - file: The file, for the error.
    /// - Throws: ``CheckpointError`` where several networks could be meant.
    init?(_ tensors: [(name: String, shape: [Int])], file: String) throws(CheckpointError) {
        var found: [(prefix: String, anchor: NetworkAnchor)] = []
        let names = tensors.map(\.name)
        let all = Set(names)
        for name in names {
            for anchor in Self.anchors where name.hasSuffix(anchor.name) {
                let before = String(name.dropLast(anchor.name.count))
                guard before.isEmpty || before.hasSuffix(".") else { continue }
                if let companion = anchor.companion {
                    let start = before + companion
                    guard all.contains(start) || names.contains(where: { $0.hasPrefix(start) })
                    else { continue }
                }
                found.append((Self.outermost(before, anchor), anchor))
            }
        }
        guard !found.isEmpty else { return nil }
        let prefix = try Self.choice(among: found.map(\.prefix), names: names, file: file)
        self.prefix = prefix
        others = Set(found.map(\.prefix)).subtracting([prefix]).sorted()
        let head = found.first { $0.prefix == prefix }?.anchor.head ?? "head"
        self.head = head
        linear = Self.linear(beside: prefix, head: head, tensors, others: others)
    }

    /// Transformers' own `vit.` and `dinov2.` belong to the names of a network with a classifier.
    private static func outermost(_ prefix: String, _ anchor: NetworkAnchor) -> String {
        guard anchor.head == "classifier", anchor.companion == nil else { return prefix }
        for base in HuggingFaceArchitecture.prefixes
        where prefix == base || prefix.hasSuffix(".\(base)") {
            return String(prefix.dropLast(base.count))
        }
        return prefix
    }

    /// The name within the network of one of the file's tensors; nil for one beside the network.
    func name(of tensor: String) -> String? {
        if let linear {
            for part in [".weight", ".bias"] where tensor == linear + part { return head + part }
        }
        guard tensor.hasPrefix(prefix) else { return nil }
        guard !others.contains(where: { $0.count > prefix.count && tensor.hasPrefix($0) }) else {
            return nil
        }
        return String(tensor.dropFirst(prefix.count))
    }

    /// What is assumed of a classifier that does not lie in the network itself.
    var assumption: String? {
        linear.map { "\($0) is the network's classifier, on its class token or pooled features" }
    }

    // MARK: - Which of several

    private static func choice(
        among prefixes: [String],
        names: [String],
        file: String
    ) throws(CheckpointError) -> String {
        let prefixes = Set(prefixes).sorted()
        if prefixes.count == 1 { return prefixes[0] }
        let parts = prefixes.map { $0.split(separator: ".") }
        // What all of them begin with tells nothing of their differences.
        var common = 0
        while let part = parts[0].dropFirst(common).first,
            parts.allSatisfy({ $0.dropFirst(common).first == part })
        {
            common += 1
        }
        let own = parts.map { $0.dropFirst(common).joined(separator: ".") }
        let first = own.indices.filter { !NetworkNames.isCopy(own[$0]) }
        // DINO's teacher is the network to use, the student of a distillation is.
        let isPair =
            own.contains { NetworkNames.words($0).contains("student") }
            && own.contains { NetworkNames.words($0).contains("teacher") }
        if isPair {
            // A teacher with the head of a self-distillation is the network to use, as DINOv2 evaluates it.
            let teachers = own.indices.filter {
                let parent = prefixes[$0].split(separator: ".").dropLast().joined(separator: ".")
                return NetworkNames.words(own[$0]).contains("teacher")
                    && names.contains { $0.hasPrefix("\(parent).dino_head.") }
            }
            if teachers.count == 1 { return prefixes[teachers[0]] }
        } else {
            if first.count == 1 { return prefixes[first[0]] }
            if let root = first.first(where: { own[$0].isEmpty }) { return prefixes[root] }
        }
        let listed = prefixes.prefix(6).map {
            $0.isEmpty ? "the file itself" : String($0.dropLast())
        }
        let example = prefixes.first { !$0.isEmpty }?.dropLast() ?? ""
        throw .unsupported(
            file: file,
            reason: "it holds \(prefixes.count) networks, \(listed.joined(separator: ", ")); "
                + "say which one is meant, such as --state-dict \(example)"
        )
    }

    // MARK: - The classifier beside a network

    private static func linear(
        beside prefix: String,
        head: String,
        _ tensors: [(name: String, shape: [Int])],
        others: [String]
    ) -> String? {
        let shapes = Dictionary(
            tensors.map { ($0.name, $0.shape) },
            uniquingKeysWith: { a, _ in a }
        )
        let own = [head, "cls_classifier", "head_dist"].map { "\(prefix)\($0).weight" }
        if own.contains(where: { shapes[$0] != nil }) { return nil }
        let widths = Set(
            tensors.filter { $0.name.hasPrefix(prefix) && $0.shape.count == 1 }.map { $0.shape[0] }
        )
        let tokenWidth = shapes["\(prefix)cls_token"]?.last ?? 0
        func fits(_ name: String, _ width: Int) -> Bool {
            name == dinov2Linear
                ? tokenWidth > 0 && width > tokenWidth && width % tokenWidth == 0
                : widths.contains(width)
        }
        var parent = prefix
        while true {
            for name in linearNames {
                let layer = parent + name
                guard let shape = shapes["\(layer).weight"], shape.count == 2,
                    fits(name, shape[1]),
                    shapes["\(layer).bias"].map({ $0 == [shape[0]] }) ?? true
                else { continue }
                return layer
            }
            guard !parent.isEmpty else { return nil }
            parent = String(parent.dropLast())
            parent = parent.lastIndex(of: ".").map { String(parent[...$0]) } ?? ""
        }
    }
}
