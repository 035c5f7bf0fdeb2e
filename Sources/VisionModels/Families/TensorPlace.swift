/// A place in a network's tensors, by our names, which are timm's: a whole tensor, or one of several equal parts of its
/// rows, which other libraries keep apart.
public struct TensorPlace: Sendable, Hashable {
    /// The tensor's key.
    public let key: String

    /// Which of the equal parts of the rows it is, or nil for the whole tensor: of a `qkv` 0 query, 1 key, 2 value, of a
    /// gated `mlp.fc1` 0 gate, 1 value.
    public let part: Int?

    /// Creates a place.
    ///
    /// - Parameters:
    ///   - key: The tensor's key.
    ///   - part: Which part of the rows, or nil for the whole tensor.
    public init(key: String, part: Int? = nil) {
        self.key = key
        self.part = part
    }

    /// How many parts a tensor has where it is kept in parts: three for a `qkv`, two for a gated `mlp.fc1`.
    ///
    /// - Parameter key: The tensor's key.
    /// - Returns: The number; 1 for a tensor that is always whole.
    package static func partCount(of key: String) -> Int {
        if key.contains(".attn.qkv.") { return 3 }
        return key.contains(".mlp.fc1.") ? 2 : 1
    }
}

/// The names that another library gives to a network's tensors.
package protocol TensorNames: Sendable {
    /// Whose names they are.
    var scheme: NameScheme { get }

    /// Our key of a tensor; a name of no known part stays as it is.
    func key(of name: String) -> String

    /// The place of a tensor, where it may be a part of one here.
    func place(of name: String) -> TensorPlace

    /// What the library calls a tensor, or its parts in their order.
    ///
    /// - Parameter key: Our key.
    /// - Returns: The names; nil for a part that the library does not have, which is all zeros.
    func names(of key: String) -> [String?]
}

extension TensorNames {
    package func place(of name: String) -> TensorPlace { TensorPlace(key: key(of: name)) }

    package func names(of key: String) -> [String?] { [key] }
}
