import Checkpoints
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// Which of a teacher's answers belongs to each class of the data: classes are compared by name.
struct TeacherClasses: Equatable, Sendable {
    /// The teacher's class for each of the data's; nil where they are the same in the same order.
    let indices: [Int]?
    /// What a person should know of it.
    let note: String?

    /// Finds the data's classes among the teacher's.
    ///
    /// A teacher of more classes can teach: the logits of those that the data has are a distribution over them. A teacher
    /// whose file names no classes is taken to have the data's in the same order, if it has as many.
    ///
    /// - Parameters:
    ///   - data: The names of the data's classes.
    ///   - labels: What the teacher's are called; names or identifiers, such as synsets, are compared.
    ///   - teacher: The teacher's path.
    /// - Throws: ``TrainingError/otherClasses(teacher:missing:unexpected:)``.
    init(of data: [String], in labels: ClassLabels, teacher: String) throws(TrainingError) {
        if data == labels.names {
            (indices, note) = (nil, nil)
            return
        }
        if labels.arePlaceholders, labels.names.count == data.count {
            indices = nil
            note =
                "assumed: the unnamed classes of the teacher \(teacher) are the data's in "
                + "the same order"
            return
        }
        let found =
            labels.arePlaceholders ? data.map { _ in nil } : data.map { labels.index(of: $0) }
        let known = found.compactMap { $0 }
        guard known.count == data.count, Set(known).count == data.count else {
            let named = Set(known)
            guard !labels.arePlaceholders else {
                let count = labels.names.count
                throw .otherClasses(
                    teacher: teacher,
                    missing: data,
                    unexpected: ["\(count) unnamed classes"]
                )
            }
            throw .otherClasses(
                teacher: teacher,
                missing: data.indices.filter { found[$0] == nil }.map { data[$0] },
                unexpected: labels.names.indices.filter { !named.contains($0) }
                    .map { labels.names[$0] }
            )
        }
        let others = labels.names.count - known.count
        if known == Array(labels.names.indices) {
            (indices, note) = (nil, nil)
            return
        }
        indices = known
        note =
            others == 0
            ? "the teacher \(teacher) has the data's classes in another order: its outputs are matched by name"
            : "the teacher \(teacher) has \(counted(others, "class")) that the data lacks: their outputs are ignored"
    }

    /// A teacher's function with its answers in the data's order, the others left out.
    func applied(to forward: @escaping ClassifierForward) throws(TorchError) -> ClassifierForward {
        guard let indices else { return forward }
        let columns = try Tensor(indices.map(Int64.init), shape: [indices.count])
            .to(ComputePolicy.current.device)
        return { pixels throws(TorchError) in
            let logits = try forward(pixels)
            return ClassifierLogits(
                cls: try logits.cls.indexSelected(1, columns),
                dist: try logits.dist?.indexSelected(1, columns)
            )
        }
    }
}
