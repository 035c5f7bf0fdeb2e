package import Storage
package import Torch

/// The tensors of a model, matched with those of a file.
///
/// Whatever is to be loaded, into a network or into one of Hugging Face's classes, is compared here, told by the same error
/// and copied from here; those who load decide what may differ.
package struct WeightMatch {
    package typealias Place = HuggingFaceKeyMap.Place

    /// One tensor of a model: a parameter, a buffer, or a part of its rows.
    package struct Wish {
        /// What it is, by timm's name.
        package let place: Place

        /// What the file would call it.
        package let name: String

        /// The shape that it is to have in the file.
        package let shape: [Int]

        /// The tensor of the model.
        package let target: Tensor

        package init(place: Place, name: String, shape: [Int], target: Tensor) {
            (self.place, self.name) = (place, name)
            (self.shape, self.target) = (shape, target)
        }
    }

    /// The tensors that the file has in the shape that the model has.
    package private(set) var fitting: [(entry: ArchivedTensor, wish: Wish)] = []

    /// The tensors that the file has in another shape.
    package private(set) var misshapen: [(entry: ArchivedTensor, wish: Wish)] = []

    /// The tensors that the file lacks.
    package private(set) var missing: [Wish] = []

    /// The tensors of the file that the model does not have, in the order of their names.
    package let unexpected: [(place: Place, entry: ArchivedTensor)]

    /// Compares names and shapes; no number is read.
    ///
    /// - Parameters:
    ///   - wishes: The tensors of the model.
    ///   - entries: What the file has.
    package init(_ wishes: [Wish], in entries: [Place: ArchivedTensor]) {
        var known: Set<Place> = []
        var (fitting, misshapen) = (self.fitting, self.misshapen)
        var missing: [Wish] = []
        for wish in wishes {
            known.insert(wish.place)
            guard let entry = entries[wish.place] else {
                missing.append(wish)
                continue
            }
            if entry.shape == wish.shape {
                fitting.append((entry, wish))
            } else {
                misshapen.append((entry, wish))
            }
        }
        unexpected = entries.filter { !known.contains($0.key) }
            .map { (place: $0.key, entry: $0.value) }.sorted { $0.entry.name < $1.entry.name }
        self.fitting = fitting
        self.misshapen = misshapen.sorted { $0.entry.name < $1.entry.name }
        self.missing = missing.sorted { $0.name < $1.name }
    }

    /// A difference of shapes, for an error or a report.
    package static func mismatch(
        _ pair: (entry: ArchivedTensor, wish: Wish)
    ) -> CheckpointError.ShapeMismatch {
        .init(key: pair.entry.name, expected: pair.wish.shape, found: pair.entry.shape)
    }

    /// Refuses tensors with infinity or NaN.
    ///
    /// - Parameters:
    ///   - wishes: The tensors after they were copied.
    ///   - file: The file that they are from.
    /// - Throws: ``CheckpointError`` that names them all.
    package static func requireFinite(
        _ wishes: [Wish],
        file: String
    ) throws(CheckpointError) {
        var broken: [String] = []
        for wish in wishes {
            do throws(TorchError) {
                if try !wish.target.isFiniteThroughout() { broken.append(wish.name) }
            } catch {
                throw CheckpointError.tensor(name: wish.name, reason: "\(error)")
            }
        }
        guard broken.isEmpty else {
            throw CheckpointError.malformed(
                file: file,
                reason: "NaN or infinity in \(LoadReport.list(broken))"
            )
        }
    }

    /// Refuses a configuration whose model is far larger than the file.
    ///
    /// A network is made before its keys can be compared; one that the file cannot fill by far might not fit the memory.
    ///
    /// - Parameters:
    ///   - needed: The numbers of the model.
    ///   - held: The numbers in the file.
    ///   - configuration: Where the configuration is from.
    ///   - weights: The file.
    /// - Throws: ``CheckpointError`` that names both numbers.
    package static func requireSize(
        _ needed: Double,
        held: Double,
        configuration: String,
        weights: String
    ) throws(CheckpointError) {
        guard needed <= 2 * held + 1e7 else {
            throw CheckpointError.malformed(
                file: configuration,
                reason:
                    "it describes a network of \(Int(exactly: needed.rounded()) ?? Int.max) values, but "
                    + "\(weights) contains \(Int(held))"
            )
        }
    }
}
