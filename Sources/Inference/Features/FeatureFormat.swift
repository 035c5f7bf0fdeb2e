/// The kinds of files that hold features.
public enum FeatureFormat: String, Sendable, CaseIterable {
    /// An array for each token, the labels, and the names of the images and classes in the metadata.
    case safetensors
    /// NumPy's format: one array; the names of the images stand in a second file, `NAME.files.csv`.
    case npy
    /// A line for each image: its name, its class, its numbers.
    case csv

    /// Tells the kind from the ending of a file's name; nil where there is none for it.
    ///
    /// - Parameter path: The file.
    public init?(path: String) {
        guard let dot = path.lastIndex(of: ".") else { return nil }
        self.init(rawValue: path[path.index(after: dot)...].lowercased())
    }

    /// Checks that the format holds features of this kind.
    ///
    /// - Parameter columns: The arrays.
    /// - Throws: ``InferenceError/notInFormat(_:)`` with what to do instead.
    public func check(_ columns: [FeatureColumn]) throws(InferenceError) {
        let hasPatches = columns.contains { $0.token == .patch }
        switch self {
        case .safetensors: return
        case .npy:
            guard !hasPatches || columns.count == 1 else {
                throw .notInFormat(
                    "a .npy file holds one array, but patch tokens have another shape than the other tokens: "
                        + "select patch only, or write a .safetensors file"
                )
            }
        case .csv:
            guard !hasPatches else {
                throw .notInFormat(
                    "a .csv file has one line per image, but there are many patch tokens: "
                        + "write a .safetensors or .npy file"
                )
            }
        }
    }
}
