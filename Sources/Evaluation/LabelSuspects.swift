public import Checkpoints
public import Datasets
import Foundation
import ImagePipeline
import Inference
import Torch
import TorchNN

/// Images whose label their nearest neighbours contradict.
///
/// Each image's class is guessed from the images nearest to it in a model's features, itself left out. Where they agree
/// on another class than its label, the label may be wrong. Any model will do whose features distinguish such images; it
/// need not know the classes.
///
/// ## Source
/// Wu, Xiong, Yu, Lin, "Unsupervised Feature Learning via Non-Parametric Instance Discrimination" (CVPR 2018), section
/// 3.4: neighbours vote with weight `exp(cosine / 0.07)`; as in `dino/eval_knn.py`.
public struct LabelSuspects: Sendable {
    /// How many neighbours vote.
    public let neighbours: Int
    /// The share of the votes that another class must have, 0 to 1.
    public let agreement: Double

    /// The images that are compared with all others at once.
    private static let blockSize = 256
    private static let temperature = 0.07
    /// No more votes than these may be for the label itself.
    private static let support = 0.1

    /// Chooses how suspicious to be.
    ///
    /// - Parameters:
    ///   - neighbours: How many neighbours vote, at least 1.
    ///   - agreement: The share of the votes that another class must have, 0 to 1.
    public init(neighbours: Int = 10, agreement: Double = 0.8) {
        self.neighbours = max(1, neighbours)
        self.agreement = agreement
    }

    /// Finds suspects among all images of a report.
    ///
    /// Features of all images are held: four bytes a number, 768 bytes an image for DeiT-Ti.
    ///
    /// - Parameters:
    ///   - report: What was found so far; images that cannot be used are left out.
    ///   - loaded: The model.
    ///   - batch: The images that the model sees at once.
    ///   - workers: How many batches are read at the same time.
    ///   - progress: Called after each batch with the number of images done.
    /// - Returns: Findings of the kind `labelSuspect`, the most suspicious first.
    /// - Throws: `DatasetError` when the data cannot be read, `TorchError` when images do not fit the model.
    @ModelActor
    public func find(
        in report: DataReport,
        with loaded: LoadedModel,
        batch: Int = 32,
        workers: Int = 2,
        progress: (Int) -> Void = { _ in }
    ) async throws -> [Finding] {
        let joined = JoinedImages(report)
        guard !joined.isMultiLabel else {
            throw EvaluationError.invalid(
                "suspicious labels are found where each image has one class, and these images may have several: leave out "
                    + "--model"
            )
        }
        let extractor = try FeatureExtractor(Predictor(loaded), FeatureRequest(isNormalized: true))
        let loader = try DataLoader(
            dataset: joined,
            transform: loaded.description.processor,
            plan: EpochPlan(count: joined.count, batchSize: batch, shuffles: false),
            workers: workers,
            policy: .drop(limit: .max)
        )
        var (features, indices): ([Float], [Int]) = ([], [])
        let length = extractor.columns[0].count
        features.reserveCapacity(joined.count * length)
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            features += try extractor(batch)[0]
            indices += batch.indices
            progress(indices.count)
        }
        guard indices.count > 1 else { return [] }
        let labels = indices.map(joined.label)
        let whole = try Tensor(features, shape: [indices.count, length])
        return try suspects(whole, labels, classes: joined.classNames).map { suspect in
            let images = ([suspect.place] + suspect.neighbours).map {
                joined.item(at: indices[$0])
            }
            let share = Int((100 * suspect.share).rounded())
            return Finding(
                kind: .labelSuspect,
                images: images,
                detail: "labelled \(joined.classNames[labels[suspect.place]]); "
                    + "its neighbours say \(joined.classNames[suspect.label]) (\(share) %)"
            )
        }
    }

    /// One image under suspicion.
    struct Suspect: Equatable {
        let place: Int
        /// The class that the neighbours say.
        let label: Int
        /// Their share of the votes.
        let share: Double
        /// The nearest neighbours of that class, some of them.
        let neighbours: [Int]
    }

    /// Finds suspects by features.
    ///
    /// - Parameters:
    ///   - features: `[images, length]`, vectors of length 1.
    ///   - labels: The images' labels.
    ///   - classes: The classes' names.
    /// - Returns: The suspects, the most suspicious first.
    /// - Throws: `TorchError` when there is no memory.
    func suspects(
        _ features: Tensor,
        _ labels: [Int],
        classes: [String]
    ) throws(TorchError) -> [Suspect] {
        let count = labels.count
        // One more than vote, as the nearest image to each is itself.
        let k = min(neighbours + 1, count)
        let columns = try features.transposed(0, 1)
        var found: [(suspect: Suspect, order: Double)] = []
        for start in stride(from: 0, to: count, by: Self.blockSize) {
            let rows = start..<min(start + Self.blockSize, count)
            let nearest = try withoutGradient { () throws(TorchError) in
                try features.narrowed(0, rows).matmul(columns).topK(k)
            }
            let (values, places) = (try nearest.values.floats(), try nearest.indices.int64s())
            for row in rows {
                let range = ((row - start) * k)..<((row - start + 1) * k)
                let others = range.map { (place: Int(places[$0]), similarity: Double(values[$0])) }
                    .filter { $0.place != row && $0.similarity.isFinite }.prefix(neighbours)
                guard let suspect = judge(row, Array(others), labels, classes.count) else {
                    continue
                }
                found.append((suspect, suspect.share))
            }
        }
        return found.sorted { ($1.order, $0.suspect.place) < ($0.order, $1.suspect.place) }.map(
            \.suspect
        )
    }

    private func judge(
        _ row: Int,
        _ others: [(place: Int, similarity: Double)],
        _ labels: [Int],
        _ classes: Int
    ) -> Suspect? {
        var votes: [Int: Double] = [:]
        var sum = 0.0
        for other in others {
            let weight = exp((other.similarity - 1) / Self.temperature)
            votes[labels[other.place], default: 0] += weight
            sum += weight
        }
        guard sum > 0, let best = votes.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
            best.key != labels[row], best.value / sum >= agreement,
            (votes[labels[row]] ?? 0) / sum <= Self.support
        else { return nil }
        let same = others.filter { labels[$0.place] == best.key }.prefix(3).map(\.place)
        return Suspect(place: row, label: best.key, share: best.value / sum, neighbours: same)
    }
}
