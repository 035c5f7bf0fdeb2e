import Datasets
import Foundation
import Storage

/// The weight of each class in the loss.
enum ClassWeights {
    /// The weights of a run's classes by its options; nil where all count alike.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - train: The training images, whose numbers count.
    /// - Returns: A weight for each class, by label.
    /// - Throws: ``OptionError`` for a list or a file that does not fit the classes, `StorageError` for a damaged file.
    static func of(
        _ options: TrainingOptions,
        train: any ImageDataset
    ) throws -> [Double]? {
        let names = train.classNames
        switch options.classWeights {
        case .none: return nil
        case .balanced: return balanced(train.classCounts)
        case .effective(let beta): return effective(train.classCounts, beta: beta)
        case .list(let weights):
            guard weights.count == names.count else {
                throw OptionError.conflict(
                    "class_weights has \(weights.count) numbers and the data has \(ClassNames.summary(names)): give a "
                        + "number for each class, or a file with rows of class,weight"
                )
            }
            return try usable(weights)
        case .file(let path): return try usable(read(path, names))
        }
    }

    /// The weights of the classes in images that have them, of images with several labels; nil where all count 1.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - train: The training images, whose numbers count.
    /// - Returns: A weight for each class, by label.
    /// - Throws: ``OptionError`` for a list that does not fit the classes.
    static func positive(
        _ options: TrainingOptions,
        train: any ImageDataset
    ) throws(OptionError) -> [Double]? {
        let names = train.classNames
        switch options.posWeight {
        case .none: return nil
        case .balanced: return positive(train.classCounts, of: train.count)
        case .all(let weight): return names.map { _ in weight }
        case .list(let weights):
            guard weights.count == names.count else {
                throw .conflict(
                    "pos_weight has \(weights.count) numbers and the data has \(ClassNames.summary(names)): give one number "
                        + "for all classes, or one for each"
                )
            }
            return weights
        }
    }

    /// The images without each class for each image with it, `(n - n_c) / n_c`; 1 for a class without images.
    ///
    /// ## Source
    /// PyTorch, `BCEWithLogitsLoss`, on `pos_weight`.
    static func positive(_ counts: [Int], of images: Int) -> [Double] {
        counts.map { $0 == 0 ? 1 : Double(images - $0) / Double($0) }
    }

    /// Weights in inverse proportion to the number of images: `n / (k · n_c)`.
    ///
    /// The mean over the images is 1. `k` is the number of classes that have images; the others have the weight 0.
    ///
    /// - Parameter counts: The images of each class.
    /// - Returns: The weights.
    ///
    /// ## Source
    /// scikit-learn, `compute_class_weight("balanced", …)`; King and Zeng, "Logistic Regression in Rare Events Data" (2001).
    static func balanced(_ counts: [Int]) -> [Double] {
        let (all, classes) = (Double(counts.reduce(0, +)), Double(counts.count { $0 > 0 }))
        return counts.map { $0 == 0 ? 0 : all / (classes * Double($0)) }
    }

    /// Weights in inverse proportion to the effective number of images, `(1 - β) / (1 - β^n_c)`, scaled so that the weights
    /// of the classes that have images have the mean 1.
    ///
    /// - Parameters:
    ///   - counts: The images of each class.
    ///   - beta: The overlap of images, 0 for equal weights, towards 1 for the inverse number of images.
    /// - Returns: The weights; 0 of a class without images.
    ///
    /// ## Source
    /// Cui, Jia, Lin, Song, Belongie, "Class-Balanced Loss Based on Effective Number of Samples" (CVPR 2019,
    /// arXiv:1901.05555), equations 2 to 4 and section 4.
    static func effective(_ counts: [Int], beta: Double) -> [Double] {
        // By expm1, as 1 - β^n loses all digits where β is near 1.
        let inverse = counts.map { count in
            count == 0 ? 0 : beta == 0 ? 1 : (1 - beta) / -expm1(Double(count) * log(beta))
        }
        let sum = inverse.reduce(0, +)
        let classes = Double(counts.count { $0 > 0 })
        return inverse.map { sum == 0 ? 0 : $0 * classes / sum }
    }

    private static func usable(_ weights: [Double]) throws(OptionError) -> [Double] {
        guard weights.contains(where: { $0 > 0 }) else {
            throw .conflict("class_weights is 0 for every class: give at least one above 0")
        }
        return weights
    }

    /// Reads rows of a class and its weight; a first row without a number is a heading.
    private static func read(_ path: String, _ names: [String]) throws -> [Double] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw OptionError.conflict(
                "class_weights is \(path), which is no file: give balanced, effective, a list of numbers, or a CSV file "
                    + "with rows of class,weight"
            )
        }
        var text = DelimitedText([UInt8](data), path: path)
        var weights: [String: Double] = [:]
        var isFirst = true
        while let row = try text.next() {
            defer { isFirst = false }
            let cells = row.map(\.trimmed)
            guard cells.count == 2, let weight = Double(cells[1]), weight.isFinite, weight >= 0
            else {
                if isFirst, cells.count == 2, Double(cells[1]) == nil { continue }
                throw OptionError.conflict(
                    "line \(text.line) of \(path) is not a class and its weight, a number of at least 0: write rows of "
                        + "class,weight"
                )
            }
            guard weights.updateValue(weight, forKey: cells[0]) == nil else {
                throw OptionError.conflict("\(path) has two weights for \(cells[0]): leave one out")
            }
        }
        // Names compare by canonical equivalence, as in lists of images.
        let missing = names.filter { weights[$0] == nil }
        let known = Set(names)
        let unknown = weights.keys.filter { !known.contains($0) }.sorted()
        guard missing.isEmpty, unknown.isEmpty else {
            let problems =
                (missing.isEmpty ? [] : ["no weight for \(ClassNames.summary(missing))"])
                + (unknown.isEmpty
                    ? [] : ["weights for \(unknown.prefix(5).joined(separator: ", "))"])
            throw OptionError.conflict(
                "\(path) has other classes than the data: it has \(problems.joined(separator: " and "))"
            )
        }
        return names.map { weights[$0] ?? 0 }
    }
}
